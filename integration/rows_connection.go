package integration

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// chosen is what somebody has chosen for the next connection to the printer. It is
// kept until another is chosen; what is empty is left to OctoPrint.
type chosen struct {
	Port    string `json:"port,omitempty"`
	Profile string `json:"profile,omitempty"` // its id
}

// profileOption is a printer profile as its select has it.
type profileOption struct {
	ID     string `json:"id"`
	Option string `json:"option"`
}

// connectionRows choose what the next connection is made with. While there is a
// connection they show what that was made with.
func connectionRows(v *printerView) []printerRow {
	choice := func(key, name, icon, about string) printerRow {
		return printerRow{
			key: key, about: about, access: AccessControl, permissions: []string{octoprint.PermissionConnection},
			component: discovery.Component{Platform: discovery.Select, Name: name, Category: discovery.CategoryConfig, Disabled: true, Icon: icon},
		}
	}
	profile := choice("profile", "Printer profile", "mdi:printer-3d-nozzle-outline",
		"Chooses the printer profile of the next connection; it shows the one in use, or the one that will be.")
	profile.value = whileLive(func(v *printerView) value { return text(v.profileOption()) })
	profile.options = func(v *printerView) []string { return orNoOption(v.profileOptions()) }
	profile.action, profile.parameters = actionSetProfile, choosing
	if !v.serial() {
		return []printerRow{profile} // other connectors' parameters are OctoPrint's secret
	}
	port := choice("port", "Port", "mdi:serial-port", "Chooses the serial port of the next connection; it shows the one in use, or the one that will be.")
	port.value = whileLive(func(v *printerView) value { return text(v.port()) })
	port.options = func(v *printerView) []string { return append([]string{octoprint.PortAuto}, v.has.Ports...) }
	port.action, port.parameters = actionSetPort, choosing
	return []printerRow{profile, port}
}

// serial reports whether OctoPrint is known to connect to the printer by a serial
// port.
func (v *printerView) serial() bool {
	return v.has.Connector == octoprint.SerialConnector || v.has.Connector == "" && !v.info.HasConnectors()
}

// port is the serial port in use, or else the one that would be used next.
func (v *printerView) port() string {
	if v.state.Phase.Connected() && v.now.port != "" {
		return v.now.port
	}
	return cmp.Or(v.chosen.Port, v.has.PreferredPort, octoprint.PortAuto)
}

// profileOption is the printer profile in use, or else the one that would be used
// next.
func (v *printerView) profileOption() string {
	id := ""
	if v.info.Profile != nil {
		id = v.info.Profile.ID
	}
	if id == "" || !v.state.Phase.Connected() {
		id = cmp.Or(v.chosen.Profile, v.has.PreferredProfile, id)
	}
	for _, p := range v.has.Profiles {
		if p.ID == id {
			return p.Option
		}
	}
	if id == "" {
		return ""
	}
	return optionNames([]string{id})[0]
}

func (v *printerView) profileOptions() []string {
	options := make([]string, len(v.has.Profiles))
	for i, p := range v.has.Profiles {
		options[i] = p.Option
	}
	return options
}

// choiceParameters are what a select is set to.
type choiceParameters struct {
	Option string `json:"option"`
}

func choosing(option string) (json.RawMessage, *refusal) {
	return encodeParameters(choiceParameters{option}), nil
}

// connectionActions choose what the next connection is made with.
func connectionActions() []action {
	connection := []string{octoprint.PermissionConnection}
	unbusy := []octoprint.Phase{octoprint.PhaseOffline, octoprint.PhaseError, octoprint.PhaseIdle}
	return []action{
		{name: actionSetPort, about: "Chooses the port of the next connection.", permissions: connection, runsIn: unbusy, rowOnly: true, prepare: prepareSetPort},
		{name: actionSetProfile, about: "Chooses the printer profile of the next connection.", permissions: connection, runsIn: unbusy, rowOnly: true, prepare: prepareSetProfile},
	}
}

