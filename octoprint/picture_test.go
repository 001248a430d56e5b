package octoprint_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// fetched is what came of asking for a picture.
type fetched struct {
	dialled string // host and port, "" for nowhere
	url     string // as the other side sees it
	header  http.Header
	body    string
	err     error
}

// fetch asks a client for a picture; answer is what comes.
func fetch(t *testing.T, base string, answer http.HandlerFunc, get func(context.Context, *octoprint.Client) (io.ReadCloser, error)) (f fetched) {
	t.Helper()
	pipe := octoprinttest.Pipe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.url, f.header = "http://"+r.Host+r.URL.String(), r.Header.Clone()
		answer(w, r)
	}))
	defer pipe.Close()
	c := octoprint.NewClient(octoprint.Options{
		URL: parse(t, base), APIKey: "canary-key", Agent: "octoprint2mqtt/1",
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			f.dialled = address
			return pipe.Dial(ctx, network, address)
		},
	})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	body, err := get(ctx, c)
	f.err = err
	if err == nil {
		b, _ := io.ReadAll(body)
		f.body = string(b)
		body.Close()
	}
	return f
}

func picture(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "picture") }

// TestSnapshotAddresses: whatever a server calls the address of its camera, it is
// fetched from that server's host or not at all, and never with the API key.
func TestSnapshotAddresses(t *testing.T) {
	t.Parallel()
	const plain, prefixed, v6 = "http://octopi.local", "https://octopi.local:8443/left", "http://[fd00::7]:5000"
	for _, tt := range []struct{ base, address, dialled, url, err string }{
		{plain, "http://127.0.0.1:8080/?action=snapshot", "octopi.local:8080", "http://octopi.local:8080/?action=snapshot", ""},
		{plain, "http://localhost:8080/?action=snapshot", "octopi.local:8080", "http://octopi.local:8080/?action=snapshot", ""},
		{plain, "http://LOCALHOST./x", "octopi.local:80", "http://octopi.local/x", ""},
		{plain, "http://cam.localhost/x", "octopi.local:80", "http://octopi.local/x", ""},
		{plain, "http://127.1.2.3/x", "octopi.local:80", "http://octopi.local/x", ""},
		{plain, "http://[::1]:8080/x", "octopi.local:8080", "http://octopi.local:8080/x", ""},
		{plain, "http://0.0.0.0:8080/x", "octopi.local:8080", "http://octopi.local:8080/x", ""},
		{prefixed, "http://127.0.0.1:8080/x", "octopi.local:8080", "http://octopi.local:8080/x", ""},
		{v6, "http://localhost/x", "[fd00::7]:80", "http://[fd00::7]/x", ""},
		{v6, "http://localhost:8080/x", "[fd00::7]:8080", "http://[fd00::7]:8080/x", ""},
		{v6, "http://[FD00::7]:8080/x", "[FD00::7]:8080", "http://[FD00::7]:8080/x", ""},
		{plain, " /webcam/?action=snapshot\n", "octopi.local:80", "http://octopi.local/webcam/?action=snapshot", ""},
		{plain + ":5000", "/webcam/?action=snapshot", "octopi.local:5000", "http://octopi.local:5000/webcam/?action=snapshot", ""},
		{plain + "/left", "webcam/?action=snapshot", "octopi.local:80", "http://octopi.local/left/webcam/?action=snapshot", ""},
		{plain + "/left", "//octopi.local:81/x#y", "octopi.local:81", "http://octopi.local:81/x", ""},
		{plain, "http://OctoPi.local.:8080/x", "OctoPi.local.:8080", "http://OctoPi.local.:8080/x", ""},
		{plain, "http://cam.test/x", "", "", "on another host, cam.test, than OctoPrint"},
		{plain, "http://octopi.local.evil.test/x", "", "", "on another host"},
		{plain, "http://octopi.local@evil.test/x", "", "", "on another host, evil.test,"},
		{plain, "http://canary-user:canary-password@cam.test/x?canary-query", "", "", "on another host, cam.test, than"},
		{plain, "http://169.254.169.254/latest/meta-data", "", "", "on another host"},
		{plain, "http://2130706433/x", "", "", "on another host"},
		{plain, "//evil.test/x", "", "", "on another host"},
		{plain, "file:///etc/passwd", "", "", "neither with http:// nor with https://"},
		{plain, "rtsp://octopi.local/x", "", "", "neither with http:// nor with https://"},
		{plain, "http:///x", "", "", "names no host"},
		{plain, "http:octopi.local/canary-path", "", "", "can't be understood"},
		{plain, "http://octopi.local:canary-port/", "", "", "can't be understood"},
		{plain, "http://[canary", "", "", "can't be understood"},
	} {
		f := fetch(t, tt.base, picture, func(ctx context.Context, c *octoprint.Client) (io.ReadCloser, error) {
			return c.Snapshot(ctx, tt.address)
		})
		f.check(t, tt.address, fetched{dialled: tt.dialled, url: tt.url}, tt.err)
	}
}

