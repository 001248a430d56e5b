package integration

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// managed is changeable with a configuration file that can be edited, too.
func managed(w *world) *changing {
	c := changeable(w)
	w.config.Host.Edit = func(e Edit) error {
		if e.URL == "bad" || e.Name == "bad" {
			return errors.New("this is bad")
		}
		c.write(func(next *Config) {
			p := next.printer(e.ID)
			switch e.Kind {
			case EditAdd:
				n := printerConfig(e.ID)
				n.Name, n.Disabled, n.APIKey, n.Dial = e.Name, true, "", w.sims["left"].line.Dial
				next.Printers = append(next.Printers, n)
			case EditEnrol:
				p.APIKey, p.Disabled = e.Key, false
			case EditRemove:
				next.Printers = without(next.Printers, e.ID)
			case EditRename:
				p.Name = e.Name
			case EditEnable:
				p.Disabled = false
			case EditDisable:
				p.Disabled = true
			}
		})
		return nil
	}
	c.write(func(*Config) {})
	return c
}

// bridgeEvents are what was told on bridge/event of a type since a message.
func (w *world) bridgeEvents(since int, typ string) []string {
	var details []string
	for _, m := range w.broker.since(since, w.topics.BridgeEvent()) {
		d := decodeDoc(w.t, m.payload)
		if d["type"] == typ {
			details = append(details, d["printer"].(string)+" "+d["detail"].(string))
		}
	}
	return details
}

// TestManagePrinters: each request changes the file and counts at once.
func TestManagePrinters(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		managed(w)
		w.up()
		for _, step := range []struct{ action, payload, data, connection string }{
			{"printer_add", `{"url":"octopi.local","id":"new","name":"New"}`, `{"added":["new"],"removed":[],"changed":[],"restart":false}`, "disabled"},
			{"printer_enable", `{"id":"new"}`, `{"added":[],"removed":[],"changed":["new"],"restart":false}`, "unauthorized"},
			{"printer_disable", `{"id":"new"}`, `{"added":[],"removed":[],"changed":["new"],"restart":false}`, "disabled"},
			{"printer_rename", `{"id":"new","name":"Newer"}`, `{"added":[],"removed":[],"changed":["new"],"restart":false}`, "disabled"},
			{"printer_remove", `{"id":"new"}`, `{"added":[],"removed":["new"],"changed":[],"restart":false}`, ""},
		} {
			r := w.request("bridge", step.action, step.payload)
			if r.code() != "ok" || string(r.Data) != step.data {
				t.Errorf("%s: %v %s", step.action, r.Error, r.Data)
			}
			w.sleep(3 * time.Second)
			w.expect("new", "connection", step.connection)
		}
		w.expect("left", "connection", "connected")
	})
}

// TestManageRefuses: what can't be done is said, and changes nothing.
func TestManageRefuses(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		managed(w)
		w.up()
		for _, tt := range []struct {
			action, payload string
			code            Code
			says            string
		}{
			{"printer_add", `{"url":"bad","id":"new"}`, CodeInvalid, "nothing was changed: this is bad"},
			{"printer_add", `{"url":"x","id":"left"}`, CodeInvalid, `there is a printer with the id "left" already`},
			{"printer_add", `{"url":"x","id":"No!"}`, CodeInvalid, `the id "No!" can't be used`},
			{"printer_add", `{"url":"x","id":"new","api_key":"K"}`, CodeInvalid, "unknown parameters"},
			{"printer_add", `{"url":"x","id":"new","access":"full"}`, CodeInvalid, "unknown parameters"},
			{"printer_rename", `{"id":"left"}`, CodeInvalid, "name is missing"},
			{"printer_rename", `{"id":"left","name":"bad"}`, CodeInvalid, "nothing was changed: this is bad"},
			{"printer_remove", `{"id":"nobody"}`, CodeNoPrinter, `no printer has the id "nobody"`},
			{"printer_enroll", `{"id":"nobody"}`, CodeNoPrinter, `no printer has the id "nobody"`},
			{"printer_enroll", `{"id":"left","key":"K"}`, CodeInvalid, "unknown parameters"},
		} {
			r := w.request("bridge", tt.action, tt.payload)
			if r.code() != tt.code || !strings.HasPrefix(r.Error.Message, tt.says) {
				t.Errorf("%s %s: %+v", tt.action, tt.payload, r.Error)
			}
			w.sleep(time.Second)
		}
		if n := len(w.bridge.printers()); n != 1 {
			t.Errorf("%d printers", n)
		}
	})
}

