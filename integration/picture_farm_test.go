package integration

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestP1Pictures is promise P1 for pictures: after a broker outage there are new ones,
// or the placeholder, whether the broker has lost everything or not.
func TestP1Pictures(t *testing.T) {
	t.Parallel()
	for _, keeps := range []bool{true, false} {
		t.Run(fmt.Sprint("broker keeps: ", keeps), func(t *testing.T) {
			t.Parallel()
			sound, broken := new(lens), new(lens)
			inBubble(t, func(w *world) {
				w.up()
				w.sleep(12 * time.Second)
				w.wantShown("sound", "camera", 1)
				w.wantShown("broken", "camera", 1)
				broken.do(http.NotFound)
				w.broker.crash()
				w.sleep(20 * time.Minute)
				if n := sound.count(); n > 1 {
					t.Errorf("%d pictures for nobody", n)
				}
				before := w.broker.seen()
				w.broker.restart(keeps)
				w.within(70*time.Second, "online", func() bool { return len(w.broker.since(before, "bridge/state")) > 0 })
				w.sleep(5 * time.Second)
				w.wantShown("sound", "camera", 2)
				w.wantShown("broken", "camera", "placeholder")
				w.checkTruth()
				// Where the last picture may still be there nothing else comes in between.
				for _, m := range w.broker.since(before, "sound/camera") {
					if len(w.broker.since(before, "sound/camera")) > 1 {
						t.Errorf("%d bytes on the way to the new picture", len(m.payload))
					}
				}
			}, sound.filming("sound"), broken.filming("broken"))
		})
	}
}

// TestP2Pictures is promise P2 for pictures, on a line that is slow and breaks.
func TestP2Pictures(t *testing.T) {
	t.Parallel()
	cam := new(lens)
	setup := cam.filming("")
	setup.config = func(c *PrinterConfig) { c.Camera = CameraConfig{Enabled: true, Interval: time.Second} }
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(12 * time.Second)
		w.print("left")
		w.broker.net.setLatency(400 * time.Millisecond)
		for i := range 8 {
			w.sleep(time.Duration(5+i) * time.Second)
			w.broker.net.cut()
		}
		w.sleep(70 * time.Second)
		last, n := 0, 0
		for _, m := range w.broker.since(0, "left/camera") {
			if m.payload == w.bridge.placeholders()[typeJPEG] {
				continue
			}
			n++
			grey, ok := w.greyOf(m.payload).(int)
			if !ok || grey < last {
				t.Errorf("%v follows %d", w.greyOf(m.payload), last)
			}
			last = grey
		}
		if n < 15 || cam.count() > 250 { // the greys of the pictures count up to that
			t.Errorf("%d pictures came of %d", n, cam.count())
		}
	}, setup)
}

// TestP3Pictures is promise P3 for pictures: cameras that hang don't keep others
// waiting, nor anything else.
func TestP3Pictures(t *testing.T) {
	t.Parallel()
	const farm = 50
	cams := make([]*lens, farm)
	var setups []setup
	for i := range cams {
		cams[i] = new(lens)
		setups = append(setups, cams[i].filming(fmt.Sprint("p", i)))
	}
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, cam := range cams[1:] {
		cam.do(hang)
	}
	inBubble(t, func(w *world) {
		w.up()
		w.print("p0")
		w.sleep(40 * time.Second) // all have been tried
		before := cams[0].count()
		w.sleep(time.Minute)
		if n := cams[0].count() - before; n < 5 {
			t.Errorf("%d pictures in a minute", n)
		}
		w.bridge.gallery.mu.Lock()
		if n := w.bridge.gallery.running[trialLane]; n > trialLane.places() {
			t.Errorf("%d cameras that hang are asked at a time", n)
		}
		w.bridge.gallery.mu.Unlock()
		// All have a picture, and then hang together.
		for i, cam := range cams[1:] {
			cam.do(nil)
			w.post(fmt.Sprint("p", i+1), "snapshot", "{}")
		}
		w.sleep(10 * time.Second)
		for i, cam := range cams[1:] {
			if _, ok := w.shown(fmt.Sprint("p", i+1), "camera").(int); !ok {
				t.Fatalf("p%d shows %v", i+1, w.shown(fmt.Sprint("p", i+1), "camera"))
			}
			cam.do(hang)
		}
		for i := range cams {
			w.post(fmt.Sprint("p", i), "snapshot", "{}")
		}
		w.sleep(time.Second)
		if r := w.request("p1", "files", "{}"); r.code() != "ok" {
			t.Errorf("files: %+v", r)
		}
		w.sleep(14 * time.Second)
		before = cams[0].count()
		w.sleep(30 * time.Second)
		if n := cams[0].count() - before; n < 2 {
			t.Errorf("%d pictures in half a minute", n)
		}
		// What hangs doesn't hold up the stop.
		for i := range cams {
			w.post(fmt.Sprint("p", i), "snapshot", "{}")
		}
		w.sleep(time.Second)
		began := time.Now()
		w.stop()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the stop took %v", took)
		}
	}, setups...)
}