// check holds what came against what was wanted, problem being a part of the error.
func (f *fetched) check(t *testing.T, address string, want fetched, problem string) {
	t.Helper()
	if f.dialled != want.dialled || f.url != want.url || f.header.Get("X-Api-Key") != want.header.Get("X-Api-Key") || strings.Contains(f.url, "canary-key") {
		t.Errorf("%s: dialled %q for %q with %v\nwant %q for %q", address, f.dialled, f.url, f.header, want.dialled, want.url)
	}
	switch {
	case problem == "" && (f.err != nil || f.body != "picture"):
		t.Errorf("%s: %q, %v", address, f.body, f.err)
	case problem != "" && (!errors.Is(f.err, octoprint.Refused) || !strings.Contains(f.err.Error(), problem) || strings.Contains(f.err.Error(), "canary")):
		t.Errorf("%s: the error is %v, want %q", address, f.err, problem)
	}
}

// TestThumbnailAddresses: the picture of a file is fetched with the API key, so only
// from below the server's own URL.
func TestThumbnailAddresses(t *testing.T) {
	t.Parallel()
	const plain, prefixed = "http://octopi.local:5000", "http://octopi.local/left"
	for _, tt := range []struct{ base, address, dialled, url, err string }{
		{plain, "plugin/prusaslicerthumbnails/thumbnail/a.png?20240101", "octopi.local:5000", plain + "/plugin/prusaslicerthumbnails/thumbnail/a.png?20240101", ""},
		{prefixed, "plugin/prusaslicerthumbnails/thumbnail/parts/ü b.png?1", "octopi.local:80", prefixed + "/plugin/prusaslicerthumbnails/thumbnail/parts/%C3%BC%20b.png?1", ""},
		{plain, "plugin/x/thumbnail/100%.png?1", "octopi.local:5000", plain + "/plugin/x/thumbnail/100%25.png?1", ""},
		{plain, plain + "/downloads/thumbs/local/a%20b%20%231.gcode", "octopi.local:5000", plain + "/downloads/thumbs/local/a%20b%20%231.gcode", ""},
		{prefixed, "https://octopi.local:8443/left/downloads/thumbs/local/a.gcode", "octopi.local:80", prefixed + "/downloads/thumbs/local/a.gcode", ""},
		{prefixed, "/left/downloads/a", "octopi.local:80", prefixed + "/downloads/a", ""},
		{prefixed, "http://octopi.local/right/downloads/a", "", "", "isn't below OctoPrint's own"},
		{prefixed, "http://octopi.local/left", "", "", "isn't below OctoPrint's own"},
		{prefixed, "/downloads/a", "", "", "isn't below OctoPrint's own"},
		{prefixed, "../right/a", "", "", "isn't below OctoPrint's own"},
		{prefixed, "%2e%2e/right/a", "", "", "isn't below OctoPrint's own"},
		{prefixed, "a/%2e%2e/%2e%2e/right/a", "", "", "isn't below OctoPrint's own"},
		{prefixed, "http://octopi.local/left/../right/a", "", "", "isn't below OctoPrint's own"},
		{plain, "http://evil.test/downloads/a?canary-query", "", "", "on another host, evil.test,"},
		{plain, "//evil.test/a", "", "", "on another host, evil.test,"},
		{plain, "http://canary:canary@octopi.local:5000/a", "", "", "can't be understood"},
		{plain, "data:image/png;base64,canary", "", "", "can't be understood"},
	} {
		f := fetch(t, tt.base, picture, func(ctx context.Context, c *octoprint.Client) (io.ReadCloser, error) {
			return c.Thumbnail(ctx, tt.address)
		})
		want := fetched{dialled: tt.dialled, url: tt.url, header: http.Header{"X-Api-Key": {"canary-key"}}}
		if tt.err != "" {
			want.header = nil
		}
		f.check(t, tt.address, want, tt.err)
	}
}

