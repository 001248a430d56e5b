package octoprinttest

// state is what the printer is doing, as OctoPrint sees it.
type state int

const (
	offline state = iota
	offlineAfterError
	opening
	connecting
	operational
	starting
	printing
	pausing
	paused
	resuming
	cancelling
	finishing
	failed
)

// text is what a person reads.
func (s state) text(r release, cause string) string {
	switch s {
	case offlineAfterError:
		if !r.hasStateError() {
			return "Offline (Error: " + cause + ")"
		}
		return "Offline after error"
	case opening:
		if r.isTwo() {
			return "Connecting"
		}
		return "Opening serial connection"
	case failed:
		if !r.hasStateError() {
			return "Error: " + cause
		}
		return "Error"
	}
	return map[state]string{
		offline: "Offline", connecting: "Connecting", operational: "Operational", starting: "Starting",
		printing: "Printing", pausing: "Pausing", paused: "Paused", resuming: "Resuming",
		cancelling: "Cancelling", finishing: "Finishing",
	}[s]
}

// id is what events name the state.
func (s state) id(r release) string {
	switch {
	case s == offlineAfterError && r.isTwo():
		return "CLOSED_WITH_ERROR"
	case s == offline && r.isTwo():
		return "CLOSED"
	case s == opening && r.isTwo():
		return "CONNECTING"
	}
	return map[state]string{
		offline: "OFFLINE", offlineAfterError: "OFFLINE", opening: "OPEN_SERIAL", connecting: "CONNECTING",
		operational: "OPERATIONAL", starting: "STARTING", printing: "PRINTING", pausing: "PAUSING", paused: "PAUSED",
		resuming: "RESUMING", cancelling: "CANCELLING", finishing: "FINISHING", failed: "ERROR",
	}[s]
}

// isOperational says that the printer takes commands.
func (s state) isOperational() bool { return s >= operational && s <= finishing }

// isPrinting says that a job moves the printer.
func (s state) isPrinting() bool {
	return s.isOperational() && s != operational && s != paused
}

// countsAsPrinting says what the flag says: since 2.0 a paused print is one that prints.
func (s state) countsAsPrinting(r release) bool {
	return s.isPrinting() || s == paused && r.isTwo()
}

// hasJob says that a job has begun and not ended, which includes a paused one.
func (s state) hasJob() bool { return s.isPrinting() || s == paused }

type flags struct {
	Operational   bool `json:"operational"`
	Printing      bool `json:"printing"`
	Cancelling    bool `json:"cancelling"`
	Pausing       bool `json:"pausing"`
	Resuming      bool `json:"resuming"`
	Finishing     bool `json:"finishing"`
	ClosedOrError bool `json:"closedOrError"`
	Error         bool `json:"error"`
	Paused        bool `json:"paused"`
	Ready         bool `json:"ready"`
	SDReady       bool `json:"sdReady"`
}

func (s state) flags(r release) flags {
	closed := s == offline || s == offlineAfterError || s == failed
	return flags{
		Operational:   s.isOperational(),
		Printing:      s.countsAsPrinting(r),
		Cancelling:    s == cancelling,
		Pausing:       s == pausing,
		Resuming:      s == resuming,
		Finishing:     s == finishing,
		ClosedOrError: closed,
		Error:         s == failed,
		Paused:        s == paused,
		Ready:         s == operational || s == paused && r.showsReadyPause(),
		SDReady:       s.isOperational(),
	}
}

type stateFrame struct {
	Text  string  `json:"text"`
	Flags flags   `json:"flags"`
	Error *string `json:"error,omitempty"`
}

func (p *printer) stateFrame() stateFrame {
	f := stateFrame{Text: p.state.text(p.release, p.cause), Flags: p.state.flags(p.release)}
	if p.release.hasStateError() {
		cause := p.cause
		if p.release.isTwo() {
			cause = "" // 2.0 drops the connection object that knew it
		}
		f.Error = &cause
	}
	return f
}
