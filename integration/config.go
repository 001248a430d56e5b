package integration

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"slices"
	"time"
)

// Access is what commands a printer takes over MQTT, whatever its API key
// would allow. The levels build on each other.
type Access string

// The levels of access, from least to most.
const (
	AccessRead    Access = "read"    // no command that changes anything
	AccessControl Access = "control" // jobs, temperatures, connection, movement
	AccessFull    Access = "full"    // also G-code, files, system commands
)

// Config is everything that the bridge is told from outside. It is complete
// and valid: defaults are filled in and checks are made where it is read.
type Config struct {
	Version  string // of this program, as shown in discovery and bridge/info
	MQTT     MQTTConfig
	Farm     FarmConfig
	Printers []PrinterConfig
	// StateDir is the folder of what has to survive a restart: events that the
	// broker hasn't got yet, the last prints, the shapes of printers. It is made
	// if it isn't there. Empty: nothing survives.
	StateDir string
	// Admin allows requests over MQTT that change the bridge itself.
	Admin bool
	HTTP  HTTPConfig
	Host  Host
}

// Host is what the program around the bridge does for it. The functions are
// called one at a time and must not block for long. Of the zero Host there is
// nothing that could be read again, restarted or made to log more.
type Host struct {
	// Load reads the configuration anew. What is wrong with it is told to users
	// in the error's words.
	Load func() (Config, error)
	// Edit changes the configuration, of which Load then tells. What is wrong with
	// that is told to users in the error's words; then nothing has changed. nil: it
	// can't be changed.
	Edit func(Edit) error
	// Enrollable tells why a printer could not be given a key by Edit, so that nobody
	// is asked for one in vain. nil: nothing is known to be in the way.
	Enrollable func(id string) error
	// Changed delivers a value when the configuration should be read anew.
	Changed <-chan struct{}
	// LogLevel returns how much is logged, one of [LogLevels], and SetLogLevel
	// changes it until the program ends.
	LogLevel    func() string
	SetLogLevel func(level string)
	// Settled is called once, when all that a start has to do is done. It may take
	// its time.
	Settled func()
}

// LogLevels are the levels of logging, from most lines to least.
func LogLevels() []string { return []string{"debug", "info", "warn", "error"} }

// controllable reports whether commands to any printer are allowed.
func (c *Config) controllable() bool {
	return slices.ContainsFunc(c.Printers, func(p PrinterConfig) bool { return p.Access.includes(AccessControl) && !p.Disabled })
}

// MQTTConfig tells how to reach the broker and where to publish.
type MQTTConfig struct {
	URL             *url.URL // mqtt, mqtts, ws or wss, with host and port
	Username        string
	Password        string
	ClientID        string
	BaseTopic       string      // without wildcards and without / at its ends
	DiscoveryPrefix string      // empty: no discovery
	BirthTopic      string      // where Home Assistant says that it has started; empty: nowhere
	TLS             *tls.Config // for mqtts and wss; nil: the system's certificates

	// Dial makes the network connection to the broker; nil means TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// FarmConfig describes the farm's own device.
type FarmConfig struct {
	Name string
}

// PrinterConfig describes one OctoPrint server and the printer behind it.
type PrinterConfig struct {
	ID       string // permanent: topics and unique ids hang on it
	Name     string
	URL      *url.URL // http or https, with the path prefix if there is one
	APIKey   string
	User     string // the user that the API key must belong to; empty: any
	Area     string // suggested to Home Assistant; empty: none
	Access   Access
	Disabled bool // shown as disabled, never contacted
	Limits   Limits
	Camera   CameraConfig
	// ReadyBelow is the temperature in °C below which every heater must be for
	// the printer to count as ready.
	ReadyBelow float64
	// PlateCheck has somebody say that the plate is empty before the next print.
	PlateCheck bool
	// Arm are the keys of rows whose commands need arming, of those that [ArmKey]
	// knows.
	Arm []string
	// HeatWatch is how long a heater may have a target without a job before somebody
	// should look after it.
	HeatWatch time.Duration
	// GcodeAllow are the words of G-code that may be sent to the printer.
	GcodeAllow []GcodeWord
	Raw        RawConfig
	TLS        *tls.Config // for https; nil: the system's certificates

	// Dial makes the network connections to OctoPrint; nil means TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// CameraConfig is what is shown of a printer's cameras.
type CameraConfig struct {
	Enabled bool
	// URL is where pictures are to be had, of any host, instead of the cameras that
	// OctoPrint names. It may have a user and a password. nil: nowhere else.
	URL *url.URL
	// Interval is how often there is a new picture while the printer prints, at least
	// a second.
	Interval time.Duration
}

// DefaultCameraInterval holds unless the configuration says otherwise.
const DefaultCameraInterval = 10 * time.Second

// GcodeWord is a word of G-code, such as M117, that may be sent.
type GcodeWord struct {
	Word          string
	WhilePrinting bool // else only without a job
}

// RawConfig says what of OctoPrint's push session is passed through as it comes. See
// [ValidRawName] for the names.
type RawConfig struct {
	Plugins []string // whose messages
	Events  []string
}

// Limits are the highest targets in °C that the bridge ever sends.
type Limits struct {
	Tool, Bed, Chamber float64
}

// DefaultLimits are the caps that hold unless the configuration says otherwise.
var DefaultLimits = Limits{Tool: 300, Bed: 120, Chamber: 70}

// DefaultReadyBelow is the temperature in °C below which a printer may count
// as ready unless the configuration says otherwise.
const DefaultReadyBelow = 50.0

// DefaultHeatWatch is how long heaters may be on without a job unless the
// configuration says otherwise.
const DefaultHeatWatch = 30 * time.Minute
