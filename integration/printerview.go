package integration

import (
	"math"
	"strings"
	"time"

	"octoprint2mqtt/octoprint"
)

// printerView is what the rows of a printer are read from.
type printerView struct {
	config     *PrinterConfig // of the configuration in force, which never changes
	connection connection
	detail     string // a sentence; empty when connected

	// state is OctoPrint's, the zero State while it isn't known. at is when it
	// came.
	state octoprint.State
	at    time.Time
	// info is the last that is known, also while OctoPrint is away.
	info octoprint.Info
	// has is what is known of the server beside that, likewise, and now are live
	// values that are gone with the session.
	has    inventory
	now    vitals
	prints *tracker
	// thumbnailType is the media type of the last picture of a file; empty: there was
	// none.
	thumbnailType string
	// maintenance says that somebody has taken the printer out of the farm's work.
	maintenance bool
	// plateUsed says that a print has ended since somebody has cleared the plate.
	plateUsed bool
	clearedAt time.Time // zero: never
	arming    arming
	// seen is when OctoPrint was heard last, as it is shown.
	seen time.Time

	// chosen is what the next connection is to be made with.
	chosen chosen
	// selected is the selected file as its select has it; see [fileOption].
	selected string

	missing   *missing         // shared, see [tables]
	counters  *printerCounters // nil: not of a printer that is run
	frameRate value            // messages a minute
}

// live reports whether the state is known.
func (v *printerView) live() bool { return v.state.Phase != "" }

// heaters are those of the printer profile that was known last.
func (v *printerView) heaters() []string {
	if v.info.Profile == nil {
		return nil
	}
	return v.info.Profile.Heaters
}

func (v *printerView) running() bool { return v.state.Phase.Job() }

// progress is by time where OctoPrint's estimate of the time left is better than
// a guess from the file's bytes, which run ahead of the print.
func (v *printerView) progress() *float64 {
	j := &v.state.Job
	if !v.running() {
		return nil
	}
	if j.Elapsed == nil || j.Remaining == nil || !estimated(j.RemainingOrigin) || *j.Elapsed+*j.Remaining <= 0 {
		return j.Completion
	}
	percent := math.Max(0, math.Min(100, *j.Elapsed/(*j.Elapsed+*j.Remaining)*100))
	return &percent
}

func estimated(origin string) bool {
	return origin == "estimate" || origin == "average" || origin == "genius" || strings.HasPrefix(origin, "mixed-")
}

// elapsed and remaining are in whole minutes; a minute begun counts as left.
func (v *printerView) elapsed() value { return v.minutes(v.state.Job.Elapsed, math.Floor) }

func (v *printerView) remaining() value {
	if v.halted() {
		return unknown
	}
	return v.minutes(v.state.Job.Remaining, math.Ceil)
}

func (v *printerView) minutes(seconds *float64, round func(float64) float64) value {
	if !v.running() || seconds == nil || *seconds < 0 {
		return unknown
	}
	m := round(*seconds / 60)
	return number(&m, 0)
}

// halted reports whether the job stands still, so that nobody can say when it
// will end.
func (v *printerView) halted() bool {
	return v.state.Phase == octoprint.PhasePaused || v.state.Phase == octoprint.PhasePausing
}

func (v *printerView) finish() time.Time {
	left := v.state.Job.Remaining
	if !v.running() || v.halted() || left == nil || *left < 0 || *left > 1e8 {
		return time.Time{}
	}
	return v.at.Add(time.Duration(*left * float64(time.Second)))
}

func (v *printerView) started() time.Time {
	if !v.running() || v.prints.active == nil {
		return time.Time{}
	}
	return v.prints.active.started
}

// ready reports whether the printer can take a new job; known is false where a
// heater's temperature isn't known.
func (v *printerView) ready() (ready, known bool) {
	if v.maintenance || v.state.Phase != octoprint.PhaseIdle || !v.plateCleared() {
		return false, v.live()
	}
	for _, h := range v.heaters() {
		actual := v.state.Heaters[h].Actual
		if actual == nil {
			return false, false
		}
		if *actual >= v.config.ReadyBelow {
			return false, true
		}
	}
	return !v.state.Problem, len(v.heaters()) > 0
}

// limit is the highest target of a heater.
func (c *PrinterConfig) limit(heater string) float64 {
	switch heater {
	case "bed":
		return c.Limits.Bed
	case "chamber":
		return c.Limits.Chamber
	}
	return c.Limits.Tool
}

// filament sums up what a job needs over all tools.
func (v *printerView) filament(part func(octoprint.Filament) *float64, scale float64) *float64 {
	var sum float64
	known := false
	for _, f := range v.state.Job.Filament {
		if p := part(f); p != nil {
			sum += *p * scale
			known = true
		}
	}
	if !known {
		return nil
	}
	return &sum
}

// errorText never leaves a standing error without words, but gives them a moment
// to arrive.
func (v *printerView) errorText() string {
	if v.state.Problem && v.state.Error == "" && v.prints.problem {
		return "OctoPrint lost the connection to the printer and does not say why."
	}
	return v.state.Error
}
