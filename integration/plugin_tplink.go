package integration

import "encoding/json"

const permissionTPLink = "PLUGIN_TPLINKSMARTPLUG_CONTROL"

// tplinkPlugin is the plugin for plugs of TP-Link's Kasa family. A socket of a power
// strip has the strip's address, a slash and its number. Depending on the model
// figures are in thousandths. Tried with 1.0.4 and simulated plugs.
//
// The plugin makes up for plugs that begin to count anew, but takes a plug that has
// counted less than the one asked before it for one of these: what it says of the
// energy of several grows with every question.
func tplinkPlugin() plugin {
	p := plugFamily{
		id: "tplinksmartplug", name: "TP-Link Smartplug", prefix: "tplink_", permission: permissionTPLink,
		arguments: func(a plugAddress) map[string]any { return map[string]any{"ip": a.ip} },
		read:      readTPLink, oneMeter: true,
	}.plugin()
	p.verified = true
	p.remark += " There is no energy where several plugs measure it: this plugin mixes up what they have counted."
	return p
}

func readTPLink(message json.RawMessage) (plugAddress, plugReading, bool) {
	m, ok := decodeMessage[struct {
		CurrentState string
		IP           string
		Meter        struct {
			Now *struct {
				Power  loose
				Power1 loose `json:"power_mw"`
				Total  loose
				Total1 loose `json:"total_wh"`
			} `json:"get_realtime"`
		} `json:"emeter"`
	}](message)
	if !ok || m.CurrentState == "" || m.IP == "" {
		return plugAddress{}, plugReading{}, false
	}
	r := plugReading{on: plugState(m.CurrentState)}
	if now := m.Meter.Now; now != nil {
		r.power, r.energy = number(now.Power.number(), 1), number(now.Total.number(), 3)
		if r.power == unknown {
			r.power = number(thousandth(now.Power1.number()), 1)
		}
		if r.energy == unknown {
			r.energy = number(thousandth(now.Total1.number()), 3)
		}
		r.metered = r.power != unknown || r.energy != unknown
	}
	return plugAddress{ip: m.IP}, r, true
}

func thousandth(f *float64) *float64 {
	if f == nil {
		return nil
	}
	part := *f / 1000
	return &part
}
