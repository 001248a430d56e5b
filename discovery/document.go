package discovery

import (
	"maps"
	"slices"
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
	var f fields
	putAvailability(&f, d.Availability, "")
	f.encoded("dev", d.Device.appendTo)
	f.encoded("o", d.Origin.appendTo)
	f.whole("qos", documentQoS)
	f.later("cmps", d.appendComponents)
	const head, each = 1 << 10, 512 // bytes; more is needed where names and topics are long
	return f.appendTo(make([]byte, 0, head+each*(len(d.Components)+len(d.Stubs)))), nil
}

func (d Document) appendComponents(b []byte) []byte {
	keys := slices.AppendSeq(make([]string, 0, len(d.Components)+len(d.Stubs)), maps.Keys(d.Components))
	for key := range d.Stubs {
		if _, both := d.Components[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var f fields
	b = append(b, '{')
	for i, key := range keys {
		c, ok := d.Components[key]
		if !ok {
			c = Stub(d.Stubs[key])
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, key), ':')
		f.reset()
		c.put(&f)
		b = f.appendTo(b)
	}
	return append(b, '}')
}

func (d Device) appendTo(b []byte) []byte {
	var f fields
	f.texts("ids", []string{d.Identifier})
	f.text("name", d.Name)
	f.text("mf", d.Manufacturer)
	f.text("mdl", d.Model)
	f.text("mdl_id", d.ModelID)
	f.text("sn", d.SerialNumber)
	f.text("sw", d.SWVersion)
	f.text("hw", d.HWVersion)
	f.text("cu", d.ConfigurationURL)
	f.text("via_device", d.ViaDevice)
	f.text("sa", d.SuggestedArea)
	return f.appendTo(b)
}

func (o Origin) appendTo(b []byte) []byte {
	var f fields
	f.required("name", o.Name)
	f.text("sw", o.SWVersion)
	f.text("url", o.URL)
	return f.appendTo(b)
}
