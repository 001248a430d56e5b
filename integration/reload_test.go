package integration

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// ofPrinter returns the retained topics of a printer, discovery among them.
func (w *world) ofPrinter(id string) []string {
	var list []string
	for topic := range w.broker.retained() {
		if topic == w.topics.Document(id) || strings.HasPrefix(topic, w.topics.Document(id)+"/") || topic == w.topics.Config(id) {
			list = append(list, topic)
		}
	}
	slices.Sort(list)
	return list
}

// TestRemovedPrinterLeavesNothing: neither topics nor a device nor a file, nor any
// more work; the others notice nothing.
func TestRemovedPrinterLeavesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		restartable(w)
		c := changeable(w)
		w.up()
		w.sleep(6 * time.Second) // the sweep is under way
		before, sessions := w.broker.seen(), w.sims["right"].dials()
		c.reload(func(c *Config) { c.Printers = without(c.Printers, "left") })
		w.sleep(3 * time.Second)
		if list := w.ofPrinter("left"); len(list) > 0 {
			t.Errorf("still retained: %q", list)
		}
		if docs := w.broker.since(before, w.topics.Config("left")); len(docs) != 1 || docs[0].payload != "" || !docs[0].retain {
			t.Errorf("the discovery document is not withdrawn: %+v", docs)
		}
		if w.sims["left"].Sockets() != 0 {
			t.Error("the session goes on")
		}
		if _, err := os.Stat(filepath.Join(w.config.StateDir, "printers", "left.json")); !os.IsNotExist(err) {
			t.Errorf("its file is still there: %v", err)
		}
		if w.sims["right"].dials() != sessions || w.sims["right"].Sockets() != 1 {
			t.Error("the other printer has lost its session")
		}
		for _, m := range w.broker.since(before, "") {
			if strings.Contains(m.topic, "/right/availability") || m.topic == w.topics.Config("right") {
				t.Errorf("the other printer: %s = %.100s", m.topic, m.payload)
			}
		}
		w.expect("farm", "printers", "1")
		if r := w.request("left", "pause", "{}"); r.code() != CodeNoPrinter {
			t.Errorf("a command to it: %v", r.Error)
		}
		w.sleep(2 * time.Minute)
		if list := w.ofPrinter("left"); len(list) > 0 {
			t.Errorf("later: %q", list)
		}
		if info := w.retained(w.topics.BridgeInfo()); strings.Contains(info, `"left"`) {
			t.Errorf("bridge/info: %s", info)
		}
		if lines := w.logs.lines("info", "an earlier run"); len(lines) > 0 {
			t.Errorf("what this run had published counts as left by an earlier one: %q", lines)
		}
	}, setup{}, setup{id: "right"})
}

// TestRemovedWithCommandsWaiting: what waits is answered, what runs is ended.
func TestRemovedWithCommandsWaiting(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		c := changeable(w)
		w.up()
		w.sims["left"].HoldRequests(true)
		before := w.broker.seen()
		for range 3 {
			w.post("left", "home", "{}")
		}
		w.sleep(time.Second)
		c.reload(func(c *Config) { c.Printers = nil })
		w.sleep(2 * time.Second)
		answers := w.replies(before, w.topics.Response("left", "home"))
		if len(answers) != 3 {
			t.Errorf("answers %+v", answers)
		}
		for _, a := range answers {
			if a.code() != CodeNoPrinter && a.code() != CodeUnreachable {
				t.Errorf("answer %+v", a)
			}
		}
		if list := w.ofPrinter("left"); len(list) > 0 {
			t.Errorf("still retained: %q", list)
		}
		w.sims["left"].HoldRequests(false)
	})
}

// TestAddedPrinter is there as if it had always been, and is told of when somebody
// deletes it in Home Assistant.
func TestAddedPrinter(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		c := changeable(w)
		all := w.config.Printers
		w.config.Printers = without(all, "right")
		w.up()
		before := w.broker.seen()
		c.reload(func(c *Config) { c.Printers = []PrinterConfig{all[1], all[0]} })
		w.within(3*time.Second, "it is available", func() bool { return w.value("right", "availability") == online })
		w.sleep(2 * time.Second)
		w.checkTruth()
		w.expect("right", "state", "idle")
		w.expect("farm", "printers", "2")
		if w.components("right")["pause"] == nil {
			t.Error("it is not announced")
		}
		if info := w.retained(w.topics.BridgeInfo()); strings.Index(info, `"id":"right"`) > strings.Index(info, `"id":"left"`) {
			t.Errorf("the order of bridge/info is not that of the configuration: %s", info)
		}
		var told []string
		for _, m := range w.broker.since(before, w.topics.BridgeEvent()) {
			d := decodeDoc(t, m.payload)
			told = append(told, d["type"].(string))
		}
		slices.Sort(told) // the session may be up before the reload is through
		if got := strings.Join(told, " "); got != "config_reloaded printer_added session_up" {
			t.Errorf("told %s", got)
		}
		if r := w.request("right", "home", "{}"); r.code() != "ok" {
			t.Errorf("a command: %v", r.Error)
		}
		w.broker.publish(w.topics.Config("right"), "", true)
		w.sleep(time.Second)
		w.broker.publish("homeassistant/status", "online", false)
		w.sleep(10 * time.Second)
		if w.retained(w.topics.Config("right")) != "" {
			t.Error("deleted in Home Assistant, it came back")
		}
	}, setup{}, setup{id: "right"})
}

