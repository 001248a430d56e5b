package integration

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
)

// ask has the printer left open a dialog.
func (w *world) ask(text string, choices ...string) {
	w.t.Helper()
	s := w.sims["left"]
	w.must(s.Action("prompt_begin " + text))
	for _, c := range choices {
		w.must(s.Action("prompt_choice " + c))
	}
	w.must(s.Action("prompt_show"))
}

// offered returns what the select for answers was announced to offer last.
func (w *world) offered() []string {
	w.t.Helper()
	var list []string
	for _, o := range w.components("left")[actionAnswer]["ops"].([]any) {
		list = append(list, o.(string))
	}
	return list
}

// TestPrompt: a dialog is shown with its choices, told once, and answered by one of
// them.
func TestPrompt(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second) // everything has been asked for
		w.expect("left", "prompt", "None")
		w.expect("left", "prompt_answer", "-")
		if got := w.offered(); !slices.Equal(got, []string{"-"}) {
			t.Errorf("without a dialog %q is offered", got)
		}
		before := w.broker.seen()
		w.ask("Door open?", "Yes", "none", "Yes")
		w.sleep(time.Second)
		w.expect("left", "prompt", "Door open?")
		w.expect("left", "prompt_answer", "None")
		if got := w.offered(); !slices.Equal(got, []string{"Yes", "none*", "Yes (2)"}) {
			t.Errorf("%q is offered", got)
		}
		doc := w.doc(w.topics.Document("left"))["plugins"].(map[string]any)[promptID]
		if got := mustMarshal(doc); got != `{"choices":["Yes","none*","Yes (2)"],"prompt":"Door open?"}` {
			t.Errorf("document: %s", got)
		}
		events := w.events(before, "left")
		if eventTypesOf(events) != "prompt" || events[0].Text != "Door open?" || events[0].Late {
			t.Errorf("told %+v", events)
		}
		for payload, want := range map[string]Code{"Maybe": CodeInvalid, "-": CodeInvalid, "": CodeInvalid, "yes": CodeInvalid} {
			if r := w.set("left", "prompt_answer", payload); r.code() != want {
				t.Errorf("%q: %v, want %s", payload, r.Error, want)
			}
		}
		n := len(w.sims["left"].Requests())
		if r := w.set("left", "prompt_answer", "Yes (2)"); r.code() != "ok" {
			t.Errorf("the answer: %v", r.Error)
		}
		if got := w.sims["left"].sentTo(n); !slices.Equal(got, []string{`POST /api/plugin/action_command_prompt {"choice":2,"command":"select"}`}) {
			t.Errorf("sent %q", got)
		}
		w.sleep(2 * time.Second)
		w.expect("left", "prompt", "None")
		w.expect("left", "prompt_answer", "-")
		if got := w.offered(); !slices.Equal(got, []string{"-"}) {
			t.Errorf("after the dialog %q is offered", got)
		}
		for _, payload := range []string{"Yes", "-"} {
			if r := w.set("left", "prompt_answer", payload); r.code() != CodeWrongState {
				t.Errorf("%q after the dialog: %v", payload, r.Error)
			}
		}
		if got := w.sims["left"].sentTo(n); len(got) != 1 {
			t.Errorf("sent %q", got)
		}
	})
}

// TestPromptOfAnother: an answer that may have been meant for the dialog before is
// refused.
func TestPromptOfAnother(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second) // everything has been asked for
		s := w.sims["left"]
		w.ask("Purge more?", "Yes", "No")
		w.sleep(5 * time.Second)
		w.must(s.Action("prompt_end"))
		w.ask("Go on printing?", "Yes", "No")
		w.sleep(300 * time.Millisecond)
		if r := w.set("left", "prompt_answer", "Yes"); r.code() != CodeWrongState {
			t.Errorf("an answer 0.3 s after the dialogs changed: %v", r.Error)
		}
		w.sleep(time.Second)
		w.expect("left", "prompt", "Go on printing?")
		if got := w.offered(); !slices.Equal(got, []string{"Yes", "No"}) {
			t.Errorf("%q is offered", got)
		}
		if r := w.set("left", "prompt_answer", "No"); r.code() != "ok" {
			t.Errorf("an answer in good time: %v", r.Error)
		}
		if got := s.Answers(); !slices.Equal(got, []string{"No"}) {
			t.Errorf("answered %q", got)
		}
	})
}

// TestPromptUnseen: OctoPrint is asked before it is answered, since what it pushes
// may still be under way.
func TestPromptUnseen(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second) // everything has been asked for
		s := w.sims["left"]
		s.Announce(promptID, map[string]any{"action": "show", "text": "Phantom?", "choices": []string{"Yes"}})
		w.sleep(3 * time.Second)
		w.expect("left", "prompt", "Phantom?")
		n := len(s.Requests())
		if r := w.set("left", "prompt_answer", "Yes"); r.code() != CodeWrongState {
			t.Errorf("a dialog that OctoPrint hasn't: %v", r.Error)
		}
		if got := s.sentTo(n); len(got) > 0 {
			t.Errorf("sent %q", got)
		}
	})
}

