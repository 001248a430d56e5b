package integration

import (
	"octoprint2mqtt/discovery"
)

// supportURL is where users find help.
const supportURL = "https://github.com/octoprint2mqtt/octoprint2mqtt"

func (b *Bridge) origin() discovery.Origin {
	return discovery.Origin{Name: "octoprint2mqtt", SWVersion: b.config.Version, URL: supportURL}
}

// describe returns the bridge's own discovery document; see [announcement].
func (b *Bridge) describe() (discovery.Document, bool) {
	return discovery.Document{
		Device: discovery.Device{
			Identifier: b.topics.Node(discovery.Bridge), Name: "octoprint2mqtt", Manufacturer: "octoprint2mqtt",
			Model: "Bridge", SWVersion: b.config.Version,
		},
		Origin:     b.origin(),
		Components: b.device.components(b),
	}, true
}

// describe returns the farm's discovery document; see [announcement].
func (f *farm) describe() (discovery.Document, bool) {
	t := f.bridge.topics
	return discovery.Document{
		Device: discovery.Device{
			Identifier: t.Node(discovery.Farm), Name: f.name, Manufacturer: "octoprint2mqtt",
			Model: "Print farm", SWVersion: f.bridge.config.Version, ViaDevice: t.Node(discovery.Bridge),
		},
		Origin:       f.bridge.origin(),
		Availability: []string{t.BridgeState()},
		Components:   f.device.components(&f.view),
	}, true
}

// describe returns the printer's discovery document; see [announcement]. A
// printer that was never reached has more components than are known.
func (p *printer) describe() (d discovery.Document, complete bool) {
	t := p.bridge.topics
	model := "3D printer"
	if m := profileModel(p.view.info); m != "" {
		model = clean(m)
	}
	return discovery.Document{
		Device: discovery.Device{
			Identifier: t.Node(p.id), Name: p.view.config.Name, Manufacturer: "OctoPrint", Model: model,
			SWVersion: clean(p.view.info.Version), ConfigurationURL: publicURL(p.view.config.URL),
			ViaDevice: t.Node(discovery.Farm), SuggestedArea: p.view.config.Area,
		},
		Origin:       p.bridge.origin(),
		Availability: []string{t.BridgeState(), t.Availability(p.id)},
		Components:   p.componentsLocked(),
	}, p.view.reached()
}

// componentsLocked are the printer's entities and its device triggers.
func (p *printer) componentsLocked() map[string]discovery.Component {
	list := p.device.components(&p.view)
	if _, ok := list["event"]; ok {
		for _, typ := range eventTypes() {
			list[discovery.TriggerKey(typ)] = discovery.Trigger(p.bridge.topics.Event(p.id), typ, "printer")
		}
	}
	return list
}

// announcement returns what Home Assistant is told of a device; nil if there is
// none of that name.
func (b *Bridge) announcement(device string) *announcement {
	switch device {
	case discovery.Bridge:
		return &b.announced
	case discovery.Farm:
		return &b.farm.announced
	}
	if p := b.printer(device); p != nil {
		return &p.announced
	}
	return nil
}

// announcements are those of all devices, in the order in which they refer to
// each other.
func (b *Bridge) announcements() []*announcement {
	list := []*announcement{&b.announced, &b.farm.announced}
	for _, p := range b.printers() {
		list = append(list, &p.announced)
	}
	return list
}

// discovered takes in a discovery document of ours that came from the broker.
func (b *Bridge) discovered(device string, d delivery) {
	a := b.announcement(device)
	switch {
	case len(d.payload) == 0 && a == nil:
		b.outbox.Disown(d.topic)
	case len(d.payload) == 0:
		if a.withdrawn() {
			b.log.Info().Str("device", device).Msg("the device was deleted in Home Assistant and stays deleted until octoprint2mqtt is restarted, or a printer's refresh is requested")
		}
	case a != nil && d.retained && !b.outbox.Wants(d.topic, string(d.payload)):
		a.inherit(b.topics.Former(device, d.payload))
	}
}
