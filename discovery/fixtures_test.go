package discovery

import "maps"

var origin = Origin{Name: "octoprint2mqtt", SWVersion: "0.1.0", URL: "https://example.org/octoprint2mqtt"}

// entity returns a component with all that follows from device and key.
func entity(p Platform, device, key, name string) Component {
	return Component{
		Platform: p, Name: name,
		UniqueID:        topics.UniqueID(device, key),
		DefaultEntityID: EntityID(p, device, key),
	}
}

// reading returns an entity that has a state.
func reading(p Platform, device, key, name string) Component {
	c := entity(p, device, key, name)
	c.StateTopic = topics.Value(device, key)
	return c
}

// control returns an entity that has a state and takes commands.
func control(p Platform, device, key, name string) Component {
	c := reading(p, device, key, name)
	c.CommandTopic = topics.Set(device, key)
	return c
}

// button returns an entity that takes commands and has no state.
func button(p Platform, device, key, name string) Component {
	c := control(p, device, key, name)
	c.StateTopic = ""
	return c
}

// with returns c after change.
func with(c Component, change func(*Component)) Component {
	change(&c)
	return c
}

func bridgeDocument() Document {
	return Document{
		Device: Device{
			Identifier: topics.Node(Bridge), Name: "octoprint2mqtt", Manufacturer: "octoprint2mqtt", SWVersion: "0.1.0",
		},
		Origin: origin,
		Components: map[string]Component{
			"state": with(reading(BinarySensor, Bridge, "state", "State"), func(c *Component) {
				c.DeviceClass, c.Category, c.PayloadOn, c.PayloadOff = "connectivity", CategoryDiagnostic, "online", "offline"
			}),
			"version": with(reading(Sensor, Bridge, "version", "Version"), func(c *Component) {
				c.Category, c.Availability = CategoryDiagnostic, []string{topics.BridgeState()}
			}),
			"log_level": with(control(Select, Bridge, "log_level", "Log level"), func(c *Component) {
				c.Category, c.Availability = CategoryConfig, []string{topics.BridgeState()}
				c.Options = []string{"error", "warn", "info", "debug", "trace"}
			}),
			"restart": with(button(Button, Bridge, "restart", "Restart"), func(c *Component) {
				c.DeviceClass, c.Category, c.Availability = "restart", CategoryConfig, []string{topics.BridgeState()}
			}),
		},
	}
}

func farmDocument() Document {
	return Document{
		Device: Device{
			Identifier: topics.Node(Farm), Name: "Print farm", Manufacturer: "octoprint2mqtt", ViaDevice: topics.Node(Bridge),
		},
		Origin:       origin,
		Availability: []string{topics.BridgeState()},
		Components: map[string]Component{
			"printing": with(reading(Sensor, Farm, "printing", "Printing"), func(c *Component) {
				c.StateClass = "measurement"
			}),
			"error": with(reading(Sensor, Farm, "error", "Error"), func(c *Component) {
				c.StateClass, c.AttributesTopic = "measurement", topics.Attributes(Farm, "error")
			}),
			"next_free": with(reading(Sensor, Farm, "next_free", "Next free"), func(c *Component) {
				c.DeviceClass = "timestamp"
			}),
			"attention": with(reading(BinarySensor, Farm, "attention", "Attention"), func(c *Component) {
				c.DeviceClass, c.AttributesTopic = "problem", topics.Attributes(Farm, "attention")
			}),
			"event": with(reading(Event, Farm, "event", "Event"), func(c *Component) {
				c.EventTypes = []string{"print_started", "print_finished"}
			}),
			"pause_all": button(Button, Farm, "pause_all", "Pause all"),
			"cancel_all": with(button(Button, Farm, "cancel_all", "Cancel all"), func(c *Component) {
				c.Disabled = true
			}),
		},
		Stubs: map[string]Platform{"resume_all": Button},
	}
}

func printerDocument() Document {
	d := Document{
		Device: Device{
			Identifier: topics.Node("left-2"), Name: "Prusa left", Manufacturer: "Prusa", Model: "MK3", ModelID: "3S",
			SerialNumber: "1234", SWVersion: "1.11.8", HWVersion: "Pi 4", ConfigurationURL: "http://octopi.local:5000/left/",
			ViaDevice: topics.Node(Farm), SuggestedArea: "Keller",
		},
		Origin:       origin,
		Availability: []string{topics.BridgeState(), topics.Availability("left-2")},
		Components: map[string]Component{
			"trigger_print_started":  Trigger(topics.Event("left-2"), "print_started", "printer"),
			"trigger_print_finished": Trigger(topics.Event("left-2"), "print_finished", "printer"),
		},
		Stubs: map[string]Platform{"chamber_temperature": Sensor, "trigger_prompt": DeviceAutomation},
	}
	maps.Copy(d.Components, specimens())
	return d
}

