package integration

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
	"time"
)

// changeTimeout is how long a page waits for the answer to a change.
const changeTimeout = 25 * time.Second

// pageActions are the actions of the bridge that a page may ask for. What keeps
// others from asking for them over MQTT doesn't hold here, where there is a login.
func pageActions() []bridgeAction {
	return slices.DeleteFunc(bridgeActions(), func(a bridgeAction) bool {
		return a.name != actionPrinterAdd && a.name != actionPrinterEnroll
	})
}

// The actions by which printers come into the farm.
const (
	actionPrinterAdd    = "printer_add"
	actionPrinterEnroll = "printer_enroll"
)

// changeable reports whether a page may offer changes: whoever has the login can
// make them.
func (w *web) changeable() bool { return w.config.login() && len(w.actions) > 0 }

// serveChange carries out an action of the bridge. Request and answer are as on
// the action's topics.
func (w *web) serveChange(rw http.ResponseWriter, r *http.Request) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		http.Error(rw, "A change is asked for by JSON.", http.StatusUnsupportedMediaType)
		return
	}
	payload, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxPayload))
	if err != nil {
		http.Error(rw, "The request is too large or didn't come whole.", http.StatusRequestEntityTooLarge)
		return
	}
	name := r.PathValue("action")
	i := slices.IndexFunc(w.actions, func(a bridgeAction) bool { return a.name == name })
	if i < 0 {
		http.NotFound(rw, r)
		return
	}
	q, refused := parseRequest(payload)
	if refused != nil {
		writeAnswer(rw, q, refused, nil)
		return
	}
	type answer struct {
		refused *refusal
		data    any
	}
	answers := make(chan answer, 1)
	w.actions[i].run(w.bridge, q, func(r *refusal, data any) { answers <- answer{r, data} })
	timeout := time.NewTimer(changeTimeout)
	defer timeout.Stop()
	select {
	case a := <-answers:
		w.bridge.log.Info().Str("action", name).Str("from", r.RemoteAddr).Bool("done", a.refused == nil).Msg("asked for on the web page")
		writeAnswer(rw, q, a.refused, a.data)
	case <-timeout.C:
		writeAnswer(rw, q, refuse(CodeTimeout, "it takes longer than usual; what comes of it is shown under recent events"), nil)
	case <-r.Context().Done():
	}
}

func writeAnswer(rw http.ResponseWriter, q request, refused *refusal, data any) {
	rw.Header().Set("Content-Type", "application/json")
	answer := response{Transaction: json.RawMessage("null"), Status: statusOK, Error: refused, Data: data}
	if len(q.transaction) > 0 {
		answer.Transaction = q.transaction
	}
	if refused != nil {
		answer.Status = statusError
		rw.WriteHeader(http.StatusUnprocessableEntity)
	}
	_, _ = io.WriteString(rw, mustMarshal(answer)) // whoever asked may be gone
}
