package integration

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"octoprint2mqtt/discovery"
	"octoprint2mqtt/octoprint"
)

const (
	promptID     = "action_command_prompt"
	actionAnswer = "prompt_answer" // of its row only
	// nothingAsked is what the row for answers shows without a dialog.
	nothingAsked = "-"
	// mixUp is how long after a dialog took another's place an answer may still be
	// meant for the former.
	mixUp = time.Second
)

// dialog is what is known of the printer's dialogs.
type dialog struct {
	open    bool
	prompt  octoprint.Prompt
	options []string // its choices as a select offers them
	// since is when answers can be meant for it, and changed when it opened, or the
	// last one closed.
	since, changed time.Time
}

// promptPlugin shows the dialogs that a firmware opens with action commands, and
// answers them. It is bundled with OctoPrint.
func promptPlugin() plugin {
	return plugin{
		id: promptID, name: "Action command prompt", verified: true, bundled: true,
		remark: "Bundled with OctoPrint. Shows the dialogs that the printer opens, and answers them; each is the event `prompt`. " +
			"An answer to a dialog that is closed, or that took another's place within the last second, is refused.",
		rows: promptRows,
		actions: []action{{
			name: actionAnswer, about: "Answers what the printer asks.",
			rowOnly: true, permissions: []string{octoprint.PermissionPrompt},
			runsIn: octoprint.Phases(), prepare: prepareAnswer,
		}},
		received: promptReceived,
		inquiries: []inquiry{{
			name: promptID, permission: octoprint.PermissionPrompt,
			ask: func(ctx context.Context, c *octoprint.Client, _ printerView) (func(*printerView), error) {
				p, open, err := c.Prompt(ctx)
				if err != nil {
					return nil, err
				}
				return func(v *printerView) { v.promptFound(p, open) }, nil
			},
		}},
		document: func(d *device[*printerView], v *printerView) any {
			choices := []string{}
			if d.get("prompt").kind != unknownValue && v.asks() {
				choices = append(choices, v.dialog().options...)
			}
			return map[string]any{"prompt": d.get("prompt"), "choices": choices}
		},
	}
}

// dialog is nil while it isn't known whether there is one. It is never changed.
func (v *printerView) dialog() *dialog { return pluginState[*dialog](v, promptID) }

// asks reports whether the printer waits for an answer.
func (v *printerView) asks() bool {
	d := v.dialog()
	return d != nil && d.open
}

func promptRows(*printerView) []printerRow {
	permissions := []string{octoprint.PermissionPrompt}
	return []printerRow{
		{
			key: "prompt", prompt: true, access: AccessControl, permissions: permissions,
			about:     "What the printer asks on its display; `None` while it asks nothing.",
			component: discovery.Component{Platform: discovery.Sensor, Name: "Prompt", Icon: "mdi:message-question-outline"},
			value: func(v *printerView) value {
				if !v.asks() {
					return unknown
				}
				return text(v.dialog().prompt.Text)
			},
		},
		{
			key: actionAnswer, access: AccessControl, permissions: permissions,
			about:     "Answers what the printer asks: it offers the choices, and `-` where there are none; refused if the dialog is closed or came up within the last second in place of another.",
			component: discovery.Component{Platform: discovery.Select, Name: "Answer to prompt", Icon: "mdi:message-reply-text-outline"},
			value: func(v *printerView) value {
				switch d := v.dialog(); {
				case d == nil, d.open && len(d.options) > 0:
					return unknown // nobody has answered yet
				}
				return text(nothingAsked)
			},
			options: func(v *printerView) []string {
				if d := v.dialog(); d != nil && d.open && len(d.options) > 0 {
					return d.options
				}
				return []string{nothingAsked}
			},
			action: actionAnswer,
			parameters: func(payload string) (json.RawMessage, *refusal) {
				return encodeParameters(answerParameters{Choice: payload}), nil
			},
		},
	}
}

