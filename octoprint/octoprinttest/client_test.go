package octoprinttest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"testing"
)

// client talks to a server, real or simulated, as plainly as possible.
type client struct {
	t    *testing.T
	base string
	http *http.Client
	dial func(ctx context.Context, network, addr string) (net.Conn, error) // nil for the network
	keys map[string]string                                                 // by user name

	release string // what since found out
}

// reply is what a request was answered with.
type reply struct {
	status int
	header http.Header
	text   string
	json   any // nil if it is not JSON
}

// at follows keys and indexes into the JSON body; nil when there is nothing.
func (r reply) at(path ...any) any { return dig(r.json, path...) }

func dig(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			o, _ := v.(map[string]any)
			v = o[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// do sends a request as a user; "" sends no key, and a name that is nobody's is sent as a key that nobody has.
func (c *client) do(method, path, user, body string, headers ...string) reply {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if user != "" {
		r.Header.Set("X-Api-Key", c.key(user))
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return c.send(r)
}

func (c *client) key(user string) string {
	if key, ok := c.keys[user]; ok {
		return key
	}
	return "a-key-that-nobody-has"
}

func (c *client) send(r *http.Request) reply {
	c.t.Helper()
	answer, err := c.http.Do(r)
	if err != nil {
		c.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	out := reply{status: answer.StatusCode, header: answer.Header, text: string(data)}
	_ = json.Unmarshal(data, &out.json)
	return out
}

func (c *client) get(path, user string) reply { c.t.Helper(); return c.do("GET", path, user, "") }

// post sends a command, which must be answered with a status.
func (c *client) post(path, user, body string, status int) reply {
	c.t.Helper()
	r := c.do("POST", path, user, body)
	if r.status != status {
		c.t.Errorf("POST %s %s as %q: status %d, want %d: %s", path, body, user, r.status, status, r.text)
	}
	return r
}

func (c *client) upload(name, contents string, fields map[string]string) reply {
	c.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		c.t.Fatal(err)
	}
	fmt.Fprint(part, contents)
	for k, v := range fields {
		if err := w.WriteField(k, v); err != nil {
			c.t.Fatal(err)
		}
	}
	w.Close()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.base+"/api/files/local", &b)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", c.key("admin"))
	r.Header.Set("Content-Type", w.FormDataContentType())
	return c.send(r)
}
