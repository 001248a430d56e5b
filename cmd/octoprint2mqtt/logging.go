package main

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// logFormats are the ways to write a line: console for people, json for
// programs, auto to choose console on a terminal and json elsewhere.
var logFormats = []string{"auto", "console", "json"}

// logTime is RFC 3339 with milliseconds.
const logTime = "2006-01-02T15:04:05.000Z07:00"

// newLogger returns a logger that writes to w, and its level. terminal tells
// whether w is a terminal: only there are lines coloured, unless NO_COLOR is set.
// Each line is one call of w.Write; calls may be concurrent, as os.Stderr takes
// them.
func newLogger(config LogConfig, w io.Writer, terminal bool) (zerolog.Logger, *logLevel) {
	if config.Format == "console" || config.Format == "auto" && terminal {
		w = zerolog.ConsoleWriter{Out: w, NoColor: !terminal, TimeFormat: logTime}
	}
	level := new(logLevel)
	level.set(config.Level)
	return zerolog.New(w).Hook(level, timestamp{}), level
}

// logLevel is the level of a logger that can be changed while it is used: one of
// [integration.LogLevels], each including those behind it:
//
//	debug  every attempt, also the vain ones
//	info   what begins and ends, and every command
//	warn   something is worse than it should be and is tried again
//	error  somebody has to do something
type logLevel struct{ level atomic.Int32 }

// Run implements zerolog.Hook.
func (l *logLevel) Run(e *zerolog.Event, level zerolog.Level, _ string) {
	if level < zerolog.Level(l.level.Load()) {
		e.Discard()
	}
}

// set changes the level; one that isn't known means info.
func (l *logLevel) set(name string) {
	level, err := zerolog.ParseLevel(name)
	if err != nil || name == "" {
		level = zerolog.InfoLevel
	}
	l.level.Store(int32(level))
}

func (l *logLevel) String() string { return zerolog.Level(l.level.Load()).String() }

// timestamp adds the time to each line. zerolog's own has whole seconds unless
// a variable is changed for the whole process.
type timestamp struct{}

// Run implements zerolog.Hook.
func (timestamp) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Str(zerolog.TimestampFieldName, time.Now().Format(logTime))
}
