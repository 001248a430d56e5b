package octoprinttest

import (
	"maps"
	"math"
	"time"
)

// phase is how far a print has come.
type phase int

const (
	heatingBed phase = iota
	heatingTool
	moving
)

// job is the selected file, and how far its print is. A job without a file is none.
type job struct {
	file *entry
	// user selected the file, owner started the print.
	user, owner string

	phase   phase
	moved   time.Duration // moves executed
	elapsed time.Duration // since the start, pauses excluded
	layer   int
	started bool
	shown   progress
}

// progress is what OctoPrint last told; it lags behind the job.
type progress struct {
	Completion *float  `json:"completion"`
	Filepos    *int64  `json:"filepos"`
	PrintTime  *int    `json:"printTime"`
	Left       *int    `json:"printTimeLeft"`
	Origin     *string `json:"printTimeLeftOrigin"`
}

// selectFile makes a file the current one.
func (p *printer) selectFile(e *entry, user string) {
	p.choose(e, user)
	payload := object{"name": e.base(), "path": e.Path, "origin": "local", "size": nil, "owner": user, "user": user}
	if p.release.isTwo() { // it tells twice: its two layers know different things
		payload["connector"], payload["size"] = "serial", e.Size
		first := maps.Clone(payload)
		delete(first, "user")
		p.emit("FileSelected", first)
	}
	p.emit("FileSelected", payload)
}

func (p *printer) choose(e *entry, user string) {
	p.job = &job{file: e, user: user, owner: user}
	p.everChosen = true
	p.dirty = true
}

// print selects a file and starts it at once. In 2.0 the print begins before its user and owner are known.
func (p *printer) print(e *entry, user string) error {
	if !p.release.isTwo() {
		p.selectFile(e, user)
		return p.start(user)
	}
	p.choose(e, user)
	first := p.payload("")
	p.emit("FileSelected", first)
	p.job.owner = ""
	if err := p.start(""); err != nil {
		return err
	}
	p.emit("FileSelected", p.payload(user))
	return nil
}

func (p *printer) deselect() {
	p.job = &job{}
	p.dirty = true
	p.emit("FileDeselected", nil)
}

// payload is what events tell of the job; user is who caused the event, empty for nobody (the firmware).
func (p *printer) payload(user string) object {
	e := p.job.file
	o := p.connector(object{"name": e.base(), "path": e.Path, "origin": "local", "size": e.Size})
	if p.job.owner != "" {
		o["owner"] = p.job.owner
	}
	if user != "" {
		o["user"] = user
	}
	return o
}

// start prints the selected file; a paused print is begun anew without having ended.
func (p *printer) start(user string) error {
	if p.state != operational && p.state != paused {
		return ErrState
	}
	if p.job.file == nil {
		return ErrNoFile
	}
	p.job = &job{file: p.job.file, user: p.job.user, owner: user, started: true}
	p.forgetZ()
	p.enter(starting)
	p.emit("PrintStarted", p.payload(user))
	p.chart("print", "Start")
	p.update()
	p.then(startingTime, func() {
		if p.release.isTwo() {
			p.chart("printing", "Printing")
		}
		p.enter(printing)
		p.setTarget("bed", p.job.file.BedTarget)
		p.setTarget("tool0", p.job.file.ToolTarget)
		p.work(0)
	})
	return nil
}

// work executes the file for some time.
func (p *printer) work(dt time.Duration) {
	j := p.job
	j.elapsed += dt
	for j.phase < moving {
		h := p.heater([]string{"bed", "tool0"}[j.phase])
		if h != nil && !h.reached() {
			return // the line that waits is not done, so nothing is told
		}
		j.phase++
		p.update()
		if j.phase == moving {
			p.emit("Home", nil)
			p.layer(1)
		}
	}
	before := j.moved / j.stride()
	j.moved = min(j.moved+dt, j.file.PrintTime)
	if layer := j.layerAt(); layer > j.layer {
		p.layer(layer)
	}
	if j.moved/j.stride() != before {
		p.update()
	}
	if j.moved == j.file.PrintTime {
		p.finish()
	}
}

// stride is how long one move lasts: progress is told only between moves.
func (j *job) stride() time.Duration {
	return min(max(j.file.PrintTime/200, 500*time.Millisecond), 3*time.Second)
}

func (j *job) layerAt() int {
	layers := max(1, int(math.Round(j.file.Height/j.file.LayerHeight)))
	return min(layers, 1+int(float64(layers)*j.moved.Seconds()/j.file.PrintTime.Seconds()))
}

func (p *printer) layer(n int) {
	z := float(math.Round(float64(n)*p.job.file.LayerHeight*1000) / 1000)
	var old any
	if p.z != nil && n > 1 {
		old = *p.z
	}
	p.emit("ZChange", object{"new": z, "old": old})
	p.z = &z
	p.job.layer = n
	p.dirty = true
}

func (j *job) extruded() float64 {
	if j.file == nil {
		return 0
	}
	return j.file.FilamentLength * j.moved.Seconds() / j.file.PrintTime.Seconds()
}

// finish is the regular end of a print.
func (p *printer) finish() {
	j := p.job
	p.emit("Home", nil)
	p.enter(finishing)
	p.chart("done", "Done")
	p.show(100, j.file.Size, 0, nil)
	done := p.payload("")
	done["time"] = seconds(j.elapsed)
	p.emit("PrintDone", done)
	p.record(true)
	for _, h := range p.heaters {
		p.setTarget(h.name, 0)
	}
	p.then(finishTime, func() {
		p.enter(operational)
		p.emit("MetadataStatisticsUpdated", object{"storage": "local", "path": j.file.Path})
	})
}

// record writes the end of a print into the file's history.
func (p *printer) record(success bool) {
	j := p.job
	j.file.printed(success, j.elapsed, p.now())
	j.started = false
}
