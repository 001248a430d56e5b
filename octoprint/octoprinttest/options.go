package octoprinttest

import (
	"cmp"
	"net/http"
	"time"
)

// DefaultVersion is the OctoPrint release that is simulated when Options do not name one.
const DefaultVersion = "1.11.8"

// Options describe a server and its printer. The zero value is an OctoPrint 1.11.8, connected to an idle printer
// with one extruder and a heated bed, and with the users of [DefaultUsers].
type Options struct {
	// Version is the OctoPrint release, such as "1.8.7" or "2.0.0rc7".
	Version string
	// Name is the name that the server's owner gave it (appearance.name); empty as in a fresh installation.
	Name string
	// Profile is the printer profile; a zero Profile is OctoPrint's default one.
	Profile Profile
	// Users are the accounts; nil means DefaultUsers. The first one is the person who acts through methods such as
	// Print, and the owner of files.
	Users []User
	// GlobalKey is the deprecated API key of no user in particular; empty for none.
	GlobalKey string
	// Prefix is the path that the server is served under, such as "/octoprint"; requests outside get a 404 page.
	Prefix string
	// Speed is how many times faster than life heating and printing run; 0 means 1. The times that the server
	// reports stay those of the printer: a print of an hour says it took an hour, however soon it was over.
	Speed float64
	// History is how long the printer seems to have been idle before the server was made, in the temperatures that a
	// new socket is sent; 0 means 5 minutes. OctoPrint keeps 30, which makes a first frame of some 140 KB.
	History time.Duration
	// Presets are the temperature presets; nil means OctoPrint's own two, ABS and PLA.
	Presets []Preset
	// CORS lets pages of other sites in (api.allowCrossOrigin). The push socket goes on as it was at the start: see
	// Server.SetCORS.
	CORS bool
	// SnapshotURL and StreamURL are those of the webcam; empty for none.
	SnapshotURL, StreamURL string
	// Webcams are all webcams, instead of the one that SnapshotURL tells of.
	Webcams []Webcam
	// Camera answers requests for pictures, at /webcam/ and wherever the query says action=snapshot; nil gives a small
	// picture of the print.
	Camera http.HandlerFunc
	// SystemCommands are the custom commands in the system menu.
	SystemCommands []SystemCommand
	// Plugins are those that are installed, by their identifiers.
	Plugins map[string]Plugin
	// OtherProfiles are printer profiles beside Profile, which become the one in use when connecting with them.
	OtherProfiles []Profile
	// Connector is what a 2.0 server prefers to connect by; nil for the serial port.
	Connector *Connector
	// SafeMode is why the server runs in safe mode, such as "flag"; empty if it doesn't.
	SafeMode string
	// Updates are the versions that the software update plugin knows of beside those that are installed.
	Updates Updates
}

// Connector is one of the ways to connect that 2.0 has beside serial ports.
type Connector struct {
	Name       string
	Parameters map[string]any // which hold its secrets
}

// Updates are newer versions than those that are installed.
type Updates struct {
	OctoPrint string   // empty: there is none
	Plugins   []string // names of plugins with a newer version
}

// Plugin is one of OctoPrint's plugins, as far as others see it.
type Plugin struct {
	// Settings are what stands under its name among OctoPrint's settings; nil: {}.
	Settings any
	// Serve answers requests below /api/plugin/NAME and /plugin/NAME: with a status, and with something that is
	// encoded as JSON unless it is nil, or sent as it is when it is of type []byte. nil: there is nothing. It is
	// called with the server locked, one call at a time.
	Serve func(PluginRequest) (status int, answer any)
}

// PluginRequest is what a plugin is asked.
type PluginRequest struct {
	Method, Path string // of the whole request, without the server's prefix
	Body         []byte
	User         string // empty for a guest
}

// Preset is a named set of target temperatures in °C.
type Preset struct {
	Name                   string
	Extruder, Bed, Chamber float64
}

// SystemCommand is an entry that the owner, or a plugin, added to OctoPrint's system menu. A command without a Name is
// a divider.
type SystemCommand struct {
	Action, Name string
	// Source is plugin for a plugin's; empty for the owner's.
	Source string
	// Error is what the command prints when it fails; empty for one that succeeds.
	Error string
}

// Profile describes the printer as OctoPrint knows it.
type Profile struct {
	ID, Name, Model string
	// Extruders is the number of extruders, at least 1.
	Extruders int
	// SharedNozzle says that all extruders feed one nozzle, which then is the only heater of theirs.
	SharedNozzle             bool
	HeatedBed, HeatedChamber bool
	Volume                   Volume
}

