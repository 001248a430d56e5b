package integration

import (
	"fmt"
	"image"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestCamera: a picture every 5 minutes, every 10 seconds while something is printed,
// and at once when something happens.
func TestCamera(t *testing.T) {
	t.Parallel()
	cam := new(lens)
	inBubble(t, func(w *world) {
		w.up()
		w.wantShown("left", "camera", "placeholder")
		if c := w.components("left")["camera"]; c["p"] != "camera" || c["t"] != "octoprint2mqtt/left/camera" || c["name"] != "Camera" {
			t.Errorf("announced as %v", c)
		}
		w.sleep(12 * time.Second)
		w.wantShown("left", "camera", 1)
		if p := w.problem("left", "camera"); p != `{"problem":null}` {
			t.Error(p)
		}
		w.sleep(290 * time.Second)
		w.wantShown("left", "camera", 1)
		w.sleep(12 * time.Second)
		w.wantShown("left", "camera", 2)

		s := w.sims["left"]
		before := cam.count()
		w.must(s.Print(benchy().Path))
		w.sleep(500 * time.Millisecond)
		w.wantShown("left", "camera", before+1)
		w.sleep(62 * time.Second)
		if n := cam.count() - before; n < 7 || n > 8 {
			t.Errorf("%d pictures within a minute of a print", n)
		}
		before = cam.count()
		w.must(s.Pause())
		w.within(3*time.Second, "paused", func() bool { return w.value("left", "state") == "paused" })
		w.sleep(100 * time.Millisecond)
		w.wantShown("left", "camera", before+1)
		w.sleep(5 * time.Second)
		before = cam.count()
		w.must(s.Cancel())
		w.sleep(5 * time.Second)
		if n := cam.count() - before; n < 1 || n > 2 {
			t.Errorf("%d pictures of the end", n)
		}
		before = cam.count()
		w.sleep(4 * time.Minute)
		if n := cam.count() - before; n > 0 {
			t.Errorf("%d pictures of an idle printer", n)
		}
		for i, h := range cam.headers {
			if h.Get("X-Api-Key") != "" || strings.Contains(fmt.Sprint(h), "operator-key") || cam.hosts[i] != "left.test:8080" {
				t.Errorf("%s was asked with %v", cam.hosts[i], h)
			}
		}
	}, cam.filming(""))
}

// TestCamerasOfOctoPrint: each has a row, as it is set up, and none any more when it
// is gone.
func TestCamerasOfOctoPrint(t *testing.T) {
	t.Parallel()
	front := octoprinttest.Webcam{Name: "front", DisplayName: "Front", Snapshot: "/webcam/?action=snapshot"}
	back := octoprinttest.Webcam{Name: "back", DisplayName: "Back", Snapshot: "http://localhost:8081/?action=snapshot", FlipH: true, Rotate90: true}
	setup := new(lens).filming("")
	setup.options.Webcams = []octoprinttest.Webcam{front, back}
	setup.options.Camera = func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, asJPEG(t, corners(64, 48))) }
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(12 * time.Second)
		if got := quartersOf(w.value("left", "camera")); got != "rgbw" {
			t.Errorf("camera shows %s", got)
		}
		if got := quartersOf(w.value("left", "camera_2")); got != turns()[turn{FlipH: true, Rotate90: true}] {
			t.Errorf("camera_2 shows %s", got)
		}
		if c := w.components("left"); c["camera"]["name"] != "Camera Front" || c["camera_2"]["name"] != "Camera Back" || c["camera_3"] != nil {
			t.Errorf("%v %v %v", c["camera"], c["camera_2"], c["camera_3"])
		}
		w.sims["left"].SetWebcams(back)
		w.sleep(5*time.Second + doomedFor)
		if got := quartersOf(w.value("left", "camera")); got != turns()[turn{FlipH: true, Rotate90: true}] {
			t.Errorf("then camera shows %s", got)
		}
		w.wantShown("left", "camera_2", "nothing")
		if p := w.problem("left", "camera_2"); p != "" {
			t.Errorf("still retained: %s", p)
		}
		back.FlipV = true
		w.sims["left"].SetWebcams(back)
		w.sleep(5 * time.Second)
		if got := quartersOf(w.value("left", "camera")); got != turns()[turn{FlipH: true, FlipV: true, Rotate90: true}] {
			t.Errorf("set up otherwise camera shows %s", got)
		}
		w.sims["left"].SetWebcams()
		w.sleep(5 * time.Second)
		w.wantShown("left", "camera", "nothing")
		if c := w.components("left")["camera"]; len(c) != 1 {
			t.Errorf("camera is announced as %v, want a stub", c)
		}
		w.checkTruth()
	}, setup)
}

