package integration

import (
	"octoprint2mqtt/discovery"
)

// supportURL is where users find help.
const supportURL = "https://github.com/octoprint2mqtt/octoprint2mqtt"

func (b *Bridge) origin() discovery.Origin {
	return discovery.Origin{Name: "octoprint2mqtt", SWVersion: b.config.Version, URL: supportURL}
}

// announce puts a discovery document into the outbox.
func (b *Bridge) announce(device string, d discovery.Document) {
	if b.topics.Prefix == "" {
		return
	}
	d.Origin = b.origin()
	b.outbox.Put(b.topics.Config(device), mustMarshal(d), discoveryClass)
}

func (b *Bridge) announceBridge() {
	b.announce(discovery.Bridge, discovery.Document{
		Device: discovery.Device{
			Identifier: b.topics.Node(discovery.Bridge), Name: "octoprint2mqtt", Manufacturer: "octoprint2mqtt",
			Model: "Bridge", SWVersion: b.config.Version,
		},
		Components: b.device.components(),
	})
}

// announceLocked puts the discovery document into the outbox. Components to be
// removed stand in it as stubs, or once more in full when Home Assistant has
// started anew: a stub works only on what it has loaded.
func (p *printer) announceLocked(full bool) {
	if p.deleted || p.bridge.topics.Prefix == "" {
		return
	}
	d := p.discoveryLocked()
	d.Stubs = make(map[string]discovery.Platform, len(p.removed))
	for key, c := range p.removed {
		if full {
			d.Components[key] = c
		} else {
			d.Stubs[key] = c.Platform
		}
	}
	p.bridge.outbox.Put(p.bridge.topics.Config(p.config.ID), mustMarshal(d), discoveryClass)
}

func (p *printer) discoveryLocked() discovery.Document {
	t, id := p.bridge.topics, p.config.ID
	model := "3D printer"
	if m := profileModel(p.view.info); m != "" {
		model = clean(m)
	}
	d := discovery.Document{
		Device: discovery.Device{
			Identifier: t.Node(id), Name: p.config.Name, Manufacturer: "OctoPrint", Model: model,
			SWVersion: clean(p.view.info.Version), ConfigurationURL: publicURL(p.config.URL),
			ViaDevice: t.Node(discovery.Farm), SuggestedArea: p.config.Area,
		},
		Origin:       p.bridge.origin(),
		Availability: []string{t.BridgeState(), t.Availability(id)},
		Components:   p.device.components(),
	}
	if _, ok := d.Components["event"]; ok {
		for _, typ := range eventTypes() {
			d.Components["trigger_"+typ] = discovery.Trigger(t.Event(id), typ, "printer")
		}
	}
	return d
}

// reannounce repeats a printer's discovery, in full after Home Assistant has
// started, and then once more with stubs for what is to go.
func (p *printer) reannounce(full bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.removed) == 0 {
		return
	}
	p.announceLocked(full)
	if !full {
		p.removed = nil // Home Assistant has had its stubs
	}
}

// deletedByUser respects that somebody deleted the device in Home Assistant: it
// stays deleted until the bridge starts anew.
func (p *printer) deletedByUser() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deleted {
		return
	}
	p.deleted = true
	p.bridge.outbox.Disown(p.bridge.topics.Config(p.config.ID))
	p.log.Info().Msg("the device was deleted in Home Assistant and stays deleted until octoprint2mqtt is restarted")
}
