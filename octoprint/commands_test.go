package octoprint_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestCommandRequests holds each command against the one request that it must be.
func TestCommandRequests(t *testing.T) {
	t.Parallel()
	type call = func(c *octoprint.Client, ctx context.Context) error
	for _, c := range []struct {
		name, path, body string
		call             call
	}{
		{"start", "/api/job", `{"command":"start"}`, (*octoprint.Client).Start},
		{"cancel", "/api/job", `{"command":"cancel"}`, (*octoprint.Client).Cancel},
		{"restart", "/api/job", `{"command":"restart"}`, (*octoprint.Client).Restart},
		{"pause", "/api/job", `{"command":"pause","action":"pause"}`, (*octoprint.Client).Pause},
		{"resume", "/api/job", `{"command":"pause","action":"resume"}`, (*octoprint.Client).Resume},
		{"stop", "/api/printer/command", `{"command":"M112"}`, (*octoprint.Client).EmergencyStop},
		{"disconnect", "/api/connection", `{"command":"disconnect"}`, (*octoprint.Client).Disconnect},
		{"tool", "/api/printer/tool", `{"command":"target","targets":{"tool1":205.5}}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.SetTarget(ctx, "tool1", 205.5)
		}},
		{"bed", "/api/printer/bed", `{"command":"target","target":0}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.SetTarget(ctx, "bed", 0)
		}},
		{"chamber", "/api/printer/chamber", `{"command":"target","target":40}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.SetTarget(ctx, "chamber", 40)
		}},
		{"tool offset", "/api/printer/tool", `{"command":"offset","offsets":{"tool0":-5}}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.SetOffset(ctx, "tool0", -5)
		}},
		{"bed offset", "/api/printer/bed", `{"command":"offset","offset":2.5}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.SetOffset(ctx, "bed", 2.5)
		}},
		{"home", "/api/printer/printhead", `{"command":"home","axes":["x","z"]}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.Home(ctx, "x", "z")
		}},
		{"jog", "/api/printer/printhead", `{"command":"jog","x":-1.5,"z":10}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.Jog(ctx, octoprint.Move{X: new(-1.5), Z: new(10.0)})
		}},
		{"jog to", "/api/printer/printhead", `{"command":"jog","y":0,"absolute":true,"speed":3000}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.Jog(ctx, octoprint.Move{Y: new(0.0), Absolute: true, Speed: 3000})
		}},
		{"extrude", "/api/printer/tool", `{"command":"extrude","amount":-2}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.Extrude(ctx, -2)
		}},
		{"select tool", "/api/printer/tool", `{"command":"select","tool":"tool1"}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.SelectTool(ctx, "tool1")
		}},
		{"feed rate", "/api/printer/printhead", `{"command":"feedrate","factor":120}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.SetFeedRate(ctx, 120)
		}},
		{"flow rate", "/api/printer/tool", `{"command":"flowrate","factor":95}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.SetFlowRate(ctx, 95)
		}},
		{"fan", "/api/printer/command", `{"commands":["M106 S128"]}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.SetFan(ctx, 50)
		}},
		{"fan at full", "/api/printer/command", `{"commands":["M106 S255"]}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.SetFan(ctx, 100)
		}},
		{"fan off", "/api/printer/command", `{"commands":["M107"]}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.SetFan(ctx, 0)
		}},
		{"message", "/api/printer/command", `{"commands":["M117 Hello"]}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.Message(ctx, "Hello\nM112")
		}},
		{"gcode", "/api/printer/command", `{"commands":["G28 X","M400"]}`, func(c *octoprint.Client, ctx context.Context) error {
			return c.Gcode(ctx, "G28 X", "M400")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := octoprinttest.Options{Prefix: "/left", Profile: octoprinttest.Profile{Extruders: 2, HeatedBed: true, HeatedChamber: true}}
			bubble(t, o, func(b *bench) {
				if err := c.call(b.client("operator"), b.t.Context()); err != nil && !strings.Contains(err.Error(), "HTTP 409") {
					t.Errorf("the simulation doesn't understand it: %v", err)
				}
				requests := b.sim.Requests()
				if len(requests) != 1 {
					b.t.Fatalf("%d requests", len(requests))
				}
				r := requests[0]
				if r.Method != http.MethodPost || r.Path != c.path || r.Query != "" || !sameJSON(b.t, r.Body, c.body) {
					t.Errorf("the request is %s %s?%s %s", r.Method, r.Path, r.Query, r.Body)
				}
				if r.Header.Get("X-Api-Key") != "operator-key" || r.Header.Get("Content-Type") != "application/json" {
					t.Errorf("its header is %v", r.Header)
				}
			})
		})
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	must(t, json.Unmarshal([]byte(a), &x))
	must(t, json.Unmarshal([]byte(b), &y))
	return reflect.DeepEqual(x, y)
}

func TestCommandsAgainstTheState(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		bubble(t, octoprinttest.Options{Version: version}, func(b *bench) {
			c := b.client("operator")
			wantFailure(t, c.Pause(b.t.Context()), octoprint.Conflict)
			wantFailure(t, c.Cancel(b.t.Context()), octoprint.Conflict)
			wantFailure(t, c.Restart(b.t.Context()), octoprint.Conflict)
			must(b.t, c.Disconnect(b.t.Context()))
			wantFailure(t, c.Start(b.t.Context()), octoprint.Conflict)
			wantFailure(t, c.SetTarget(b.t.Context(), "tool0", 1), octoprint.Conflict)
			wantFailure(t, c.Home(b.t.Context(), "x"), octoprint.Conflict)
			wantFailure(t, c.EmergencyStop(b.t.Context()), octoprint.Conflict)
			must(b.t, c.Disconnect(b.t.Context())) // there is nothing to do, which is fine
		})
	}
}

