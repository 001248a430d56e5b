package discovery

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Validate reports everything that [Component.Validate] does about each
// component, and what only shows in the whole: a device that Home Assistant
// would reject, ids and triggers that occur twice, names that repeat the
// device's. The errors are joined (see [errors.Join]), in a fixed order.
//
// A name can come to repeat the device's through a device name that a user
// chose; [ErrRepeatsDevice] tells this one from the others.
func (d Document) Validate() error {
	var p problems
	p.in("device", d.Device.check)
	p.in("origin", d.Origin.check)
	p.list("availability", d.Availability, checkTopic)
	if len(d.Components)+len(d.Stubs) == 0 {
		p.addf("no components")
	}
	d.checkComponents(&p)
	d.checkStubs(&p)
	d.checkUnique(&p)
	return p.err()
}

func (d Device) check(p *problems) {
	checkIdentifier(p, "identifier", d.Identifier)
	if d.ViaDevice != "" {
		checkIdentifier(p, "via device", d.ViaDevice)
	}
	if d.ViaDevice == d.Identifier {
		p.addf("is its own via device")
	}
	if d.Name == "" {
		p.addf("no name: Home Assistant would name it after the broker")
	}
	for _, text := range []string{
		d.Name, d.Manufacturer, d.Model, d.ModelID, d.SerialNumber, d.SWVersion, d.HWVersion, d.SuggestedArea,
	} {
		if !isText(text) {
			p.addf("%q has control characters", text)
		}
	}
	checkURL(p, "configuration URL", d.ConfigurationURL)
	if strings.Contains(d.ConfigurationURL, "?") {
		p.addf("configuration URL has a query")
	}
}

func checkIdentifier(p *problems, key, id string) {
	if !isIdentifier(id) {
		p.addf("%s %q is not letters, digits, - and _", key, id)
	}
}

func (o Origin) check(p *problems) {
	if o.Name == "" {
		p.addf("no name")
	}
	if !isText(o.Name) || !isText(o.SWVersion) {
		p.addf("%q %q has control characters", o.Name, o.SWVersion)
	}
	checkURL(p, "URL", o.URL)
}

func (d Document) checkComponents(p *problems) {
	for _, key := range slices.Sorted(maps.Keys(d.Components)) {
		c := d.Components[key]
		p.in(fmt.Sprintf("component %q", key), func(p *problems) {
			if !isKey(key) {
				p.addf("key is not lower-case letters, digits and _")
			}
			if repeats(c.Name, d.Device.Name) {
				p.addf("name %q %w", c.Name, ErrRepeatsDevice)
			}
			c.check(p)
		})
	}
}

// repeats reports whether an entity's name begins with the word or words that
// are the device's name.
func repeats(name, device string) bool {
	name, device = strings.ToLower(name), strings.ToLower(device)
	return device != "" && strings.HasPrefix(name+" ", device+" ")
}

func (d Document) checkStubs(p *problems) {
	for _, key := range slices.Sorted(maps.Keys(d.Stubs)) {
		if _, ok := platformKeys[d.Stubs[key]]; !ok {
			p.addf("stub %q: unknown platform %q", key, d.Stubs[key])
		}
		if _, ok := d.Components[key]; ok {
			p.addf("stub %q: is a component too", key)
		}
	}
}

// checkUnique finds what two components cannot share.
func (d Document) checkUnique(p *problems) {
	first := make(map[string]string)
	claim := func(key, what string) {
		if other, taken := first[what]; taken {
			p.addf("components %q and %q have the same %s", other, key, what)
			return
		}
		first[what] = key
	}
	for _, key := range slices.Sorted(maps.Keys(d.Components)) {
		c := d.Components[key]
		if c.UniqueID != "" {
			claim(key, fmt.Sprintf("unique id %q", c.UniqueID))
		}
		if c.DefaultEntityID != "" {
			claim(key, fmt.Sprintf("default entity id %q", c.DefaultEntityID))
		}
		if c.Platform == DeviceAutomation {
			claim(key, fmt.Sprintf("trigger type %q and subtype %q", c.Type, c.Subtype))
		}
	}
}
