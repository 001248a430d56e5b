package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/alexflint/go-arg"
)

// TestCommandLine: without the name of a command it measures.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]command{
		"":                                       &measureCommand{},
		"--quick --bridge a --before=b":          &measureCommand{Quick: true, Bridge: "a", Before: "b"},
		"measure --quick":                        &measureCommand{Quick: true},
		"profile DIR":                            &profileCommand{Folder: "DIR", Printers: 1000},
		"profile --printers 10 DIR":              &profileCommand{Folder: "DIR", Printers: 10},
		"broker":                                 &brokerCommand{Listen: "127.0.0.1:0"},
		"broker --listen a:1":                    &brokerCommand{Listen: "a:1"},
		"bridge --broker a --printers b":         &bridgeCommand{Broker: "a", Printers: "b"},
		"floor --broker a --decode --printers b": &floorCommand{Broker: "a", Printers: "b", Decode: true},
	} {
		parser, err := parse(strings.Fields(line))
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		if got := parser.Subcommand(); !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %#v", line, got)
		}
	}
}

// TestCommandLineRefused: what can't be understood starts nothing.
func TestCommandLineRefused(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"quick", "--frobnicate", "profile", "profile DIR --quick", "floor", "bridge --broker a"} {
		if _, err := parse(strings.Fields(line)); err == nil {
			t.Errorf("%q is taken", line)
		}
	}
}

// TestHelp shows what somebody can use, but not what the benchmark runs itself.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"-h", "--help"} {
		parser, err := parse([]string{flag})
		if !errors.Is(err, arg.ErrHelp) {
			t.Fatalf("%s: %v", flag, err)
		}
		var help strings.Builder
		parser.WriteHelp(&help)
		for text, want := range map[string]bool{"\n  measure ": true, "\n  profile ": true, "\n  floor": false, "\n  bridge": false, "\n  broker": false} {
			if strings.Contains(help.String(), text) != want {
				t.Errorf("%q is there: %v\n%s", text, !want, &help)
			}
		}
	}
}
