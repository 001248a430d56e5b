package octoprinttest_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"

	"octoprint2mqtt/octoprint/octoprinttest"
)

func TestListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := octoprinttest.Pipe(http.NotFoundHandler())
		defer l.Close()
		conn, err := l.Dial(t.Context(), "tcp", "octopi.local:80")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()

		l.SetUp(false)
		if _, err := l.Dial(t.Context(), "tcp", "octopi.local:80"); !errors.Is(err, octoprinttest.ErrDown) {
			t.Errorf("dialling a listener that is down: %v", err)
		}
		if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n")); err != nil {
			t.Errorf("the open connection is affected: %v", err)
		}
		if _, err := conn.Read(make([]byte, 1024)); err != nil {
			t.Errorf("the open connection is affected: %v", err)
		}
		l.Cut()
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("a cut connection can be read")
		}

		l.SetUp(true)
		again, err := l.Dial(t.Context(), "tcp", "octopi.local:80")
		if err != nil {
			t.Fatalf("dialling a listener that is up again: %v", err)
		}
		again.Close()
		l.Close()
		if _, err := l.Dial(context.Background(), "tcp", "octopi.local:80"); !errors.Is(err, octoprinttest.ErrDown) {
			t.Errorf("dialling a closed listener: %v", err)
		}
	})
}
