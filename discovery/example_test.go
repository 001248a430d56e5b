package discovery_test

import (
	"encoding/json"
	"fmt"
	"os"

	"octoprint2mqtt/discovery"
)

// A device with one sensor, as it is announced to Home Assistant.
func Example() {
	topics := discovery.Topics{Base: "octoprint2mqtt", Prefix: "homeassistant"}
	printer := discovery.Document{
		Device:       discovery.Device{Identifier: topics.Node("left"), Name: "Prusa left"},
		Origin:       discovery.Origin{Name: "octoprint2mqtt"},
		Availability: []string{topics.BridgeState(), topics.Availability("left")},
		Components: map[string]discovery.Component{
			"progress": {
				Platform:        discovery.Sensor,
				Name:            "Progress",
				UniqueID:        topics.UniqueID("left", "progress"),
				DefaultEntityID: discovery.EntityID(discovery.Sensor, "left", "progress"),
				Unit:            "%",
				Precision:       new(1),
				StateTopic:      topics.Value("left", "progress"),
			},
		},
	}
	if err := printer.Validate(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(topics.Config("left"))
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	if err := out.Encode(printer); err != nil {
		fmt.Println(err)
	}
	// Output:
	// homeassistant/device/octoprint2mqtt_left/config
	// {
	//  "avty": [
	//   {
	//    "t": "octoprint2mqtt/bridge/state"
	//   },
	//   {
	//    "t": "octoprint2mqtt/left/availability"
	//   }
	//  ],
	//  "avty_mode": "all",
	//  "cmps": {
	//   "progress": {
	//    "def_ent_id": "sensor.left_progress",
	//    "name": "Progress",
	//    "p": "sensor",
	//    "stat_t": "octoprint2mqtt/left/progress",
	//    "sug_dsp_prc": 1,
	//    "uniq_id": "octoprint2mqtt_left_progress",
	//    "unit_of_meas": "%"
	//   }
	//  },
	//  "dev": {
	//   "ids": [
	//    "octoprint2mqtt_left"
	//   ],
	//   "name": "Prusa left"
	//  },
	//  "o": {
	//   "name": "octoprint2mqtt"
	//  },
	//  "qos": 1
	// }
}

func ExampleTopics_ParseCommand() {
	topics := discovery.Topics{Base: "octoprint2mqtt"}
	command, ok := topics.ParseCommand("octoprint2mqtt/left/tool0_setpoint/set")
	fmt.Println(command.Device, command.Kind, command.Name, ok)
	// Output: left set tool0_setpoint true
}