// TestSnapshotAt: an address that was vouched for may be anywhere and have a login,
// which is in no error.
func TestSnapshotAt(t *testing.T) {
	t.Parallel()
	at := func(address string) func(context.Context, *octoprint.Client) (io.ReadCloser, error) {
		u := parse(t, address)
		return func(ctx context.Context, c *octoprint.Client) (io.ReadCloser, error) { return c.SnapshotAt(ctx, u) }
	}
	const address = "http://canary-user:canary-password@cam.test:81/canary-path?canary-query"
	f := fetch(t, "http://octopi.local", picture, at(address))
	if user, password, _ := (&http.Request{Header: f.header}).BasicAuth(); f.dialled != "cam.test:81" || f.body != "picture" ||
		user != "canary-user" || password != "canary-password" || f.header.Get("X-Api-Key") != "" {
		t.Errorf("%+v", f)
	}
	for status, want := range map[int]octoprint.Failure{
		301: octoprint.Redirected, 302: octoprint.Redirected, 307: octoprint.Redirected, 401: octoprint.NotPermitted, 403: octoprint.NotPermitted,
		404: octoprint.Refused, 204: octoprint.Refused, 500: octoprint.ServerFailed, 503: octoprint.ServerFailed,
	} {
		asked := 0
		f := fetch(t, "http://octopi.local", func(w http.ResponseWriter, r *http.Request) {
			asked++
			w.Header().Set("Location", "http://canary-user:canary-password@evil.test/login?canary-query")
			w.WriteHeader(status)
			if status != 204 {
				_, _ = io.WriteString(w, "canary-body "+r.Header.Get("Authorization"))
			}
		}, at(address))
		if !errors.Is(f.err, want) || strings.Contains(f.err.Error(), "canary") || asked != 1 || f.dialled != "cam.test:81" {
			t.Errorf("status %d: %v, %d requests, the last to %s", status, f.err, asked, f.dialled)
		}
	}
	f = fetch(t, "http://octopi.local", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := http.NewResponseController(w).Hijack()
		_, _ = io.WriteString(conn, "canary-password canary-query\r\n\r\n")
		conn.Close()
	}, at(address))
	if f.err == nil || strings.Contains(f.err.Error(), "canary-password") || strings.Contains(f.err.Error(), "canary-query") {
		t.Errorf("an echo instead of HTTP: %v", f.err)
	}
}

// TestFile: every release tells of one file, and where the picture is that its slicer
// has put into it.
func TestFile(t *testing.T) {
	t.Parallel()
	thumbnail := octoprinttest.Picture(8, 8, 99)
	for _, version := range versions() {
		o := octoprinttest.Options{Version: version, Plugins: map[string]octoprinttest.Plugin{"prusaslicerthumbnails": {}}}
		bubble(t, o, func(b *bench) {
			b.sim.AddFile(octoprinttest.File{Path: "parts/ü b.gcode", Size: 7, Thumbnail: thumbnail})
			b.sim.AddFile(octoprinttest.File{Path: "plain.gcode"})
			c := b.client("readonly")
			f, err := c.File(b.t.Context(), octoprint.OriginLocal, "parts/ü b.gcode")
			must(b.t, err)
			if f.Path != "parts/ü b.gcode" || f.Size != 7 || f.Thumbnail == "" {
				t.Errorf("%s: %+v", version, f)
			}
			body, err := c.Thumbnail(b.t.Context(), f.Thumbnail)
			must(b.t, err)
			if got, _ := io.ReadAll(body); string(got) != string(thumbnail) {
				t.Errorf("%s: the thumbnail has %d bytes", version, len(got))
			}
			body.Close()
			if f, err = c.File(b.t.Context(), octoprint.OriginLocal, "plain.gcode"); err != nil || f.Thumbnail != "" {
				t.Errorf("%s: %+v, %v", version, f, err)
			}
			for _, path := range []string{"none.gcode", "parts"} {
				_, err = c.File(b.t.Context(), octoprint.OriginLocal, path)
				wantFailure(b.t, err, octoprint.Refused)
			}
			_, err = b.client("statusonly").File(b.t.Context(), octoprint.OriginLocal, "plain.gcode")
			wantFailure(b.t, err, octoprint.NotPermitted)
		})
	}
}

// TestSeveralWebcams are listed as they are set up, the one for snapshots first.
func TestSeveralWebcams(t *testing.T) {
	t.Parallel()
	list := []octoprinttest.Webcam{
		{Name: "nozzle", DisplayName: "Nozzle", Snapshot: "http://localhost:8081/", FlipH: true, Rotate90: true},
		{Name: "stream", DisplayName: "Stream only"},
		{Name: "room", Snapshot: "/webcam/?action=snapshot", FlipV: true},
	}
	for _, version := range versions() {
		bubble(t, octoprinttest.Options{Version: version, Webcams: list}, func(b *bench) {
			s, err := b.client("readonly").Settings(b.t.Context())
			must(b.t, err)
			first := octoprint.Webcam{ID: "nozzle", Name: "Nozzle", Snapshot: "http://localhost:8081/", FlipH: true, Rotate90: true}
			if version < "1.9" && version >= "1.5" && !strings.HasPrefix(version, "1.1") {
				first.ID, first.Name = "classic", "Webcam"
				if len(s.Webcams) != 1 || s.Webcams[0] != first {
					t.Errorf("%s: %+v", version, s.Webcams)
				}
				return
			}
			second := octoprint.Webcam{ID: "room", Name: "room", Snapshot: "/webcam/?action=snapshot", FlipV: true}
			if len(s.Webcams) != 2 || s.Webcams[0] != first || s.Webcams[1] != second {
				t.Errorf("%s: %+v", version, s.Webcams)
			}
		})
	}
}