// TestChangedPrinters: only what has changed is touched.
func TestChangedPrinters(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		change     func(*PrinterConfig)
		reconnects bool
		check      func(w *world)
	}{
		{"name", func(p *PrinterConfig) { p.Name = "Other name" }, false, func(w *world) {
			if got := string(w.discovered("left")["dev"]); !strings.Contains(got, `"name":"Other name"`) {
				w.t.Errorf("device %s", got)
			}
			if got := w.doc(w.topics.Document("left"))["name"]; got != "Other name" {
				w.t.Errorf("document: %v", got)
			}
		}},
		{"area", func(p *PrinterConfig) { p.Area = "Cellar" }, false, func(w *world) {
			if got := string(w.discovered("left")["dev"]); !strings.Contains(got, `"sa":"Cellar"`) {
				w.t.Errorf("device %s", got)
			}
		}},
		{"access", func(p *PrinterConfig) { p.Access = AccessRead }, false, func(w *world) {
			if c := w.components("left")["bed_setpoint"]; len(c) != 1 || w.value("left", "bed_setpoint") != "" {
				w.t.Errorf("the setpoint is %v, %q", c, w.value("left", "bed_setpoint"))
			}
			if r := w.request("left", "home", "{}"); r.code() != CodeAccessDenied {
				w.t.Errorf("a command: %v", r.Error)
			}
			if w.components("farm")["pause_all"] != nil && len(w.components("farm")["pause_all"]) > 1 {
				w.t.Error("the farm still has its buttons")
			}
		}},
		{"limits", func(p *PrinterConfig) { p.Limits.Bed = 70 }, false, func(w *world) {
			if got := w.components("left")["bed_setpoint"]["max"]; got != 70.0 {
				w.t.Errorf("max %v", got)
			}
			if r := w.set("left", "bed_setpoint", "71"); r.code() != CodeOutOfRange {
				w.t.Errorf("beyond: %v", r.Error)
			}
		}},
		{"ready_below", func(p *PrinterConfig) { p.ReadyBelow = 20 }, false, func(w *world) { w.expect("left", "ready", "OFF") }},
		{"key", func(p *PrinterConfig) { p.APIKey = "admin-key" }, true, func(w *world) { w.expect("left", "key_user", "admin") }},
		{"wrong key", func(p *PrinterConfig) { p.APIKey = "none" }, true, func(w *world) {
			w.expect("left", "connection", "unauthorized")
			w.expect("left", "state", "None")
			w.expect("left", "availability", offline)
		}},
		{"user", func(p *PrinterConfig) { p.User = "somebody" }, true, func(w *world) { w.expect("left", "connection", "unauthorized") }},
		{"disabled", func(p *PrinterConfig) { p.Disabled = true }, true, func(w *world) {
			w.expect("left", "connection", "disabled")
			w.expect("left", "availability", offline)
			w.expect("farm", "printers", "0")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				c := changeable(w)
				w.up()
				w.print("left")
				w.sleep(5 * time.Second)
				w.must(w.sims["left"].Cancel())
				w.sleep(5 * time.Second)
				before, sessions := w.value("left", "last_ended"), w.sims["left"].dials()
				c.reload(func(c *Config) { tt.change(&c.Printers[0]) })
				w.sleep(8 * time.Second)
				if reconnected := w.sims["left"].dials() > sessions || w.sims["left"].Sockets() == 0; reconnected != tt.reconnects {
					t.Errorf("reconnected: %v", reconnected)
				}
				tt.check(w)
				if got := w.value("left", "last_ended"); got != before || got == "None" {
					t.Errorf("the last job was of %s and is of %s", before, got)
				}
				// And back again.
				c.reload(func(c *Config) { c.Printers[0] = printerConfigOf(w, "left") })
				w.sleep(10 * time.Second)
				w.expect("left", "connection", "connected")
				w.expect("left", "state", "idle")
				w.checkTruth()
			}, setup{prepare: withBenchy})
		})
	}
}