// TestP6Pictures is a part of promise P6: only so many pictures are held at a time,
// however slow the broker is.
func TestP6Pictures(t *testing.T) {
	t.Parallel()
	const farm = 100
	var taken atomic.Int64
	var setups []setup
	for i := range farm {
		s := new(lens).filming(fmt.Sprint("p", i))
		s.options.Camera = func(w http.ResponseWriter, _ *http.Request) {
			taken.Add(1)
			_, _ = w.Write(octoprinttest.Picture(8, 8, 7))
		}
		setups = append(setups, s)
	}
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(15 * time.Second)
		w.wantShown("p99", "camera", 7)
		before := taken.Load()
		w.broker.net.stall(true)
		for _, p := range w.bridge.printers() {
			p.renewPictures(false, time.Now())
		}
		w.sleep(5 * time.Second)
		if n := taken.Load() - before; n < 10 || n > int64(soundLane.places()) {
			t.Errorf("%d pictures were fetched for a broker that takes none", n)
		}
		w.bridge.outbox.mu.Lock()
		held := len(w.bridge.outbox.passing)
		for r := range w.bridge.outbox.topics.all() {
			if r.payload.sent() || r.payload.length > 0 || len(r.payload.text) < 600 {
				continue
			}
			if r.class == pictureClass && w.bridge.outbox.passing[r].waiting == nil {
				t.Errorf("%s is kept", w.bridge.outbox.topics.topicOf(r))
			}
		}
		w.bridge.outbox.mu.Unlock()
		if held > soundLane.places() {
			t.Errorf("%d pictures are held", held)
		}
		w.broker.net.stall(false)
		w.sleep(30 * time.Second)
		for i := range farm {
			w.wantShown(fmt.Sprint("p", i), "camera", 7)
		}
	}, setups...)
}

// TestNobodyListensToPictures: while the bridge listens to all that is retained, there
// are no pictures.
func TestNobodyListensToPictures(t *testing.T) {
	t.Parallel()
	cam := new(lens)
	big := cam.filming("")
	big.options.Camera = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, jpegOf(100_000))
	}
	inBubble(t, func(w *world) {
		changeable(w)
		quiet := func(when string, allowed int) {
			w.sleep(15 * time.Second)
			if n := w.broker.large.Swap(0); int(n) > allowed {
				t.Errorf("%s: %d pictures have come back", when, n)
			}
			if len(w.value("left", "camera")) < 100_000 {
				t.Errorf("%s: %v is shown", when, w.shown("left", "camera"))
			}
		}
		w.up()
		quiet("at the start", 0)
		w.stop()
		w.broker.publish("octoprint2mqtt/ghost/state", "x", true)
		w.broker.publish("octoprint2mqtt/ghost/camera", jpegOf(100_000), true)
		w.broker.publish("octoprint2mqtt/left/camera_7", jpegOf(100_000), true)
		w.up()
		quiet("at the next start", 2) // of what is gone
		for _, topic := range []string{"octoprint2mqtt/ghost/camera", "octoprint2mqtt/left/camera_7"} {
			if w.retained(topic) != "" {
				t.Errorf("%s is still there", topic)
			}
		}
		for _, id := range []string{"left", "right", ""} {
			w.request("bridge", "purge", `{"id":"`+id+`"}`)
			quiet("after a purge of "+id, 2)
		}
		w.checkTruth()

		w.stop()
		n, err := Purge(w.t.Context(), w.config)
		if err != nil || n < 100 || w.retained("octoprint2mqtt/left/camera") != "" {
			t.Errorf("the command has removed %d, %v", n, err)
		}
	}, big, setup{id: "right"})
}

// jpegOf is a JPEG of about n bytes.
func jpegOf(n int) string {
	small := string(octoprinttest.Picture(8, 8, 7))
	return small[:2] + strings.Repeat("\xff\xfe\xff\xfe"+strings.Repeat("x", 0xfffc), n/0xfffe+1) + small[2:]
}

