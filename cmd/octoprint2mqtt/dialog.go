package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// dialog asks the user in front of a terminal.
type dialog struct {
	in  *bufio.Reader
	out io.Writer
	yes bool // take what is proposed, and ask nothing
}

func newDialog(env surroundings, yes bool) *dialog {
	in := env.stdin
	if in == nil {
		in = strings.NewReader("")
	}
	return &dialog{in: bufio.NewReader(in), out: env.stdout, yes: yes}
}

// errNoAnswer means that nobody is there to answer.
var errNoAnswer = errors.New("nobody has answered; in scripts use --yes, and give what has to be known as options")

func (d *dialog) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

// ask returns the answer to a question, the proposal if that is just Enter.
func (d *dialog) ask(ctx context.Context, question, proposal string) (string, error) {
	shown := question + ": "
	if proposal != "" {
		shown = fmt.Sprintf("%s [%s]: ", question, proposal)
	}
	fmt.Fprint(d.out, shown)
	if d.yes {
		d.say("%s", proposal)
		return proposal, nil
	}
	line, err := d.line(ctx)
	if err != nil {
		return "", err
	}
	if line == "" {
		return proposal, nil
	}
	return line, nil
}

// confirm asks a question whose answer is yes or no; just Enter means no.
func (d *dialog) confirm(ctx context.Context, question string) (bool, error) {
	fmt.Fprintf(d.out, "%s [y/N]: ", question)
	if d.yes {
		d.say("yes")
		return true, nil
	}
	line, err := d.line(ctx)
	answer := strings.ToLower(line)
	return answer == "y" || answer == "yes", err
}

// line reads a line, or gives up when ctx ends. A read of a terminal can't be ended: it
// is left behind then, and ends with the program.
func (d *dialog) line(ctx context.Context) (string, error) {
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := d.in.ReadString('\n')
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		if a.err != nil && a.text == "" {
			d.say("")
			return "", errNoAnswer
		}
		return strings.TrimSpace(a.text), nil
	case <-ctx.Done():
		d.say("")
		return "", ctx.Err()
	}
}
