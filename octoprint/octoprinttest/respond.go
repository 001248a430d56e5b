package octoprinttest

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"net/http"
)

// response is what a request is answered with, once the Server's mutex is free again.
type response struct {
	status   int
	kind     string
	location string
	body     []byte
}

func (r response) write(w http.ResponseWriter) {
	if r.location != "" {
		w.Header().Set("Location", r.location)
	}
	w.Header().Set("Content-Type", r.kind)
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body) // the client may be gone
}

// writeAndHangUp answers and closes the connection without announcing it; false if that is impossible, and then nothing
// was written.
func (r response) writeAndHangUp(w http.ResponseWriter) bool {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	defer conn.Close()
	answer := http.Response{
		StatusCode: r.status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {r.kind}},
		Body: io.NopCloser(bytes.NewReader(r.body)), ContentLength: int64(len(r.body)),
	}
	if r.location != "" {
		answer.Header.Set("Location", r.location)
	}
	_ = answer.Write(conn) // the client may be gone
	return true
}

// at is the response with a Location.
func (r response) at(location string) response {
	r.location = location
	return r
}

func asJSON(status int, v any) response {
	return response{status: status, kind: "application/json", body: append(encode(v), '\n')}
}

func ok(v any) response { return asJSON(http.StatusOK, v) }

// done is the answer to most commands.
func done() response { return response{status: http.StatusNoContent, kind: "text/plain"} }

func pageOf(status int, title, text string) response {
	body := fmt.Sprintf("<!doctype html>\n<html lang=en>\n<title>%s</title>\n<h1>%s</h1>\n<p>%s</p>\n", title, title, html.EscapeString(text))
	return response{status: status, kind: "text/html; charset=utf-8", body: []byte(body)}
}

func writePage(w http.ResponseWriter, status int, title string) {
	pageOf(status, title, title).write(w)
}

// Texts of errors that have no own wording.
const (
	forbiddenText   = "You don't have the permission to access the requested resource. It is either read-protected or not readable by the server."
	notFoundText    = "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again."
	methodText      = "The method is not allowed for the requested URL."
	crashText       = "The server encountered an internal error and was unable to complete your request. Either the server is overloaded or there is an error in the application."
	garbledText     = "The browser (or proxy) sent a request that this server could not understand."
	mediaTypeText   = "Did not attempt to load JSON data because the request Content-Type was not 'application/json'."
	offlineText     = "Printer is not operational"
	alreadyBusyText = "Printer is already printing, cannot select a new file"
)

// fail is an error as the release words it: pages before 1.6, JSON since.
func (c *call) fail(status int, text string) response {
	if c.s.release.hasJSONErrors() {
		return asJSON(status, object{"error": text})
	}
	if status == http.StatusBadRequest || status == http.StatusConflict {
		return response{status: status, kind: "text/html; charset=utf-8", body: []byte(text)}
	}
	return pageOf(status, fmt.Sprintf("%d %s", status, http.StatusText(status)), text)
}

func (c *call) notFound() response  { return c.fail(http.StatusNotFound, notFoundText) }
func (c *call) forbidden() response { return c.fail(http.StatusForbidden, forbiddenText) }
func (c *call) crash() response     { return c.fail(http.StatusInternalServerError, crashText) }
func (c *call) bad(text string) response {
	return c.fail(http.StatusBadRequest, text)
}
func (c *call) conflict(text string) response { return c.fail(http.StatusConflict, text) }
