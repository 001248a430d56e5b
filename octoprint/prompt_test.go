package octoprint_test

import (
	"slices"
	"testing"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestPrompt: a dialog of the printer from its beginning to its end, on every
// release.
func TestPrompt(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		bubble(t, octoprinttest.Options{Version: version}, func(b *bench) {
			c := b.client("operator")
			s := b.opened(b.clientWith(octoprint.Options{APIKey: "operator-key", Plugins: []string{"action_command_prompt"}}))
			expect := func(when string, want octoprint.Prompt, wantOpen bool) {
				t.Helper()
				p, open, err := c.Prompt(b.t.Context())
				must(b.t, err)
				if open != wantOpen || p.Text != want.Text || !slices.Equal(p.Choices, want.Choices) {
					t.Errorf("%s, %s: %+v %v, want %+v %v", version, when, p, open, want, wantOpen)
				}
			}
			expect("before", octoprint.Prompt{}, false)
			wantFailure(b.t, c.AnswerPrompt(b.t.Context(), 0), octoprint.Conflict)
			must(b.t, b.sim.Action("prompt_begin Door open?"))
			expect("begun", octoprint.Prompt{Text: "Door open?"}, true)
			for _, a := range []string{"prompt_choice Yes", "prompt_button No", "prompt_show", "prompt_begin Another?", "prompt_choice Late"} {
				must(b.t, b.sim.Action(a))
			}
			expect("shown", octoprint.Prompt{Text: "Door open?", Choices: []string{"Yes", "No"}}, true)
			wantFailure(b.t, c.AnswerPrompt(b.t.Context(), 2), octoprint.Refused)
			wantFailure(b.t, b.client("readonly").AnswerPrompt(b.t.Context(), 0), octoprint.NotPermitted)
			_, _, err := b.client("readonly").Prompt(b.t.Context())
			wantFailure(b.t, err, octoprint.NotPermitted)
			must(b.t, c.AnswerPrompt(b.t.Context(), 1))
			expect("answered", octoprint.Prompt{}, false)
			if got := b.sim.Answers(); !slices.Equal(got, []string{"No"}) {
				t.Errorf("%s: answered %q", version, got)
			}
			after(0)
			want := []string{
				`action_command_prompt {"action":"show","choices":["Yes","No"],"text":"Door open?"}`,
				`action_command_prompt {"action":"close"}`,
			}
			if got := s.log().messages; !slices.Equal(got, want) {
				t.Errorf("%s: messages %q", version, got)
			}
		})
	}
}
