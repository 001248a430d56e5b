package integration

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestHostileCameras: whatever a camera sends instead of a picture, the placeholder
// stays, it is said why, and nothing goes where it should not.
func TestHostileCameras(t *testing.T) {
	t.Parallel()
	j := asJPEG(t, corners(64, 48))
	write := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) }
	}
	for name, tt := range map[string]struct {
		act  http.HandlerFunc
		want string
	}{
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://user:canary-password@evil.test/x?canary-query", http.StatusFound)
		}, "the camera sends on to http://evil.test/x instead of a picture, which is not followed"},
		"redirect to itself": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/?action=snapshot", http.StatusMovedPermanently)
		}, "the camera sends on to http://left.test:8080/ instead"},
		"page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/jpeg")
			_, _ = io.WriteString(w, "<!doctype html><h1>canary-page</h1>")
		}, "the camera sends neither a JPEG nor a PNG picture"},
		"huge": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, jpegMark)
			_, _ = io.Copy(w, io.LimitReader(endlessText{}, 64<<20))
		}, "the camera sends more than 5 MiB"},
		"stream": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=x")
			for {
				if _, err := io.WriteString(w, "--x\r\nContent-Type: image/jpeg\r\n\r\n"+j); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}, "the camera sends neither a JPEG nor a PNG picture"},
		"silence": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "the camera did not send its picture within 5s"},
		"drip": {func(w http.ResponseWriter, r *http.Request) {
			for i := 0; r.Context().Err() == nil; i++ {
				if _, err := io.WriteString(w, (jpegMark + strings.Repeat("x", 1000))[i:i+1]); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				time.Sleep(200 * time.Millisecond)
			}
		}, "the camera did not send its picture within 5s"},
		"headers for ever": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			for range 100_000 {
				if _, err := io.WriteString(conn, "X-Canary: "+strings.Repeat("x", 1000)+"\r\n"); err != nil {
					return
				}
			}
		}, "the camera can't be reached"},
		"hangs up": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			conn.Close()
		}, "the camera can't be reached: EOF"},
		"breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(j)))
			_, _ = io.WriteString(w, j[:len(j)-100])
		}, "the camera sends a picture that breaks off"},
		"truncated": {write(j[:len(j)-100]), "the camera sends a picture that breaks off"},
		"bomb":      {write(claiming(j, 65535, 65535)), "the camera sends a picture of more than 50 million pixels"},
		"login": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", "Basic")
			http.Error(w, "canary-body", http.StatusUnauthorized)
		}, "the camera asks for a login"},
		"GIF":     {write("GIF89a" + j), "the camera sends neither a JPEG nor a PNG picture"},
		"nothing": {func(http.ResponseWriter, *http.Request) {}, "the camera sends neither a JPEG nor a PNG picture"},
		"no content": {
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
			"the camera answers with the error 204 instead of a picture",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cam := &lens{act: tt.act}
			inBubble(t, func(w *world) {
				w.up()
				w.sleep(60 * time.Second)
				w.wantShown("left", "camera", "placeholder")
				if p := w.problem("left", "camera"); !strings.Contains(p, tt.want) {
					t.Errorf("%s, want %s", p, tt.want)
				}
				if lines := w.logs.lines("warn", `"picture":"camera"`); len(lines) != 1 {
					t.Errorf("log: %q", lines)
				}
				if n := cam.count(); n < 3 || n > 5 {
					t.Errorf("asked %d times", n)
				}
				for _, h := range cam.hosts {
					if h != "left.test:8080" {
						t.Errorf("it went to %s", h)
					}
				}
				w.noSecrets("canary", "operator-key")
				w.expect("left", "state", "idle")
			}, cam.filming(""))
		})
	}
}

// noSecrets fails if a text is in anything that the bridge has told.
func (w *world) noSecrets(secrets ...string) {
	w.t.Helper()
	for _, secret := range secrets {
		for _, m := range w.broker.since(0, "") {
			if strings.Contains(m.payload, secret) || strings.Contains(m.topic, secret) {
				w.t.Errorf("%s in %s = %s", secret, m.topic, m.payload)
			}
		}
		if strings.Contains(w.logs.String(), secret) {
			w.t.Errorf("%s in the log:\n%s", secret, w.logs)
		}
	}
}

