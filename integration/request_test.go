package integration

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestMalformedCommands sends what is no command and looks at what it is refused
// with.
func TestMalformedCommands(t *testing.T) {
	t.Parallel()
	large := `{"axes":["` + strings.Repeat("x", 64<<10) + `"]}`
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	inBubble(t, func(w *world) {
		w.up()
		refused := 0
		for _, tt := range []struct {
			topic, payload string
			want           Code
		}{
			{"left/request/pause", "", CodeInvalid},
			{"left/request/pause", "null", CodeInvalid},
			{"left/request/pause", "[]", CodeInvalid},
			{"left/request/pause", `"PRESS"`, CodeInvalid},
			{"left/request/pause", "PRESS", CodeInvalid},
			{"left/request/pause", "{} {}", CodeInvalid},
			{"left/request/pause", "{", CodeInvalid},
			{"left/request/pause", "{\"a\":\"\xff\"}", CodeInvalid},
			{"left/request/pause", deep, CodeInvalid},
			{"left/request/pause", `{"transaction":{}}`, CodeInvalid},
			{"left/request/pause", `{"transaction":[1]}`, CodeInvalid},
			{"left/request/pause", `{"transaction":"` + strings.Repeat("x", 300) + `"}`, CodeInvalid},
			{"left/request/home", large, CodeTooLarge},
			{"left/home/set", strings.Repeat("P", 64<<10+1), CodeTooLarge},
			{"left/request/fly", "{}", CodeNoAction},
			{"left/request/set_offset", `{"heater":"bed","target":5}`, CodeNoAction},
			{"left/request/Pause", "{}", CodeNoAction},
			{"right/request/pause", "{}", CodeNoPrinter},
			{"right/pause/set", "PRESS", CodeNoPrinter},
			{"farm/request/pause", "{}", CodeNoAction},
			{"farm/request/cancel_all", "{}", CodeNotArmed},
			{"farm/request/pause_all", `{"printers":[]}`, CodeInvalid},
			{"farm/printing/set", "PRESS", CodeNoAction},
			{"farm/pause_all/set", "ON", CodeInvalid},
			{"bridge/request/restart", "{}", CodeAccessDenied},
			{"bridge/request/info", `{"all":true}`, CodeInvalid},
			{"bridge/version/set", "2", CodeNoAction},
			{"left/state/set", "idle", CodeNoAction},
			{"left/nothing/set", "x", CodeNoAction},
			{"left/pause/set", "", CodeInvalid},
			{"left/pause/set", "press", CodeInvalid},
			{"left/pause/set", "PRESS ", CodeInvalid},
			{"left/pause/set", "{}", CodeInvalid},
			{"left/bed_setpoint/set", "NaN", CodeInvalid},
			{"left/bed_setpoint/set", "Inf", CodeInvalid},
			{"left/bed_setpoint/set", "1e1", CodeInvalid},
			{"left/bed_setpoint/set", "1e9", CodeInvalid},
			{"left/bed_setpoint/set", "0x10", CodeInvalid},
			{"left/bed_setpoint/set", "1_0", CodeInvalid},
			{"left/bed_setpoint/set", "+60", CodeInvalid},
			{"left/bed_setpoint/set", " 60", CodeInvalid},
			{"left/bed_setpoint/set", "60\n", CodeInvalid},
			{"left/bed_setpoint/set", "60\nM112", CodeInvalid},
			{"left/bed_setpoint/set", "60°", CodeInvalid},
			{"left/bed_setpoint/set", "６０", CodeInvalid},
			{"left/bed_setpoint/set", "None", CodeInvalid},
			{"left/bed_setpoint/set", "99999999999999999999", CodeInvalid},
			{"left/bed_setpoint/set", "120.5", CodeOutOfRange},
			{"left/bed_setpoint/set", "-1", CodeOutOfRange},
			{"left/tool0_offset/set", "-50.5", CodeOutOfRange},
			{"left/tool0_offset/set", "51", CodeOutOfRange},
			{"left/tool1_setpoint/set", "20", CodeNoAction},
			{"left/chamber_setpoint/set", "0", CodeNoAction},
		} {
			c, ok := w.topics.ParseCommand(w.topics.Base + "/" + tt.topic)
			if !ok {
				t.Fatalf("%s is no command topic", tt.topic)
			}
			r := w.command(w.topics.Base+"/"+tt.topic, w.topics.Response(c.Device, c.Name), tt.payload)
			if r.code() != tt.want {
				t.Errorf("%s %.40q: %v, want %s", tt.topic, tt.payload, r.Error, tt.want)
			}
			if len(r.Error.Message) > 500 {
				t.Errorf("%s %.40q: the message has %d bytes", tt.topic, tt.payload, len(r.Error.Message))
			}
			if c.Device == "left" {
				refused++
			}
			w.sleep(3 * time.Second) // the log is limited to some refusals a minute
		}
		if got := w.sims["left"].sentTo(0); len(got) > 0 {
			t.Errorf("sent to OctoPrint: %q", got)
		}
		w.expectRefusals("left", refused)
	})
}

// TestTransactionIsEchoed: the answer carries what the request did, unchanged.
func TestTransactionIsEchoed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		for i, transaction := range []string{`"a"`, `"ü€\n"`, `17`, `1e400`, `-0.50`, `null`, `""`, `true`} {
			payload := `{"transaction": ` + transaction + ` }`
			for _, tt := range []struct{ device, action string }{{"left", "pause"}, {"left", "nothing"}, {"farm", "pause_all"}, {"bridge", "info"}} {
				r := w.request(tt.device, tt.action, payload)
				if string(r.Transaction) != transaction {
					t.Errorf("%d %s/%s: the transaction %s came back as %s", i, tt.device, tt.action, transaction, r.Transaction)
				}
			}
		}
		if r := w.request("bridge", "info", `{}`); string(r.Transaction) != "null" {
			t.Errorf("no transaction came back as %s", r.Transaction)
		}
	})
}

// TestEveryAnswerHasAllMembers: transaction, status, error and data are always
// there.
func TestEveryAnswerHasAllMembers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		before := w.broker.seen()
		w.request("left", "home", "{}")
		w.request("left", "pause", "{}")
		w.request("bridge", "health", "{}")
		w.request("farm", "pause_all", "{}")
		list := w.broker.since(before, "")
		n := 0
		for _, m := range list {
			if !strings.Contains(m.topic, "/response/") {
				continue
			}
			n++
			d := decodeDoc(t, m.payload)
			for _, key := range []string{"transaction", "status", "error", "data"} {
				if _, ok := d[key]; !ok || len(d) != 4 {
					t.Errorf("%s: %s", m.topic, m.payload)
				}
			}
		}
		if n != 4 {
			t.Errorf("%d answers, want 4", n)
		}
	})
}

// TestBridgeRequests: info and health answer with the documents.
func TestBridgeRequests(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		r := w.request("bridge", "info", "{}")
		if r.code() != "ok" || string(r.Data) != w.retained(w.topics.BridgeInfo()) {
			t.Errorf("info: %s, retained is %s", r.Data, w.retained(w.topics.BridgeInfo()))
		}
		r = w.request("bridge", "health", "{}")
		var asked, kept healthKeys
		if json.Unmarshal(r.Data, &asked) != nil || json.Unmarshal([]byte(w.retained(w.topics.BridgeHealth())), &kept) != nil || asked.Instance != kept.Instance || asked.Instance == "" {
			t.Errorf("health: %s, retained is %s", r.Data, w.retained(w.topics.BridgeHealth()))
		}
	})
}

type healthKeys struct{ Instance string }
