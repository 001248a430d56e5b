package discovery

import (
	"encoding/json"
	"maps"
)

// Device is what Home Assistant shows about a device.
type Device struct {
	Identifier       string // from [Topics.Node]; permanent
	Name             string
	Manufacturer     string
	Model            string
	ModelID          string
	SerialNumber     string
	SWVersion        string
	HWVersion        string
	ConfigurationURL string // full http or https URL, without user, password and query
	ViaDevice        string // identifier of the device above; announce that one first
	SuggestedArea    string // counts only when Home Assistant first sees the device
}

// Origin is the software that announces a device.
type Origin struct {
	Name      string
	SWVersion string
	URL       string // for support
}

// Document is the discovery message of one device.
type Document struct {
	Device Device
	Origin Origin
	// Availability are the topics that must all say online for the entities to
	// be available. Components may have their own in place of these.
	Availability []string
	// Components are the device's entities and triggers by row key. A key is
	// permanent and keeps its platform and unique id.
	Components map[string]Component
	// Stubs are the components to remove, with the platform that each had. One
	// works only on what Home Assistant has loaded in its present run.
	Stubs map[string]Platform
}

// documentQoS is the quality of service at which Home Assistant subscribes to
// states.
const documentQoS = 1

// MarshalJSON encodes the document as Home Assistant reads it, the keys sorted:
// equal documents give equal text. It validates nothing; where a key is both a
// component and a stub, the component is encoded.
func (d Document) MarshalJSON() ([]byte, error) {
	components := make(map[string]Component, len(d.Components)+len(d.Stubs))
	for key, platform := range d.Stubs {
		components[key] = Stub(platform)
	}
	maps.Copy(components, d.Components)
	f := fields{"dev": d.Device.fields(), "o": d.Origin.fields(), "qos": documentQoS, "cmps": components}
	putAvailability(f, d.Availability, "")
	return json.Marshal(f)
}

func (d Device) fields() fields {
	f := fields{"ids": []string{d.Identifier}}
	put(f, "name", d.Name)
	put(f, "mf", d.Manufacturer)
	put(f, "mdl", d.Model)
	put(f, "mdl_id", d.ModelID)
	put(f, "sn", d.SerialNumber)
	put(f, "sw", d.SWVersion)
	put(f, "hw", d.HWVersion)
	put(f, "cu", d.ConfigurationURL)
	put(f, "via_device", d.ViaDevice)
	put(f, "sa", d.SuggestedArea)
	return f
}

func (o Origin) fields() fields {
	f := fields{"name": o.Name}
	put(f, "sw", o.SWVersion)
	put(f, "url", o.URL)
	return f
}