// specimens are components of every platform but triggers, as a printer has
// them.
func specimens() map[string]Component {
	const id = "left-2"
	return map[string]Component{
		"state": with(reading(Sensor, id, "state", "State"), func(c *Component) {
			c.DeviceClass, c.Icon, c.Options = "enum", "mdi:printer-3d", []string{"offline", "idle", "printing"}
		}),
		"connection_detail": with(reading(Sensor, id, "connection_detail", "Connection detail"), func(c *Component) {
			c.Category, c.Availability = CategoryDiagnostic, []string{topics.BridgeState()}
		}),
		"progress": with(reading(Sensor, id, "progress", "Progress"), func(c *Component) {
			c.Unit, c.StateClass, c.Precision = "%", "measurement", new(1)
		}),
		"filament_volume": with(reading(Sensor, id, "filament_volume", "Filament volume"), func(c *Component) {
			c.Unit = "cm³"
		}),
		"tool0_temperature": with(reading(Sensor, id, "tool0_temperature", "Nozzle"), func(c *Component) {
			c.DeviceClass, c.Unit, c.StateClass, c.Precision = "temperature", "°C", "measurement", new(0)
		}),
		"file_size": with(reading(Sensor, id, "file_size", "File size"), func(c *Component) {
			c.DeviceClass, c.Unit, c.Disabled = "data_size", "B", true
			c.AttributesTopic = topics.Attributes(id, "file_size")
		}),
		"printing": with(reading(BinarySensor, id, "printing", "Printing"), func(c *Component) {
			c.DeviceClass = "running"
		}),
		"emergency_stop": button(Button, id, "emergency_stop", "Emergency stop"),
		"tool0_setpoint": with(control(Number, id, "tool0_setpoint", "Nozzle setpoint"), func(c *Component) {
			c.DeviceClass, c.Unit, c.Mode = "temperature", "°C", "box"
			c.Min, c.Max, c.Step = new(0.0), new(300.0), new(0.5)
		}),
		"tool0_heater": with(entity(Climate, id, "tool0_heater", "Nozzle heater"), func(c *Component) {
			c.Disabled = true
			c.Min, c.Max, c.Step = new(0.0), new(300.0), new(1.0)
			c.Heat = &Heat{
				Modes:                   []string{"off", "heat"},
				ModeStateTopic:          topics.Value(id, "tool0_heater"),
				ModeCommandTopic:        topics.Set(id, "tool0_heater"),
				TemperatureStateTopic:   topics.Value(id, "tool0_target"),
				TemperatureCommandTopic: topics.Set(id, "tool0_setpoint"),
				CurrentTemperatureTopic: topics.Value(id, "tool0_temperature"),
				ActionTopic:             topics.Value(id, "tool0_action"),
				TemperatureUnit:         "C",
			}
		}),
		"preset": with(control(Select, id, "preset", "Preset"), func(c *Component) {
			c.Options = []string{"Off", "PLA <&> ABS"}
		}),
		"maintenance": with(control(Switch, id, "maintenance", "Maintenance"), func(c *Component) {
			c.Category, c.Availability = CategoryConfig, []string{topics.BridgeState(), topics.Availability(id)}
		}),
		"gcode": with(button(Text, id, "gcode", "G-code"), func(c *Component) {
			c.Disabled, c.Min, c.Max, c.Mode, c.Pattern = true, new(1.0), new(255.0), "text", "^[A-Z]"
		}),
		"message": button(Notify, id, "message", "Display message"),
		"camera": with(entity(Camera, id, "camera", "Camera"), func(c *Component) {
			c.Topic = topics.Value(id, "camera")
		}),
		"thumbnail": with(entity(Image, id, "thumbnail", "Thumbnail"), func(c *Component) {
			c.Topic, c.ContentType = topics.Value(id, "thumbnail"), "image/png"
		}),
		"octoprint_update": with(control(Update, id, "octoprint_update", "OctoPrint update"), func(c *Component) {
			c.DeviceClass, c.PayloadInstall, c.Title = "firmware", "install", "OctoPrint"
			c.ReleaseURL = "https://example.org/releases?q=1"
		}),
		"event": with(reading(Event, id, "event", "Event"), func(c *Component) {
			c.EventTypes = []string{"print_started", "print_finished"}
		}),
	}
}
