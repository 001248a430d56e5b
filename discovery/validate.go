package discovery

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const maxEntityID = 255

var (
	iconPattern     = regexp.MustCompile(`^mdi:[a-z0-9]+(-[a-z0-9]+)*$`)
	entityIDPattern = regexp.MustCompile(`^([a-z_]+)\.[a-z0-9]+(_[a-z0-9]+)*$`)
	typePattern     = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)
)

// Validate reports everything about the component that Home Assistant would
// reject, warn about or silently take for something else, and everything that
// breaks this package's own rules: no template but the constant one, no queued
// commands, no state that nobody reported. The errors are joined (see
// [errors.Join]), in a fixed order.
//
// What only shows among components is left to [Document.Validate].
func (c Component) Validate() error {
	var p problems
	c.check(&p)
	return p.err()
}

func (c Component) check(p *problems) {
	known, ok := keysOf(c.Platform)
	if !ok {
		p.addf("unknown platform %q", c.Platform)
		return
	}
	c.checkKeys(p, known)
	c.checkIdentity(p)
	c.checkAvailability(p)
	c.checkTopics(p)
	c.checkClass(p)
	c.checkPlatform(p)
}

func (c Component) checkKeys(p *problems, known keys) {
	var f fields
	c.put(&f)
	var has []string
	for _, v := range f.list {
		has = append(has, v.key)
	}
	slices.Sort(has)
	for _, key := range known.required {
		if !slices.Contains(has, key) {
			p.addf("%s without %s", c.Platform, key)
		}
	}
	for _, key := range has {
		if !known.know(key) {
			p.addf("%s has no option %s", c.Platform, key)
		}
	}
}

func (c Component) checkIdentity(p *problems) {
	if !isPlain(c.Name) {
		p.addf("name %q has control characters or space at its ends", c.Name)
	}
	if c.UniqueID != "" && !isIdentifier(c.UniqueID) {
		p.addf("unique id %q has other characters than letters, digits, - and _", c.UniqueID)
	}
	c.checkEntityID(p)
	if c.Icon != "" && !iconPattern.MatchString(c.Icon) {
		p.addf("icon %q is not mdi:name", c.Icon)
	}
	switch c.Category {
	case "", CategoryDiagnostic:
	case CategoryConfig:
		if c.Platform == Sensor || c.Platform == BinarySensor {
			p.addf("category config is not for a %s", c.Platform)
		}
	default:
		p.addf("unknown category %q", c.Category)
	}
}

func (c Component) checkEntityID(p *problems) {
	id := c.DefaultEntityID
	if id == "" {
		return
	}
	domain, _, _ := strings.Cut(id, ".")
	switch {
	case !entityIDPattern.MatchString(id), len(id) > maxEntityID:
		p.addf("default entity id %q is not valid", id)
	case domain != string(c.Platform):
		p.addf("default entity id %q is not of the domain %s", id, c.Platform)
	}
}

func (c Component) checkAvailability(p *problems) {
	p.list("availability", c.Availability, checkTopic)
	switch c.AvailabilityMode {
	case "":
	case AvailabilityAll, AvailabilityAny, AvailabilityLatest:
		if len(c.Availability) == 0 {
			p.addf("availability mode %s without topics", c.AvailabilityMode)
		}
	default:
		p.addf("unknown availability mode %q", c.AvailabilityMode)
	}
	if c.QoS == nil {
		return
	}
	if *c.QoS < 0 || *c.QoS > 2 {
		p.addf("qos %d is not 0 to 2", *c.QoS)
	}
	if *c.QoS != 0 && c.takesCommands() {
		p.addf("qos %d with commands: Home Assistant would resend them late", *c.QoS)
	}
}

func (c Component) checkTopics(p *problems) {
	if c.StateTopic != "" && c.StateTopic == c.CommandTopic {
		p.addf("commands and states have the same topic %q", c.StateTopic)
	}
	heat := c.Heat
	if heat == nil {
		heat = &Heat{}
	}
	for _, topic := range []string{
		c.StateTopic, c.CommandTopic, c.AttributesTopic, c.LatestVersionTopic, c.Topic,
		heat.ModeStateTopic, heat.ModeCommandTopic, heat.TemperatureStateTopic, heat.TemperatureCommandTopic,
		heat.CurrentTemperatureTopic, heat.ActionTopic,
	} {
		if topic != "" {
			p.in(fmt.Sprintf("topic %q", topic), func(p *problems) { checkTopic(p, topic) })
		}
	}
}

// checkURL accepts what Home Assistant can link to and what may be shown to
// everyone who can read the broker.
func checkURL(p *problems, key, text string) {
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || !isPlain(text):
		// The text is not repeated: it might hold a password.
		p.addf("%s is not a URL", key)
	case u.User != nil:
		p.addf("%s has a user or password", key)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		p.addf("%s %q is not a full http or https URL", key, text)
	}
}