// TestManageNeedsAdmin: and a configuration that can be changed.
func TestManageNeedsAdmin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		admin bool
		code  Code
	}{{false, CodeAccessDenied}, {true, CodeInvalid}} {
		inBubble(t, func(w *world) {
			w.config.Admin = tt.admin
			w.up()
			for action, payload := range map[string]string{
				"printer_add": `{"url":"x","id":"new"}`, "printer_enroll": `{"id":"left"}`, "printer_remove": `{"id":"left"}`,
				"printer_rename": `{"id":"left","name":"x"}`, "printer_enable": `{"id":"left"}`, "printer_disable": `{"id":"left"}`,
			} {
				if r := w.request("bridge", action, payload); r.code() != tt.code {
					t.Errorf("%s: %+v", action, r.Error)
				}
			}
		})
	}
}

// TestEnrolOverMQTT: the page to click is answered, how it goes on is told, and no key
// is ever published.
func TestEnrolOverMQTT(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		managed(w)
		w.up()
		w.request("bridge", "printer_add", `{"url":"octopi.local","id":"new"}`)
		w.sleep(3 * time.Second)
		before := w.broker.seen()
		r := w.request("bridge", "printer_enroll", `{"id":"new"}`)
		data := decodeDoc(t, string(r.Data))
		page, app := data["page"].(string), data["app"].(string)
		if r.code() != "ok" || page != "http://new.test/" || !strings.HasPrefix(app, "octoprint2mqtt on ") {
			t.Fatalf("%+v %s", r.Error, r.Data)
		}
		if r := w.request("bridge", "printer_enroll", `{"id":"new"}`); r.code() != CodeDuplicate {
			t.Errorf("twice: %+v", r.Error)
		}
		w.sleep(20 * time.Second)
		w.must(w.sims["left"].DecideKey("operator", true))
		w.sleep(10 * time.Second)
		w.expect("new", "connection", "connected")
		key := w.bridge.printer("new").configured().APIKey
		if len(key) != 43 {
			t.Errorf("the key is %q", key)
		}
		want := []string{"new waiting: open " + page + " and click Allow for " + app, "new granted: the key belongs to the user operator"}
		if got := w.bridgeEvents(before, "enroll"); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("events %q", got)
		}
		for _, m := range w.broker.all() {
			if strings.Contains(m.payload, key) || strings.Contains(m.payload, "/plugin/appkeys/") {
				t.Errorf("the key, or what fetches it, is published on %s", m.topic)
			}
		}
		if strings.Contains(w.logs.String(), key) {
			t.Error("the key is logged")
		}
	})
}

// TestEnrolOverMQTTInVain: nobody is asked to click where the key could not be kept.
func TestEnrolOverMQTTInVain(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		managed(w)
		w.config.Host.Enrollable = func(id string) error { return errors.New(id + " is read-only") }
		w.up()
		r := w.request("bridge", "printer_enroll", `{"id":"left"}`)
		if r.code() != CodeInvalid || r.Error.Message != "nothing was changed: left is read-only" {
			t.Errorf("%+v", r.Error)
		}
		if got := w.sims["left"].sentTo(0); len(got) > 0 {
			t.Errorf("OctoPrint was asked: %q", got)
		}
	})
}

// TestEnrolOverMQTTFails: before there is something to click, and after.
func TestEnrolOverMQTTFails(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		managed(w)
		w.up()
		old := w.bridge.printer("left").configured().APIKey
		before := w.broker.seen()
		if r := w.request("bridge", "printer_enroll", `{"id":"left"}`); r.code() != "ok" {
			t.Fatalf("%+v", r.Error)
		}
		w.must(w.sims["left"].DecideKey("operator", false))
		w.sleep(5 * time.Second)
		w.sims["left"].line.SetUp(false)
		r := w.request("bridge", "printer_enroll", `{"id":"left"}`)
		if r.code() != CodeOctoPrint || !strings.HasPrefix(r.Error.Message, "No answer from left.test") {
			t.Errorf("%+v", r.Error)
		}
		got := w.bridgeEvents(before, "enroll")
		if len(got) != 3 || got[1] != "left failed: the request for a key was denied in OctoPrint: try again, and click Allow." || !strings.HasPrefix(got[2], "left failed: No answer from left.test") {
			t.Errorf("events %q", got)
		}
		if is := w.bridge.printer("left").configured().APIKey; is != old {
			t.Errorf("the key is %q", is)
		}
	})
}

// TestEnrolOverMQTTAndTheEnd: a bridge that is stopped waits for nobody's click.
func TestEnrolOverMQTTAndTheEnd(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		managed(w)
		w.up()
		w.request("bridge", "printer_enroll", `{"id":"left"}`)
		began := time.Now()
		w.stop()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
