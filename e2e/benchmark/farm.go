package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// apiKey is accepted by every simulated OctoPrint.
const apiKey = "operator-key"

// farm is a number of simulated OctoPrint servers on ports of this machine, whose
// printers all print. It sends their frames from one goroutine, evenly spread.
type farm struct {
	printers []*printer
	serving  sync.WaitGroup
	sending  sync.WaitGroup
	stop     context.CancelFunc

	// expect is called right before a frame with a new target is sent. It returns
	// false where the last one hasn't been seen yet: then it is not sent.
	expect func(id string, target float64, at time.Time) bool

	sent       atomic.Int64 // frames
	probeEvery atomic.Int64 // every how many frames one has a new target; 0: none
	renew      atomic.Bool  // the next frame of every printer has a new target
	silent     atomic.Bool  // nothing is sent
}

// printer is one simulated server with its printer.
type printer struct {
	id     string
	url    string
	sim    *octoprinttest.Server
	http   *http.Server
	frames *frames // used by farm.send only
}

func printerID(i int) string { return fmt.Sprintf("printer-%d", i) }

// newFarm starts n servers, in the middle of a print, and the sending of frames.
func newFarm(ctx context.Context, n int, expect func(id string, target float64, at time.Time) bool) (*farm, error) {
	ctx, cancel := context.WithCancel(ctx)
	f := &farm{stop: cancel, expect: expect}
	for i := range n {
		if err := f.add(ctx, i); err != nil {
			f.close()
			return nil, fmt.Errorf("start a simulated printer: %w", err)
		}
	}
	f.sending.Go(func() { f.send(ctx) })
	return f, nil
}

func (f *farm) add(ctx context.Context, i int) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	path := fmt.Sprintf("bracket-%d.gcode", i)
	sim := octoprinttest.New(octoprinttest.Options{Name: path})
	p := &printer{
		id: printerID(i), url: "http://" + listener.Addr().String(), sim: sim,
		http: &http.Server{Handler: sim, ReadHeaderTimeout: time.Minute},
	}
	f.printers = append(f.printers, p)
	f.serving.Go(func() { _ = p.http.Serve(listener) }) // ends with close
	sim.AddFile(octoprinttest.File{
		Path: path, Size: printSize, PrintTime: printTime, FilamentLength: 6120.5, FilamentVolume: 14.72,
		ToolTarget: toolTarget, BedTarget: bedTarget, LayerHeight: layerHeight, Height: 57.6,
	})
	if err := sim.Print(path); err != nil {
		return err
	}
	elapsed := time.Duration(10+i*7%40) * time.Minute
	sim.Advance(elapsed)
	p.frames = newFrames(path, uint64(i), time.Now().Add(-elapsed))
	return nil
}

// send sends every printer's frames until ctx ends.
func (f *farm) send(ctx context.Context) {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	began, done := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		due := int(time.Since(began) * time.Duration(len(f.printers)) / frameInterval)
		if f.renew.Swap(false) {
			for _, p := range f.printers {
				f.probe(p)
			}
		}
		for ; done < due; done++ {
			if !f.silent.Load() {
				f.sendFrame(f.printers[done%len(f.printers)])
			}
		}
	}
}

func (f *farm) sendFrame(p *printer) {
	n := f.sent.Add(1)
	every := f.probeEvery.Load()
	probing := every > 0 && n%every == 0 && f.probe(p)
	p.sim.SendCurrent(p.frames.next(time.Now(), probing))
}

// probe gives the printer a new target if the last one has been seen.
func (f *farm) probe(p *printer) bool {
	before := p.frames.target
	if f.expect(p.id, p.frames.retarget(), time.Now()) {
		return true
	}
	p.frames.target = before
	return false
}

// switchOff has every printer lose its connection to OctoPrint. Then the sockets
// stay, and are silent.
func (f *farm) switchOff(ctx context.Context) error {
	f.silent.Store(true)
	if err := pause(ctx, 100*time.Millisecond); err != nil { // for the frame that is being sent
		return err
	}
	for _, p := range f.printers {
		if err := p.sim.Disconnect(); err != nil {
			return err
		}
		p.sim.SendCurrent([]byte(offlineFrame), []byte(offlineFrame))
	}
	return nil
}

// dropSockets cuts every push connection.
func (f *farm) dropSockets() {
	for _, p := range f.printers {
		p.sim.DropSockets()
	}
}

// loggedIn returns how many printers somebody is logged in to.
func (f *farm) loggedIn() int {
	n := 0
	for _, p := range f.printers {
		if p.sim.Sockets() > 0 {
			n++
		}
	}
	return n
}

// close ends the servers and waits for them.
func (f *farm) close() {
	f.stop()
	f.sending.Wait()
	for _, p := range f.printers {
		p.sim.Close()
		p.http.Close()
	}
	f.serving.Wait()
}
