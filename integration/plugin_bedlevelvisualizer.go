package integration

import (
	"context"
	"encoding/json"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

const meshID = "bedlevelvisualizer"

// bedLevelVisualizerPlugin tells how uneven the bed was when it was probed last. A
// mesh is told when it was collected, and stored by an open browser only. Tried with
// 1.1.2, which calls itself Bed Visualizer.
func bedLevelVisualizerPlugin() plugin {
	return plugin{
		id: meshID, name: "Bed Level Visualizer", verified: true,
		remark: "The height between the lowest and the highest point of the mesh that was collected last, or that the plugin has stored.",
		rows: func(*printerView) []printerRow {
			return []printerRow{{
				key:   "mesh_range",
				about: "The height in mm between the lowest and the highest point of the bed mesh that was collected last; `None` without one.",
				component: discovery.Component{
					Platform: discovery.Sensor, Name: "Bed mesh range", DeviceClass: "distance", Unit: "mm", Precision: new(3),
					Category: discovery.CategoryDiagnostic, Icon: "mdi:grid",
				},
				value: func(v *printerView) value { return number(pluginState[*float64](v, meshID), 3) },
			}}
		},
		received: func(_ string, message json.RawMessage) func(*printerView) {
			m, _ := decodeMessage[struct{ Mesh [][]loose }](message)
			return meshState(m.Mesh)
		},
		inquiries: []inquiry{{
			name: meshID, permission: octoprint.PermissionSettingsRead,
			ask: func(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
				s, err := c.Settings(ctx)
				if err != nil {
					return nil, err
				}
				return meshSettings(s.Plugins[meshID]), nil
			},
		}},
		document: func(d *device[*printerView], _ *printerView) any {
			return map[string]value{"mesh_range_mm": d.get("mesh_range")}
		},
	}
}

// meshSettings takes in the mesh that the plugin has stored, if it stores any.
func meshSettings(settings json.RawMessage) func(*printerView) {
	m, _ := decodeMessage[struct {
		Mesh [][]loose `json:"stored_mesh"`
	}](settings)
	return meshState(m.Mesh)
}

// meshState takes in the heights of the bed in mm. Points outside of a round bed have
// none.
func meshState(mesh [][]loose) func(*printerView) {
	var low, high *float64
	for _, line := range mesh {
		for _, point := range line {
			h := point.number()
			if h == nil {
				continue
			}
			if low == nil || *h < *low {
				low = h
			}
			if high == nil || *h > *high {
				high = h
			}
		}
	}
	if low == nil {
		return nil
	}
	span := *high - *low
	return func(v *printerView) { v.withState(meshID, &span) }
}
