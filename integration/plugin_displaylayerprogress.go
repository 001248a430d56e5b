package integration

import (
	"context"
	"encoding/json"
	"strings"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

const layerID = "DisplayLayerProgress"

// layerProgress is what the plugin knows of a print, nil where it knows nothing.
type layerProgress struct {
	layer, layers       *float64 // the printed and the last one, numbered as the slicer does, from 0 or 1
	height, totalHeight *float64 // mm
	fan                 *float64 // percent
	feedRate            *float64 // mm/min
}

// displayLayerProgressPlugin tells the layer that is printed. Without the plugin
// nobody knows it: a height is no layer, since print heads hop and layers differ. It
// goes on telling of a print that has ended until there is another. Tried with 1.28.0.
func displayLayerProgressPlugin() plugin {
	return plugin{
		id: layerID, name: "DisplayLayerProgress", verified: true, messages: []string{layerID + "-websocket-payload"},
		remark: "Gives `layer` and `layers`, which all printers have and which are unknown without it: they are not guessed from the height. " +
			"The event `first_layer_done` needs it, too. Its setting to send layer information over the websocket has to be on, as it is at first.",
		rows: layerRows,
		received: func(_ string, message json.RawMessage) func(*printerView) {
			p, ok := layerMessage(message)
			if !ok {
				return nil
			}
			return func(v *printerView) { v.withLayers(p, false) }
		},
		inquiries: []inquiry{{
			name: layerID,
			ask: func(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
				answer, err := c.PluginPage(ctx, "/plugin/"+layerID+"/values")
				if err != nil {
					return nil, err
				}
				p, ok := layerAnswer(answer)
				if !ok {
					return nil, nil
				}
				return func(v *printerView) { v.withLayers(p, true) }, nil
			},
		}},
		document: func(d *device[*printerView], _ *printerView) any {
			return map[string]value{
				"height_mm": d.get("height"), "total_height_mm": d.get("total_height"), "fan": d.get("dlp_fan"), "feedrate_mm_min": d.get("dlp_feedrate"),
			}
		},
	}
}

// layers returns what the plugin knows, nothing without it.
func (v *printerView) layers() layerProgress { return pluginState[layerProgress](v, layerID) }

// printed is what the plugin says of where a print is, nil without a job.
func (v *printerView) printed(figure *float64) *float64 {
	if !v.running() {
		return nil
	}
	return figure
}

// pluginFan is the part cooling fan's speed in percent as far as a plugin has seen
// it set; nil: none has.
func pluginFan(v *printerView) *float64 { return v.layers().fan }

// layerJobRows are there for all printers.
func layerJobRows() []printerRow {
	return []printerRow{
		{
			key:       "layer",
			about:     "The layer that is printed, numbered as the slicer does; `None` without a job, and without the plugin DisplayLayerProgress, since it isn't guessed from the height.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Layer", StateClass: "measurement", Icon: "mdi:layers-outline"},
			value:     func(v *printerView) value { return number(v.printed(v.layers().layer), 0) },
		},
		{
			key:       "layers",
			about:     "The number of the selected file's last layer, counted like `layer`: where the slicer counts from 0, there is one layer more; `None` without the plugin DisplayLayerProgress.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Layers", Icon: "mdi:layers-triple-outline"},
			value:     func(v *printerView) value { return number(v.layers().layers, 0) },
		},
	}
}

