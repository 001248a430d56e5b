package octoprint

import (
	"context"
	"net/http"
)

// SerialConnector is what connects to the printer by a serial port: the only way
// there is before 2.0.
const SerialConnector = "serial"

// Events after which there may be other profiles to connect with.
const (
	EventProfileAdded   EventType = "PrinterProfileAdded"
	EventProfileDeleted EventType = "PrinterProfileDeleted"
)

// PortAuto is the port that has the server look for the printer itself.
const PortAuto = "AUTO"

// Connection is how a server may connect to its printer, and how it is connected.
type Connection struct {
	// Connector is what connects by preference: "serial", or since 2.0 what a plugin
	// brings. Other connectors' parameters can hold secrets, and are never read.
	Connector string
	// Ports are the serial ports that the printer may be at; none if the preferred
	// connector is another one.
	Ports    []string
	Profiles []NamedProfile
	// Port is the serial port in use; empty without.
	Port string
	// PreferredPort and PreferredProfile are what Connect takes if it isn't told;
	// empty: the server has no preference.
	PreferredPort    string
	PreferredProfile string // a profile's id
}

// NamedProfile is a printer profile to choose from.
type NamedProfile struct{ ID, Name string }

// wireConnection has the members of both shapes: up to 1.11, and since 2.0.
type wireConnection struct {
	Current struct {
		Port       string
		Connector  string
		Parameters wirePort
	}
	Options struct {
		Ports           []string
		PrinterProfiles []NamedProfile
		PortPreference  string
		ProfileBefore   string `json:"printerProfilePreference"`

		Connectors []struct {
			Connector  string
			Parameters struct{ Port []string }
		}
		Profiles           []NamedProfile
		PreferredConnector *struct {
			Connector  string
			Parameters wirePort
		}
		PreferredProfile string
	}
}

type wirePort struct{ Port string }

// Connection returns how the server may connect to the printer. It needs the
// permission STATUS.
func (c *Client) Connection(ctx context.Context) (Connection, error) {
	var w wireConnection
	r := request{method: http.MethodGet, path: "/api/connection", header: apiVersion2}
	if err := c.doHeader(ctx, r, &w); err != nil {
		return Connection{}, err
	}
	o := &w.Options
	if o.PreferredConnector == nil && o.Connectors == nil {
		return Connection{
			Connector: SerialConnector, Ports: o.Ports, Profiles: o.PrinterProfiles, Port: w.Current.Port,
			PreferredPort: o.PortPreference, PreferredProfile: o.ProfileBefore,
		}, nil
	}
	n := Connection{Connector: SerialConnector, Profiles: o.Profiles, PreferredProfile: o.PreferredProfile}
	if p := o.PreferredConnector; p != nil && p.Connector != "" {
		n.Connector = p.Connector
	}
	if w.Current.Connector == SerialConnector {
		n.Port = w.Current.Parameters.Port
	}
	if n.Connector != SerialConnector {
		return n, nil
	}
	if o.PreferredConnector != nil {
		n.PreferredPort = o.PreferredConnector.Parameters.Port
	}
	for _, connector := range o.Connectors {
		if connector.Connector == SerialConnector {
			n.Ports = connector.Parameters.Port
		}
	}
	return n, nil
}
