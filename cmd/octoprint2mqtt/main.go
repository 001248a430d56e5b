// Command octoprint2mqtt brings the printers of OctoPrint servers to MQTT and
// Home Assistant. This package reads flags and the configuration file and wires
// the rest together; what the program does is in package integration.
//
// Exit codes: 0 all is well, 1 something failed, or check has warnings, 2 the
// command line or the configuration is wrong, or check has found errors.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	code := run(ctx, os.Args[1:], surroundings{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, lookup: os.LookupEnv, hangup: hangup})
	stop()
	os.Exit(code)
}

// surroundings is what the program takes from outside beside its arguments.
type surroundings struct {
	stdin          io.Reader // nil: nobody answers
	stdout, stderr io.Writer
	lookup         func(string) (string, bool)
	hangup         <-chan os.Signal // asks to read the configuration anew; nil: nobody asks
}

// commandLine is the grammar of the command line; each command is a struct with
// a Run method.
type commandLine struct {
	Run      runCommand      `cmd:"" help:"Run the bridge."`
	Demo     demoCommand     `cmd:"" help:"Show everything with simulated printers and a broker of its own: no printer, broker or configuration needed."`
	Check    checkCommand    `cmd:"" help:"Try the broker and every printer, and say what is wrong and what to do."`
	Add      addCommand      `cmd:"" help:"Add an OctoPrint: ask it for a key, wait for one click there, and write the printer into the configuration."`
	Enroll   enrollCommand   `cmd:"" help:"Give a printer that is in the configuration a new key, by one click in OctoPrint."`
	Discover discoverCommand `cmd:"" help:"List the OctoPrint servers that announce themselves in this network, and add them."`
	Purge    purgeCommand    `cmd:"" help:"Remove everything from the broker that the bridge has ever retained there; stop it first."`
	Schema   schemaCommand   `cmd:"" help:"Print the JSON Schema of the configuration, with which editors complete and check it."`
	Asyncapi asyncAPICommand `cmd:"" name:"asyncapi" help:"Print the MQTT topics and commands as an AsyncAPI 3 document."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

// run parses arguments, runs the command that they name and returns the exit
// code.
func run(ctx context.Context, args []string, env surroundings) int {
	var line commandLine
	parser, err := kong.New(&line,
		kong.Name("octoprint2mqtt"),
		kong.Description("Brings the printers of OctoPrint servers to MQTT and Home Assistant."),
		kong.Writers(env.stdout, env.stderr),
		kong.Exit(func(int) { panic(helpShown{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.NamedMapper("filename", kong.MapperFunc(fileName)),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(env),
	)
	if err != nil {
		panic(err) // the grammar is wrong, which every test shows
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, shown, err := parse(parser, args)
	if shown {
		return exitOK
	}
	if err == nil {
		err = parsed.Run()
	} else {
		err = usageError{err}
	}
	return exitCode(err, env.stderr)
}

// helpShown is how a parser that has printed its help leaves.
type helpShown struct{}

func parse(p *kong.Kong, args []string) (parsed *kong.Context, shown bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, shown = r.(helpShown); !shown {
				panic(r)
			}
		}
	}()
	parsed, err = p.Parse(args)
	return parsed, false, err
}

// usageError is a command line that can't be understood.
type usageError struct{ error }

func (e usageError) Error() string {
	return e.error.Error() + "\nRun octoprint2mqtt --help to see what there is."
}

// What check has found and told.
var (
	errWarnings = errors.New("check has warnings")
	errErrors   = errors.New("check has found errors")
)

// exitCode tells the user what went wrong and returns the exit code for it.
func exitCode(err error, stderr io.Writer) int {
	var usage usageError
	var config *ConfigError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errWarnings):
		return exitFailed
	case errors.Is(err, errErrors):
		return exitUsage
	case errors.As(err, &usage), errors.As(err, &config):
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	fmt.Fprintln(stderr, "octoprint2mqtt:", err)
	return exitFailed
}
