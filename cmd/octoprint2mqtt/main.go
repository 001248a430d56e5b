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
	"strings"
	"syscall"

	"github.com/alexflint/go-arg"
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

// command is one of the things that this program can do, chosen on the command line.
type command interface {
	Run(ctx context.Context, env surroundings) error
}

// commandLine is the grammar of the command line; each command is a struct with
// the options that it takes.
//
// What isn't called is left out of the program by the linker, unless methods are
// looked up by names that only the running program knows, as text/template does
// and some libraries for command lines do: then every exported method of every
// type stays, which is 2 MiB of code and tables, in memory, too.
type commandLine struct {
	Run      *runCommand      `arg:"subcommand" help:"Run the bridge."`
	Demo     *demoCommand     `arg:"subcommand" help:"Show everything with simulated printers and a broker of its own: no printer, broker or configuration needed."`
	Check    *checkCommand    `arg:"subcommand" help:"Try the broker and every printer, and say what is wrong and what to do."`
	Add      *addCommand      `arg:"subcommand" help:"Add an OctoPrint: ask it for a key, wait for one click there, and write the printer into the configuration."`
	Enroll   *enrollCommand   `arg:"subcommand" help:"Give a printer that is in the configuration a new key, by one click in OctoPrint."`
	Discover *discoverCommand `arg:"subcommand" help:"List the OctoPrint servers that announce themselves in this network, and add them."`
	Purge    *purgeCommand    `arg:"subcommand" help:"Remove everything from the broker that the bridge has ever retained there; stop it first."`
	Schema   *schemaCommand   `arg:"subcommand" help:"Print the JSON Schema of the configuration, with which editors complete and check it."`
	Asyncapi *asyncAPICommand `arg:"subcommand" help:"Print the MQTT topics and commands as an AsyncAPI 3 document."`
	Version  *versionCommand  `arg:"subcommand" help:"Print the version."`
}

// run parses arguments, runs the command that they name and returns the exit
// code.
func run(ctx context.Context, args []string, env surroundings) int {
	var line commandLine
	parser, err := arg.NewParser(arg.Config{Program: "octoprint2mqtt"}, &line)
	if err != nil {
		panic(err) // the grammar is wrong, which every test shows
	}
	err = parser.Parse(spelledOut(args))
	chosen, ok := parser.Subcommand().(command)
	switch {
	case errors.Is(err, arg.ErrHelp), err == nil && !ok:
		err = line.showHelp(env.stdout, parser)
	case err != nil:
		err = usageError{errors.New(plainWords.Replace(err.Error()))}
	default:
		err = chosen.Run(ctx, env)
	}
	return exitCode(err, env.stderr)
}

// spelledOut writes --flag= as --flag "": the parser would take the next argument
// for the value otherwise.
func spelledOut(args []string) []string {
	var list []string
	for i, a := range args {
		if a == "--" {
			return append(list, args[i:]...)
		}
		flag, value, given := strings.Cut(a, "=")
		if given && value == "" && strings.HasPrefix(flag, "-") {
			list = append(list, flag, "")
		} else {
			list = append(list, a)
		}
	}
	return list
}

// plainWords says what the parser says in words that tell the user what to change.
var plainWords = strings.NewReplacer(
	"error processing ", "",
	": is ", " is ", // as the errors of the values go on
	": strconv.ParseBool: parsing ", " is neither true nor false: ",
	"FILE is required", "--config FILE is missing",
	" is required", " is missing",
)

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
