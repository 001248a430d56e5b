package discovery

import "encoding/json"

// Former reads the components out of a discovery document that an earlier run
// has left on the broker: as much of each as Home Assistant needs to take it for
// the same and load it once more, which is what removing it may need.
//
// Only what this package could have written itself comes back: components with
// the device's own unique ids, or triggers under their own keys, that pass
// [Component.Validate]. No template is taken over but the constant one. What is no
// document has none.
func (t Topics) Former(device string, document []byte) map[string]Component {
	var d struct {
		Components map[string]formerComponent `json:"cmps"`
	}
	if err := json.Unmarshal(document, &d); err != nil {
		return nil
	}
	found := make(map[string]Component, len(d.Components))
	for key, f := range d.Components {
		c := f.component()
		ours := c.UniqueID == t.UniqueID(device, key) || c.Platform == DeviceAutomation && key == TriggerKey(c.Type)
		if isKey(key) && ours && c.Validate() == nil {
			found[key] = c
		}
	}
	return found
}

// formerComponent is the least of a component, by Home Assistant's abbreviations.
type formerComponent struct {
	Platform     Platform `json:"p"`
	Name         string   `json:"name"`
	UniqueID     string   `json:"uniq_id"`
	StateTopic   string   `json:"stat_t"`
	CommandTopic string   `json:"cmd_t"`
	Topic        string   `json:"t"`
	ImageTopic   string   `json:"img_t"`
	Options      []string `json:"ops"`
	EventTypes   []string `json:"evt_typ"`
	Min          *float64 `json:"min"`
	Max          *float64 `json:"max"`
	Install      string   `json:"pl_inst"`

	Type          string `json:"type"`
	Subtype       string `json:"stype"`
	Payload       string `json:"pl"`
	ValueTemplate string `json:"val_tpl"`

	Modes                   []string `json:"modes"`
	ModeStateTopic          string   `json:"mode_stat_t"`
	ModeCommandTopic        string   `json:"mode_cmd_t"`
	TemperatureStateTopic   string   `json:"temp_stat_t"`
	TemperatureCommandTopic string   `json:"temp_cmd_t"`
	TemperatureUnit         string   `json:"temp_unit"`
	MinTemperature          *float64 `json:"min_temp"`
	MaxTemperature          *float64 `json:"max_temp"`
}

func (f formerComponent) component() Component {
	c := Component{
		Platform: f.Platform, Name: f.Name, UniqueID: f.UniqueID, StateTopic: f.StateTopic, CommandTopic: f.CommandTopic,
		Topic: f.Topic, EventTypes: f.EventTypes, Min: f.Min, Max: f.Max, PayloadInstall: f.Install,
		Type: f.Type, Subtype: f.Subtype, Payload: f.Payload, ValueTemplate: f.ValueTemplate,
	}
	switch f.Platform {
	case Select: // a sensor has options only with its class, which it doesn't need
		c.Options = f.Options
	case Image:
		c.Topic = f.ImageTopic
	case Climate:
		c.Min, c.Max = f.MinTemperature, f.MaxTemperature
		c.Heat = &Heat{
			Modes: f.Modes, ModeStateTopic: f.ModeStateTopic, ModeCommandTopic: f.ModeCommandTopic,
			TemperatureStateTopic: f.TemperatureStateTopic, TemperatureCommandTopic: f.TemperatureCommandTopic,
			TemperatureUnit: f.TemperatureUnit,
		}
	}
	return c
}
