package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestReadiness: /readyz is right once the broker has everything, and wrong with
// the reason while it can't be told; the process lives all the time.
func TestReadiness(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		page := w.serveWeb()
		expect := func(when string, want int, says string) {
			t.Helper()
			if status, body := page.get(t, "/readyz"); status != want || !strings.Contains(body, says) {
				t.Errorf("%s: /readyz is %d %q", when, status, body)
			}
			if status, body := page.get(t, "/healthz"); status != http.StatusOK {
				t.Errorf("%s: /healthz is %d %q", when, status, body)
			}
		}
		w.start()
		synctest.Wait()
		expect("at first", 503, "connecting")
		w.within(10*time.Second, "ready", func() bool { return w.retained(w.topics.BridgeState()) == online })
		w.sleep(time.Second)
		expect("published", 200, "ok")
		w.broker.crash()
		w.sleep(time.Second)
		expect("the broker is lost", 503, "no connection to the MQTT broker at broker.test:1883")
		w.broker.restart(false)
		w.sleep(90 * time.Second)
		expect("the broker is back", 200, "ok")
	})
}

// TestStuckBridge: a bridge whose clock stands still should be started again.
func TestStuckBridge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := webOf(t, HTTPConfig{Listen: loopbackPage})
		time.Sleep(stuckAfter + time.Second)
		if got := webAnswer(h, "GET", "/healthz"); got.Code != http.StatusServiceUnavailable || !strings.Contains(got.Body.String(), "1m1s") {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	})
}

// TestMetrics: what Prometheus gets of a farm, without what differs from run to
// run.
func TestMetrics(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		s := w.sims["left"]
		s.AddFile(octoprinttest.File{Path: "secret-project.gcode", PrintTime: time.Minute, ToolTarget: 200})
		must(t, s.Print("secret-project.gcode"))
		w.sleep(6 * time.Minute)
		must(t, s.Print("secret-project.gcode"))
		w.sleep(time.Minute)
		w.request("left", "connect", "{}")
		w.sleep(time.Second)
		text := scrape(t, w.bridge)
		if strings.Contains(text, "secret-project") {
			t.Error("the name of a file is among the metrics")
		}
		golden(t, "metrics", restless.ReplaceAllString(text, "$1 N"))
	}, setup{id: "left"}, setup{id: "off", prepare: func(s *octoprinttest.Server) { _ = s.Disconnect() }},
		setup{id: "revoked", config: func(c *PrinterConfig) { c.APIKey = "wrong" }})
}

// restless are the figures that say nothing but how much there was to do.
var restless = regexp.MustCompile(`(?m)^(\w+_(?:published|received|frames|errors)_total.*|\w+_timestamp_seconds\S*) \S+$`)

// scrape returns the bridge's own metrics.
func scrape(t *testing.T, b *Bridge) string {
	t.Helper()
	var text strings.Builder
	newMetrics(b).write(&text)
	return text.String()
}

// TestLabels: names of heaters come from foreign servers, and must not become
// lines of their own.
func TestLabels(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		names, values []string
		want          string
	}{
		{nil, nil, ""},
		{[]string{"printer"}, []string{"left"}, `{printer="left"}`},
		{[]string{"printer", "heater"}, []string{"left", "a\"} 1\nb\\"}, `{printer="left",heater="a\"} 1\nb\\"}`},
	} {
		if got := seriesLabels(tt.names, tt.values); got != tt.want {
			t.Errorf("seriesLabels(%q, %q) = %s, want %s", tt.names, tt.values, got, tt.want)
		}
	}
}

// TestMetricsAreBounded: while many programs read slowly, others are told to come
// again.
func TestMetricsAreBounded(t *testing.T) {
	t.Parallel()
	h := webOf(t, HTTPConfig{Listen: loopbackPage})
	slow := slowReader{ResponseRecorder: httptest.NewRecorder(), begun: make(chan struct{}), goOn: make(chan struct{})}
	var reading sync.WaitGroup
	for range maxScrapes {
		reading.Go(func() { h.ServeHTTP(slow, pageRequest("GET", "/metrics")) })
		<-slow.begun
	}
	if got := webAnswer(h, "GET", "/metrics"); got.Code != http.StatusServiceUnavailable || !strings.Contains(got.Body.String(), "try again later") {
		t.Errorf("while %d read: %d %s", maxScrapes, got.Code, got.Body)
	}
	close(slow.goOn)
	reading.Wait()
	if got := webAnswer(h, "GET", "/metrics"); got.Code != http.StatusOK {
		t.Errorf("after that: %d %s", got.Code, got.Body)
	}
}

// slowReader is a program that takes its time before it reads the answer.
type slowReader struct {
	*httptest.ResponseRecorder
	begun, goOn chan struct{}
}

// Write implements [http.ResponseWriter].
func (s slowReader) Write(b []byte) (int, error) {
	s.begun <- struct{}{}
	<-s.goOn
	return len(b), nil
}

