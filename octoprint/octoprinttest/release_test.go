package octoprinttest_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestBeforePermissions is about 1.3, which had neither permissions nor a way to ask whose key it is.
func TestBeforePermissions(t *testing.T) {
	bubble(t, octoprinttest.Options{Version: "1.3.12"}, func(_ *octoprinttest.Server, c *client) {
		t := c.t
		c.expect(
			want{"GET", "/api/currentuser", "admin", "", 404, ""},
			want{"GET", "/api/version", "wrong", "", 403, ""},
			want{"GET", "/api/users", "wrong", "", 403, ""},
			want{"POST", "/api/printer/command", "readonly", `{"command":"M105"}`, 204, ""},
			want{"POST", "/api/login", "wrong", `{"passive":true}`, 204, ""},
			want{"GET", "/api/server", "admin", "", 404, ""},
		)
		users := c.get("/api/users", "admin")
		same(t, "first user", users.at("users", 0, "name"), "admin")
		same(t, "is admin", users.at("users", 0, "admin"), true)
		s := c.open()
		s.say(`{"auth":"admin:wrong"}`)
		s.untilText("Operational") // everybody sees everything
	})
}

// TestPrefix is about a server behind a path.
func TestPrefix(t *testing.T) {
	bubble(t, octoprinttest.Options{Prefix: "/octoprint"}, func(_ *octoprinttest.Server, c *client) {
		t := c.t
		same(t, "status", c.get("/api/version", "admin").status, 200)
		c.joined("admin")
		c.base = "http://octopi.local"
		outside := c.get("/api/version", "admin")
		same(t, "status outside", outside.status, 404)
		same(t, "kind outside", outside.header.Get("Content-Type"), "text/html; charset=utf-8")
	})
}

// TestGlobalKey is about the key that belongs to nobody.
func TestGlobalKey(t *testing.T) {
	bubble(t, octoprinttest.Options{GlobalKey: "global-key"}, func(_ *octoprinttest.Server, c *client) {
		t := c.t
		c.keys["global"] = "global-key"
		same(t, "name", c.get("/api/currentuser", "global").at("name"), "_api")
		c.joined("global")
	})
}

// TestPrinter is about what a simulated print looks like from its first to its last moment.
func TestPrinter(t *testing.T) {
	bubble(t, octoprinttest.Options{}, func(sim *octoprinttest.Server, c *client) {
		t := c.t
		sim.AddFile(octoprinttest.File{
			Path: "parts/cube.gcode", Name: "Cube", Size: 2_000_000, PrintTime: 2 * time.Hour, Estimate: 110 * time.Minute,
			ToolTarget: 205, BedTarget: 60, Header: 0.9, FilamentLength: 3200,
		})
		s := c.joined("operator")
		must(t, sim.Print("parts/cube.gcode"), 5*time.Second)
		s.say(`{"throttle":20}`)
		heating := s.untilText("Printing")
		if completion, _ := heating.at("progress", "completion").(float64); completion < 85 || completion > 90 {
			t.Errorf("the header does not count: %v %%", completion)
		}
		must(t, nil, 4*time.Minute) // both heaters need less than that
		checkHeaters(c)
		origins := map[string]bool{}
		var last float64
		for _, f := range afterwards(s, 130*time.Minute) {
			origin, _ := f.at("progress", "printTimeLeftOrigin").(string)
			origins[origin] = true
			took, _ := f.at("progress", "printTime").(float64)
			if took < last {
				t.Fatalf("time runs back from %v to %v", last, took)
			}
			last = took
		}
		for _, origin := range []string{"analysis", "mixed-analysis", "estimate", ""} {
			if !origins[origin] {
				t.Errorf("the origin %q never was; there were %v", origin, origins)
			}
		}
		job := c.get("/api/job", "operator")
		same(t, "display", job.at("job", "file", "display"), "Cube")
		same(t, "completion", job.at("progress", "completion"), 100)
		must(t, nil, time.Hour)
		if tool, _ := c.get("/api/printer", "operator").at("temperature", "tool0", "actual").(float64); tool > 25 || tool < 21 {
			t.Errorf("after an hour the tool has %v °C", tool)
		}
	})
}

func checkHeaters(c *client) {
	t := c.t
	for heater, target := range map[string]float64{"tool0": 205, "bed": 60} {
		now := c.get("/api/printer", "operator")
		actual, _ := now.at("temperature", heater, "actual").(float64)
		same(t, heater, now.at("temperature", heater, "target"), target)
		if actual < target-0.8 || actual > target+0.8 {
			t.Errorf("%s has %v °C, want about %v", heater, actual, target)
		}
	}
}

