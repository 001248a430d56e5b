package octoprint

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// trickle writes one byte after the other.
type trickle struct{ net.Conn }

// Write implements net.Conn.
func (c trickle) Write(b []byte) (int, error) {
	for i := range b {
		time.Sleep(100 * time.Millisecond)
		if _, err := c.Conn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

// TestLinkBelowTLS lets a link's deadline pass again and again while TLS reads a
// record from it, and writes by the same TLS connection each time, as pings do.
func TestLinkBelowTLS(t *testing.T) {
	t.Parallel()
	certified := httptest.NewTLSServer(nil)
	t.Cleanup(certified.Close)
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		l := newLink(t.Context(), ours)
		client := tls.Client(l, &tls.Config{InsecureSkipVerify: true})
		server := tls.Server(trickle{theirs}, &tls.Config{Certificates: certified.TLS.Certificates})
		echo := make(chan byte, 5) // the pipe has no buffer, so reading must not wait for writing
		var serving sync.WaitGroup
		serving.Go(func() {
			defer close(echo)
			b := make([]byte, 1)
			for {
				if _, err := server.Read(b); err != nil {
					return
				}
				echo <- b[0]
			}
		})
		serving.Go(func() {
			for b := range echo {
				_, _ = server.Write([]byte{b})
			}
		})
		if err := client.Handshake(); err != nil {
			t.Fatal(err)
		}
		said := ""
		l.passed = func() error {
			if more := "12345"[len(said):]; more != "" {
				said += more[:1]
				if _, err := io.WriteString(client, more[:1]); err != nil {
					return err
				}
			}
			return l.SetReadDeadline(time.Now().Add(250 * time.Millisecond))
		}
		if err := l.passed(); err != nil {
			t.Fatal(err)
		}
		heard := make([]byte, len("1234"))
		if _, err := io.ReadFull(client, heard); err != nil || string(heard) != "1234" || said != "12345" {
			t.Errorf("heard %q of %q: %v", heard, said, err)
		}
		client.Close()
		theirs.Close()
		serving.Wait()
	})
}

// TestLinkIsClosedWithItsContext: and not again when it was closed before.
func TestLinkIsClosedWithItsContext(t *testing.T) {
	t.Parallel()
	for _, before := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			conn := &fakeConn{}
			l := newLink(ctx, conn)
			if before {
				l.Close()
			}
			cancel()
			synctest.Wait()
			if conn.closed != 1 {
				t.Errorf("closed %d times; by its owner before: %v", conn.closed, before)
			}
		})
	}
}

// fakeConn answers once, with the deadline that has passed meanwhile.
type fakeConn struct {
	net.Conn
	closed int
}

// Read implements net.Conn.
func (c *fakeConn) Read(b []byte) (int, error) { return copy(b, "ok"), os.ErrDeadlineExceeded }

// Close implements net.Conn.
func (c *fakeConn) Close() error {
	c.closed++
	return nil
}

// TestLinkLosesNothing: what came before the deadline counts.
func TestLinkLosesNothing(t *testing.T) {
	t.Parallel()
	l := &link{Conn: &fakeConn{}, passed: func() error { return errors.New("nobody asked") }}
	b := make([]byte, 5)
	if n, err := l.Read(b); string(b[:n]) != "ok" || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %q, %v", b[:n], err)
	}
}

// TestLinkWithoutWork: before there is something to do, a deadline is a deadline.
func TestLinkWithoutWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		l := newLink(t.Context(), ours)
		defer l.Close()
		if err := l.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("reading ended with %v", err)
		}
	})
}
