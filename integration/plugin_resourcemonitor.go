package integration

import (
	"context"
	"encoding/json"
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

const resourceID = "resource_monitor"

// resources are those of the computer that OctoPrint runs on, nil where the plugin
// can't tell.
type resources struct {
	cpu, memory *float64 // percent in use
	temperature *float64 // °C
}

// resourceMonitorPlugin tells how busy the computer is that OctoPrint runs on. The
// plugin pushes that every second, which is more than anybody needs, so it is asked.
// Tried with 0.5.0 and a simulated sensor of the processor's temperature.
func resourceMonitorPlugin() plugin {
	return plugin{
		id: resourceID, name: "Resource Monitor", verified: true,
		remark: "About the computer that OctoPrint runs on; asked for once a minute.",
		rows: func(*printerView) []printerRow {
			share := func(name, icon string) discovery.Component {
				c := percent(name, icon)
				c.Category = discovery.CategoryDiagnostic
				return c
			}
			heat := celsius("SoC temperature", 1)
			heat.Category = discovery.CategoryDiagnostic
			return []printerRow{
				{key: "cpu", about: "How busy the computer is that OctoPrint runs on, in percent of all its cores, on average over a minute or more.", component: share("CPU usage", "mdi:cpu-64-bit"), value: func(v *printerView) value { return number(v.resources().cpu, 1) }},
				{key: "memory", about: "How much of that computer's memory is in use, in percent.", component: share("Memory usage", "mdi:memory"), value: func(v *printerView) value { return number(v.resources().memory, 1) }},
				{key: "soc_temperature", about: "The temperature of that computer's processor in °C.", component: heat, noise: temperature, value: func(v *printerView) value { return number(v.resources().temperature, 1) }},
			}
		},
		inquiries: []inquiry{{
			name: resourceID, every: time.Minute,
			ask: func(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
				answer, err := c.PluginPage(ctx, "/plugin/"+resourceID+"/stats")
				if err != nil {
					return nil, err
				}
				return resourcesAnswered(answer), nil
			},
		}},
		document: func(d *device[*printerView], _ *printerView) any {
			return map[string]value{"cpu": d.get("cpu"), "memory": d.get("memory"), "soc_temperature": d.get("soc_temperature")}
		},
	}
}

func (v *printerView) resources() resources { return pluginState[resources](v, resourceID) }

func resourcesAnswered(answer json.RawMessage) func(*printerView) {
	m, ok := decodeMessage[struct {
		CPU    struct{ Average loose }
		Memory struct{ Percent loose }
		Temp   struct{ Celsius struct{ Current loose } }
	}](answer)
	if !ok {
		return nil
	}
	r := resources{cpu: m.CPU.Average.number(), memory: m.Memory.Percent.number(), temperature: m.Temp.Celsius.Current.number()}
	return func(v *printerView) {
		// It measures from one question to the next in the same thread, of which
		// OctoPrint has several: to a thread's first question it answers 0.
		if r.cpu != nil && *r.cpu == 0 {
			r.cpu = v.resources().cpu
		}
		v.withState(resourceID, r)
	}
}