func prepareSetPort(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p choiceParameters
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	switch {
	case !v.serial():
		return call{}, notSerial()
	case p.Option != octoprint.PortAuto && !slices.Contains(v.has.Ports, p.Option):
		return call{}, refuse(CodeInvalid, "OctoPrint knows no port %s", quote(p.Option))
	}
	return call{own: func(v *printerView) { v.chosen.Port = p.Option }}, nil
}

func notSerial() *refusal {
	return refuse(CodeInvalid, "OctoPrint does not connect to this printer by a serial port: there is no port or baud rate to choose")
}

func prepareSetProfile(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p choiceParameters
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	i := slices.IndexFunc(v.has.Profiles, func(o profileOption) bool { return o.Option == p.Option })
	if i < 0 {
		return call{}, refuse(CodeInvalid, "OctoPrint has no printer profile %s", quote(p.Option))
	}
	id := v.has.Profiles[i].ID
	return call{own: func(v *printerView) { v.chosen.Profile = id }}, nil
}

// prepareConnect connects with what the request names, else with what was chosen,
// else as OctoPrint prefers.
func prepareConnect(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p struct {
		Port     string `json:"port"`
		Baudrate *int   `json:"baudrate"`
		Profile  string `json:"profile"`
	}
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	o := octoprint.ConnectOptions{Port: p.Port, Profile: cmp.Or(p.Profile, v.chosen.Profile)}
	if p.Baudrate != nil {
		if r := inRange(float64(*p.Baudrate), slowest, quickest); r != nil {
			return call{}, r
		}
		o.Baudrate = *p.Baudrate
	}
	switch {
	case hasControl(p.Port) || hasControl(p.Profile):
		return call{}, refuse(CodeInvalid, "port and profile have no control characters")
	case v.serial():
		o.Port = cmp.Or(o.Port, v.chosen.Port)
	case v.has.Connector != "" && (p.Port != "" || p.Baudrate != nil):
		return call{}, notSerial()
	}
	return sending(func(ctx context.Context, c *octoprint.Client) error { return c.Connect(ctx, o) }), nil
}

// connectionInquiry asks what there is to connect to and with.
func connectionInquiry() inquiry {
	return inquiry{
		name: "connection", permission: octoprint.PermissionConnection, access: AccessControl, gives: []string{"port"},
		on: []octoprint.EventType{
			octoprint.EventConnected, octoprint.EventConnectionsFound, octoprint.EventSettingsUpdated,
			octoprint.EventProfileModified, octoprint.EventProfileAdded, octoprint.EventProfileDeleted,
		},
		ask: func(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
			n, err := c.Connection(ctx)
			if err != nil {
				return nil, err
			}
			return func(v *printerView) { v.connectable(n) }, nil
		},
	}
}

// connectable takes over what there is to connect to and with.
func (v *printerView) connectable(n octoprint.Connection) {
	v.has.Connector, v.has.Ports = n.Connector, nil
	for _, port := range n.Ports {
		if optionNames([]string{port})[0] == port && port != octoprint.PortAuto && !slices.Contains(v.has.Ports, port) {
			v.has.Ports = append(v.has.Ports, port)
		}
	}
	// Always in the same order: of two with one name each keeps its option.
	profiles := slices.SortedFunc(slices.Values(n.Profiles), func(a, b octoprint.NamedProfile) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	names := make([]string, len(profiles))
	for i, p := range profiles {
		names[i] = cmp.Or(p.Name, p.ID)
	}
	v.has.Profiles = nil
	for i, option := range optionNames(names) {
		v.has.Profiles = append(v.has.Profiles, profileOption{ID: profiles[i].ID, Option: option})
	}
	v.has.PreferredPort, v.has.PreferredProfile = n.PreferredPort, n.PreferredProfile
	v.now.port = n.Port
}