// printerConfigOf returns what a printer's configuration was at the beginning.
func printerConfigOf(w *world, id string) PrinterConfig {
	c := printerConfig(id)
	c.Dial = w.sims[id].line.Dial
	return c
}

// TestRejectedKeyWaitsForAChange: a key that OctoPrint rejects is tried again when
// the configuration changes, without waiting for the five minutes.
func TestRejectedKeyWaitsForAChange(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		c := changeable(w)
		w.up()
		w.expect("left", "connection", "unauthorized")
		c.reload(func(c *Config) { c.Printers[0].APIKey = "operator-key" })
		w.within(2*time.Second, "connected", func() bool { return w.value("left", "connection") == "connected" })
	}, setup{config: func(c *PrinterConfig) { c.APIKey = "wrong" }})
}

// TestBrokenConfigurationChangesNothing: it is told on bridge/event and, once, in
// the log, and the request is answered with what is wrong.
func TestBrokenConfigurationChangesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		c := changeable(w)
		w.up()
		w.sleep(time.Minute)
		before, retained := w.broker.seen(), w.broker.retained()
		const mistake = "config.yaml:7: printers[0].acces: there is no such key"
		c.spoil(mistake)
		c.tell()
		w.sleep(time.Second)
		if lines := w.logs.lines("error", mistake); len(lines) != 1 || len(w.logs.lines("error", "")) != 1 {
			t.Errorf("log:\n%s", w.logs)
		}
		events := w.broker.since(before, w.topics.BridgeEvent())
		if len(events) != 1 || !strings.Contains(events[0].payload, `"config_rejected"`) || !strings.Contains(events[0].payload, mistake) {
			t.Errorf("told %+v", events)
		}
		r := w.request("bridge", "reload", "{}")
		if r.code() != CodeInvalid || !strings.Contains(r.Error.Message, mistake) {
			t.Errorf("answer %+v", r)
		}
		if r := w.request("bridge", "restart", "{}"); r.code() != CodeInvalid {
			t.Errorf("restart: %+v", r)
		}
		after := w.broker.retained()
		for _, list := range []map[string]string{retained, after} {
			maps.DeleteFunc(list, func(topic, _ string) bool {
				return topic == w.topics.BridgeHealth() || strings.HasSuffix(topic, "temperature")
			})
			delete(list, w.topics.Document("left"))
		}
		if !maps.Equal(retained, after) {
			t.Error("something that is retained has changed")
		}
		if w.sims["left"].Sockets() != 1 {
			t.Error("the session is gone")
		}
	})
}

// TestReloadRequest: it says what it did.
func TestReloadRequest(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		c := changeable(w)
		w.up()
		c.write(func(*Config) {})
		if r := w.request("bridge", "reload", "{}"); string(r.Data) != `{"added":[],"removed":[],"changed":[],"restart":false}` {
			t.Errorf("nothing has changed: %+v %s", r.Error, r.Data)
		}
		c.write(func(c *Config) {
			c.Printers[0].Name = "Other"
			c.Printers = append(without(c.Printers, "right"), printerConfig("new"))
			c.Farm.Name = "Workshop"
		})
		if r := w.request("bridge", "reload", `{"transaction":7}`); string(r.Data) != `{"added":["new"],"removed":["right"],"changed":["left"],"restart":false}` {
			t.Errorf("answer: %+v %s", r.Error, r.Data)
		}
		w.sleep(2 * time.Second)
		if got := string(w.discovered("farm")["dev"]); !strings.Contains(got, `"name":"Workshop"`) {
			t.Errorf("farm: %s", got)
		}
		if r := w.request("bridge", "reload", `{"x":1}`); r.code() != CodeInvalid {
			t.Errorf("an unknown parameter: %+v", r)
		}
		if r := w.request("bridge", "reload", `{"transaction":7}`); r.code() != CodeDuplicate {
			t.Errorf("the same transaction: %+v", r)
		}
	}, setup{}, setup{id: "right"})
}

// TestRestartRequest: the bridge says offline and leaves, to be started again.
func TestRestartRequest(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		c := changeable(w)
		w.wantRun = ErrRestart
		w.up()
		c.write(func(*Config) {})
		if r := w.set("bridge", "restart", "PRESS"); r.code() != "ok" {
			t.Fatalf("answer %+v", r)
		}
		w.within(5*time.Second, "it has ended", func() bool {
			select {
			case <-w.ended:
				return true
			default:
				return false
			}
		})
		w.expect("bridge", "state", offline)
		w.wantRun = nil
		w.up()
		w.expect("bridge", "state", online)
	})
}