func layerRows(*printerView) []printerRow {
	millimetres := func(name, icon string) discovery.Component {
		return discovery.Component{Platform: discovery.Sensor, Name: name, DeviceClass: "distance", Unit: "mm", Precision: new(2), Icon: icon}
	}
	return []printerRow{
		{
			key: "height", noise: everyMinute,
			about:     "The height of the layer that is printed, in mm, told once a minute at most; `None` without a job.",
			component: millimetres("Printed height", "mdi:arrow-expand-vertical"),
			value:     func(v *printerView) value { return number(v.printed(v.layers().height), 2) },
		},
		{
			key:       "total_height",
			about:     "The height of the whole print in mm as OctoPrint's analysis of the file has it: from the first layer's top to the last one's, without the first layer.",
			component: millimetres("Total height", "mdi:ruler"),
			value:     func(v *printerView) value { return number(v.layers().totalHeight, 2) },
		},
		{
			key:       "dlp_fan",
			about:     "The speed of the part cooling fan that the printed G-code has set, in percent.",
			component: disabled(percent("Fan speed from G-code", "mdi:fan")),
			value:     func(v *printerView) value { return number(pluginFan(v), 0) },
		},
		{
			key: "dlp_feedrate", noise: everyMinute,
			about:     "The feed rate that the printed G-code has set, in mm/min, told once a minute at most.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Feed rate from G-code", Unit: "mm/min", StateClass: "measurement", Disabled: true, Icon: "mdi:speedometer"},
			value:     func(v *printerView) value { return number(v.layers().feedRate, 0) },
		},
	}
}

// layerMessage decodes what is pushed with every change.
func layerMessage(message json.RawMessage) (layerProgress, bool) {
	m, ok := decodeMessage[struct{ CurrentLayer, TotalLayer, CurrentHeight, TotalHeight, Feedrate, Fanspeed *loose }](message)
	if !ok || m.CurrentLayer == nil && m.TotalLayer == nil {
		return layerProgress{}, false
	}
	return layerProgress{
		layer: m.CurrentLayer.amount(), layers: m.TotalLayer.amount(), height: m.CurrentHeight.amount(), totalHeight: m.TotalHeight.amount(),
		fan: m.Fanspeed.fan(), feedRate: m.Feedrate.amount(),
	}, true
}

// layerAnswer decodes the same as it is answered.
func layerAnswer(answer json.RawMessage) (layerProgress, bool) {
	m, ok := decodeMessage[struct {
		Layer, Height      struct{ Current, Total *loose }
		Feedrate, FanSpeed *loose
	}](answer)
	return layerProgress{
		layer: m.Layer.Current.amount(), layers: m.Layer.Total.amount(), height: m.Height.Current.amount(), totalHeight: m.Height.Total.amount(),
		fan: m.FanSpeed.fan(), feedRate: m.Feedrate.amount(),
	}, ok
}

// amount is a figure that can't be negative.
func (l *loose) amount() *float64 {
	if l == nil {
		return nil
	}
	if n := l.number(); n != nil && *n >= 0 {
		return n
	}
	return nil
}

// fan is a speed in percent, or the word Off.
func (l *loose) fan() *float64 {
	if l != nil && strings.EqualFold(string(*l), "off") {
		return new(0.0)
	}
	if n := l.amount(); n != nil && *n <= 100 {
		return n
	}
	return nil
}

// withLayers takes in where a print is.
func (v *printerView) withLayers(p layerProgress, late bool) {
	v.withState(layerID, p)
	if p.layer == nil || v.prints == nil || !v.prints.layered(*p.layer) {
		return
	}
	if late {
		v.tellLate(EventFirstLayerDone, "")
	} else {
		v.tell(EventFirstLayerDone, "")
	}
}

// layered takes in which layer the running job prints, and reports whether the first
// one has just been left. Objects that are printed one after the other have a first
// layer each: only the job's own counts.
func (t *tracker) layered(layer float64) bool {
	j := t.active
	switch {
	case j == nil || j.firstLayerDone:
	case j.firstLayer == nil && layer <= 1, j.firstLayer != nil && layer < *j.firstLayer:
		j.firstLayer = &layer
	case j.firstLayer == nil:
		// What comes right after a job's start may be the former's last.
		j.firstLayerDone = j.joined
	case layer > *j.firstLayer:
		j.firstLayerDone = true
		return true
	}
	return false
}
