package discovery

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxText is the longest state that Home Assistant keeps, in characters.
	maxText = 255
	minStep = 0.001
)

// checkClass holds device class, state class, unit and precision against each
// other.
func (c Component) checkClass(p *problems) {
	states, ok := stateClassOf(c.StateClass)
	if c.StateClass != "" && !ok {
		p.addf("unknown state class %q", c.StateClass)
	}
	if c.Precision != nil && *c.Precision < 0 {
		p.addf("precision %d is below 0", *c.Precision)
	}
	if !isPlain(c.Unit) {
		p.addf("unit %q has control characters or space at its ends", c.Unit)
	}
	if c.DeviceClass == "" {
		return
	}
	if !isClass(c.Platform, c.DeviceClass) {
		p.addf("%s has no device class %q", c.Platform, c.DeviceClass)
		return
	}
	if c.Platform != Sensor && c.Platform != Number {
		return
	}
	if isTextual(c.DeviceClass) {
		if c.Unit != "" || c.StateClass != "" || c.Precision != nil {
			p.addf("device class %s with a unit, a state class or a precision", c.DeviceClass)
		}
		return
	}
	m := measures[c.DeviceClass]
	if !m.takes(c.Unit) {
		p.addf("device class %s with the unit %q, not one of %q", c.DeviceClass, c.Unit, m.units)
	}
	if states&^m.states != 0 {
		p.addf("device class %s with the state class %s", c.DeviceClass, c.StateClass)
	}
}

// checkPlatform has the rules that only one platform, or a few, have.
func (c Component) checkPlatform(p *problems) {
	switch c.Platform {
	case Sensor:
		if (c.DeviceClass == classEnum) != (len(c.Options) > 0) {
			p.addf("device class enum and options go together")
		}
		p.list("option", c.Options, checkOption)
	case Select:
		p.list("option", c.Options, checkOption)
	case BinarySensor, Switch:
		c.checkPayloads(p)
	case Number:
		c.checkRange(p)
		c.checkMode(p, "auto", "box", "slider")
	case Text:
		c.checkLength(p)
		c.checkMode(p, "text", "password")
	case Climate:
		c.checkRange(p)
		c.checkHeat(p)
	case Image:
		if c.ContentType != "" && !strings.HasPrefix(c.ContentType, "image/") {
			p.addf("content type %q is no image", c.ContentType)
		}
	case Update:
		c.checkUpdate(p)
	case Event:
		p.list("event type", c.EventTypes, checkType)
	case DeviceAutomation:
		c.checkTrigger(p)
	case Button, Camera, Notify:
	}
}

func (c Component) checkMode(p *problems, modes ...string) {
	if c.Mode != "" && !slices.Contains(modes, c.Mode) {
		p.addf("unknown mode %q of a %s", c.Mode, c.Platform)
	}
}

// checkOption refuses what cannot be a state: Home Assistant takes None for
// unknown.
func checkOption(p *problems, option string) {
	switch {
	case option == "" || !isText(option):
		p.addf("empty, or has control characters")
	case utf8.RuneCountInString(option) > maxText:
		p.addf("longer than %d characters", maxText)
	case strings.EqualFold(option, "none"):
		p.addf("means unknown to Home Assistant")
	}
}

func (c Component) checkPayloads(p *problems) {
	on, off := c.PayloadOn, c.PayloadOff
	if on == "" {
		on = "ON"
	}
	if off == "" {
		off = "OFF"
	}
	p.list("payload", []string{on, off}, checkOption)
}

func (c Component) checkRange(p *problems) {
	for _, v := range []*float64{c.Min, c.Max, c.Step} {
		if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
			p.addf("range with NaN or an infinity")
			return
		}
	}
	if c.Min != nil && c.Max != nil && *c.Min >= *c.Max {
		p.addf("minimum %v is not below the maximum %v", *c.Min, *c.Max)
	}
	if c.Step != nil && *c.Step < minStep {
		p.addf("step %v is below %v", *c.Step, minStep)
	}
}

func (c Component) checkLength(p *problems) {
	low, high := 0.0, float64(maxText)
	if c.Min != nil {
		low = *c.Min
	}
	if c.Max != nil {
		high = *c.Max
	}
	if !(0 <= low && low <= high && high <= maxText) || low != math.Trunc(low) || high != math.Trunc(high) {
		p.addf("length of %v to %v is not within 0 to %d", low, high, maxText)
	}
	if _, err := regexp.Compile(c.Pattern); err != nil {
		p.addf("pattern %q is no regular expression", c.Pattern)
	}
}

func (c Component) checkHeat(p *problems) {
	if c.Heat == nil {
		return // said to be missing with its keys
	}
	p.list("mode", c.Heat.Modes, func(p *problems, mode string) {
		if !slices.Contains(hvacModes, mode) {
			p.addf("unknown")
		}
	})
	if u := c.Heat.TemperatureUnit; u != "" && u != "C" && u != "F" {
		p.addf("temperature unit %q is neither C nor F", u)
	}
}

func (c Component) checkUpdate(p *problems) {
	if (c.CommandTopic == "") != (c.PayloadInstall == "") {
		p.addf("command topic and payload to install go together")
	}
	if !isText(c.Title) {
		p.addf("title %q has control characters", c.Title)
	}
	checkURL(p, "release URL", c.ReleaseURL)
}

func checkType(p *problems, typ string) {
	if !typePattern.MatchString(typ) {
		p.addf("not words of lower-case letters and digits, joined by _")
	}
}

func (c Component) checkTrigger(p *problems) {
	for _, typ := range []string{c.Type, c.Subtype} {
		if typ != "" {
			p.list("type", []string{typ}, checkType)
		}
	}
	if c.ValueTemplate != "" && c.ValueTemplate != EventTypeTemplate {
		p.addf("template %q is not the one that is allowed", c.ValueTemplate)
	}
}
