package octoprint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// readLimit bounds a message. Half an hour of temperatures of a printer with
	// several tools stays below 2 MiB.
	readLimit = 8 << 20
	// authTimeout is how long the history may take after auth. A server that
	// doesn't understand the auth message never answers it.
	authTimeout = 5 * time.Second
	// A printer that is off is silent for minutes, so silence alone proves
	// nothing: pings make the server speak.
	pingInterval = 7 * time.Second
	silenceLimit = 20 * time.Second
	// keyInterval is how often the API key is checked. A revoked key does not
	// end a running session by itself.
	keyInterval = 3 * time.Minute
)

// Handler is told what happens in a session. Its methods are called one at a
// time and must not block; a *State is only valid during the call.
type Handler interface {
	// SessionOpened is called once, when the printer's state is known. There is
	// no session, and no other call, before it.
	SessionOpened(Info, *State)
	// InfoChanged is called when permissions or the printer profile changed.
	InfoChanged(Info)
	// StateChanged is called after each message that may have changed the state.
	StateChanged(*State)
	// EventReceived is called for each event of the types that this package
	// names and of those that the options name, after the state has taken it in.
	EventReceived(Event, *State)
	// PluginReceived is called for each push message of the plugins that the
	// options name. The message is the plugin's own JSON, valid during the call.
	PluginReceived(plugin string, message json.RawMessage)
	// FrameRejected is called for each message that could not be decoded. The
	// session goes on.
	FrameRejected(error)
}

// Serve opens a session and serves it until it fails or ctx ends. It returns
// nil if and only if ctx has ended.
//
// The session notices within 20 s that the connection has gone, and within a
// few minutes that the API key has been revoked. A change of permissions, a
// logout and an expired session end it with SessionEnded: the next one then
// sees what is true now.
func (c *Client) Serve(ctx context.Context, h Handler) error {
	s, err := c.Open(ctx, h)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	return s.Serve()
}

// unlessEnded is how a session ends: the end of ctx is the way to end it, and no error.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // as it says above
	}
	return err
}

// Open logs in and opens the push socket of a session, which lasts until ctx ends
// at the longest, and is to be served. The handler is told nothing before that.
//
// It is the first half of the client's Serve, for programs with many sessions: a
// goroutine's stack stays as large as it once was needed, Open needs several times
// as much as a session that is served, and that may be for weeks. So let them have
// goroutines of their own.
func (c *Client) Open(ctx context.Context, h Handler) (*Session, error) {
	s := &Session{client: c, handler: h}
	id, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	s.prepareErrands(ctx)
	if err = s.authenticate(id); err == nil {
		err = s.listen()
	}
	if err != nil {
		_ = s.end(err)
		return nil, err
	}
	c.session.Store(s)
	return s, nil
}

// Session is one push connection after login.
type Session struct {
	client   *Client
	conn     *websocket.Conn
	link     *link // below conn
	schedule schedule
	// end ends everything that the session has begun, and returns what has ended it.
	end func(error) error

	mu      sync.Mutex // held while the handler is called
	handler Handler
	info    Info
	state   State
	open    bool
	// heatersDue tells that the heaters have to be read off the temperatures
	// once there are some.
	heatersDue bool
	errands    errand // to run
	errandsRun bool   // somebody runs them
	runErrands func() // starts that, and doesn't block
}

// Serve serves the session until it fails or the context ends that it was opened
// with, as the client's Serve does. It is to be called once.
//
// Programs with many printers have a goroutine in it for each, so it counts how much
// of a stack it has in use while it waits for the next message. Go makes a stack of
// 8 KiB smaller while less than 1,248 bytes of it are in use, which it is by few: see
// BenchmarkOpenSessions before adding to it.
func (s *Session) Serve() error {
	for {
		_, r, err := s.conn.NextReader()
		if err != nil {
			return s.end(s.lost(err))
		}
		if err = s.take(r); err != nil {
			return s.end(err)
		}
		s.hear()
	}
}

// connect opens the push socket. It returns the id to log in with there.
func (s *Session) connect(ctx context.Context) (id string, err error) {
	if s.info, err = s.client.Identify(ctx); err != nil {
		return "", err
	}
	if s.info.Profile, err = s.client.profile(ctx, s.info); err != nil {
		return "", err
	}
	if id, err = s.client.login(ctx); err != nil {
		return "", err
	}
	s.conn, s.link, err = s.client.dialSocket(ctx, "")
	return id, err
}

// prepareErrands lets errands run until the end of the session.
func (s *Session) prepareErrands(ctx context.Context) {
	errands, end := context.WithCancelCause(ctx)
	var running sync.WaitGroup
	s.runErrands = func() {
		running.Go(func() {
			if err := s.doErrands(errands); err != nil {
				end(err)
				s.conn.Close()
			}
		})
	}
	s.end = func(err error) error {
		s.client.session.CompareAndSwap(s, nil)
		defer s.conn.Close()
		if cause := context.Cause(errands); cause != nil {
			err = cause // an errand closed the connection and knows better why
		}
		end(nil)
		running.Wait() // those that run hold the lock while they tell the handler
		s.mu.Lock()
		s.runErrands = func() {} // the last one has begun
		s.mu.Unlock()
		running.Wait()
		return unlessEnded(ctx, err)
	}
}

// ErrNoPushSocket means that the REST API answers, but not the push socket: something in
// between doesn't pass on websockets.
var ErrNoPushSocket = errors.New("the REST API answers, but not the push socket: a proxy in front must pass on websockets")

