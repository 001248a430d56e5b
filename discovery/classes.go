package discovery

import "slices"

// stateClass is a set of the state classes that go with a device class.
type stateClass uint8

const (
	measurement stateClass = 1 << iota
	total
	totalIncreasing

	totals   = total | totalIncreasing
	anyState = measurement | totals
)

// stateClassOf knows the state classes by name; ok is false for others.
func stateClassOf(name string) (class stateClass, ok bool) {
	switch name {
	case "measurement":
		return measurement, true
	case "total":
		return total, true
	case "total_increasing":
		return totalIncreasing, true
	default:
		return 0, false
	}
}

// measure is what a numeric device class goes with. One without units takes
// any, but not none; a unit "" allows none.
type measure struct {
	units  []string
	states stateClass
}

func (m measure) takes(unit string) bool {
	if m.units == nil {
		return unit != ""
	}
	return slices.Contains(m.units, unit)
}

// measures are the numeric device classes that sensors and numbers of a print
// farm can have, with Home Assistant's spelling of the units. The micro sign is
// the Greek letter (U+03BC), as Home Assistant writes it.
var measures = map[string]measure{
	"battery":                          {[]string{"%"}, measurement},
	"current":                          {[]string{"A", "mA", "μA"}, measurement},
	"data_rate":                        {[]string{"B/s", "kB/s", "MB/s", "GB/s", "KiB/s", "MiB/s", "GiB/s", "bit/s", "kbit/s", "Mbit/s", "Gbit/s"}, measurement},
	"data_size":                        {[]string{"B", "kB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB", "PiB", "bit", "kbit", "Mbit", "Gbit"}, anyState},
	"distance":                         {[]string{"mm", "cm", "m", "km", "in", "ft", "yd", "mi", "nmi"}, anyState},
	"duration":                         {[]string{"d", "h", "min", "s", "ms", "μs"}, anyState},
	"energy":                           {[]string{"mWh", "Wh", "kWh", "MWh", "GWh", "TWh", "J", "kJ", "MJ", "GJ"}, totals},
	"frequency":                        {[]string{"mHz", "Hz", "kHz", "MHz", "GHz"}, measurement},
	"humidity":                         {[]string{"%"}, measurement},
	"illuminance":                      {[]string{"lx"}, measurement},
	"moisture":                         {[]string{"%"}, measurement},
	"monetary":                         {nil, total},
	"pm1":                              {[]string{"μg/m³"}, measurement},
	"pm10":                             {[]string{"μg/m³"}, measurement},
	"pm25":                             {[]string{"μg/m³"}, measurement},
	"pm4":                              {[]string{"μg/m³"}, measurement},
	"power":                            {[]string{"mW", "W", "kW", "MW", "GW", "TW"}, measurement},
	"power_factor":                     {[]string{"%", ""}, measurement},
	"pressure":                         {[]string{"mPa", "Pa", "hPa", "kPa", "bar", "mbar", "cbar", "psi", "inHg", "mmHg", "inH₂O", "atm"}, measurement},
	"signal_strength":                  {[]string{"dB", "dBm"}, measurement},
	"sound_pressure":                   {[]string{"dB", "dBA"}, measurement},
	"speed":                            {[]string{"mm/s", "mm/h", "mm/d", "m/s", "m/min", "km/h", "in/s", "in/h", "in/d", "ft/s", "mph", "kn", "Beaufort"}, measurement},
	"temperature":                      {[]string{"°C", "°F", "K"}, measurement},
	"temperature_delta":                {[]string{"°C", "°F", "K"}, measurement},
	"volatile_organic_compounds":       {[]string{"μg/m³", "mg/m³"}, measurement},
	"volatile_organic_compounds_parts": {[]string{"ppb", "ppm"}, measurement},
	"voltage":                          {[]string{"μV", "mV", "V", "kV", "MV"}, measurement},
	"volume":                           {volumes, totals},
	"volume_flow_rate":                 {[]string{"mL/s", "L/s", "L/min", "L/h", "m³/s", "m³/min", "m³/h", "ft³/min", "gal/min", "gal/h", "gal/d"}, measurement},
	"volume_storage":                   {volumes, measurement},
	"weight":                           {[]string{"μg", "mg", "g", "kg", "oz", "lb", "st"}, totals | measurement},
}

var volumes = []string{"mL", "L", "m³", "gal", "fl. oz.", "ft³", "CCF", "MCF"}

// The device classes of sensors whose value is no number, and so goes with
// neither unit nor state class nor precision.
const (
	classEnum      = "enum"
	classTimestamp = "timestamp"
	classUptime    = "uptime"
	classDate      = "date"
)

func isTextual(class string) bool {
	return class == classEnum || class == classTimestamp || class == classUptime || class == classDate
}

// isClass reports whether a platform has a device class of this name.
func isClass(p Platform, class string) bool {
	switch p {
	case Sensor:
		_, numeric := measures[class]
		return numeric || isTextual(class)
	case Number:
		_, numeric := measures[class]
		return numeric
	default:
		return slices.Contains(classes[p], class)
	}
}

// classes are the device classes of the platforms that do not measure.
var classes = map[Platform][]string{
	BinarySensor: {
		"battery", "battery_charging", "carbon_monoxide", "cold", "connectivity", "door", "garage_door", "gas",
		"glass_break", "heat", "light", "lock", "moisture", "motion", "moving", "occupancy", "opening", "plug",
		"power", "presence", "problem", "running", "safety", "smoke", "sound", "tamper", "update", "vibration",
		"window",
	},
	Button: {"identify", "restart", "update"},
	Event:  {"button", "doorbell", "motion"},
	Switch: {"outlet", "switch"},
	Update: {"firmware"},
}
