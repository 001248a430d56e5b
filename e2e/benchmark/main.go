package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/alexflint/go-arg"
)

// command is one of the things that this program can do.
type command interface {
	Run(ctx context.Context) error
}

// commandLine is the grammar of the command line. The hidden commands are what
// the benchmark runs as processes of their own.
type commandLine struct {
	Measure *measureCommand `arg:"subcommand" help:"Measure the bridge beside the floor programs and print a table; done without a command, too."`
	Profile *profileCommand `arg:"subcommand" help:"Run the bridge through the same phases and write its profiles."`
	Bridge  *bridgeCommand  `arg:"subcommand,hidden"`
	Broker  *brokerCommand  `arg:"subcommand,hidden"`
	Floor   *floorCommand   `arg:"subcommand,hidden"`
}

// Description implements arg.Described.
func (*commandLine) Description() string {
	return "Measures what octoprint2mqtt costs, beside programs that do as little as possible with the same messages."
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

// run runs the command that arguments name.
func run(ctx context.Context, args []string) error {
	parser, err := parse(args)
	if errors.Is(err, arg.ErrHelp) {
		parser.WriteHelp(os.Stdout)
		return nil
	}
	if err != nil {
		return err
	}
	return parser.Subcommand().(command).Run(ctx)
}

// parse returns a parser that has parsed arguments. Without the name of a command
// they are those of measureCommand.
func parse(args []string) (*arg.Parser, error) {
	parser, err := arg.NewParser(arg.Config{Program: "benchmark"}, new(commandLine))
	if err != nil {
		panic(err) // the grammar is wrong, which every test shows
	}
	if len(args) == 0 || strings.HasPrefix(args[0], "-") && args[0] != "-h" && args[0] != "--help" {
		args = append([]string{"measure"}, args...)
	}
	return parser, parser.Parse(args)
}

// limit bounds the whole run.
const limit = 15 * time.Minute

type measureCommand struct {
	Quick  bool   `help:"One round of bridge and floor with short phases, for development."`
	Bridge string `placeholder:"PROGRAM" help:"The bridge to measure; it is built if none is given."`
	Before string `placeholder:"PROGRAM" help:"Another bridge, to be measured beside it."`
}

// Run measures and prints. What happens meanwhile goes to standard error.
func (m *measureCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	debug.SetGCPercent(400) // the farm shall disturb what is measured as little as it can
	folder, err := os.MkdirTemp("", "octoprint2mqtt-benchmark-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if m.Bridge == "" {
		if m.Bridge, err = build(ctx, folder); err != nil {
			return err
		}
	}
	p := fullPlan(m.Bridge)
	if m.Quick {
		p = quickPlan(m.Bridge)
	}
	if m.Before != "" {
		before := bridge(m.Before)
		before.name = "before"
		p.subjects = append(p.subjects, before)
	}
	began := time.Now()
	results, err := p.runAll(ctx, os.Stderr)
	if err != nil {
		return err
	}
	writeTable(os.Stdout, results, p)
	fmt.Fprintf(os.Stdout, "\n%d rounds in %v, %d CPUs, %s.\n", p.rounds, time.Since(began).Round(time.Second), runtime.NumCPU(), runtime.Version())
	return nil
}

// runAll runs the programs by turns, from small farms to large ones, round after
// round.
func (p plan) runAll(ctx context.Context, progress io.Writer) ([]result, error) {
	var results []result
	for round := range p.rounds {
		for _, t := range p.turns(round) {
			began := time.Now()
			r, err := t.run(ctx)
			if err != nil {
				return nil, err
			}
			results = append(results, r)
			fmt.Fprintf(progress, "round %d, %s, %d printers: %v\n", round+1, r.subject, r.printers, time.Since(began).Round(time.Second))
		}
	}
	return results, nil
}