// quartersOf names the colours of what is retained.
func quartersOf(picture string) string {
	m, _, err := image.Decode(strings.NewReader(picture))
	if err != nil {
		return err.Error()
	}
	return quarters(m)
}

// TestOldOctoPrint: before 1.9 there is one webcam, in other words.
func TestOldOctoPrint(t *testing.T) {
	t.Parallel()
	cam := new(lens)
	setup := cam.filming("")
	setup.options.Version = "1.7.3"
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(12 * time.Second)
		w.wantShown("left", "camera", 1)
	}, setup)
}

// TestNoCamera: where there is none, or it may not be seen or isn't wanted, there is
// no row, and snapshot says why.
func TestNoCamera(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*setup)
		want   Code
	}{
		"none":         {func(s *setup) { s.options.SnapshotURL = "" }, CodeInvalid},
		"switched off": {func(s *setup) { s.config = nil }, CodeAccessDenied},
		"forbidden": {func(s *setup) {
			enable := s.config
			s.config = func(c *PrinterConfig) { enable(c); c.APIKey = "statusonly-key" }
		}, CodeNotPermitted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cam := new(lens)
			setup := cam.filming("")
			tt.change(&setup)
			inBubble(t, func(w *world) {
				w.up()
				w.sleep(12 * time.Second)
				w.wantShown("left", "camera", "nothing")
				if c := w.components("left")["camera"]; c != nil || cam.count() > 0 {
					t.Errorf("announced as %v, asked %d times", c, cam.count())
				}
				if r := w.request("left", "snapshot", "{}"); r.code() != tt.want {
					t.Errorf("snapshot: %+v, want %s", r, tt.want)
				}
			}, setup)
		})
	}
}

// TestNothingStale: a picture is taken down when the printer or the camera can't be
// reached any more.
func TestNothingStale(t *testing.T) {
	t.Parallel()
	cam := new(lens)
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(12 * time.Second)
		left := w.sims["left"]
		left.line.SetUp(false)
		left.line.Cut()
		w.sleep(grace - time.Second)
		w.wantShown("left", "camera", 1)
		w.sleep(2 * time.Second)
		w.wantShown("left", "camera", "placeholder")
		left.line.SetUp(true)
		w.sleep(70 * time.Second)
		w.wantShown("left", "camera", 2)

		w.print("left")
		w.sleep(10 * time.Second)
		last := w.shown("left", "camera")
		cam.do(http.NotFound)
		w.sleep(15 * time.Second)
		w.wantShown("left", "camera", last)
		w.sleep(25 * time.Second)
		w.wantShown("left", "camera", "placeholder")
		if p := w.problem("left", "camera"); !strings.Contains(p, "the camera answers with the error 404") {
			t.Error(p)
		}
		w.sleep(3 * time.Minute)
		failed := cam.count()
		cam.do(nil)
		w.sleep(70 * time.Second)
		if got, ok := w.shown("left", "camera").(int); !ok || got <= failed {
			t.Errorf("camera shows %v", got)
		}
		if p := w.problem("left", "camera"); p != `{"problem":null}` {
			t.Error(p)
		}
		if warnings, news := w.logs.lines("warn", `"picture":"camera"`), w.logs.lines("info", "there is a picture again"); len(warnings) != 1 || len(news) != 1 {
			t.Errorf("log: %q %q", warnings, news)
		}
	}, cam.filming(""))
}