// Volume is what the printer can reach, in mm.
type Volume struct{ Width, Depth, Height float64 }

// User is an account of the server.
type User struct {
	Name string
	// Key is the user's API key.
	Key string
	// Groups are keys of OctoPrint's default groups: admins, users, readonly.
	Groups []string
	// Permissions are granted beside those of the groups, by key, such as "STATUS"; those of plugins that aren't
	// bundled only so.
	Permissions []string
}

// DefaultUsers returns five accounts of falling power: admin, operator, readonly, statusonly (STATUS and nothing
// else) and nobody (not even that). The key of each is its name followed by "-key".
func DefaultUsers() []User {
	return []User{
		{Name: "admin", Key: "admin-key", Groups: []string{"users", "admins"}},
		{Name: "operator", Key: "operator-key", Groups: []string{"users"}},
		{Name: "readonly", Key: "readonly-key", Groups: []string{"readonly"}},
		{Name: "statusonly", Key: "statusonly-key", Permissions: []string{"STATUS"}},
		{Name: "nobody", Key: "nobody-key"},
	}
}

// File is a printable file on the server's local storage, and how the printer fares when it prints it.
type File struct {
	// Path is the file's path with its folders, such as "parts/bracket.gcode". It identifies the file.
	Path string
	// Name is the displayed name; empty for the last element of Path.
	Name string
	// Size is in bytes; 0 means the length of Contents, or 1 MB without those.
	Size int64
	// Date is when the file was uploaded; zero for the time of AddFile.
	Date time.Time
	// PrintTime is how long the moves take, heating excluded; 0 means ten minutes.
	PrintTime time.Duration
	// Estimate is what OctoPrint's analysis believes PrintTime to be: 0 means PrintTime, negative means that the file
	// was never analysed.
	Estimate time.Duration
	// FilamentLength (mm) and FilamentVolume (cm³) are of the first tool.
	FilamentLength, FilamentVolume float64
	// ToolTarget and BedTarget are heated to, the bed first, before anything moves; 0 leaves a heater alone.
	ToolTarget, BedTarget float64
	// Height and LayerHeight are in mm; 0 means 10 and 0.2.
	Height, LayerHeight float64
	// Header is the share of the file, from 0 to 1, that is read before the first move (thumbnails, comments); 0
	// means 0.05.
	Header float64
	// Genius says that PrintTimeGenius estimates how long the print takes, and that it knows.
	Genius bool
	// M73 says that the file tells its own progress, which OctoPrint believes since 2.0.
	M73 bool
	// User is the uploader; empty for the first user.
	User string
	// Thumbnail is the picture that the slicer has put into the file; nil for none. It can be seen since 2.0, and before
	// that with the plugin prusaslicerthumbnails.
	Thumbnail []byte
	// Contents is what a download gives; it does not influence the print.
	Contents []byte
}

func (o Options) withDefaults() Options {
	o.Version = cmp.Or(o.Version, DefaultVersion)
	if o.Speed <= 0 {
		o.Speed = 1
	}
	o.History = min(cmp.Or(o.History, 5*time.Minute), 30*time.Minute)
	if o.Users == nil {
		o.Users = DefaultUsers()
	}
	if o.Presets == nil {
		o.Presets = []Preset{{Name: "ABS", Extruder: 210, Bed: 100}, {Name: "PLA", Extruder: 180, Bed: 60}}
	}
	o.Profile = o.Profile.withDefaults()
	others := make([]Profile, len(o.OtherProfiles))
	for i, p := range o.OtherProfiles {
		others[i] = p.withDefaults()
	}
	o.OtherProfiles = others
	return o
}

func (p Profile) withDefaults() Profile {
	if p == (Profile{}) {
		p.HeatedBed = true
	}
	p.ID = cmp.Or(p.ID, "_default")
	p.Name = cmp.Or(p.Name, "Default")
	p.Model = cmp.Or(p.Model, "Generic RepRap Printer")
	p.Extruders = max(p.Extruders, 1)
	if p.Volume == (Volume{}) {
		p.Volume = Volume{Width: 200, Depth: 200, Height: 200}
	}
	return p
}

// hotends is the number of tool heaters.
func (p Profile) hotends() int {
	if p.SharedNozzle {
		return 1
	}
	return p.Extruders
}
