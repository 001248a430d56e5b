package octoprinttest

import (
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Errors of methods that act on the printer.
var (
	// ErrState says that the printer cannot do that now.
	ErrState = errors.New("the printer's state does not allow it")
	// ErrNoFile says that there is no such file, or none selected.
	ErrNoFile = errors.New("no such file")
)

// What takes time on a real printer. These times are not shortened by Options.Speed.
const (
	connectDelay = 120 * time.Millisecond
	openingTime  = 20 * time.Millisecond
	startingTime = 30 * time.Millisecond
	pausingTime  = 1600 * time.Millisecond
	cancelTime   = 2500 * time.Millisecond
	finishTime   = 10 * time.Millisecond
	samplePeriod = 2 * time.Second
)

// firmwareName is what the simulated firmware calls itself.
const firmwareName = "Virtual Marlin 1.0"

// printer is the machine and OctoPrint's view of it. The Server's mutex guards it.
type printer struct {
	release release
	profile Profile
	now     func() time.Time
	// emit fires an event, announce a plugin's message, later runs something after a time.
	emit     func(name string, payload any)
	announce func(plugin string, data any)
	later    func(d time.Duration, f func())
	random   *rand.Rand

	state state
	// cause is the text of the error that the state is about.
	cause string
	// report is what /api/printer/error tells, nil without an error.
	report object
	// epoch changes with every transition; what was planned before it is void.
	epoch int

	heaters     []*heater
	offsets     map[string]float64
	sensors     map[string]float // further ones, by the firmware's letter
	tool        int
	z           *float
	job         *job
	port        string
	wanted      string // the port to connect to; empty and AUTO: whichever
	baudrate    int
	transmitted int
	beats       int
	prompt      *prompt  // the firmware's dialog, nil for none
	answered    []string // what was chosen in dialogs
	everChosen  bool     // a file was selected or a connection lost: some keys appear only then

	samples    ring[sample]
	logs       ring[string]
	messages   ring[string]
	markings   []marking
	nextSample time.Time
	dirty      bool // something changed since the last frame
}

type marking struct {
	Type  string `json:"type"`
	Label string `json:"label,omitempty"`
	Time  float  `json:"time"`
}

func newPrinter(o Options, r release) *printer {
	seed := fnv.New64a()
	seed.Write([]byte(o.Name))
	p := &printer{
		release: r, profile: o.Profile, now: time.Now,
		random:   rand.New(rand.NewPCG(seed.Sum64(), 0)),
		heaters:  newHeaters(o.Profile),
		offsets:  map[string]float64{},
		sensors:  map[string]float{},
		samples:  ring[sample]{limit: 900},
		logs:     ring[string]{limit: 300},
		messages: ring[string]{limit: 300},
		job:      &job{},
	}
	p.prefill(o.History)
	p.state, p.port, p.baudrate = operational, "VIRTUAL", 115200
	p.mark("connected", "Connected")
	return p
}

// enter changes the state and tells everybody.
func (p *printer) enter(s state) {
	p.log(noted, `Changing monitoring state from "`+p.state.text(p.release, p.cause)+`" to "`+s.text(p.release, p.cause)+`"`)
	p.state = s
	p.epoch++
	payload := object{"state_id": s.id(p.release), "state_string": s.text(p.release, p.cause)}
	if s == offlineAfterError && !p.release.isTwo() { // the state's own text says more than its event
		payload["state_string"] = offline.text(p.release, "")
	}
	p.connector(payload)
	if p.release.isTwo() && (s == offline || s == offlineAfterError) {
		payload["connector"] = "unknown"
	}
	p.emit("PrinterStateChanged", payload)
}

// silent is the payload of events about the connection as such.
func (p *printer) silent() any {
	if p.release.isTwo() {
		return object{"connector": "serial"}
	}
	return nil
}

// connector adds what events of the printer say since 2.0.
func (p *printer) connector(payload object) object {
	if p.release.isTwo() {
		payload["connector"] = "serial"
	}
	return payload
}

// then runs f after d unless the state changes before.
func (p *printer) then(d time.Duration, f func()) {
	epoch := p.epoch
	p.later(d, func() {
		if p.epoch == epoch {
			f()
		}
	})
}

func (p *printer) mark(kind, label string) {
	if !p.release.hasMarkings() {
		return
	}
	m := marking{Type: kind, Time: epoch(p.now())}
	if p.release.hasChartMarked() {
		m.Label = label
	}
	horizon := epoch(p.now().Add(-30 * time.Minute))
	for len(p.markings) > 0 && p.markings[0].Time < horizon {
		p.markings = p.markings[1:]
	}
	p.markings = append(p.markings, m)
	p.dirty = true
}

// chart marks a moment of a print, which is also an event.
func (p *printer) chart(kind, label string) {
	p.mark(kind, label)
	if p.release.hasChartMarked() {
		p.emit("ChartMarked", object{"type": kind, "label": label})
	}
}

// isClosed says that there is no connection to the printer, and none is being made.
func (p *printer) isClosed() bool { return p.state == offline || p.state == offlineAfterError }

// connect opens the connection to the printer, as OctoPrint does it: some time after it was asked to, and not at all
// when there is one.
func (p *printer) connect() {
	p.later(connectDelay, func() {
		if !p.isClosed() {
			return
		}
		p.cause, p.report = "", nil
		p.emit("Connecting", p.silent())
		p.enter(opening)
		p.then(openingTime, p.connected)
	})
}

func (p *printer) connected() {
	p.enter(connecting)
	p.port, p.baudrate = "VIRTUAL", 115200
	if p.wanted != "" && p.wanted != "AUTO" {
		p.port = p.wanted
	}
	if p.release.isTwo() {
		p.emit("UpdatedFiles", object{"type": "printables"})
	}
	p.enter(operational)
	p.nextSample = p.now()
	p.mark("connected", "Connected")
	p.emit("Connected", p.connectedPayload())
	data := object{"FIRMWARE_NAME": firmwareName, "PROTOCOL_VERSION": "1.0"}
	if p.release.isTwo() {
		data["Cap:AUTOREPORT_TEMP"], data["Cap:EMERGENCY_PARSER"] = "1", "1"
	}
	p.emit("FirmwareData", object{"name": firmwareName, "data": data})
	p.emit("UpdatedFiles", object{"type": "printables"})
}

func (p *printer) connectedPayload() any {
	if p.release.isTwo() {
		return object{"connector": "serial", "port": p.port, "baudrate": p.baudrate}
	}
	return object{"port": p.port, "baudrate": p.baudrate}
}

// disconnect closes the connection as asked for.
func (p *printer) disconnect() error {
	if p.isClosed() {
		return ErrState
	}
	p.emit("Disconnecting", p.silent())
	tell := p.abandon()
	p.lost(offline)
	p.autorefreshed()
	tell("")
	return nil
}

func (p *printer) autorefreshed() {
	if !p.release.hasChartMarked() {
		return
	}
	ports := []string{"/dev/ttyS0", "VIRTUAL"}
	if p.release.isTwo() {
		p.emit("ConnectionsAutorefreshed", object{"options": object{"serial": object{"port": ports}}})
		return
	}
	p.emit("ConnectionsAutorefreshed", object{"ports": ports})
}

// lost is how every connection ends: the file is deselected and nothing is known any more.
func (p *printer) lost(s state) {
	p.emit("UpdatedFiles", object{"type": "printables"})
	if p.job.file != nil && p.release.deselectsOnLoss() {
		p.emit("FileDeselected", nil)
	}
	p.job = &job{}
	p.everChosen = true
	p.emit("Disconnected", p.silent())
	if p.release.hasPermissions() {
		p.closePrompt()
	}
	p.announce(notificationID, object{})
	p.announce("firmware_check", object{"type": "update"})
	p.enter(s)
	p.mark("disconnected", "Disconnected")
	p.port, p.baudrate, p.transmitted = "", 0, 0
	p.forgetZ()
	clear(p.offsets)
	p.samples.add(sample{time: p.now().Unix()})
	for _, h := range p.heaters {
		h.target, h.measured, h.told = 0, false, false
	}
}

// forgetZ: the height of a former print is forgotten, but not by 2.0.
func (p *printer) forgetZ() {
	if !p.release.isTwo() {
		p.z = nil
	}
}

// advance lets printer time pass.
func (p *printer) advance(dt time.Duration) {
	for _, h := range p.heaters {
		h.step(dt)
	}
	if p.state == printing {
		p.work(dt)
	}
}

// observe lets OctoPrint look at the printer, half a second after it did so last.
func (p *printer) observe() {
	if !p.state.isOperational() {
		return
	}
	p.chatter()
	if now := p.now(); !now.Before(p.nextSample) {
		p.takeSample()
		p.nextSample = now.Add(samplePeriod)
	}
}

// setTarget is an M104, M140 or M141.
func (p *printer) setTarget(name string, target float64) bool {
	h := p.heater(name)
	if h == nil || !p.state.isOperational() {
		return false
	}
	h.target, h.told = target, true
	p.nextSample = p.now() // OctoPrint shows a new target at once
	p.dirty = true
	return true
}
