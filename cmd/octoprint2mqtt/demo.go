package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"octoprint2mqtt/integration"
	"octoprint2mqtt/octoprint/octoprinttest"
)

type demoCommand struct {
	Printers farmSize `default:"5" placeholder:"N" help:"How many printers to simulate, 1 to 1000."`
	MQTT     string   `default:"127.0.0.1:1883" placeholder:"ADDRESS" help:"Where the demo's own MQTT broker listens. A default port that is taken gives way to a free one."`
	HTTP     string   `default:"127.0.0.1:8095" placeholder:"ADDRESS" help:"Where the web page is served; \"\" for nowhere. A default port that is taken gives way to a free one."`
}

// farmSize is how many printers to simulate.
type farmSize int

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *farmSize) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > 1000 {
		return errors.New("is not a number from 1 to 1000")
	}
	*s = farmSize(n)
	return nil
}

const (
	demoBroker = "127.0.0.1:1883"
	demoPage   = "127.0.0.1:8095"
	anyPort    = "127.0.0.1:0"
)

func listen(ctx context.Context, address string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", address)
}

// Run shows the bridge at work until the context ends.
func (d *demoCommand) Run(ctx context.Context, env surroundings) error {
	broker, address, err := startBroker(ctx, d.MQTT)
	if err != nil {
		return err
	}
	defer broker.Close()
	farm, err := startFarm(ctx, int(d.Printers))
	if err != nil {
		return err
	}
	defer farm.stop()
	page, err := d.page(ctx)
	if err != nil {
		return err
	}

	c := integration.Config{
		Version: version(),
		MQTT: integration.MQTTConfig{
			URL:      &url.URL{Scheme: "mqtt", Host: address},
			ClientID: "octoprint2mqtt", BaseTopic: "octoprint2mqtt",
			DiscoveryPrefix: "homeassistant", BirthTopic: "homeassistant/status",
		},
		Farm:     integration.FarmConfig{Name: "Print farm"},
		Printers: farm.printers,
		HTTP:     page,
	}
	d.explain(env, address, page.Listen, farm)
	log, _ := newLogger(LogConfig{Level: "info", Format: "auto"}, env.stderr, isTerminal(env.stderr))
	return integration.New(c, log).Run(ctx)
}

// explain says what runs and what to type next.
func (d *demoCommand) explain(env surroundings, address, page string, farm *demoFarm) {
	host, port, _ := net.SplitHostPort(address)
	w := env.stdout
	fmt.Fprintf(w, "octoprint2mqtt demo: %d simulated printers and an MQTT broker at %s, nothing leaves this machine.\n\n", len(farm.printers), address)
	for _, p := range farm.printers[:min(len(farm.printers), 10)] {
		fmt.Fprintf(w, "  %-10s %-22s %s\n", p.ID, p.Name, p.URL)
	}
	if d.MQTT == demoBroker && address != demoBroker {
		fmt.Fprintf(w, "\nPort 1883 is taken, so the broker listens on %s.\n", port)
	}
	if d.HTTP == demoPage && page != demoPage {
		_, port, _ := net.SplitHostPort(page)
		fmt.Fprintf(w, "\nPort 8095 is taken, so the web page is served on %s.\n", port)
	}
	if page != "" {
		fmt.Fprintf(w, "\nSee the farm:          http://%s/", page)
	}
	fmt.Fprintf(w, `
Watch everything:      mosquitto_sub -h %[1]s -p %[2]s -t 'octoprint2mqtt/#' -T '+/+/camera' -T '+/+/thumbnail' -v
Pause a print:         mosquitto_pub -h %[1]s -p %[2]s -t octoprint2mqtt/left/request/pause -m '{}'
Heat a bed to 60 °C:   mosquitto_pub -h %[1]s -p %[2]s -t octoprint2mqtt/right/bed_setpoint/set -m 60
Home Assistant:        add the MQTT integration with broker %[1]s, port %[2]s; the printers appear by themselves.
Stop:                  Ctrl-C

`, host, port)
}