// afterwards lets time pass and returns the `current` frames of it.
func afterwards(s *stream, d time.Duration) []frame {
	before := len(s.all())
	time.Sleep(d)
	var all []frame
	for _, f := range s.all()[before:] {
		if f.kind == "current" {
			all = append(all, f)
		}
	}
	return all
}

// TestSpeed is about a printer that lives faster.
func TestSpeed(t *testing.T) {
	bubble(t, octoprinttest.Options{Speed: 60}, func(sim *octoprinttest.Server, c *client) {
		t := c.t
		sim.AddFile(octoprinttest.File{Path: "a.gcode", PrintTime: time.Hour})
		s := c.joined("admin")
		begin := time.Now()
		must(t, sim.Print("a.gcode"), 0)
		done := s.untilEventWithin("PrintDone", 2*time.Minute)
		if took := time.Since(begin); took < 55*time.Second || took > 65*time.Second {
			t.Errorf("an hour took %v", took)
		}
		if told, _ := done.at("payload", "time").(float64); told < 3590 || told > 3610 {
			t.Errorf("it is said to have taken %v s", told)
		}
	})
}

// TestOfflineIsQuiet is about a server that has nothing to tell.
func TestOfflineIsQuiet(t *testing.T) {
	bubble(t, octoprinttest.Options{}, func(sim *octoprinttest.Server, c *client) {
		t := c.t
		must(t, sim.Disconnect(), 5*time.Second)
		s := c.joined("admin")
		time.Sleep(time.Second)
		same(t, "frames", len(afterwards(s, time.Minute)), 0)
	})
}

// TestManyHeaters is about profiles beyond the usual.
func TestManyHeaters(t *testing.T) {
	profile := octoprinttest.Profile{Extruders: 2, HeatedChamber: true}
	bubble(t, octoprinttest.Options{Profile: profile}, func(_ *octoprinttest.Server, c *client) {
		t := c.t
		temperatures, _ := c.get("/api/printer", "admin").at("temperature").(map[string]any)
		for _, name := range []string{"tool0", "tool1", "chamber"} {
			if temperatures[name] == nil {
				t.Errorf("there is no %s in %v", name, temperatures)
			}
		}
		same(t, "bed", temperatures["bed"], nil)
		c.expect(
			want{"POST", "/api/printer/chamber", "admin", `{"command":"target","target":40}`, 204, ""},
			want{"POST", "/api/printer/bed", "admin", `{"command":"target","target":40}`, 409, ""},
		)
		s := c.joined("admin")
		same(t, "chamber", s.untilTemps().at("temps", 0, "chamber", "target"), 40)
	})
}

// TestHangingUp is about releases that close a connection after GET without announcing it.
func TestHangingUp(t *testing.T) {
	for version, hangsUp := range map[string]bool{"1.9.3": true, "1.10.3": false} {
		synctest.Test(t, func(t *testing.T) {
			l := octoprinttest.Pipe(octoprinttest.New(octoprinttest.Options{Version: version}))
			defer l.Close()
			conn, err := l.Dial(t.Context(), "tcp", "octopi.local:80")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			must(t, conn.SetReadDeadline(time.Now().Add(time.Second)), 0)
			request, _ := http.NewRequest(http.MethodGet, "http://octopi.local/api/version?apikey=admin-key", nil)
			must(t, request.Write(conn), 0)
			in := bufio.NewReader(conn)
			answer, err := http.ReadResponse(in, request)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			same(t, "status", answer.StatusCode, 200)
			same(t, "announced", answer.Close, false)
			_, err = in.ReadByte()
			same(t, version+" hangs up", errors.Is(err, io.EOF), hangsUp)
		})
	}
}

// TestAdvance is about a print that is joined in its middle.
func TestAdvance(t *testing.T) {
	bubble(t, octoprinttest.Options{History: 30 * time.Minute}, func(sim *octoprinttest.Server, c *client) {
		t := c.t
		sim.AddFile(octoprinttest.File{Path: "a.gcode", PrintTime: time.Hour, ToolTarget: 200})
		must(t, sim.Print("a.gcode"), 0)
		sim.Advance(31 * time.Minute)
		sim.SetSensor("P", 31.2)
		s := c.open()
		s.say(c.login("admin"))
		history := s.untilKind("history")
		same(t, "state", history.at("state", "text"), "Printing")
		if completion, _ := history.at("progress", "completion").(float64); completion < 50 || completion > 55 {
			t.Errorf("completion is %v", completion)
		}
		if n := len(history.at("temps").([]any)); n < 900 {
			t.Errorf("there are %d temperatures", n)
		}
		same(t, "probe", s.untilTemps().at("temps", 0, "P", "actual"), 31.2)
	})
}
