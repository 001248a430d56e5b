//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
)

// connect connects the printer, as OctoPrint's own page would.
func (o *octoPrint) connect(t *testing.T) {
	t.Helper()
	must(t, o.tryConnect())
}

func (o *octoPrint) tryConnect() error {
	text, err := json.Marshal(o.server.Connect)
	if err != nil {
		return err
	}
	return o.connection(http.MethodPost, bytes.NewReader(text), nil)
}

// connector is what the printer is connected by; nil if it isn't, and before 2.0, which has no connectors.
func (o *octoPrint) connector(t *testing.T) any {
	t.Helper()
	var answer struct{ Current struct{ Connector any } }
	must(t, o.connection(http.MethodGet, http.NoBody, &answer))
	return answer.Current.Connector
}

// connection speaks to the connection API of 2.0. Releases before it take no notice of the difference.
func (o *octoPrint) connection(method string, body io.Reader, answer any) error {
	request, err := http.NewRequest(method, o.server.URL+"/api/connection", body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-OctoPrint-Api-Version", "2.0.0")
	return o.send(request, answer)
}

func (o *octoPrint) disconnect(t *testing.T) {
	t.Helper()
	o.post(t, "/api/connection", map[string]any{"command": "disconnect"})
}

// waitClosed waits until the printer is not connected.
func (o *octoPrint) waitClosed(t *testing.T) {
	t.Helper()
	eventually(t, fmt.Sprintf("OctoPrint on port %d: not connected", o.server.Port), patient, func() (bool, string) {
		state := o.state()
		return state == "Closed" || state == "Offline", state // the latter since 2.0
	})
}
