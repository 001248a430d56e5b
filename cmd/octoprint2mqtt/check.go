package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"octoprint2mqtt/integration"
)

type checkCommand struct {
	configFlag
	JSON bool `help:"Print what is found as JSON."`
}

// subjectConfiguration is the subject of findings about the file itself.
const subjectConfiguration = "configuration"

// Run prints what is found of the configuration, the broker, Home Assistant and each
// printer.
func (k *checkCommand) Run(ctx context.Context, env surroundings) error {
	c, err := k.load(env)
	list := configurationFindings(string(k.Config), c, err)
	if err == nil {
		list = append(list, integration.Check(ctx, c.Bridge)...)
	}
	if ctx.Err() != nil { // what failed because of that says nothing
		return errors.New("interrupted")
	}
	if err := k.print(env, list); err != nil {
		return err
	}
	//exhaustive:enforce
	switch integration.Worst(list) {
	case integration.LevelError:
		return errErrors
	case integration.LevelWarning:
		return errWarnings
	case integration.LevelNote, integration.LevelOK:
	}
	return nil
}

// configurationFindings are those about the file, which err is about, too.
func configurationFindings(file string, c Config, err error) []integration.Finding {
	var mistakes *ConfigError
	switch {
	case errors.As(err, &mistakes):
		var list []integration.Finding
		for _, m := range mistakes.Mistakes {
			list = append(list, integration.Finding{
				Subject: subjectConfiguration, Check: "mistake", Level: integration.LevelError, What: m,
				Why: "a file with a mistake is not used: nothing starts with it, and a running bridge keeps what it had", Do: "correct this line",
			})
		}
		return list
	case err != nil:
		return []integration.Finding{{
			Subject: subjectConfiguration, Check: "file", Level: integration.LevelError, What: fmt.Sprintf("%s can't be read: %v", file, reason(err)),
			Why: "without a configuration nothing starts", Do: "see that --config names the file, and that this user may read it; octoprint2mqtt add makes one",
		}}
	}
	list := []integration.Finding{{
		Subject: subjectConfiguration, Check: "file", Level: integration.LevelOK,
		What: fmt.Sprintf("%s is valid; printers: %d", file, len(c.Bridge.Printers)),
	}}
	for _, w := range c.Warnings {
		what, do, _ := strings.Cut(w, "; ") // as all of them are written
		list = append(list, integration.Finding{
			Subject: subjectConfiguration, Check: "advice", Level: integration.LevelWarning, What: what,
			Why: "the bridge starts all the same, but it is not safe so, or of no use", Do: do,
		})
	}
	return list
}

func (k *checkCommand) print(env surroundings, list []integration.Finding) error {
	if k.JSON {
		e := json.NewEncoder(env.stdout)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(struct {
			Result   integration.Level     `json:"result"`
			Findings []integration.Finding `json:"findings"`
		}{integration.Worst(list), list})
	}
	_, plain := env.lookup("NO_COLOR")
	_, err := io.WriteString(env.stdout, renderFindings(list, !plain && isTerminal(env.stdout)))
	return err
}

// renderFindings is what people read: what is found of each subject, what matters with
// why and what to do, and how it all went.
func renderFindings(list []integration.Finding, colours bool) string {
	var b strings.Builder
	subject := ""
	count := make(map[integration.Level]int)
	for _, f := range list {
		if f.Subject != subject {
			subject = f.Subject
			fmt.Fprintln(&b, subject)
		}
		count[f.Level]++
		fmt.Fprintf(&b, "  %s %s\n", levelMark(f.Level, colours), f.What)
		for _, more := range []struct{ label, text string }{{"why", f.Why}, {"do", f.Do}} {
			if more.text != "" {
				fmt.Fprintf(&b, "          %-4s %s\n", more.label, more.text)
			}
		}
	}
	fmt.Fprintf(&b, "\nerrors: %d, warnings: %d\n", count[integration.LevelError], count[integration.LevelWarning])
	return b.String()
}

// levelMark is a level as it stands before a finding.
func levelMark(level integration.Level, colours bool) string {
	text, colour := "", 0
	//exhaustive:enforce
	switch level {
	case integration.LevelOK:
		text, colour = "ok     ", 32
	case integration.LevelNote:
		text, colour = "note   ", 36
	case integration.LevelWarning:
		text, colour = "WARNING", 33
	case integration.LevelError:
		text, colour = "ERROR  ", 31
	}
	if !colours {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, text)
}
