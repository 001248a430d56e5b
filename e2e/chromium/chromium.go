// Package chromium has a real browser show pages, for tests and pictures.
package chromium

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// patience is how long the browser may take for anything.
const patience = 30 * time.Second

// Browser is a running Chromium with one page. Its methods are called one at a
// time.
type Browser struct {
	command *exec.Cmd
	folder  string
	conn    *websocket.Conn
	session string
	calls   int
	gone    chan struct{} // closed when the browser says nothing any more

	mu       sync.Mutex
	answers  map[int]chan answer
	messages []string
}

type answer struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// Start starts the browser that the command chromium stands for.
func Start(ctx context.Context) (*Browser, error) {
	folder, err := os.MkdirTemp("", "chromium")
	if err != nil {
		return nil, err
	}
	// The sandbox doesn't work for root, nor in most containers; the only pages
	// are our own.
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--hide-scrollbars", "--force-color-profile=srgb", "--lang=en-GB", "--remote-debugging-port=0", "--user-data-dir="+folder, "about:blank")
	cmd.WaitDelay = 5 * time.Second
	b := &Browser{command: cmd, folder: folder, answers: make(map[int]chan answer), gone: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if err := b.connect(ctx); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// connect finds out where the browser listens, and opens a page.
func (b *Browser) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	file := filepath.Join(b.folder, "DevToolsActivePort")
	for {
		text, err := os.ReadFile(file)
		if port, path, ok := strings.Cut(strings.TrimSpace(string(text)), "\n"); err == nil && ok {
			conn, _, err := websocket.DefaultDialer.DialContext(ctx, "ws://127.0.0.1:"+port+path, nil)
			if err != nil {
				return fmt.Errorf("connect to the browser: %w", err)
			}
			b.conn = conn
			go b.listen()
			return b.openPage()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the browser doesn't start: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (b *Browser) openPage() error {
	var target struct{ TargetID string }
	if err := b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target); err != nil {
		return err
	}
	var attached struct{ SessionID string }
	if err := b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached); err != nil {
		return err
	}
	b.session = attached.SessionID
	for _, domain := range []string{"Page.enable", "Runtime.enable", "Log.enable"} {
		if err := b.call(domain, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// listen hands on answers and keeps what pages complain about, until the browser
// ends.
func (b *Browser) listen() {
	defer close(b.gone)
	for {
		var a answer
		if b.conn.ReadJSON(&a) != nil {
			return
		}
		b.mu.Lock()
		waiting := b.answers[a.ID]
		delete(b.answers, a.ID)
		switch a.Method {
		case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded":
			b.messages = append(b.messages, string(a.Params))
		}
		b.mu.Unlock()
		if waiting != nil {
			waiting <- a
		}
	}
}

// call has the browser do something and decodes the result.
func (b *Browser) call(method string, params map[string]any, result any) error {
	b.calls++
	waiting := make(chan answer, 1)
	b.mu.Lock()
	b.answers[b.calls] = waiting
	b.mu.Unlock()
	request := map[string]any{"id": b.calls, "method": method}
	if params != nil {
		request["params"] = params
	}
	if b.session != "" {
		request["sessionId"] = b.session
	}
	if err := b.conn.WriteJSON(request); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case a := <-waiting:
		if a.Error != nil {
			return fmt.Errorf("%s: %s", method, a.Error.Message)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(a.Result, result)
	case <-b.gone:
		return fmt.Errorf("%s: the browser has ended", method)
	case <-time.After(patience):
		return fmt.Errorf("%s: the browser doesn't answer", method)
	}
}

// Open leads the page to an address.
func (b *Browser) Open(address string) error {
	var result struct{ ErrorText string }
	err := b.call("Page.navigate", map[string]any{"url": address}, &result)
	if err == nil && result.ErrorText != "" {
		err = fmt.Errorf("open %s: %s", address, result.ErrorText)
	}
	return err
}

// Screen has the page shown on a screen of this size, a phone's or a desktop's,
// with a colour scheme, "light" or "dark".
func (b *Browser) Screen(width, height int, phone bool, scheme string) error {
	err := b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}, nil)
	return errors.Join(err, b.call("Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]any{{"name": "prefers-color-scheme", "value": scheme}},
	}, nil))
}

// Login has the browser send a login with every request.
func (b *Browser) Login(user, password string) error {
	login := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	return errors.Join(b.call("Network.enable", nil, nil), b.call("Network.setExtraHTTPHeaders", map[string]any{
		"headers": map[string]any{"Authorization": "Basic " + login},
	}, nil))
}

// Eval evaluates JavaScript on the page, waits for promises, and decodes the
// result, which must be JSON.
func (b *Browser) Eval(script string, result any) error {
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	err := b.call("Runtime.evaluate", map[string]any{"expression": script, "awaitPromise": true, "returnByValue": true}, &answer)
	switch {
	case err != nil:
		return err
	case answer.ExceptionDetails != nil:
		return fmt.Errorf("%s: %s", answer.ExceptionDetails.Text, answer.ExceptionDetails.Exception.Description)
	case result == nil || len(answer.Result.Value) == 0:
		return nil
	}
	return json.Unmarshal(answer.Result.Value, result)
}

// Wait waits until JavaScript is true.
func (b *Browser) Wait(script string) error {
	end := time.Now().Add(patience)
	for {
		var is bool
		err := b.Eval("Boolean("+script+")", &is)
		if is {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("wait for %s: %w", script, errors.Join(errors.New("it never came to be"), err))
		}
		<-time.After(100 * time.Millisecond)
	}
}

// Picture returns the visible part of the page as PNG.
func (b *Browser) Picture() ([]byte, error) {
	var shot struct{ Data string }
	if err := b.call("Page.captureScreenshot", map[string]any{"format": "png"}, &shot); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(shot.Data)
}

// Complaints returns what the page has written to the console, and what the
// browser has to say against it, such as what its policy forbids.
func (b *Browser) Complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []string
	for _, m := range b.messages {
		var short bytes.Buffer
		if json.Compact(&short, []byte(m)) != nil {
			short.WriteString(m)
		}
		list = append(list, short.String())
	}
	return list
}

// Close ends the browser.
func (b *Browser) Close() {
	if b.conn != nil {
		b.session = ""
		_ = b.call("Browser.close", nil, nil) // it is ended in any case
		b.conn.Close()
		<-b.gone
	}
	_ = b.command.Process.Kill()
	_ = b.command.Wait()
	_ = os.RemoveAll(b.folder)
}