// TestReloadThatNeedsARestart: with another broker or other topics the bridge
// starts again, and leaves nothing below topics that it doesn't use any more.
func TestReloadThatNeedsARestart(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*Config)
		leaves bool
	}{
		{"password", func(c *Config) { c.MQTT.Password = "x" }, true},
		{"client id", func(c *Config) { c.MQTT.ClientID = "x" }, true},
		{"state folder", func(c *Config) { c.StateDir = t.TempDir() }, true},
		{"base topic", func(c *Config) { c.MQTT.BaseTopic = "other" }, false},
		{"discovery prefix", func(c *Config) { c.MQTT.DiscoveryPrefix = "other" }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				c := changeable(w)
				w.wantRun = ErrRestart
				w.up()
				c.reload(tt.change)
				w.sleep(5 * time.Second)
				select {
				case <-w.ended:
				default:
					t.Fatal("it goes on")
				}
				if left := w.broker.retained(); len(left) > 0 != tt.leaves {
					t.Errorf("left on the broker: %q", slices.Sorted(maps.Keys(left)))
				}
				w.wantRun = nil
				w.up()
				w.checkTruth()
			})
		})
	}
}

// TestAdminRequests need mqtt.admin; what only tells doesn't.
func TestAdminRequests(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		c := changeable(w)
		w.config.Admin = false
		w.up()
		if w.components("bridge")["log_level"] != nil || w.value("bridge", "log_level") != "" {
			t.Error("the log level is shown")
		}
		for action, payload := range map[string]string{"reload": "{}", "restart": "{}", "purge": "{}", "log_level": `{"level":"debug"}`} {
			if r := w.request("bridge", action, payload); r.code() != CodeAccessDenied || !strings.Contains(r.Error.Message, "mqtt.admin: true") {
				t.Errorf("%s: %+v", action, r)
			}
		}
		for key, payload := range map[string]string{"restart": "PRESS", "log_level": "debug"} {
			if r := w.set("bridge", key, payload); r.code() != CodeAccessDenied {
				t.Errorf("%s/set: %+v", key, r)
			}
		}
		for _, action := range []string{"info", "health", "info"} {
			if r := w.request("bridge", action, `{"transaction":"a"}`); r.code() != "ok" {
				t.Errorf("%s, with a transaction that has been used: %+v", action, r)
			}
		}

		c.reload(func(c *Config) { c.Admin = true })
		w.sleep(2 * time.Second)
		w.expect("bridge", "log_level", "info")
		if w.components("bridge")["restart"]["cmd_t"] == nil {
			t.Errorf("the bridge has %v", w.components("bridge"))
		}
		if r := w.set("bridge", "log_level", "debug"); r.code() != "ok" || c.level != "debug" {
			t.Errorf("%+v, level %s", r, c.level)
		}
		w.expect("bridge", "log_level", "debug")
		for _, payload := range []string{"loud", "", "Debug"} {
			if r := w.set("bridge", "log_level", payload); r.code() != CodeInvalid {
				t.Errorf("%q: %+v", payload, r)
			}
		}
		c.reload(func(c *Config) { c.Admin = false })
		w.sleep(2 * time.Second)
		if c := w.components("bridge")["log_level"]; len(c) != 1 || w.value("bridge", "log_level") != "" {
			t.Errorf("switched off again: %v, %q", c, w.value("bridge", "log_level"))
		}
	})
}

// TestSamePrinterSeesEveryField: a setting that is added counts in a reload, too.
func TestSamePrinterSeesEveryField(t *testing.T) {
	t.Parallel()
	var fields [][]int
	for _, f := range reflect.VisibleFields(reflect.TypeFor[PrinterConfig]()) {
		if f.Type.Kind() != reflect.Struct {
			fields = append(fields, f.Index)
			continue
		}
		for i := range f.Type.NumField() {
			fields = append(fields, append(slices.Clone(f.Index), i))
		}
	}
	for _, index := range fields {
		name := reflect.TypeFor[PrinterConfig]().FieldByIndex(index).Name
		if name == "ID" || name == "Dial" { // the id tells printers apart, Dial is no setting
			continue
		}
		a, b := printerConfig("left"), printerConfig("left")
		field := reflect.ValueOf(&b).Elem().FieldByIndex(index)
		switch field.Kind() {
		case reflect.String:
			field.SetString("another")
		case reflect.Bool:
			field.SetBool(!field.Bool())
		case reflect.Int64:
			field.SetInt(1)
		case reflect.Float64:
			field.SetFloat(1)
		case reflect.Slice:
			field.Set(reflect.MakeSlice(field.Type(), 1, 1))
		case reflect.Pointer:
			field.Set(reflect.New(field.Type().Elem()))
		default:
			t.Fatalf("how is %s changed?", name)
		}
		if samePrinter(&a, &b) {
			t.Errorf("a change of %s goes unnoticed", name)
		}
	}
	a, b := printerConfig("left"), printerConfig("left")
	if !samePrinter(&a, &b) {
		t.Error("equal configurations differ")
	}
}
