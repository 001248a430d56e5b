package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDemoPage: the demo serves the page where it says so, and gives way where
// another program listens already.
func TestDemoPage(t *testing.T) {
	t.Parallel()
	if l, err := listen(t.Context(), demoPage); err == nil {
		defer l.Close() // else somebody else listens there, which is as good
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, log := newOutput(""), newOutput("connected to the MQTT broker")
	done := make(chan int)
	go func() {
		done <- run(ctx, []string{"demo", "--mqtt", "127.0.0.1:0"}, surroundings{stdout: out, stderr: log, lookup: os.LookupEnv})
	}()
	<-log.seen
	said := regexp.MustCompile(`See the farm: +(http://127\.0\.0\.1:(\d+)/)\n`).FindStringSubmatch(out.String())
	if said == nil || !strings.Contains(out.String(), "Port 8095 is taken, so the web page is served on "+said[2]+".") {
		t.Fatalf("it says:\n%s", out)
	}
	for path, want := range map[string]string{"": "<title>Print farm</title>", "readyz": "ok", "healthz": "ok", "metrics": `octoprint2mqtt_printer_connected{printer="left"} 1`} {
		if got := body(t, said[1]+path); !strings.Contains(got, want) {
			t.Errorf("%s is %q", path, got)
		}
	}
	cancel()
	if code := <-done; code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

func body(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDemoPageIsForThisMachine: it has no login.
func TestDemoPageIsForThisMachine(t *testing.T) {
	t.Parallel()
	out := newOutput("")
	code := run(t.Context(), []string{"demo", "--mqtt", "127.0.0.1:0", "--http", "0.0.0.0:0"}, surroundings{stdout: out, stderr: out, lookup: os.LookupEnv})
	if code != exitUsage || !strings.Contains(out.String(), "--http must be an address of this machine alone") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}