// page returns how the web page is served, with a listener that is open already:
// so its port is known. It needs no login, so nobody else may reach it.
func (d *demoCommand) page(ctx context.Context) (integration.HTTPConfig, error) {
	c := integration.HTTPConfig{Listen: d.HTTP}
	if c.Listen == "" {
		return c, nil
	}
	if !c.Loopback() {
		return c, usageError{fmt.Errorf("--http must be an address of this machine alone, like %s: the demo's page has no login", demoPage)}
	}
	listener, err := listen(ctx, c.Listen)
	if err != nil && c.Listen == demoPage {
		listener, err = listen(ctx, anyPort)
	}
	if err != nil {
		return c, fmt.Errorf("serve the web page: %w", err)
	}
	c.Listen = listener.Addr().String()
	first := make(chan net.Listener, 1)
	first <- listener
	c.Open = func(ctx context.Context) (net.Listener, error) {
		select {
		case l := <-first:
			return l, nil
		default:
			return listen(ctx, c.Listen)
		}
	}
	return c, nil
}

// startBroker starts the demo's broker and returns where it listens.
func startBroker(ctx context.Context, address string) (*mochi.Server, string, error) {
	listener, err := listen(ctx, address)
	if err != nil && address == demoBroker {
		listener, err = listen(ctx, anyPort)
	}
	if err != nil {
		return nil, "", fmt.Errorf("start the broker: %w", err)
	}
	broker := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := broker.AddHook(new(auth.AllowHook), nil); err != nil {
		return nil, "", fmt.Errorf("start the broker: %w", err)
	}
	if err := broker.AddListener(listeners.NewNet("demo", listener)); err != nil {
		return nil, "", fmt.Errorf("start the broker: %w", err)
	}
	if err := broker.Serve(); err != nil {
		return nil, "", fmt.Errorf("start the broker: %w", err)
	}
	return broker, listener.Addr().String(), nil
}

// demoFarm is a number of simulated OctoPrint servers on ports of this machine.
type demoFarm struct {
	printers []integration.PrinterConfig
	servers  []*http.Server
	sims     []*octoprinttest.Server
	running  sync.WaitGroup
	cancel   context.CancelFunc
}

func startFarm(ctx context.Context, n int) (*demoFarm, error) {
	ctx, cancel := context.WithCancel(ctx)
	f := &demoFarm{cancel: cancel}
	for i := range n {
		if err := f.add(ctx, demoPrinters(i)); err != nil {
			f.stop()
			return nil, err
		}
	}
	return f, nil
}

func (f *demoFarm) add(ctx context.Context, p demoPrinter) error {
	listener, err := listen(ctx, anyPort)
	if err != nil {
		return fmt.Errorf("start a simulated printer: %w", err)
	}
	p.options.SnapshotURL = "/webcam/?action=snapshot"
	sim := octoprinttest.New(p.options)
	server := &http.Server{Handler: sim, ReadHeaderTimeout: 10 * time.Second}
	f.sims, f.servers = append(f.sims, sim), append(f.servers, server)
	f.running.Go(func() { _ = server.Serve(listener) }) // ends with stop
	f.running.Go(func() { _ = sim.Run(ctx) })
	if err := p.prepare(sim); err != nil {
		return fmt.Errorf("prepare the simulated printer %s: %w", p.id, err)
	}
	f.printers = append(f.printers, integration.PrinterConfig{
		ID: p.id, Name: p.name, URL: &url.URL{Scheme: "http", Host: listener.Addr().String()},
		APIKey: "operator-key", Access: integration.AccessControl,
		Limits: integration.DefaultLimits, ReadyBelow: integration.DefaultReadyBelow, HeatWatch: integration.DefaultHeatWatch,
		Camera: integration.CameraConfig{Enabled: true, Interval: integration.DefaultCameraInterval},
	})
	return nil
}

// stop ends the servers and waits for them.
func (f *demoFarm) stop() {
	f.cancel()
	for i := range f.servers {
		f.sims[i].Close()
		f.servers[i].Close()
	}
	f.running.Wait()
}

// demoPrinter is one printer of the demo, and how to bring it into its state.
type demoPrinter struct {
	id, name string
	options  octoprinttest.Options
	prepare  func(*octoprinttest.Server) error
}
