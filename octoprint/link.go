package octoprint

import (
	"context"
	"errors"
	"net"
	"os"
)

// link is the network connection of a push session. It lets the goroutine that
// reads do something else when its read deadline passes, which the websocket
// above would not survive. So a session that waits is one goroutine and one timer.
type link struct {
	net.Conn
	forget func() bool // the context
	// passed is called when the read deadline has passed. It sets another one, or
	// says why there is no use in reading on. Nil: deadlines end the reading.
	passed func() error
}

// newLink returns a link that is closed when ctx ends.
func newLink(ctx context.Context, conn net.Conn) *link {
	return &link{Conn: conn, forget: context.AfterFunc(ctx, func() { conn.Close() })}
}

// Close implements [net.Conn].
func (l *link) Close() error {
	l.forget()
	return l.Conn.Close()
}

// Read implements [net.Conn].
func (l *link) Read(b []byte) (int, error) {
	for {
		n, err := l.Conn.Read(b)
		if n > 0 || err == nil {
			return n, err
		}
		if err = l.goOn(err); err != nil {
			return 0, err
		}
	}
}

// goOn returns nil if reading may go on in spite of an error.
func (l *link) goOn(err error) error {
	if l.passed == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return l.passed()
}
