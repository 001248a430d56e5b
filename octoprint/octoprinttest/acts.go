package octoprinttest

import (
	"fmt"
	"time"
)

// act runs something on the printer as its owner would.
func (s *Server) act(what string, f func(p *printer, user string) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := f(s.printer, s.accounts.first()); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// AddFile puts a file on the local storage, as if uploaded and analysed.
func (s *Server) AddFile(f File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addFile(f)
}

func (s *Server) addFile(f File) *entry {
	e := s.files.add(f, s.printer.now(), s.accounts.first())
	s.emit("FileAdded", s.fileEvent(e, "add"))
	s.emitUpdatedFiles()
	return e
}

func (s *Server) fileEvent(e *entry, operation string) object {
	return object{"storage": "local", "path": e.Path, "name": e.base(), "type": []string{"machinecode", "gcode"}, "operation": operation}
}

func (s *Server) emitUpdatedFiles() {
	payload := object{"type": "printables"}
	if s.release.isTwo() {
		payload["storage"] = "local"
	}
	s.emit("UpdatedFiles", payload)
}

// Select selects a file without printing it.
func (s *Server) Select(path string) error {
	return s.act("selecting "+path, func(p *printer, user string) error {
		e := s.files.entries[path]
		if e == nil {
			return ErrNoFile
		}
		if p.state.hasJob() || !p.state.isOperational() {
			return ErrState
		}
		p.selectFile(e, user)
		return nil
	})
}

// Print selects a file and starts to print it.
func (s *Server) Print(path string) error {
	return s.act("printing "+path, func(p *printer, user string) error {
		e := s.files.entries[path]
		if e == nil {
			return ErrNoFile
		}
		if p.state != operational {
			return ErrState
		}
		return p.print(e, user)
	})
}

// Start prints the selected file.
func (s *Server) Start() error { return s.act("starting", (*printer).start) }

// Pause pauses the print: it is Pausing for 1.6 s, then Paused.
func (s *Server) Pause() error { return s.act("pausing", (*printer).pause) }

// Resume goes on with a paused print.
func (s *Server) Resume() error { return s.act("resuming", (*printer).resume) }

// Cancel ends the print: it is Cancelling for 2.5 s, or not at all when it was paused.
func (s *Server) Cancel() error { return s.act("cancelling", (*printer).cancel) }

// FilamentRunout is a pause that the printer itself asked for: its events name no user.
func (s *Server) FilamentRunout() error {
	return s.act("pausing", func(p *printer, _ string) error {
		p.log(received, "echo:filament runout")
		p.log(received, "//action:pause")
		return p.pause("")
	})
}

// Connect connects OctoPrint to the printer, which takes about 0.15 s.
func (s *Server) Connect() error {
	return s.act("connecting", func(p *printer, _ string) error {
		if !p.isClosed() {
			return ErrState
		}
		p.connect()
		return nil
	})
}

// Disconnect closes the connection to the printer.
func (s *Server) Disconnect() error {
	return s.act("disconnecting", func(p *printer, _ string) error { return p.disconnect() })
}

// FirmwareError is an error that the printer reports, such as "Thermal Runaway, system stopped!". OctoPrint then closes
// the connection.
func (s *Server) FirmwareError(message string) error {
	return s.act("failing", func(p *printer, _ string) error { return p.fatal(message) })
}

// DropConnection breaks the line to the printer: there is no Error event, only what the state tells.
func (s *Server) DropConnection() error {
	return s.act("losing the printer", func(p *printer, _ string) error { return p.drop() })
}

// EmergencyStop is an M112.
func (s *Server) EmergencyStop() error {
	return s.act("stopping", func(p *printer, _ string) error { return p.emergencyStop() })
}

// SetTarget sets the target of a heater (tool0, tool1, …, bed, chamber) in °C.
func (s *Server) SetTarget(heater string, target float64) error {
	return s.act("heating", func(p *printer, _ string) error {
		if !p.setTarget(heater, target) {
			return fmt.Errorf("heater %s: %w", heater, ErrState)
		}
		return nil
	})
}

// SetSensor makes the firmware report a further temperature in °C under a letter of its own, such as "P" for a probe.
func (s *Server) SetSensor(letter string, actual float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.printer.sensors[letter] = float(actual)
}

// Advance lets the printer live for a while at once, with all its events: for set-ups that begin in the middle of a
// print. What was about to happen happens before.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.tasks) > 0 {
		t := s.tasks[0]
		s.tasks = s.tasks[1:]
		t.do()
	}
	s.live(d)
}

// SetTemperature makes a heater have a temperature in °C at once, for set-ups that shall not wait for it.
func (s *Server) SetTemperature(heater string, actual float64) error {
	return s.act("setting a temperature", func(p *printer, _ string) error {
		h := p.heater(heater)
		if h == nil {
			return fmt.Errorf("heater %s: %w", heater, ErrState)
		}
		h.actual = actual
		p.nextSample = p.now()
		return nil
	})
}
