package octoprint

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// terse is a server that costs as little as it can: it opens sessions, and has
// nothing to say of its own.
type terse struct {
	url     *url.URL
	sockets chan net.Conn // of sessions that are open, in the order in which they were opened
}

// operator is what OctoPrint 1.11.8 says of an operator.
const operator = `{"name":"operator","groups":["operators"],"permissions":["STATUS","CONNECTION","WEBCAM","FILES_LIST",` +
	`"FILES_UPLOAD","FILES_DOWNLOAD","FILES_DELETE","FILES_SELECT","PRINT","GCODE_VIEWER","MONITOR_TERMINAL","CONTROL","SLICE",` +
	`"TIMELAPSE_LIST","TIMELAPSE_DOWNLOAD","TIMELAPSE_DELETE","TIMELAPSE_MANAGE_UNRENDERED","TIMELAPSE_ADMIN","SETTINGS_READ",` +
	`"PLUGIN_ACHIEVEMENTS_VIEW","PLUGIN_ACTION_COMMAND_NOTIFICATION_SHOW","PLUGIN_ACTION_COMMAND_NOTIFICATION_CLEAR",` +
	`"PLUGIN_ACTION_COMMAND_PROMPT_INTERACT","PLUGIN_APPKEYS_GRANT","PLUGIN_FILE_CHECK_RUN","PLUGIN_FIRMWARE_CHECK_DISPLAY",` +
	`"PLUGIN_PLUGINMANAGER_LIST","PLUGIN_SOFTWAREUPDATE_CHECK"]}`

func newTerse(tb testing.TB) *terse {
	tb.Helper()
	t := &terse{sockets: make(chan net.Conn, 1)}
	var mux http.ServeMux
	for path, answer := range map[string]string{
		"/api/currentuser":     operator,
		"/api/version":         `{"server":"1.11.8","text":"OctoPrint 1.11.8"}`,
		"/api/printerprofiles": `{"profiles":{"_default":{"id":"_default","current":true,"heatedBed":true}}}`,
		"/api/login":           `{"session":"a session"}`,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
	}
	history := messagesOf(recordings(tb)["print"], `{"history"`)[0]
	mux.HandleFunc("/sockjs/websocket", func(w http.ResponseWriter, r *http.Request) { t.open(w, r, history) })
	server := httptest.NewServer(&mux)
	tb.Cleanup(server.Close)
	var err error
	if t.url, err = url.Parse(server.URL); err != nil {
		tb.Fatal(err)
	}
	return t
}

// open leaves nothing behind of a session but its connection.
func (t *terse) open(w http.ResponseWriter, r *http.Request, history []byte) {
	conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	for range 2 {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
	}
	if conn.WriteMessage(websocket.TextMessage, history) == nil {
		t.sockets <- conn.NetConn()
	}
}

// serve runs sessions until the benchmark is over.
func (t *terse) serve(b *testing.B, h Handler, n int) []net.Conn {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	var sessions sync.WaitGroup
	b.Cleanup(func() { stop(); sessions.Wait() })
	conns := make([]net.Conn, 0, n)
	for range n {
		sessions.Go(func() {
			s, err := NewClient(Options{URL: t.url}).Open(ctx, h)
			if err != nil {
				b.Error(err)
				return
			}
			sessions.Go(func() {
				if err := s.Serve(); err != nil {
					b.Error(err)
				}
			})
		})
		conns = append(conns, <-t.sockets)
	}
	b.Cleanup(func() {
		for _, c := range conns {
			c.Close()
		}
	})
	return conns
}

// signalling is a Handler that passes on that it was called.
type signalling struct {
	silence
	states chan struct{}
}

// StateChanged implements Handler.
func (h signalling) StateChanged(*State) { h.states <- struct{}{} }

// BenchmarkSession sends one sample after the other through a connection, each
// when the one before has reached the handler.
func BenchmarkSession(b *testing.B) {
	h := signalling{states: make(chan struct{})}
	samples := messagesOf(recordings(b)["print"], `{"current"`)
	frames := make([][]byte, len(samples))
	for i, s := range samples {
		frames[i] = frameOf(s)
	}
	conn := newTerse(b).serve(b, h, 1)[0]
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := conn.Write(frames[i%len(frames)]); err != nil {
			b.Fatal(err)
		}
		<-h.states
	}
}

// frameOf wraps a text of 126 to 65,535 bytes as servers do.
func frameOf(text []byte) []byte {
	return append([]byte{0x81, 126, byte(len(text) >> 8), byte(len(text))}, text...)
}

// BenchmarkOpenSessions measures what a session holds on to while its printer is
// silent, in bytes of heap and stacks. Both ends of its connection are in it,
// though the server keeps nothing else.
func BenchmarkOpenSessions(b *testing.B) {
	t := newTerse(b)
	before := inUse()
	conns := t.serve(b, silence{}, b.N)
	b.ReportMetric((inUse()-before)/float64(b.N), "B/session")
	b.ReportMetric(0, "ns/op")
	runtime.KeepAlive(conns)
}

func inUse() float64 {
	runtime.GC() // twice: stacks shrink and pools are emptied step by step
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}