// echo answers with everything that was sent, as some debugging servers do.
func echo(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, r.Header.Get("X-Api-Key")+" ")
		_, _ = io.Copy(w, io.MultiReader(strings.NewReader("got: "), r.Body))
	}
}

// TestNoErrorHoldsTheKey has a server throw back whatever it gets.
func TestNoErrorHoldsTheKey(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 302, 400, 401, 403, 404, 409, 412, 429, 500, 502} {
		bubbleBehind(t, octoprinttest.Options{}, func(http.Handler) http.Handler { return echo(status) }, func(b *bench) {
			c := b.clientWith(octoprint.Options{APIKey: "CANARY"})
			_, identify := c.Identify(b.t.Context())
			_, _, last := c.LastPrint(b.t.Context(), "local", "a.gcode")
			serve, _ := b.serve(c).failure(time.Minute)
			for what, err := range map[string]error{
				"Identify": identify, "LastPrint": last, "Serve": serve, "Cancel": c.Cancel(b.t.Context()),
				"Connect": c.Connect(b.t.Context(), octoprint.ConnectOptions{}),
			} {
				if strings.Contains(everything(err), "CANARY") {
					t.Errorf("%s at %d: %s", what, status, everything(err))
				}
				if err == nil && (what != "Cancel" || status != 200) {
					t.Errorf("%s at %d: no error", what, status)
				}
			}
		})
	}
	for _, key := range []string{"CANARY\n", "CAN\x00ARY"} {
		bubble(t, octoprinttest.Options{}, func(b *bench) {
			_, err := b.clientWith(octoprint.Options{APIKey: key}).Identify(b.t.Context())
			if err == nil || strings.Contains(everything(err), "CAN") {
				t.Errorf("a key that can't be sent: %s", everything(err))
			}
		})
	}
}

// TestEveryRequestHasItsOwnConnection: a server before 1.10 hangs up after an
// answer without saying so, and a command that meets that is lost. So no
// connection is kept either.
func TestEveryRequestHasItsOwnConnection(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.9.3", "1.11.8"} {
		bubble(t, octoprinttest.Options{Version: version}, func(b *bench) {
			var dials, open atomic.Int32
			c := b.clientWith(octoprint.Options{APIKey: "admin-key", Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				dials.Add(1)
				open.Add(1)
				conn, err := b.pipe.Dial(ctx, network, address)
				return &counted{conn, &open}, err
			}})
			for range 3 {
				_, _, err := c.LastPrint(b.t.Context(), "local", "a.gcode")
				wantFailure(t, err, octoprint.Refused)
				after(time.Second)
			}
			for range 2 {
				must(b.t, c.Disconnect(b.t.Context()))
			}
			if got := dials.Load(); got != 5 {
				t.Errorf("%s: %d connections for 5 requests", version, got)
			}
			synctest.Wait()
			if got := open.Load(); got != 0 {
				t.Errorf("%s: %d connections are still open", version, got)
			}
		})
	}
}

// counted is a connection that counts as open until it is closed.
type counted struct {
	net.Conn
	open *atomic.Int32
}

// Close implements net.Conn.
func (c *counted) Close() error {
	c.open.Add(-1)
	return c.Conn.Close()
}

func TestLastPrint(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		bubble(t, octoprinttest.Options{Version: version}, func(b *bench) {
			const file = "parts & more/ä #1?.gcode"
			b.sim.AddFile(octoprinttest.File{Path: file, PrintTime: 20 * time.Second})
			c := b.client("operator")
			ask := func() (octoprint.PrintResult, bool) {
				t.Helper()
				r, known, err := c.LastPrint(b.t.Context(), "local", file)
				must(b.t, err)
				return r, known
			}
			if r, known := ask(); known {
				t.Errorf("%s: a file that was never printed ended %+v", version, r)
			}
			must(b.t, b.sim.Print(file))
			begin := time.Now()
			after(time.Minute)
			r, known := ask()
			if took := r.Ended.Sub(begin); !known || !r.Success || took < 20*time.Second || took > 22*time.Second {
				t.Errorf("%s: a print of 20 s ended %+v, after %v", version, r, took)
			}
			must(b.t, b.sim.Print(file))
			after(5 * time.Second)
			must(b.t, b.sim.Cancel())
			after(5 * time.Second)
			if r, known := ask(); !known || r.Success {
				t.Errorf("%s: a cancelled print ended %+v, %v", version, r, known)
			}
			_, _, err := c.LastPrint(b.t.Context(), "local", "no such.gcode")
			wantFailure(t, err, octoprint.Refused)
		})
	}
	for _, prints := range []string{`null`, `{}`, `{"last":null}`, `{"last":{"date":null}}`, `{"last":{"date":"today"}}`, `{"last":{"date":1e999}}`, `5`} {
		front := instead("/api/files/local/a.gcode", page(200, "application/json", `{"prints":`+prints+`}`))
		bubbleBehind(t, octoprinttest.Options{}, front, func(b *bench) {
			if r, known, err := b.client("admin").LastPrint(b.t.Context(), "local", "a.gcode"); known || err != nil {
				t.Errorf("prints %s: %+v, %v, %v", prints, r, known, err)
			}
		})
	}
}