// TestThumbnail: the picture of the file that is selected or printed, and of no other.
func TestThumbnail(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.8.7", "1.11.8", "2.0.0rc7"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			o := octoprinttest.Options{Version: version, Plugins: map[string]octoprinttest.Plugin{pluginSlicerThumbnails: {}}}
			inBubble(t, func(w *world) {
				s := w.sims["left"]
				s.AddFile(octoprinttest.File{Path: "plain.gcode"})
				s.AddFile(octoprinttest.File{Path: "parts/ü 1.gcode", Thumbnail: octoprinttest.Picture(32, 32, 100)})
				s.AddFile(octoprinttest.File{Path: "b.gcode", Thumbnail: []byte(asPNG(t, corners(32, 32)))})
				w.up()
				w.wantShown("left", "thumbnail", "placeholder")
				kind := func() any { return w.components("left")["thumbnail"]["cont_type"] }
				if kind() != typePNG || w.value("left", "thumbnail") != w.bridge.placeholders()[typePNG] {
					t.Errorf("without a file its type is %v", kind())
				}
				w.sleep(12 * time.Second)
				w.must(s.Select("b.gcode"))
				w.sleep(3 * time.Second)
				if got := quartersOf(w.value("left", "thumbnail")); got != "rgbw" || kind() != typePNG {
					t.Errorf("b shows %s of type %v", got, kind())
				}
				w.must(s.Select("parts/ü 1.gcode"))
				w.sleep(3 * time.Second)
				w.wantShown("left", "thumbnail", 100)
				if kind() != typeJPEG {
					t.Errorf("its type is %v", kind())
				}
				before := w.broker.seen()
				w.must(s.Print("plain.gcode"))
				w.sleep(3 * time.Second)
				w.wantShown("left", "thumbnail", "placeholder")
				if w.value("left", "thumbnail") != w.bridge.placeholders()[typeJPEG] {
					t.Error("the placeholder is of another type than announced")
				}
				w.sleep(5 * time.Minute)
				if n := len(w.broker.since(before, "/thumbnail")); n != 1 {
					t.Errorf("%d pictures of the same file", n)
				}
				w.must(s.Cancel())
				w.sleep(5 * time.Second)
				s.AddFile(octoprinttest.File{Path: "plain.gcode", Thumbnail: octoprinttest.Picture(32, 32, 50)})
				w.must(s.Select("plain.gcode"))
				w.sleep(5 * time.Second)
				w.wantShown("left", "thumbnail", 50)
				w.must(s.Disconnect())
				w.sleep(3 * time.Second)
				w.wantShown("left", "thumbnail", "placeholder")
			}, setup{options: o})
		})
	}
}

// TestNoThumbnail: 1.x makes none without a plugin.
func TestNoThumbnail(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(12 * time.Second)
		w.wantShown("left", "thumbnail", "nothing")
		if c := w.components("left")["thumbnail"]; c != nil {
			t.Errorf("announced as %v", c)
		}
		w.sims["left"].SetPlugin(pluginUltimakerPackage, &octoprinttest.Plugin{})
		w.sleep(5 * time.Second)
		w.wantShown("left", "thumbnail", "placeholder")
		if c := w.components("left")["thumbnail"]; c["p"] != "image" {
			t.Errorf("announced as %v", c)
		}
	}, setup{prepare: withBenchy})
}

