package octoprinttest

import (
	"fmt"
	"maps"
	"strings"
)

// pause interrupts the print; user is empty when the firmware asked for it.
func (p *printer) pause(user string) error {
	if p.state != printing && p.state != starting && p.state != resuming {
		return ErrState
	}
	p.enter(pausing)
	p.then(pausingTime, func() {
		p.pausedEvents(user)
		p.enter(paused)
	})
	return nil
}

func (p *printer) pausedEvents(user string) {
	position := p.position()
	p.emit("PrintPaused", p.point(p.payload(user), position))
	p.chart("pause", "Pause")
	update := p.position()
	update["reason"] = "pause"
	p.emit("PositionUpdate", update)
}

func (p *printer) resume(user string) error {
	if p.state != paused {
		return ErrState
	}
	p.enter(resuming)
	p.emit("PrintResumed", p.payload(user))
	p.chart("resume", "Resume")
	if p.release.isTwo() {
		p.chart("printing", "Printing")
	}
	p.enter(printing)
	return nil
}

// cancel ends the print on request. It counts as failed, too.
func (p *printer) cancel(user string) error {
	if !p.state.hasJob() || p.state == cancelling || p.state == finishing {
		return ErrState
	}
	before := p.state
	p.emit("PrintCancelling", p.payload(user))
	p.enter(cancelling)
	nowhere := object{"t": nil, "f": nil, "x": nil, "y": nil, "z": nil, "e": nil}
	gone := func() object {
		o := p.point(p.payload(user), nowhere)
		o["time"] = seconds(p.job.elapsed)
		return o
	}
	cancelled, notDone := gone(), gone()
	notDone["reason"] = "cancelled"
	if before == paused {
		cancelled["reason"] = "cancelled"
	}
	p.emit("PrintCancelled", cancelled)
	p.chart("cancel", "Cancel")
	p.record(false)
	p.emit("MetadataStatisticsUpdated", object{"storage": "local", "path": p.job.file.Path})
	p.emit("PrintFailed", notDone)
	if before == pausing {
		p.pausedEvents(user) // the pause that was on its way still reports
	}
	p.job.shown = progress{}
	p.forgetZ()
	p.cool()
	if before == paused {
		p.enter(operational)
		return nil
	}
	p.then(cancelTime, func() { p.enter(operational) })
	return nil
}

func (p *printer) cool() {
	for _, h := range p.heaters {
		h.target = 0
	}
}

// abandon ends a running job, if there is one, because of an error. What it returns tells of it, given the error.
func (p *printer) abandon() func(cause string) {
	if !p.state.hasJob() {
		return func(string) {}
	}
	payload := p.payload("")
	payload["time"] = seconds(p.job.elapsed)
	var fraction float
	if p.job.shown.Completion != nil {
		fraction = *p.job.shown.Completion / 100
	}
	path := p.job.file.Path
	p.record(false)
	return func(cause string) {
		p.emit("MetadataStatisticsUpdated", object{"storage": "local", "path": path})
		payload["reason"], payload["error"] = "error", cause
		if p.release.hasPausePoint() {
			payload["progress"] = fraction
		}
		if p.release.isTwo() {
			payload["error"] = "unknown"
		}
		p.emit("PrintFailed", payload)
	}
}

// fatal is an error that the firmware reports; OctoPrint then closes the connection.
func (p *printer) fatal(text string) error {
	if !p.state.isOperational() {
		return ErrState
	}
	p.log(received, "Error:"+text)
	report := object{"error": text, "reason": "firmware"}
	if p.release.hasErrorReport() {
		report["consequence"] = "emergency"
		report["logs"] = append([]string(nil), p.logs.since(p.logs.end()-20)...)
		report["faq"] = nil
		if strings.Contains(strings.ToLower(text), "thermal runaway") {
			report["faq"] = "firmware-thermal-runaway"
		}
	}
	p.cause = text
	if !p.release.isTwo() {
		p.report = report
	}
	tell := p.abandon()
	p.enter(failed)
	p.emit("Error", p.connector(maps.Clone(report)))
	if p.release.failsEarly() {
		tell(text)
	}
	p.emit("EStop", nil)
	p.lost(offlineAfterError)
	if !p.release.failsEarly() {
		tell(text)
	}
	return nil
}

// drop is a serial connection that breaks.
func (p *printer) drop() error {
	if !p.release.hasStateError() {
		return p.vanish("SerialTimeoutException: '' @ comm.py:_do_send_without_checksum:4695", false)
	}
	return p.vanish("SerialTimeoutException: ", false)
}

// emergencyStop is an M112: OctoPrint sends it and closes the connection.
func (p *printer) emergencyStop() error {
	return p.vanish("Closing serial port due to emergency stop M112.", true)
}

func (p *printer) vanish(cause string, stop bool) error {
	if !p.state.isOperational() {
		return fmt.Errorf("losing the printer: %w", ErrState)
	}
	p.cause = cause
	tell := p.abandon()
	p.lost(offlineAfterError)
	if stop {
		p.emit("EStop", nil)
	}
	tell(cause)
	return nil
}
