package octoprint

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// What stands for the API key and a connector's secret in answers, and what they
// are: nothing that a fuzzer comes upon.
const (
	keyMark, secretMark = "{key}", "{secret}"
	canaryKey           = "CanaryKeyW7q2Zr9Xk4Lm8Np3Vt6Bs1Hd5Jf0Gc"
	canarySecret        = "CanarySecret/Q8w3.Er7Ty2Ui6Op1As5Df9Gh4Jk0"
	canaryPart          = 16 // as much of one as no error may hold
)

// nextAnswer is the line between two answers.
const nextAnswer = "###\n"

// FuzzAnswers: whatever a server answers, an error is of a known kind, fits into
// one short line and holds no secret, the same answers give the same again, and
// what is understood keeps its promises. An input is the answers to one request
// after the other, of which the last is repeated.
func FuzzAnswers(f *testing.F) {
	recorded := recordedAnswers(f)
	for _, text := range recorded {
		f.Add(text)
	}
	const (
		header  = "HTTP/1.1 200 OK\nContent-Type: application/json\n\n"
		broken  = "HTTP/1.1 500 Internal Server Error\nContent-Type: text/plain\n\n"
		prefers = header + `{"current":{"state":null},"options":{"preferredConnector":{"connector":"moonraker","parameters":{"host":"h","deep":{"list":["{secret}"]}}}}}` + "\n"
		two     = header + `{"server":"2.0.0rc7","text":"OctoPrint 2.0.0rc7"}` + "\n"
	)
	for _, chain := range [][]string{
		{recorded["currentuser_operator"], recorded["version"], recorded["printerprofiles"], recorded["login_passive_operator"]},
		{recorded["currentuser_readonly"], recorded["version"], recorded["printer_idle"], recorded["login_passive_badkey"]},
		{recorded["printerprofiles_badkey"], recorded["appkeys_probe"]},
		{recorded["files_get_missing"], recorded["version"], header + `{"users":[{"name":"anna","admin":true},{"name":"OctoFarm"}]}` + "\n", recorded["printer_offline"], recorded["login_passive_operator"]},
		{recorded["version"], recorded["connection_offline"], recorded["connection_post_bad_port"]},
		{two, prefers, "HTTP/1.1 412 Precondition Failed\nContent-Type: application/json\n\n" + `{"error":"no connection with {'apikey': '{secret}'}"}` + "\n"},
		{two, prefers, broken + strings.Repeat("x", 180) + "{secret}\n"},
		{broken + strings.Repeat("x", 180) + "{key}\n"},
		{"HTTP/1.1 302 Found\nLocation: https://a:b@c.example/{key}?d=e#f\n\n"},
		{header + `{"name":"{key}","permissions":[]}` + "\n", header + `{"server":"1","text":"{key}"}` + "\n"},
		{"HTTP/1.1 200 OK\nX-Api-Key {key}\n\n"},
		{header + `{"profiles":{"a":{"default":true,"heatedBed":true},"b":{"default":true},"c":{"default":true}}}` + "\n"},
		{header + `{"prints":{"last":{"date":1e300,"success":true}}}` + "\n"},
		{header + strings.Repeat("7", 2000) + "\n"},
		{"Not found\n"},
	} {
		f.Add(strings.Join(chain, nextAnswer))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, canaryKey[:canaryPart]) || strings.Contains(text, canarySecret[:canaryPart]) {
			return // then it is none
		}
		text = strings.NewReplacer(keyMark, canaryKey, secretMark, canarySecret).Replace(text)
		answers := strings.Split(text, nextAnswer)
		for _, c := range answeredCalls() {
			first := &answerer{answers: answers}
			got, err := c.call(t.Context(), first.client(t))
			checkAnswer(t, c.name, got)
			checkError(t, c.name, err, first.secretSent)
			second := &answerer{answers: answers}
			again, errAgain := c.call(t.Context(), second.client(t))
			if !reflect.DeepEqual(got, again) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
				t.Errorf("%s: first %+v, %v, then %+v, %v", c.name, got, err, again, errAgain)
			}
		}
	})
}