// TestMetricsOfTheProcess are beside those of the bridge.
func TestMetricsOfTheProcess(t *testing.T) {
	t.Parallel()
	body := webAnswer(webOf(t, HTTPConfig{Listen: loopbackPage}), "GET", "/metrics").Body.String()
	for _, name := range []string{"octoprint2mqtt_build_info", "go_goroutines", "process_resident_memory_bytes"} {
		if !strings.Contains(body, "\n"+name) {
			t.Errorf("%s is missing", name)
		}
	}
}

// TestTakenPort: one line when the page can't be served, and one when it can.
func TestTakenPort(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		page := w.serveWeb()
		var free atomic.Bool
		w.config.HTTP.Open = func(context.Context) (net.Listener, error) {
			if !free.Load() {
				return nil, &net.OpError{Op: "listen", Net: "tcp", Err: errors.New("address already in use")}
			}
			return page, nil
		}
		w.up()
		w.sleep(3 * time.Minute)
		lost := w.logs.lines("error", "127.0.0.1:8095")
		if len(lost) != 1 || !strings.Contains(lost[0], "(address already in use): choose another http.listen") {
			t.Errorf("logged: %q", lost)
		}
		free.Store(true)
		w.sleep(2 * time.Minute)
		if back := w.logs.lines("info", "the web page can be seen"); len(back) != 1 {
			t.Errorf("logged: %q", back)
		}
		if status, _ := page.get(t, "/"); status != http.StatusOK {
			t.Errorf("the page: %d", status)
		}
	})
}

// TestWebFollowsTheConfiguration: another address or login counts at once, without
// a new session or a new connection to the broker; anything else leaves the page
// alone.
func TestWebFollowsTheConfiguration(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		page := w.serveWeb()
		host := changeable(w)
		w.up()
		s := page.stream(t)
		host.reload(func(c *Config) { c.Printers[0].Name = "Another" })
		w.sleep(2 * time.Second)
		if s.isOver() {
			t.Error("another name of a printer ended the page")
		}
		next := newPipeListener()
		host.reload(func(c *Config) {
			c.HTTP.Listen, c.HTTP.Open = "127.0.0.1:9000", func(context.Context) (net.Listener, error) { return next, nil }
		})
		w.sleep(5 * time.Second)
		if !s.isOver() {
			t.Error("the old page is still open")
		}
		if _, err := page.dial(context.Background()); err == nil {
			t.Error("the old address still answers")
		}
		if status, _ := next.get(t, "/readyz"); status != http.StatusOK {
			t.Errorf("the new address: %d", status)
		}
		host.reload(func(c *Config) { c.HTTP = HTTPConfig{} })
		w.sleep(5 * time.Second)
		if _, err := next.dial(context.Background()); err == nil {
			t.Error("a page that is switched off still answers")
		}
		if n := w.bridge.brokerReconnects(); n != 0 || w.bridge.printer("left").health().Reconnects != 0 {
			t.Errorf("the broker was connected anew %d times", n)
		}
		s.conn.Close()
	})
}

// TestStopWithOpenPages: nobody who is connected can have the stop take longer.
func TestStopWithOpenPages(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		page := w.serveWeb()
		w.up()
		s := page.stream(t)
		defer s.conn.Close()
		for _, sent := range []string{"", "GET / HT", "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc"} {
			conn, err := page.dial(context.Background())
			must(t, err)
			defer conn.Close()
			_, err = io.WriteString(conn, sent)
			must(t, err)
		}
		w.sleep(time.Second)
		began := time.Now()
		w.stop()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the stop took %v", took)
		}
	})
}

// TestSlowClients: who sends or takes nothing is not served for ever, and keeps
// nobody else out.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		page := w.serveWeb()
		w.up()
		for range webConnections {
			conn, err := page.dial(context.Background())
			must(t, err)
			defer conn.Close()
			_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost")
			must(t, err)
		}
		began := time.Now()
		if status, _ := page.get(t, "/healthz"); status != http.StatusOK || time.Since(began) > webHeaderTimeout+webWriteTimeout+time.Second {
			t.Errorf("/healthz after %v: %d", time.Since(began), status)
		}
	})
}

// TestMetricsAreDocumented: docs/web.md has the table of all of them.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	const file = "../docs/web.md"
	page, err := os.ReadFile(file)
	must(t, err)
	table := regexp.MustCompile("(?m)(^\\| `octoprint2mqtt_.*\n)+|^METRICS\n")
	wanted := table.ReplaceAllLiteralString(string(page), metricsTable())
	if *updateDocs {
		must(t, os.WriteFile(file, []byte(wanted), 0o644))
	} else if wanted != string(page) {
		t.Errorf("%s doesn't say what the tables say; write it anew with -update-docs", file)
	}
}

func metricsTable() string {
	var b strings.Builder
	write := func(name, help string, labels ...string) {
		shown := ""
		if len(labels) > 0 {
			shown = "`" + strings.Join(labels, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, shown, help)
	}
	for _, m := range bridgeMetrics("") {
		write(m.name, m.help, m.labels...)
	}
	for _, m := range printerMetrics() {
		write(m.name, m.help, m.labels...)
	}
	return b.String()
}