// TestPicturesOfRemovedPrinters: nothing is left of them, even if one is on its way.
func TestPicturesOfRemovedPrinters(t *testing.T) {
	t.Parallel()
	cam := new(lens)
	hold := make(chan struct{})
	inBubble(t, func(w *world) {
		hold = make(chan struct{})
		c := changeable(w)
		w.up()
		w.sleep(12 * time.Second)
		w.wantShown("left", "camera", 1)
		cam.do(func(w http.ResponseWriter, _ *http.Request) {
			<-hold
			_, _ = w.Write(octoprinttest.Picture(8, 8, 200))
		})
		w.post("left", "snapshot", "{}")
		w.sleep(time.Second)
		c.reload(func(c *Config) { c.Printers = without(c.Printers, "left") })
		w.sleep(time.Second)
		close(hold)
		w.sleep(5 * time.Second)
		if list := w.ofPrinter("left"); len(list) > 0 {
			t.Errorf("still retained: %q", list)
		}
		w.checkTruth()
	}, cam.filming(""), setup{id: "right"})
}

// TestCameraIsSwitchedOff and on, and elsewhere, without a restart.
func TestCameraIsSwitchedOff(t *testing.T) {
	t.Parallel()
	cam := new(lens)
	inBubble(t, func(w *world) {
		c := changeable(w)
		w.up()
		w.sleep(12 * time.Second)
		w.wantShown("left", "camera", 1)
		dials := w.sims["left"].dials()
		c.reload(func(c *Config) { c.Printers[0].Camera.Enabled = false })
		w.sleep(2*time.Second + doomedFor)
		w.wantShown("left", "camera", "nothing")
		if p := w.problem("left", "camera"); p != "" {
			t.Error(p)
		}
		c.reload(func(c *Config) { c.Printers[0].Camera.Enabled = true })
		w.sleep(2 * time.Second)
		w.wantShown("left", "camera", 2)
		c.reload(func(c *Config) { c.Printers[0].Camera.URL = mustURL("http://elsewhere.test/webcam/") })
		w.sleep(2 * time.Second)
		w.wantShown("left", "camera", 3)
		if cam.hosts[2] != "elsewhere.test" || w.sims["left"].dials() != dials {
			t.Errorf("asked at %s; sessions before %d, now %d", cam.hosts[2], dials, w.sims["left"].dials())
		}
	}, cam.filming(""))
}

// TestPicturesAfterBirth: when Home Assistant has started there are new ones.
func TestPicturesAfterBirth(t *testing.T) {
	t.Parallel()
	cam := new(lens)
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(12 * time.Second)
		cam.do(http.NotFound)
		w.broker.publish("homeassistant/status", "online", false)
		w.sleep(8 * time.Second)
		w.wantShown("left", "camera", 1) // one failure doesn't take it down
		cam.do(nil)
		w.sleep(10 * time.Second)
		w.wantShown("left", "camera", cam.count())
	}, cam.filming(""))
}

// TestBrokerRefusesLargePictures: a broker that hangs up on large packets is soon left
// alone with them, and all else is as ever.
func TestBrokerRefusesLargePictures(t *testing.T) {
	t.Parallel()
	cam, large := new(lens), new(lens).filming("large")
	large.options.Camera = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, jpegOf(300_000)) }
	inBubble(t, func(w *world) {
		setLimit := func(bytes uint32) {
			w.broker.crash()
			w.broker.maxPacket = bytes
			w.broker.restart(true)
		}
		setLimit(200_000)
		w.up()
		w.sleep(5 * time.Minute)
		logins := len(w.broker.logins())
		if logins < 4 || logins > 12 {
			t.Errorf("%d logins", logins)
		}
		w.must(w.sims["large"].Print(benchy().Path))
		w.sleep(3 * time.Minute)
		if n := len(w.broker.logins()); n != logins {
			t.Errorf("%d more logins", n-logins)
		}
		w.wantShown("large", "camera", "placeholder")
		if p := w.problem("large", "camera"); !strings.Contains(p, "too large for the MQTT broker") {
			t.Error(p)
		}
		if _, ok := w.shown("small", "camera").(int); !ok {
			t.Errorf("the other camera shows %v", w.shown("small", "camera"))
		}
		if lines := w.logs.lines("warn", "hang up on large pictures"); len(lines) != 1 {
			t.Errorf("log: %q", lines)
		}
		w.must(w.sims["large"].Cancel())
		setLimit(0)
		w.sleep(65 * time.Minute)
		if n := len(w.broker.logins()); n > logins+2 || len(w.value("large", "camera")) < 300_000 {
			t.Errorf("when the broker takes it: %v is shown, %d more logins", w.shown("large", "camera"), n-logins)
		}
	}, large, cam.filming("small"))
}
