package discovery

// Platform is a kind of component, by Home Assistant's name for it.
type Platform string

// The platforms that components can be of.
const (
	Sensor           Platform = "sensor"
	BinarySensor     Platform = "binary_sensor"
	Button           Platform = "button"
	Number           Platform = "number"
	Select           Platform = "select"
	Switch           Platform = "switch"
	Text             Platform = "text"
	Climate          Platform = "climate"
	Camera           Platform = "camera"
	Image            Platform = "image"
	Update           Platform = "update"
	Event            Platform = "event"
	Notify           Platform = "notify"
	DeviceAutomation Platform = "device_automation" // a device trigger
)

// The entity categories. Without one an entity is among the device's main
// ones.
const (
	CategoryConfig     = "config" // not for sensors and binary sensors
	CategoryDiagnostic = "diagnostic"
)

// The ways to combine several availability topics.
const (
	AvailabilityAll    = "all"
	AvailabilityAny    = "any"
	AvailabilityLatest = "latest"
)

// EventTypeTemplate is the only template that components may have: it takes
// the event's type out of an event.
const EventTypeTemplate = "{{ value_json.event_type }}"

// Component is one entity, or one device trigger, of a device. The zero value
// of a field means that it is left out and Home Assistant's default holds.
// Which fields a platform has is checked by [Component.Validate].
type Component struct {
	Platform        Platform
	Name            string // without the device's name, which Home Assistant puts before it
	UniqueID        string // from [Topics.UniqueID]
	DefaultEntityID string // from [EntityID]

	DeviceClass string
	StateClass  string // measurement, total or total_increasing
	Unit        string // of measurement
	Category    string // "", CategoryConfig or CategoryDiagnostic
	Icon        string // mdi:name
	Disabled    bool   // until the user enables it
	Precision   *int   // digits to show after the point

	StateTopic       string
	CommandTopic     string
	AttributesTopic  string
	Availability     []string // topics, in place of the document's
	AvailabilityMode string   // default for several topics: AvailabilityAll
	QoS              *int     // default with a command topic: 0; else the document's

	Options    []string // of a select or of an enum sensor
	EventTypes []string // of an event

	// Min, Max and Step are the range of a number, of the length of a text
	// (no Step) and of the temperature of a climate.
	Min, Max, Step *float64
	Mode           string // number: auto, box, slider; text: text, password
	Pattern        string // regular expression that a text must match

	PayloadOn, PayloadOff string // default ON and OFF
	PayloadInstall        string // of an update that can be installed

	Title              string // of what an update is for
	ReleaseURL         string // of an update
	LatestVersionTopic string // of an update whose state is plain

	Topic       string // of the pictures of a camera or image, and of a trigger's messages
	ContentType string // of an image; default image/jpeg

	Heat *Heat // of a climate

	Type, Subtype string // of a trigger, as the automation editor shows them
	Payload       string // that a trigger waits for
	ValueTemplate string // of a trigger: EventTypeTemplate or none
}

// Heat is what a climate has beside the fields of [Component].
type Heat struct {
	Modes                   []string // of Home Assistant's: off, heat, cool, auto …
	ModeStateTopic          string
	ModeCommandTopic        string
	TemperatureStateTopic   string // the target
	TemperatureCommandTopic string
	CurrentTemperatureTopic string
	ActionTopic             string // off, heating, idle …
	TemperatureUnit         string // C or F
}

// Trigger returns a device trigger that fires when an event of type typ is told
// at topic. Type and subtype are unique in a device.
func Trigger(topic, typ, subtype string) Component {
	return Component{
		Platform: DeviceAutomation, Topic: topic, Type: typ, Subtype: subtype,
		Payload: typ, ValueTemplate: EventTypeTemplate,
	}
}

// TriggerKey is the key of the trigger for events of type typ. That it follows
// from the type keeps two triggers of a device from being the same to Home
// Assistant.
func TriggerKey(typ string) string { return "trigger_" + typ }

// Stub returns what stands in a document in place of a component of this
// platform to have Home Assistant remove it. [Document] has its own place for
// them.
func Stub(p Platform) Component { return Component{Platform: p} }

// MarshalJSON encodes the component with Home Assistant's abbreviations, the
// keys sorted. It validates nothing.
func (c Component) MarshalJSON() ([]byte, error) {
	var f fields
	c.put(&f)
	return f.appendTo(nil), nil
}

// takesCommands reports whether Home Assistant publishes for this component.
func (c *Component) takesCommands() bool {
	return c.CommandTopic != "" ||
		c.Heat != nil && (c.Heat.ModeCommandTopic != "" || c.Heat.TemperatureCommandTopic != "")
}