// TestSnapshot: the answer comes when new pictures of all cameras are published.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	cam := new(lens)
	setup := cam.filming("")
	enable := setup.config
	setup.config = func(c *PrinterConfig) { enable(c); c.Access = AccessRead }
	setup.options.Webcams = []octoprinttest.Webcam{{Name: "a", Snapshot: snapshotURL}, {Name: "b", Snapshot: snapshotURL}}
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(12 * time.Second)
		before := cam.count()
		r := w.request("left", "snapshot", `{"transaction":7}`)
		if r.code() != "ok" || cam.count() != before+2 || !strings.Contains(string(r.Data), `"camera_2":{"type":"image/jpeg","bytes":`) {
			t.Errorf("%+v after %d pictures", r, cam.count()-before)
		}
		a, b := w.shown("left", "camera"), w.shown("left", "camera_2")
		if got := []any{a, b}; got[0] != before+1 && got[0] != before+2 || a == b {
			t.Errorf("shown are %v", got)
		}
		// One that is asked for while another is on its way is of the time after that.
		hold := make(chan struct{})
		cam.do(func(rw http.ResponseWriter, _ *http.Request) {
			<-hold
			_, _ = rw.Write(octoprinttest.Picture(8, 8, 200))
		})
		w.post("left", "snapshot", `{"transaction":8}`)
		w.sleep(time.Second)
		before = cam.count()
		w.post("left", "snapshot", `{"transaction":9}`)
		w.sleep(time.Second)
		close(hold)
		w.sleep(time.Second)
		if n := cam.count() - before; n != 2 {
			t.Errorf("%d more pictures for the second request", n)
		}
		cam.do(http.NotFound)
		if r := w.request("left", "snapshot", "{}"); r.code() != CodeOctoPrint || !strings.Contains(r.Error.Message, "404") {
			t.Errorf("%+v", r)
		}
		cam.do(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		w.post("left", "snapshot", `{}`)
		w.sleep(time.Second)
		if r := w.request("left", "files", "{}"); r.code() != CodeAccessDenied {
			t.Errorf("a command behind it: %+v", r)
		}
		for _, payload := range []string{`{"camera":1}`, `[]`, ``} {
			if r := w.request("left", "snapshot", payload); r.code() != CodeInvalid {
				t.Errorf("%s: %+v", payload, r)
			}
		}
		for i := range 40 {
			w.post("left", "snapshot", fmt.Sprintf(`{"transaction":"t%d"}`, i))
		}
		w.sleep(20 * time.Second)
		w.bridge.printer("left").mu.Lock()
		waiting := len(w.bridge.printer("left").snapshots)
		w.bridge.printer("left").mu.Unlock()
		if waiting > 0 {
			t.Errorf("%d requests still wait", waiting)
		}
		w.sims["left"].line.SetUp(false)
		w.sims["left"].line.Cut()
		w.sleep(time.Second)
		if r := w.request("left", "snapshot", "{}"); r.code() != CodeUnreachable {
			t.Errorf("%+v", r)
		}
	}, setup)
}

// TestAnotherCameraMeanwhile: a picture that comes when its camera is no longer the
// one to be shown isn't shown.
func TestAnotherCameraMeanwhile(t *testing.T) {
	t.Parallel()
	cam := new(lens)
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(12 * time.Second)
		hold := make(chan struct{})
		cam.do(func(rw http.ResponseWriter, r *http.Request) {
			if !strings.Contains(r.URL.RawQuery, "another") {
				<-hold
				_, _ = rw.Write(octoprinttest.Picture(8, 8, 200))
				return
			}
			_, _ = rw.Write(octoprinttest.Picture(8, 8, 100))
		})
		before := w.broker.seen()
		w.post("left", "snapshot", "{}")
		w.sleep(time.Second)
		w.sims["left"].SetWebcams(octoprinttest.Webcam{Name: "classic", Snapshot: snapshotURL + "&another"})
		w.sleep(3500 * time.Millisecond)
		close(hold)
		w.sleep(time.Second)
		w.wantShown("left", "camera", 100)
		for _, m := range w.broker.since(before, "left/camera") {
			if w.greyOf(m.payload) != 100 {
				t.Errorf("%v was shown", w.greyOf(m.payload))
			}
		}
		if list := w.replies(before, w.topics.Response("left", "snapshot")); len(list) != 1 || list[0].code() != CodeOctoPrint {
			t.Errorf("the answers are %+v", list)
		}
	}, cam.filming(""))
}
