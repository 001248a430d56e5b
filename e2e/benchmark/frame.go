package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// The print that every simulated printer is at. It is long enough not to end
// while it is measured.
const (
	printTime   = 2 * time.Hour
	printSize   = 4_718_592 // bytes
	toolTarget  = 205.0
	bedTarget   = 60.0
	layerHeight = 0.2 // mm
	layerTime   = 25 * time.Second
)

// frameInterval is how often OctoPrint sends a sample of its state.
const frameInterval = 500 * time.Millisecond

// terminalLines is how many lines of the terminal a frame has: as many as those
// of a recorded print have on average. Printers without pauses in their G-code
// write several times that.
const terminalLines = 14

// frames makes the `current` frames of one printer, as OctoPrint 1.11.8 sends
// them while it prints: the members and their order are those of a recorded one.
type frames struct {
	path    string
	random  *rand.Rand
	began   time.Time // of the print
	count   int
	target  float64
	tool    walk
	bed     walk
	created int64
}

func newFrames(path string, seed uint64, began time.Time) *frames {
	random := rand.New(rand.NewPCG(seed, 1))
	return &frames{
		path: path, random: random, began: began, created: began.Add(-time.Hour).Unix(), target: toolTarget,
		count: random.IntN(1000),
		tool:  walk{around: toolTarget, pull: 0.2, step: 0.12},
		bed:   walk{around: bedTarget, pull: 0.2, step: 0.05},
	}
}

// walk is a temperature under control: it wanders, and is pulled back.
type walk struct {
	around, pull, step float64
	off                float64
}

func (w *walk) next(random *rand.Rand) float64 {
	w.off += random.NormFloat64()*w.step - w.pull*w.off
	return w.around + w.off
}

// retarget gives the tool a target that it didn't have lately, and returns it.
func (f *frames) retarget() float64 {
	f.target = math.Round(f.target*10+1) / 10
	if f.target >= toolTarget+50 {
		f.target = toolTarget
	}
	return f.target
}

// next returns the frame of a moment, with the terminal's lines and without. The
// temperatures are in it if they are due, or if they are wanted.
func (f *frames) next(now time.Time, temperatures bool) (full, plain []byte) {
	f.count++
	b := make([]byte, 0, 2048)
	b = f.appendState(b, now)
	b = append(b, `,"temps":[`...)
	if temperatures || f.count%2 == 0 {
		b = fmt.Appendf(b, `{"time":%d,"tool0":{"actual":%.2f,"target":%.1f},"bed":{"actual":%.2f,"target":%.1f},"chamber":{"actual":null,"target":null}}`,
			now.Unix(), f.tool.next(f.random), f.target, f.bed.next(f.random), bedTarget)
	}
	b = fmt.Appendf(b, `],"busyFiles":[{"origin":"local","path":%q}],"markings":[{"type":"connected","label":"Connected","time":%d.6627688},{"type":"print","label":"Start","time":%d.0678566}]`,
		f.path, f.created, f.began.Unix())
	plain = slices.Concat(b, []byte(`,"logs":[],"messages":[]}}`))
	return f.appendTerminal(b), plain
}

func (f *frames) appendState(b []byte, now time.Time) []byte {
	elapsed := now.Sub(f.began)
	share := elapsed.Seconds() / printTime.Seconds()
	z := layerHeight * float64(1+elapsed/layerTime)
	b = append(b, `{"current":{"state":{"text":"Printing","flags":{"operational":true,"printing":true,"cancelling":false,"pausing":false,"resuming":false,"finishing":false,"closedOrError":false,"error":false,"paused":false,"ready":false,"sdReady":true},"error":""},`...)
	b = fmt.Appendf(b, `"job":{"file":{"name":%[1]q,"path":%[1]q,"display":%[1]q,"origin":"local","size":%[2]d,"date":%[3]d},"estimatedPrintTime":7391.803897685549,"averagePrintTime":null,"lastPrintTime":null,"filament":{"tool0":{"length":6120.5,"volume":14.72}},"user":"admin"},`,
		f.path, printSize, f.created)
	b = fmt.Appendf(b, `"currentZ":%.1f,"progress":{"completion":%.14f,"filepos":%d,"printTime":%d,"printTimeLeft":%d,"printTimeLeftOrigin":"estimate"},`,
		z, share*100, int(share*printSize), int(elapsed.Seconds()), int((printTime - elapsed).Seconds()))
	return fmt.Appendf(b, `"offsets":{},"resends":{"count":0,"transmitted":%d,"ratio":0},"serverTime":%.6f`,
		100_000+f.count*terminalLines/2, float64(now.UnixMicro())/1e6)
}

func (f *frames) appendTerminal(b []byte) []byte {
	b = append(b, `,"logs":[`...)
	for i := range terminalLines / 2 {
		line := f.count*terminalLines/2 + i
		b = fmt.Appendf(b, `"Recv: ok","Send: N%d G1 X%d Y%d E%.4f F3000*%d",`, line, 50+line*7%60, 50+line*13%60, float64(line%400)/20, line%128)
	}
	return fmt.Appendf(b, `"Recv: T:%.2f/ %.2f"],"messages":["Not SD printing"]}}`, f.tool.around+f.tool.off, f.target)
}

// offlineFrame is what OctoPrint sends once when it has lost its printer.
const offlineFrame = `{"current":{"state":{"text":"Offline","flags":{"operational":false,"printing":false,"cancelling":false,"pausing":false,"resuming":false,"finishing":false,"closedOrError":true,"error":false,"paused":false,"ready":false,"sdReady":false},"error":""},"job":{"file":{"name":null,"path":null,"size":null,"origin":null,"date":null,"display":null},"estimatedPrintTime":null,"averagePrintTime":null,"lastPrintTime":null,"filament":null,"user":null},"currentZ":null,"progress":{"completion":null,"filepos":null,"printTime":null,"printTimeLeft":null,"printTimeLeftOrigin":null},"offsets":{},"resends":{"count":0,"transmitted":0,"ratio":0},"serverTime":1795461085.0363514,"temps":[],"busyFiles":[],"markings":[],"logs":[],"messages":[]}}`