// TestForeignCamera: a camera on another host is not asked, which is said once, and
// where it can be seen.
func TestForeignCamera(t *testing.T) {
	t.Parallel()
	cam := new(lens)
	setup := cam.filming("")
	setup.options.SnapshotURL = "http://canary-user:canary-password@cam.test:81/canary-path?canary-query"
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(10 * time.Minute)
		const want = "the address is on another host, cam.test, than OctoPrint; if that is right, write the address under camera: url"
		if p := w.problem("left", "camera"); !strings.Contains(p, want) {
			t.Error(p)
		}
		w.wantShown("left", "camera", "placeholder")
		if lines := w.logs.lines("warn", want); len(lines) != 1 || cam.count() > 0 {
			t.Errorf("asked %d times; log: %q", cam.count(), lines)
		}
		if r := w.request("left", "snapshot", "{}"); r.code() != CodeOctoPrint || !strings.Contains(r.Error.Message, want) {
			t.Errorf("%+v", r)
		}
		for range 2 { // a session that is lost and found is no news
			w.sims["left"].DropSockets()
			w.sleep(20 * time.Second)
		}
		if lines := w.logs.lines("warn", `"picture":"camera"`); len(lines) != 1 {
			t.Errorf("log: %q", lines)
		}
		w.noSecrets("canary")
		w.sims["left"].SetWebcams(octoprinttest.Webcam{Name: "classic", Snapshot: snapshotURL})
		w.sleep(5 * time.Second)
		w.wantShown("left", "camera", 1)
	}, setup)
}

// TestConfiguredCamera: the address in our own configuration may be anywhere, counts
// instead of OctoPrint's, and its login is in nothing that is told.
func TestConfiguredCamera(t *testing.T) {
	t.Parallel()
	cam, other := new(lens), new(lens)
	setup := other.filming("")
	var pipe *octoprinttest.Listener
	setup.config = func(c *PrinterConfig) {
		c.APIKey = "statusonly-key"
		c.Camera = CameraConfig{Enabled: true, Interval: 2 * time.Second, URL: mustURL("http://canary-user:canary-password@cam.test:81/canary-path?canary-query")}
		line := c.Dial
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == "cam.test:81" {
				return pipe.Dial(ctx, network, address)
			}
			return line(ctx, network, address)
		}
	}
	inBubble(t, func(w *world) {
		pipe = octoprinttest.Pipe(cam)
		defer pipe.Close()
		changeable(w)
		w.up()
		w.sleep(12 * time.Second)
		w.wantShown("left", "camera", 1)
		user, password, _ := (&http.Request{Header: cam.headers[0]}).BasicAuth()
		if user != "canary-user" || password != "canary-password" || cam.headers[0].Get("X-Api-Key") != "" || other.count() > 0 {
			t.Errorf("asked with %v; OctoPrint's %d times", cam.headers[0], other.count())
		}
		w.print("left")
		before := cam.count()
		w.sleep(20 * time.Second)
		if n := cam.count() - before; n < 9 || n > 11 {
			t.Errorf("%d pictures in 20 s", n)
		}
		for _, act := range []func(){
			func() { cam.do(http.NotFound) },
			func() {
				cam.do(func(w http.ResponseWriter, r *http.Request) {
					conn, _, _ := http.NewResponseController(w).Hijack()
					_, _ = io.WriteString(conn, r.URL.String()+" canary-password canary-query\r\n\r\n")
					conn.Close()
				})
			},
			func() { pipe.SetUp(false) },
		} {
			act()
			w.sleep(40 * time.Second)
			w.wantShown("left", "camera", "placeholder")
			if r := w.request("left", "snapshot", "{}"); r.code() != CodeOctoPrint {
				t.Errorf("%+v", r)
			}
		}
		w.request("bridge", "info", "{}")
		w.noSecrets("canary")
	}, setup)
}

// TestForeignThumbnail: the API key goes nowhere else for the picture of a file.
func TestForeignThumbnail(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 100)
	setup := setup{options: octoprinttest.Options{Version: "2.0.0rc7"}}
	setup.config = func(c *PrinterConfig) {
		line := c.Dial
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address != "left.test:80" {
				asked <- address
				return nil, errors.New("nobody is there")
			}
			return line(ctx, network, address)
		}
	}
	inBubble(t, func(w *world) {
		w.sims["left"].AddFile(octoprinttest.File{Path: "a.gcode", Thumbnail: octoprinttest.Picture(8, 8, 9)})
		w.sims["left"].line.Close()
		sim := w.sims["left"]
		sim.line = octoprinttest.Pipe(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/api/files/local/") {
				rw.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(rw, `{"path":"a.gcode","origin":"local","type":"machinecode","refs":{"thumbnail":"http://evil.test/a.png?`+url.QueryEscape("canary")+`"}}`)
				return
			}
			sim.ServeHTTP(rw, r)
		}))
		w.t.Cleanup(sim.line.Close)
		w.config.Printers[0].Dial = sim.line.Dial
		setup.config(&w.config.Printers[0])
		w.must(sim.Select("a.gcode"))
		w.up()
		w.sleep(60 * time.Second)
		w.wantShown("left", "thumbnail", "placeholder")
		if p := w.problem("left", "thumbnail"); !strings.Contains(p, "on another host, evil.test,") || len(asked) > 0 {
			t.Errorf("%s; asked: %d", p, len(asked))
		}
		w.noSecrets("canary", "operator-key")
	}, setup)
}
