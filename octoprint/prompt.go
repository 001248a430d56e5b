package octoprint

import "context"

// PermissionPrompt is needed for everything about the printer's dialogs.
const PermissionPrompt = "PLUGIN_ACTION_COMMAND_PROMPT_INTERACT"

// Prompt is a dialog that the printer's firmware shows and wants to be answered.
type Prompt struct {
	Text    string   `json:"text"`
	Choices []string `json:"choices"` // in the printer's order; none: it only tells something
}

// Prompt returns the dialog that the printer shows, or is about to show; open is
// false if there is none. It needs [PermissionPrompt], and fails with Refused where
// the bundled plugin action_command_prompt is disabled.
func (c *Client) Prompt(ctx context.Context) (p Prompt, open bool, err error) {
	var answer *struct {
		Text    *string
		Choices []string
	}
	err = c.get(ctx, "/api/plugin/action_command_prompt", &answer)
	if err != nil || answer == nil || answer.Text == nil && len(answer.Choices) == 0 {
		return Prompt{}, false, err
	}
	if answer.Text != nil {
		p.Text = *answer.Text
	}
	p.Choices = answer.Choices
	return p, true, nil
}

// AnswerPrompt answers the dialog that the printer shows with the choice of an
// index, from 0. It needs [PermissionPrompt], and fails with Conflict where no
// dialog is open and with Refused where it has no such choice.
func (c *Client) AnswerPrompt(ctx context.Context, choice int) error {
	return c.PluginCommand(ctx, "action_command_prompt", "select", map[string]any{"choice": choice}, nil)
}
