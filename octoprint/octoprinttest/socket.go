package octoprinttest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// base is the shortest time between two `current` frames; a throttle multiplies it.
	base = 500 * time.Millisecond
	// backlogLimit is how many messages are kept for a socket that has not logged in yet.
	backlogLimit = 100
	// queueLimit is how many frames may wait for a client that does not read; then it is cut off.
	queueLimit = 10_000
)

// socket is one push connection. Its fields are guarded by the Server's mutex but for conn and remote.
type socket struct {
	conn   *websocket.Conn
	remote string
	wake   chan struct{} // holds at most one token: there is something to write, or the end

	user       *account // nil until it logged in
	subscribed bool
	wanted     subscription
	throttle   int
	due        time.Time // when the next `current` may be sent
	seen       cursor
	behind     bool // something changed since its last `current`
	backlog    []message
	queue      [][]byte
	controls   []control
	closed     bool
}

// message is an event or a plugin's message on its way.
type message struct {
	kind, name string
	body       []byte
}

type control struct {
	kind int
	data []byte
}

// serveSocket runs a push connection until it ends; its second goroutine, the writer, ends with it.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: s.allowsOrigin, WriteBufferSize: 16 << 10}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	defer conn.Close()
	conn.SetReadLimit(10 << 20)
	host, _, _ := strings.Cut(r.RemoteAddr, ":")
	k := &socket{conn: conn, remote: host, wake: make(chan struct{}, 1), wanted: everything(), throttle: 1}
	if !s.open(k) {
		return
	}
	var writer sync.WaitGroup
	writer.Go(func() { s.write(k) })
	s.read(k)
	s.forget(k)
	// The answer to the client's farewell may still be on its way.
	patience := time.AfterFunc(time.Second, func() { conn.Close() })
	writer.Wait()
	patience.Stop()
}

// allowsOrigin refuses pages of other sites unless the cross-origin setting was on when the server was made.
func (s *Server) allowsOrigin(r *http.Request) bool {
	if s.options.CORS {
		return true
	}
	origin := r.Header.Get("Origin")
	_, host, _ := strings.Cut(origin, "://")
	return origin == "" || host == r.Host
}

// open registers a socket and greets it, unless the server is closed.
func (s *Server) open(k *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.sockets[k] = struct{}{}
	s.serving.Add(1)
	k.send(encode(s.connectedFrame()))
	s.emit("ClientOpened", object{"remoteAddress": k.remote})
	return true
}

func (s *Server) forget(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.serving.Done()
	delete(s.sockets, k)
	k.end()
	if !s.closed {
		s.emit("ClientClosed", object{"remoteAddress": k.remote})
	}
}

// read handles what the client sends until the connection ends.
func (s *Server) read(k *socket) {
	k.conn.SetPingHandler(func(data string) error { s.answer(k, websocket.PongMessage, []byte(data)); return nil })
	k.conn.SetCloseHandler(func(code int, _ string) error {
		s.answer(k, websocket.CloseMessage, websocket.FormatCloseMessage(code, ""))
		return nil
	})
	for {
		kind, data, err := k.conn.ReadMessage()
		if err != nil {
			return
		}
		if kind == websocket.TextMessage && !s.receive(k, data) {
			return
		}
	}
}

// answer queues a control frame, unless the line is dead.
func (s *Server) answer(k *socket, kind int, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stalled {
		k.controls = append(k.controls, control{kind, data})
		k.notify()
	}
}

// write sends what is queued until the socket ends.
func (s *Server) write(k *socket) {
	for range k.wake {
		frames, controls, ended := s.take(k)
		for _, c := range controls {
			if k.conn.WriteControl(c.kind, c.data, time.Now().Add(time.Minute)) != nil {
				return
			}
		}
		for _, f := range frames {
			if k.conn.WriteMessage(websocket.TextMessage, f) != nil {
				return
			}
		}
		if ended {
			return
		}
	}
}

func (s *Server) take(k *socket) ([][]byte, []control, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stalled {
		return nil, nil, k.closed
	}
	frames, controls := k.queue, k.controls
	k.queue, k.controls = nil, nil
	return frames, controls, k.closed
}

func (k *socket) notify() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *socket) send(frame []byte) {
	if len(k.queue) >= queueLimit {
		k.cut()
		return
	}
	k.queue = append(k.queue, frame)
	k.notify()
}

func (k *socket) end() {
	k.closed = true
	k.notify()
}

// cut ends the connection below the protocol: no close frame, as when a cable is pulled or a server is killed.
func (k *socket) cut() { k.conn.NetConn().Close() }

// receive handles one message; false tears the connection down.
func (s *Server) receive(k *socket, data []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in map[string]json.RawMessage
	if s.stalled || json.Unmarshal(data, &in) != nil {
		return true
	}
	if raw, ok := in["auth"]; ok {
		return s.authenticate(k, raw)
	}
	if raw, ok := in["throttle"]; ok {
		k.setThrottle(raw)
	} else if raw, ok := in["subscribe"]; ok && s.release.hasSubscriptions() {
		s.subscribe(k, raw)
	}
	return true
}

func (k *socket) setThrottle(raw json.RawMessage) {
	if n, err := strconv.Atoi(strings.Trim(string(raw), `"`)); err == nil && n >= 1 {
		k.due = k.due.Add(time.Duration(n-k.throttle) * base)
		k.throttle = n
	}
}
