package integration

import (
	"encoding/json"
	"strconv"
	"strings"
)

const permissionTasmota = "PLUGIN_TASMOTA_CONTROL"

// tasmotaPlugin is the plugin for plugs that run Tasmota. One device may have several
// sockets, which are numbered from 1. It answers a command without saying what
// came of it, and tells the state, without figures, when the plug has obeyed.
func tasmotaPlugin() plugin {
	p := plugFamily{
		id: "tasmota", name: "Tasmota", prefix: "tasmota_", permission: permissionTasmota,
		arguments: func(a plugAddress) map[string]any { return map[string]any{"ip": a.ip, "idx": a.index} },
		read:      readTasmota,
	}.plugin()
	p.verified = true
	return p
}

func readTasmota(message json.RawMessage) (plugAddress, plugReading, bool) {
	m, ok := decodeMessage[struct {
		CurrentState string
		IP           string
		Index        loose            `json:"idx"`
		Energy       *json.RawMessage `json:"energy_data"`
	}](message)
	if !ok || m.CurrentState == "" || m.IP == "" {
		return plugAddress{}, plugReading{}, false
	}
	r := plugReading{on: plugState(m.CurrentState)}
	if m.Energy != nil {
		energy, metered := decodeMessage[struct{ Power, Total json.RawMessage }](*m.Energy)
		r.metered = metered
		r.power = number(socketFigure(energy.Power, string(m.Index)), 1)
		r.energy = number(socketFigure(energy.Total, string(m.Index)), 3)
	}
	return plugAddress{m.IP, string(m.Index)}, r, true
}

// socketFigure is a figure of one socket: devices with several give a list.
func socketFigure(figure json.RawMessage, index string) *float64 {
	if !strings.HasPrefix(string(figure), "[") {
		var one loose
		_ = json.Unmarshal(figure, &one) // it stays empty
		return one.number()
	}
	list, _ := decodeMessage[[]loose](figure)
	i, err := strconv.Atoi(index)
	if err != nil || i < 1 || i > len(list) {
		return nil
	}
	return list[i-1].number()
}
