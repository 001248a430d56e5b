package octoprinttest

import "encoding/json"

func (c *call) settings() response {
	o := c.s.options
	admin := c.may("ADMIN")
	key := any(nil)
	if admin {
		key = orNull(o.GlobalKey)
	}
	presets := []object{}
	for _, p := range o.Presets {
		presets = append(presets, object{"name": p.Name, "extruder": p.Extruder, "bed": p.Bed, "chamber": p.Chamber})
	}
	s := object{
		"api":        object{"key": key, "allowCrossOrigin": c.s.cors},
		"appearance": object{"name": o.Name, "color": "default", "colorTransparent": false, "showFahrenheitAlso": false},
		"feature":    object{"sdSupport": true, "temperatureGraph": true, "autoUppercaseBlacklist": []string{"M117", "M118", "M707", "M708"}},
		"plugins":    c.s.pluginSettings(),
		"serial":     object{"port": "VIRTUAL", "baudrate": 115200, "autoconnect": true},
		"system":     object{"actions": c.actions()},
		"temperature": object{
			"profiles": presets, "cutoff": 30, "sendAutomatically": false, "sendAutomaticallyAfter": 1,
		},
		"webcam": object{},
	}
	if c.may("WEBCAM") {
		s["webcam"] = c.webcam()
	}
	if c.s.release.isTwo() {
		if !admin {
			s["api"].(object)["allowCrossOrigin"] = nil
			s["system"] = object{"actions": []object{}}
		}
		if c.new() {
			delete(s, "serial")
			s["printerConnection"] = object{"preferred": object{"connector": "serial"}}
		}
	}
	return ok(s)
}

func (c *call) actions() []object {
	all := []object{}
	for _, command := range c.s.options.SystemCommands {
		if command.source() != "custom" {
			continue
		}
		a := object{"action": command.Action}
		if command.Name != "" {
			a["name"], a["command"] = command.Name, "/usr/local/bin/"+command.Action
		}
		all = append(all, a)
	}
	return all
}

func (c *call) webcam() object {
	o := c.s.options
	cams := o.webcams()
	first := Webcam{Name: "classic"}
	if len(cams) > 0 {
		first = cams[0]
	}
	w := object{
		"webcamEnabled": true, "timelapseEnabled": true, "streamUrl": o.StreamURL, "snapshotUrl": first.Snapshot,
		"streamRatio": "16:9", "streamTimeout": 5, "snapshotTimeout": 5, "snapshotSslValidation": true,
		"flipH": first.FlipH, "flipV": first.FlipV, "rotate90": first.Rotate90, "ffmpegPath": nil,
	}
	if !c.s.release.hasWebcamList() {
		return w
	}
	w["defaultWebcam"], w["snapshotWebcam"] = first.Name, first.Name
	list := []object{}
	for _, cam := range cams {
		list = append(list, object{
			"name": cam.Name, "displayName": cam.DisplayName, "provider": "classicwebcam",
			"canSnapshot": cam.Snapshot != "", "snapshotDisplay": cam.Snapshot,
			"flipH": cam.FlipH, "flipV": cam.FlipV, "rotate90": cam.Rotate90,
			"extras": object{"stream": o.StreamURL, "streamRatio": "16:9", "streamTimeout": 5},
			"compat": object{"stream": o.StreamURL, "snapshot": cam.Snapshot, "snapshotTimeout": 5},
		})
	}
	w["webcams"] = list
	return w
}

// postSettings changes the name; other settings are accepted and forgotten.
func (c *call) postSettings() response {
	if !c.may("SETTINGS_READ") {
		return c.forbidden()
	}
	if problem := c.decode(); problem != nil {
		return *problem
	}
	var in struct{ Name *string }
	_ = json.Unmarshal(c.input["appearance"], &in)
	if in.Name != nil && *in.Name != c.s.options.Name {
		c.s.options.Name = *in.Name
		c.s.settingsChanged()
	}
	return c.settings()
}
