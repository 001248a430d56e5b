package integration

import "slices"

// Level says how much a [Finding] matters.
type Level string

// The levels, from least to most.
const (
	LevelOK      Level = "ok"      // as it should be
	LevelNote    Level = "note"    // good to know; nothing has to be done
	LevelWarning Level = "warning" // works, but less than it could, or not for long
	LevelError   Level = "error"   // does not work
)

// levels are all of them, from least to most.
func levels() []Level { return []Level{LevelOK, LevelNote, LevelWarning, LevelError} }

// Finding is one thing that [Check] has found out.
type Finding struct {
	// Subject is "broker", "homeassistant" or a printer's id.
	Subject string `json:"subject"`
	// Check names what was looked at, such as "login". The same names come again in
	// every release.
	Check string `json:"check"`
	Level Level  `json:"level"`
	What  string `json:"what"`
	Why   string `json:"why,omitempty"` // it matters
	Do    string `json:"do,omitempty"`
}

// Worst returns the highest level among findings.
func Worst(list []Finding) Level {
	worst := LevelOK
	for _, f := range list {
		if slices.Index(levels(), f.Level) > slices.Index(levels(), worst) {
			worst = f.Level
		}
	}
	return worst
}

// findings collects what is found of one subject.
type findings struct {
	subject string
	list    []Finding
}

func (f *findings) add(level Level, check, what, why, do string) {
	f.list = append(f.list, Finding{Subject: f.subject, Check: check, Level: level, What: what, Why: why, Do: do})
}

func (f *findings) ok(check, what string) { f.add(LevelOK, check, what, "", "") }
