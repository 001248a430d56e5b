package integration

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// oracleKey is the API key of an administrator whom no fault touches.
const oracleKey = "admin-key"

// usersWithSuccessor are the usual accounts, and one whom another's key may be
// given to.
func usersWithSuccessor() []octoprinttest.User {
	return append(octoprinttest.DefaultUsers(), octoprinttest.User{Name: "successor", Key: "successor-key", Groups: []string{"users"}})
}

// itself is what a simulated OctoPrint says of itself, asked over its own API:
// neither the bridge nor its client have a part in it.
type itself struct {
	Phase   string // in the words of the MQTT contract
	Error   string
	File    itselfFile
	Elapsed *float64 // s
	Left    *float64 // s
	Percent *float64 // of bytes
	Origin  string   // of Left
	Heaters map[string]itselfHeater

	user      string // whose job it is
	estimated *float64
	filament  map[string]itselfFilament
}

type itselfFile struct {
	Display, Path, Origin string
	Size                  *float64
}

type itselfHeater struct{ Actual, Target, Offset float64 }

type itselfFilament struct{ Length, Volume float64 }

// phaseOfText translates what OctoPrint shows to people.
func phaseOfText(text string) string {
	return map[string]string{
		"Offline": "offline", "Offline after error": "error", "Error": "error", "Opening serial connection": "connecting",
		"Connecting": "connecting", "Operational": "idle", "Starting": "starting", "Printing": "printing", "Pausing": "pausing",
		"Paused": "paused", "Resuming": "resuming", "Cancelling": "cancelling", "Finishing": "finishing",
	}[text]
}

// asked returns the answer to a GET; false unless it is a success.
func (s *sim) asked(t *testing.T, path string, into any) bool {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Header.Set("X-Api-Key", oracleKey)
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK {
		return false
	}
	if err := json.Unmarshal(answer.Body.Bytes(), into); err != nil {
		t.Errorf("%s: %v in %q", path, err, answer.Body)
	}
	return true
}

// itself asks the server. It must be able to answer.
func (s *sim) itself(t *testing.T) itself {
	t.Helper()
	var job struct {
		State, Error string
		Job          struct {
			File               itselfFile
			User               string
			EstimatedPrintTime *float64
			Filament           map[string]itselfFilament
		}
		Progress struct {
			Completion, PrintTime, PrintTimeLeft *float64
			PrintTimeLeftOrigin                  string
		}
	}
	if !s.asked(t, "/api/job", &job) {
		t.Fatal("the simulated OctoPrint does not say how it is")
	}
	var printer struct{ Temperature map[string]itselfHeater }
	s.asked(t, "/api/printer", &printer) // not while the printer is off
	p := &job.Progress
	return itself{
		Phase: phaseOfText(job.State), Error: job.Error, File: job.Job.File, Elapsed: p.PrintTime, Left: p.PrintTimeLeft,
		Percent: p.Completion, Origin: p.PrintTimeLeftOrigin, Heaters: printer.Temperature,
		user: job.Job.User, estimated: job.Job.EstimatedPrintTime, filament: job.Job.Filament,
	}
}

// connected, running and problem are as the contract has them.
func (i itself) connected() bool {
	return i.Phase != "offline" && i.Phase != "error" && i.Phase != "connecting"
}

func (i itself) running() bool {
	switch i.Phase {
	case "starting", "printing", "pausing", "paused", "resuming", "cancelling", "finishing":
		return true
	}
	return false
}

// remembered is how OctoPrint remembers the last print of a file.
type remembered struct {
	at      time.Time
	success bool
}

// remembers returns how the last print of a file ended; false if OctoPrint knows
// of none.
func (s *sim) remembers(t *testing.T, path string) (remembered, bool) {
	t.Helper()
	var file struct {
		Prints *struct {
			Last struct {
				Date    float64
				Success bool
			}
		}
	}
	if !s.asked(t, "/api/files/local/"+path, &file) || file.Prints == nil {
		return remembered{}, false
	}
	last := file.Prints.Last
	return remembered{at: time.UnixMilli(int64(last.Date * 1000)), success: last.Success}, true
}