// recordedAnswers returns the answers of real servers by their name.
func recordedAnswers(tb testing.TB) map[string]string {
	tb.Helper()
	files, err := filepath.Glob("testdata/rest/*.http")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no recorded answers: %v", err)
	}
	all := make(map[string]string)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".http")] = string(text)
	}
	return all
}

// answerer answers one request after the other, and then the last one again.
type answerer struct {
	answers    []string
	secretSent bool // in a request: the client has learned it
}

// dial fits [Options]: each connection gets one request and its answer.
func (a *answerer) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		if a.hear(far) == nil {
			answer := a.answers[0]
			a.answers = a.answers[min(1, len(a.answers)-1):]
			_, _ = io.WriteString(far, answer) // fails when the client has heard enough
		}
	}()
	return near, nil
}

// hear reads a request.
func (a *answerer) hear(conn net.Conn) error {
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return err
	}
	body, err := io.ReadAll(r.Body)
	a.secretSent = a.secretSent || strings.Contains(string(body), canarySecret)
	return err
}

// client returns one that gets these answers.
func (a *answerer) client(t *testing.T) *Client {
	t.Helper()
	base, err := url.Parse("http://octopi.test/prefix")
	if err != nil {
		t.Fatal(err)
	}
	return NewClient(Options{URL: base, APIKey: canaryKey, Dial: a.dial})
}

type answeredCall struct {
	name string
	call func(context.Context, *Client) (any, error)
}

// answeredCalls together make every kind of request that there is.
func answeredCalls() []answeredCall {
	return []answeredCall{
		{"identify", func(ctx context.Context, c *Client) (any, error) {
			info, err := c.Identify(ctx)
			info.Latency = 0
			return info, err
		}},
		{"profile in use", func(ctx context.Context, c *Client) (any, error) { return c.profileInUse(ctx) }},
		{"profile from printer", func(ctx context.Context, c *Client) (any, error) { return c.profileFromPrinter(ctx) }},
		{"login", func(ctx context.Context, c *Client) (any, error) { return c.login(ctx) }},
		{"pause", func(ctx context.Context, c *Client) (any, error) { return nil, c.Pause(ctx) }},
		{"connect", func(ctx context.Context, c *Client) (any, error) { return nil, c.Connect(ctx, ConnectOptions{}) }},
		{"last print", func(ctx context.Context, c *Client) (any, error) {
			result, _, err := c.LastPrint(ctx, "local", "a folder/a.gcode")
			return result, err
		}},
	}
}

// checkAnswer fails unless what was understood is what it is said to be.
func checkAnswer(t *testing.T, name string, got any) {
	t.Helper()
	switch v := got.(type) {
	case Info:
		if !slices.IsSorted(v.Permissions) || v.Version != oneLine(v.Version) {
			t.Errorf("%s: %+v", name, v)
		}
	case *Profile:
		if v != nil && (!slices.IsSortedFunc(v.Heaters, compareHeaters) || len(v.Heaters) > maxTools+2 || slices.ContainsFunc(v.Heaters, func(h string) bool { return !IsHeater(h) })) {
			t.Errorf("%s: %+v", name, v)
		}
	case PrintResult:
		if year := v.Ended.UTC().Year(); !v.Ended.IsZero() && (year < 1970 || year > 9999) {
			t.Errorf("%s: it ended in the year %d", name, year)
		}
	}
}

// checkError fails unless an error is fit to be logged and shown.
func checkError(t *testing.T, name string, err error, secretSent bool) {
	t.Helper()
	if err == nil {
		return
	}
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Failure.Error() == "unknown failure" {
		t.Fatalf("%s: the error is %#v", name, err)
	}
	if text := err.Error(); len(text) > 1200 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%s: the error is %q", name, text)
	}
	told := fmt.Sprint(e.Op, e.Message, e.Location, e.Err)
	if strings.Contains(told, canaryKey[:canaryPart]) {
		t.Errorf("%s: the error holds the API key: %s", name, told)
	}
	if secretSent && strings.Contains(told, canarySecret[:canaryPart]) {
		t.Errorf("%s: the error holds a connector's secret: %s", name, told)
	}
}
