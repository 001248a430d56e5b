package octoprinttest

// promptID and notificationID are the bundled plugins for what a firmware wants to show.
const (
	promptID       = "action_command_prompt"
	notificationID = "action_command_notification"
)

// prompt is a dialog of the firmware.
type prompt struct {
	text    string
	choices []string
	shown   bool
}

// beginPrompt begins a dialog, unless one is shown: a firmware has one at a time.
func (p *printer) beginPrompt(text string) {
	if p.prompt == nil || !p.prompt.shown {
		p.prompt = &prompt{text: text, choices: []string{}}
	}
}

func (p *printer) offerChoice(text string) {
	if p.prompt != nil && !p.prompt.shown {
		p.prompt.choices = append(p.prompt.choices, text)
	}
}

func (p *printer) showPrompt() {
	if p.prompt == nil || p.prompt.shown {
		return
	}
	p.prompt.shown = true
	p.announce(promptID, object{"action": "show", "text": p.prompt.text, "choices": p.prompt.choices})
}

// closePrompt ends a dialog. OctoPrint also does that whenever the printer is gone, whether there is one or not.
func (p *printer) closePrompt() {
	p.prompt = nil
	p.announce(promptID, object{"action": "close"})
}

// Action is a command that the firmware gives to OctoPrint, such as "prompt_begin Door open?", "prompt_choice Yes",
// "prompt_show", "prompt_end", "notification Filament is low" or "cancel".
func (s *Server) Action(command string) error {
	return s.act("taking an action command", func(p *printer, _ string) error {
		if !p.state.isOperational() {
			return ErrState
		}
		p.action(command)
		return nil
	})
}

// getPrompt answers with a dialog from its beginning on, even before it is shown.
func (c *call) getPrompt() response {
	p := c.s.printer.prompt
	if p == nil {
		return ok(nil)
	}
	return ok(object{"text": p.text, "choices": p.choices})
}

func (c *call) postPrompt() response {
	if _, problem := c.command(map[string][]string{"select": {"choice"}}); problem != nil {
		return *problem
	}
	p := c.s.printer
	if p.prompt == nil {
		return c.conflict("No active prompt")
	}
	n, isNumber := number(c.input["choice"])
	if !isNumber || n != float64(int(n)) || n < 0 || int(n) >= len(p.prompt.choices) {
		return c.bad(string(c.input["choice"]) + " is not a valid value for choice")
	}
	p.answered = append(p.answered, p.prompt.choices[int(n)])
	p.closePrompt()
	return done()
}

// Answers returns what was chosen in the firmware's dialogs so far.
func (s *Server) Answers() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.printer.answered...)
}
