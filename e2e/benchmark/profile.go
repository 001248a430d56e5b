package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/rs/zerolog"

	"octoprint2mqtt/integration"
)

// bridgeCommand is the bridge as the real program runs it, in a process that can
// be asked for its profiles.
type bridgeCommand struct {
	Broker   string `arg:"required" help:"Where the broker listens."`
	Printers string `arg:"required" help:"A file of JSON that lists the printers."`
}

// Run tells on standard output where the profiles are, and serves until ctx or
// the standard input ends.
func (b *bridgeCommand) Run(ctx context.Context) error {
	list, err := readAddresses(b.Printers)
	if err != nil {
		return err
	}
	c := integration.Config{
		Version: "benchmark",
		MQTT: integration.MQTTConfig{
			URL: &url.URL{Scheme: "mqtt", Host: b.Broker}, ClientID: baseTopic, BaseTopic: baseTopic,
			DiscoveryPrefix: discoveryPrefix, BirthTopic: discoveryPrefix + "/status",
		},
		Farm:     integration.FarmConfig{Name: "Print farm"},
		StateDir: filepath.Join(filepath.Dir(b.Printers), "state"),
		Host:     integration.Host{Settled: debug.FreeOSMemory}, // as the program does
	}
	for _, p := range list {
		address, err := url.Parse(p.URL)
		if err != nil {
			return err
		}
		c.Printers = append(c.Printers, integration.PrinterConfig{
			ID: p.ID, Name: p.ID, URL: address, APIKey: p.Key, Access: integration.AccessControl,
			Limits: integration.DefaultLimits, ReadyBelow: integration.DefaultReadyBelow,
		})
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/profile", pprof.Profile)
	mux.Handle("/heap", pprof.Handler("heap"))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	defer server.Close()
	go func() { _ = server.Serve(listener) }() // ends with the process
	fmt.Fprintln(os.Stdout, listener.Addr())

	debug.SetGCPercent(30) // as the program does
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		untilOrphaned(ctx, os.Stdin)
		cancel()
	}()
	return integration.New(c, zerolog.New(os.Stderr).Level(zerolog.WarnLevel)).Run(ctx)
}

// profiledBridge is the bridge for profileCommand.
func profiledBridge() subject {
	return subject{name: "bridge", command: func(folder, broker string, f *farm) ([]string, error) {
		return ourselves(folder, f, "bridge", "--broker", broker)
	}}
}

type profileCommand struct {
	Folder   string `arg:"positional,required" help:"Where to write the profiles."`
	Printers int    `default:"1000" help:"How many printers to simulate."`
}

// Run writes profiles of each phase and prints what is at their top.
func (c *profileCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := os.MkdirAll(c.Folder, 0o755); err != nil {
		return err
	}
	p := quickPlan("")
	p.sizes, p.subjects, p.profiles = []int{c.Printers}, []subject{profiledBridge()}, c.Folder
	p.load, p.idle = 20*time.Second, 3*pingInterval // for samples enough
	if _, err := p.turns(0)[0].run(ctx); err != nil {
		return err
	}
	for _, name := range []string{"start", "load", "idle"} {
		if err := printTop(ctx, filepath.Join(c.Folder, name+".cpu")); err != nil {
			return err
		}
	}
	return printTop(ctx, filepath.Join(c.Folder, "load.heap"), "-sample_index=inuse_space")
}

func printTop(ctx context.Context, file string, flags ...string) error {
	fmt.Fprintf(os.Stdout, "\n=== %s\n", file)
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"tool", "pprof", "-top", "-nodecount=30"}, flags...), file)...)
	cmd.Stdout = os.Stdout
	return cmd.Run()
}

// profile writes a profile of the program into a file.
func (t *turn) profile(ctx context.Context, name, query string) error {
	if _, err := await(ctx, startLimit, "the profiles are there", func() bool { _, ok := t.program.output.line(); return ok }); err != nil {
		return err
	}
	address, _ := t.program.output.line()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+query, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	file, err := os.Create(filepath.Join(t.plan.profiles, name))
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(file, answer.Body)
	return err
}

// profileCPU profiles the program for a while instead of measuring it.
func (t *turn) profileCPU(ctx context.Context, name string, d time.Duration) error {
	return t.profile(ctx, name+".cpu", fmt.Sprintf("/profile?seconds=%d", max(1, int(d.Seconds()))))
}