// dialSocket opens the push socket, as a page on another site would if an origin is
// given: that is refused unless the server allows it.
func (c *Client) dialSocket(ctx context.Context, origin string) (*websocket.Conn, *link, error) {
	const path = "/sockjs/websocket"
	op := "opening " + path
	var below *link
	dialer := websocket.Dialer{
		NetDialContext: func(dialing context.Context, network, address string) (net.Conn, error) {
			conn, err := c.options.Dial(dialing, network, address)
			if err != nil {
				return nil, err
			}
			below = newLink(ctx, conn)
			return below, nil
		},
		TLSClientConfig:  c.options.TLS,
		HandshakeTimeout: requestTimeout,
		ReadBufferSize:   1024,
		WriteBufferSize:  512,
		WriteBufferPool:  forgetful{},
	}
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	if c.options.Agent != "" {
		header.Set("User-Agent", c.options.Agent)
	}
	conn, resp, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(c.base, "http")+path, header)
	if resp != nil && resp.Body != nil {
		defer resp.Body.Close()
	}
	switch {
	case err == nil:
		conn.SetReadLimit(readLimit)
		return conn, below, nil
	case !errors.Is(err, websocket.ErrBadHandshake) || resp == nil:
		return nil, nil, c.presentable(transportError(op, err))
	}
	if err := c.presentable(statusError(op, resp, nil)); err != nil {
		var e *Error
		if errors.As(err, &e) && (e.Failure == Refused || e.Failure == NotPermitted) {
			e.Failure, e.Message, e.Err = NotOctoPrint, "", ErrNoPushSocket
		}
		return nil, nil, err
	}
	return nil, nil, &Error{Op: op, Failure: NotOctoPrint, Status: resp.StatusCode, Message: "the answer is no websocket"}
}

// forgetful is a pool that keeps nothing: a session writes two messages in its
// life, and pings, which need no buffer.
type forgetful struct{}

// Get implements [websocket.BufferPool].
func (forgetful) Get() any { return nil }

// Put implements [websocket.BufferPool].
func (forgetful) Put(any) {}

// authenticate subscribes before it logs in: the other way round the server
// sends the history twice, and terminal lines with it. Servers before 1.8 don't
// know subscribe and send everything.
func (s *Session) authenticate(id string) error {
	messages := []any{map[string]string{"auth": s.info.User + ":" + id}}
	if atLeast(s.info.Version, 1, 8) {
		messages = slices.Insert(messages, 0, any(map[string]any{"subscribe": map[string]any{
			"state":   map[string]bool{"logs": false, "messages": false},
			"events":  s.client.events(),
			"plugins": append([]string{}, s.client.options.Plugins...),
		}}))
	}
	for _, m := range messages {
		if err := s.conn.SetWriteDeadline(time.Now().Add(authTimeout)); err != nil {
			return transportError("logging in to the push socket", err)
		}
		if err := s.conn.WriteJSON(m); err != nil {
			return transportError("logging in to the push socket", err)
		}
	}
	return nil
}

// opRead is what a session does most of the time.
const opRead = "reading from the push socket"

// listen prepares reading.
func (s *Session) listen() error {
	s.conn.SetPongHandler(func(string) error {
		s.hear()
		return nil
	})
	s.schedule, s.link.passed = newSchedule(time.Now()), s.keep
	if err := s.wakeUp(); err != nil {
		return transportError(opRead, err)
	}
	return nil
}

// hear notes that the server lives. One that answers pings but not the login is
// of no use.
func (s *Session) hear() {
	if s.open {
		s.schedule.heard = time.Now()
	}
}

// take takes in one message. An error ends the session.
func (s *Session) take(r io.Reader) error {
	d := borrowDecoder()
	defer d.giveBack()
	if err := d.load(r); err != nil {
		return s.lost(err)
	}
	return s.receive(d.decode(&s.state))
}

// lost says why nothing more can be read.
func (s *Session) lost(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e := &Error{Op: opRead, Failure: SessionEnded, Err: err}
	switch {
	case errors.Is(err, websocket.ErrReadLimit):
		e.Err, e.Message = nil, "a message was larger than 8 MiB"
	case isTimeout(err) && !s.open:
		e.Err, e.Message = nil, "the server did not answer the login"
	case isTimeout(err):
		e.Err, e.Message = nil, fmt.Sprintf("nothing was heard for %v", silenceLimit)
	}
	return e
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// receive handles one message, or that it could not be decoded. An error ends the
// session.
func (s *Session) receive(f frame, err error) error {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil && !s.open:
		// The login's time limit decides about a server that only sends garbage.
	case err != nil:
		s.handler.FrameRejected(err)
	case f.Reauth != nil:
		return &Error{Op: "push session", Failure: SessionEnded, Relogin: true, Message: "the server wants a new login: " + oneLine(f.Reauth.Reason)}
	case f.History != nil && !s.open:
		s.state.apply(f, now)
		s.open, s.heatersDue = true, s.info.Profile == nil
		s.handler.SessionOpened(s.info, &s.state)
	case !s.open:
		// Where guests may watch, servers send before auth is through.
	case f.Event != nil && !s.client.wants(EventType(f.Event.Type)),
		f.Plugin != nil && !slices.Contains(s.client.options.Plugins, f.Plugin.Plugin):
		// Servers before 1.8 send everything.
	case f.Plugin != nil:
		s.handler.PluginReceived(f.Plugin.Plugin, f.Plugin.Data)
	case f.Event != nil:
		s.state.apply(f, now)
		s.passEvent(f.Event)
	case s.state.apply(f, now):
		s.handler.StateChanged(&s.state)
		s.refreshHeaters()
	}
	return nil
}

// passEvent has a method of its own since an event is large, and rare.
func (s *Session) passEvent(e *wireEvent) {
	s.handler.EventReceived(e.event(), &s.state)
	s.refreshAfter(EventType(e.Type))
}