// TestPromptAcrossSessions: a dialog that stands when a session begins is shown,
// and told late, once.
func TestPromptAcrossSessions(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second) // everything has been asked for
		s := w.sims["left"]
		before := w.broker.seen()
		s.line.SetUp(false)
		s.line.Cut()
		w.sleep(20 * time.Second)
		w.expect("left", "prompt", "None")
		w.expect("left", "prompt_answer", "None")
		if r := w.set("left", "prompt_answer", "-"); r.code() != CodeUnreachable {
			t.Errorf("an answer without a session: %v", r.Error)
		}
		w.ask("Change filament?", "Done")
		s.line.SetUp(true)
		w.within(2*time.Minute, "the dialog is shown", func() bool { return w.value("left", "prompt") == "Change filament?" })
		w.sleep(2 * time.Second)
		if events := w.events(before, "left"); eventTypesOf(events) != "prompt" || !events[0].Late || events[0].Text != "Change filament?" {
			t.Errorf("told %+v", events)
		}
		s.line.Cut()
		w.sleep(time.Minute)
		w.expect("left", "prompt", "Change filament?")
		if n := len(w.events(before, "left")); n != 1 {
			t.Errorf("told %d times", n)
		}
		if r := w.set("left", "prompt_answer", "Done"); r.code() != "ok" {
			t.Errorf("the answer: %v", r.Error)
		}
	})
}

// TestPromptNeedsAPerson while it prints, and only then.
func TestPromptNeedsAPerson(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second) // everything has been asked for
		s := w.sims["left"]
		w.ask("Calibrate?", "Yes")
		w.sleep(2 * time.Second)
		w.expect("farm", "attention", "OFF")
		w.must(s.Action("prompt_end"))
		w.print("left")
		w.sleep(2 * time.Second)
		w.ask("Continue?", "Yes", "No")
		w.sleep(2 * time.Second)
		w.expect("farm", "attention", "ON")
		if got := w.doc(w.topics.Document("farm"))["attention"].(map[string]any)["left"]; got != "The printer asks: Continue?" {
			t.Errorf("the reason is %v", got)
		}
		w.must(s.Action("prompt_end"))
		w.sleep(2 * time.Second)
		w.expect("farm", "attention", "OFF")
	}, setup{prepare: withBenchy})
}

// TestPromptIsNotForEverybody: without the permission there are no rows, and nothing
// is asked or answered.
func TestPromptIsNotForEverybody(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second) // everything has been asked for
		w.ask("Door open?", "Yes")
		w.sleep(2 * time.Second)
		if got := w.value("left", "prompt"); got != "" {
			t.Errorf("prompt is %q", got)
		}
		if r := w.set("left", "prompt_answer", "Yes"); r.code() != CodeNotPermitted {
			t.Errorf("the answer: %v", r.Error)
		}
		for _, r := range w.sims["left"].Requests() {
			if strings.Contains(r.Path, promptID) {
				t.Errorf("asked %s %s", r.Method, r.Path)
			}
		}
	}, setup{config: func(c *PrinterConfig) { c.APIKey = "readonly-key" }})
}

// TestAnswerGuards holds answers against every phase and level of access.
func TestAnswerGuards(t *testing.T) {
	t.Parallel()
	for _, access := range []Access{AccessRead, AccessControl, AccessFull} {
		for _, permission := range []string{"", octoprint.PermissionPrompt} {
			for _, phase := range append(octoprint.Phases(), "") {
				p := printerIn(situation{access, []string{permission}, phase})
				if phase != "" {
					p.view.withDialog(octoprint.Prompt{Text: "?", Choices: []string{"Yes"}}, true)
				}
				want := Code("ok")
				switch {
				case access == AccessRead:
					want = CodeAccessDenied
				case permission == "":
					want = CodeNotPermitted
				case phase == "":
					want = CodeUnreachable
				}
				if got := decideAction(t, p, actionAnswer, `{"choice":"Yes"}`); got != want {
					t.Errorf("%s %q %q: %s, want %s", access, permission, phase, got, want)
				}
			}
		}
	}
}

// decideAction asks a printer whether it would carry out an action.
func decideAction(t *testing.T, p *printer, name, parameters string) Code {
	t.Helper()
	i := slices.IndexFunc(printerActions(), func(a action) bool { return a.name == name })
	if i < 0 {
		t.Fatalf("there is no action %s", name)
	}
	c := &command{action: printerActions()[i], parameters: json.RawMessage(parameters), at: time.Now()}
	p.mu.Lock()
	defer p.mu.Unlock()
	ready, r := p.admitLocked(c, nil)
	if r == nil {
		ready, r = p.readyLocked(c)
	}
	switch {
	case r != nil:
		return r.Code
	case ready.send == nil:
		t.Fatalf("%s is allowed, but has nothing to send", name)
	}
	return "ok"
}

// TestNotification: what the firmware wants people to know is an event.
func TestNotification(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.up()
		w.sleep(5 * time.Second) // everything has been asked for
		before := w.broker.seen()
		w.must(w.sims["left"].Action("notification Filament is low"))
		w.sleep(time.Second)
		w.must(w.sims["left"].Action("notification " + strings.Repeat("ä", 500)))
		w.sims["left"].Announce("action_command_notification", map[string]any{})
		w.sleep(time.Second)
		events := w.events(before, "left")
		if eventTypesOf(events) != "message message" || events[0].Text != "Filament is low" || len([]rune(events[1].Text)) != 255 || events[0].Late {
			t.Errorf("told %+v", events)
		}
		w.checkFarmEvents(before, events)
	})
}