// promptReceived takes in that a dialog opens or closes.
func promptReceived(_ string, message json.RawMessage) func(*printerView) {
	m, ok := decodeMessage[struct {
		Action  string
		Text    string
		Choices []string
	}](message)
	switch {
	case ok && m.Action == "show":
		p := fit(octoprint.Prompt{Text: m.Text, Choices: m.Choices})
		return func(v *printerView) {
			v.withDialog(p, true)
			v.tell(EventPrompt, p.Text)
			v.noteDialog(promptText(p))
		}
	case ok && m.Action == "close":
		return func(v *printerView) {
			v.withDialog(octoprint.Prompt{}, false)
			v.noteDialog("")
		}
	}
	return nil
}

// promptFound takes in what OctoPrint says when a session begins. A dialog that
// opened while nobody was looking is told late.
func (v *printerView) promptFound(p octoprint.Prompt, open bool) {
	p = fit(p)
	if d := v.dialog(); d == nil || d.open != open || d.prompt.Text != p.Text || !slices.Equal(d.prompt.Choices, p.Choices) {
		v.withDialog(p, open)
	}
	switch {
	case v.prints == nil:
	case !open:
		v.prints.dialog = ""
	case v.prints.dialog != promptText(p):
		v.tellLate(EventPrompt, p.Text)
		v.prints.dialog = promptText(p)
	}
}

// fit gives a dialog without words some, so that it isn't taken for none.
func fit(p octoprint.Prompt) octoprint.Prompt {
	if clean(p.Text) == "" {
		p.Text = "(no text)"
	}
	return p
}

// promptText is by what a dialog is told from others.
func promptText(p octoprint.Prompt) string {
	return strings.Join(append([]string{p.Text}, p.Choices...), "\n")
}

func (v *printerView) withDialog(p octoprint.Prompt, open bool) {
	now := time.Now()
	next := &dialog{open: open, prompt: p, options: optionNames(p.Choices), since: now, changed: now}
	if before := v.dialog(); before != nil && (before.open || now.Sub(before.changed) < mixUp) {
		next.since = now.Add(mixUp)
	}
	v.withState(promptID, next)
	v.offerAnew()
}

// noteDialog remembers which dialog was told; the journal keeps it.
func (v *printerView) noteDialog(id string) {
	if v.prints != nil {
		v.prints.dialog = id
	}
}

// answerParameters are what the row for answers is set to.
type answerParameters struct {
	Choice string `json:"choice"`
}

// prepareAnswer wants the choice to be one of the dialog that is open now, and
// asks OctoPrint once more before it answers: another dialog may have the same
// choices.
func prepareAnswer(parameters json.RawMessage, v *printerView) (call, *refusal) {
	var p answerParameters
	if r := decodeParameters(parameters, &p); r != nil {
		return call{}, r
	}
	d := v.dialog()
	switch {
	case !v.live():
		return call{}, refuse(CodeUnreachable, "the printer's state is not known: there is no connection to OctoPrint")
	case d == nil:
		return call{}, refuse(CodeWrongState, "whether the printer asks something is not known yet")
	case !d.open:
		return call{}, refuse(CodeWrongState, "the printer asks nothing")
	}
	choice := slices.Index(d.options, p.Choice)
	if choice < 0 {
		return call{}, refuse(CodeInvalid, "%s is none of the choices: %s", quote(p.Choice), quoteAll(d.options))
	}
	ready := sending(func(ctx context.Context, c *octoprint.Client) error {
		now, open, err := c.Prompt(ctx)
		switch {
		case err != nil:
			return err
		case !open || promptText(fit(now)) != promptText(d.prompt):
			return refuse(CodeWrongState, "the printer doesn't ask that any more")
		}
		return c.AnswerPrompt(ctx, choice)
	})
	ready.since = d.since
	return ready, nil
}

func quoteAll(list []string) string {
	quoted := make([]string, 0, len(list))
	for _, s := range list {
		quoted = append(quoted, quote(s))
	}
	return strings.Join(quoted, ", ")
}
