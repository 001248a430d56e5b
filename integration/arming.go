package integration

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

// armedFor is how long after arming one command may come that needs it.
const armedFor = 10 * time.Second

// arming allows one dangerous command for a moment. A restart forgets it.
type arming struct {
	at   time.Time // when it was armed last; zero: never
	used bool      // the one command has come
}

// arm arms, unless that came a moment ago already: a second press, or the same
// message delivered twice, must neither arm again nor for longer.
func (a *arming) arm(now time.Time) *refusal {
	if !a.at.IsZero() && now.Sub(a.at) < armedFor {
		return refuse(CodeDuplicate, "it was armed less than %v ago; arming again neither prolongs nor repeats that", armedFor)
	}
	*a = arming{at: now}
	return nil
}

// check refuses a command that came at a time at which nothing was armed.
func (a *arming) check(name string, at time.Time) *refusal {
	if a.at.IsZero() || a.used || at.Before(a.at) || at.Sub(a.at) >= armedFor {
		return refuse(CodeNotArmed, "%s needs arming: send arm first, and this once within %v", name, armedFor)
	}
	return nil
}

// guarded reports whether a command needs arming: one to a row that the
// configuration lists, or a request for the action that such a row stands for.
// What makes the printer safer never does.
func (p *printer) guarded(c *command, ready call) bool {
	if len(p.view.config.Arm) == 0 || ready.urgent || c.armed {
		return false
	}
	if c.row != "" {
		return slices.Contains(p.view.config.Arm, c.row)
	}
	return slices.ContainsFunc(printerRows(&p.view), func(r printerRow) bool {
		return r.action == c.action.name && slices.Contains(p.view.config.Arm, r.key)
	})
}

func armRow() printerRow {
	return printerRow{
		key: actionArm, access: AccessControl, action: actionArm, parameters: pressed,
		about:     "Allows one command that the configuration lists under `arm`, within the next 10 s.",
		component: discovery.Component{Platform: discovery.Button, Name: "Arm", Icon: "mdi:shield-key-outline"},
	}
}

func prepareArm(parameters json.RawMessage, v *printerView) (call, *refusal) {
	if r := decodeParameters(parameters, &struct{}{}); r != nil {
		return call{}, r
	}
	if len(v.config.Arm) == 0 {
		return call{}, refuse(CodeInvalid, "the configuration lists nothing under arm for this printer")
	}
	now := time.Now()
	armed := v.arming
	if r := armed.arm(now); r != nil {
		return call{}, r
	}
	return call{own: func(v *printerView) { v.arming = armed }}, nil
}

// ArmKeys are the keys of rows that may be listed under arm in the configuration:
// all that take commands, but those that must always be possible. Printers with
// more tools have more of them, see [ArmKey].
func ArmKeys() []string {
	var keys []string
	for _, r := range printerRows(everything()) {
		if r.action != "" && r.key != actionEmergencyStop && r.key != actionArm {
			keys = append(keys, r.key)
		}
	}
	return keys
}

// ArmKey reports whether a row of that key may be listed under arm.
func ArmKey(key string) bool {
	if rest, ok := strings.CutPrefix(key, "tool"); ok {
		number := strings.TrimLeft(rest, "0123456789")
		if len(number) < len(rest) && octoprint.IsHeater(strings.TrimSuffix(key, number)) {
			key = "tool0" + number
		}
	}
	return slices.Contains(ArmKeys(), key)
}

// everything is the view of a printer that has all there is.
func everything() *printerView {
	config := PrinterConfig{Access: AccessFull, Limits: DefaultLimits, Arm: []string{actionCancel}, PlateCheck: true}
	v := &printerView{config: &config, prints: &tracker{}}
	v.info.Profile = &octoprint.Profile{Heaters: []string{"tool0", "tool1", "bed", "chamber"}}
	for _, p := range plugins() {
		v.has = v.has.withPlugin(p.id, nil)
	}
	return v
}
