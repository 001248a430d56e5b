package main

import (
	"io"
	"time"

	"github.com/rs/zerolog"
)

// logLevels are the levels of logging, each including those behind it:
//
//	debug  every attempt, also the vain ones
//	info   what begins and ends, and every command
//	warn   something is worse than it should be and is tried again
//	error  somebody has to do something
var logLevels = []string{"debug", "info", "warn", "error"}

// logFormats are the ways to write a line: console for people, json for
// programs, auto to choose console on a terminal and json elsewhere.
var logFormats = []string{"auto", "console", "json"}

// logTime is RFC 3339 with milliseconds.
const logTime = "2006-01-02T15:04:05.000Z07:00"

// newLogger returns a logger that writes to w. terminal tells whether w is a
// terminal: only there are lines coloured, unless NO_COLOR is set. Each line is
// one call of w.Write; calls may be concurrent, as os.Stderr takes them.
func newLogger(config LogConfig, w io.Writer, terminal bool) zerolog.Logger {
	if config.Format == "console" || config.Format == "auto" && terminal {
		w = zerolog.ConsoleWriter{Out: w, NoColor: !terminal, TimeFormat: logTime}
	}
	level, err := zerolog.ParseLevel(config.Level)
	if err != nil || config.Level == "" {
		level = zerolog.InfoLevel
	}
	return zerolog.New(w).Level(level).Hook(timestamp{})
}

// timestamp adds the time to each line. zerolog's own has whole seconds unless
// a variable is changed for the whole process.
type timestamp struct{}

// Run implements zerolog.Hook.
func (timestamp) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Str(zerolog.TimestampFieldName, time.Now().Format(logTime))
}
