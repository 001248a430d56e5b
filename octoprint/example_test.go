package octoprint_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// watcher prints what it is told, until the printer is disconnected.
type watcher struct{ stop context.CancelFunc }

func (w watcher) SessionOpened(i octoprint.Info, s *octoprint.State) {
	fmt.Printf("OctoPrint %s, as %s: the printer is %s\n", i.Version, i.User, s.Phase)
}

func (w watcher) InfoChanged(i octoprint.Info) { fmt.Println("heaters:", i.Profile.Heaters) }

func (w watcher) StateChanged(*octoprint.State) {} // a new sample, about twice a second

func (w watcher) EventReceived(e octoprint.Event, s *octoprint.State) {
	if e.Type != octoprint.EventPrinterStateChanged {
		return // others tell what happened beside that
	}
	fmt.Printf("%s: the printer is %s\n", e.Type, s.Phase)
	w.stop()
}

func (w watcher) PluginReceived(plugin string, message json.RawMessage) {
	fmt.Println(plugin, string(message))
}

func (w watcher) FrameRejected(err error) { fmt.Println(err) }

// A session with a server, here a simulated one. A program would call Serve in
// a loop, and wait between its calls according to the error.
func ExampleClient_Serve() {
	sim := octoprinttest.New(octoprinttest.Options{})
	network := octoprinttest.Pipe(sim)
	defer network.Close()
	defer sim.Close()

	client := octoprint.NewClient(octoprint.Options{
		URL:    &url.URL{Scheme: "http", Host: "octopi.local"},
		APIKey: "operator-key",
		Dial:   network.Dial, // leave it out for a real server
	})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	opened := make(chan struct{})
	go func() {
		<-opened
		if err := sim.Disconnect(); err != nil { // somebody switches the printer off
			fmt.Println(err)
		}
	}()
	if err := client.Serve(ctx, signalling{watcher{stop}, opened}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// OctoPrint 1.11.8, as operator: the printer is idle
	// PrinterStateChanged: the printer is offline
}

// signalling tells when the session is open.
type signalling struct {
	watcher
	opened chan<- struct{}
}

func (s signalling) SessionOpened(i octoprint.Info, state *octoprint.State) {
	s.watcher.SessionOpened(i, state)
	close(s.opened)
}
