package main

import (
	"io"
	"reflect"
	"strings"

	"github.com/alexflint/go-arg"
)

const (
	helpWidth  = 80                          // of most terminals
	helpIndent = "                         " // of what the parser says about an option or command
)

// showHelp writes what there is, or, if a command was chosen, what that takes.
func (l *commandLine) showHelp(w io.Writer, parser *arg.Parser) error {
	var help strings.Builder
	parser.WriteHelp(&help)
	text := l.about(parser.Subcommand()) + "\n\n" + help.String()
	if parser.Subcommand() == nil {
		text += "\nRun \"octoprint2mqtt <command> --help\" for more information on a command.\n"
	}
	_, err := io.WriteString(w, folded(text))
	return err
}

// about says what a command does, or the program if there is none. Left to the parser,
// the help of every command would begin with what the program does.
func (l *commandLine) about(chosen any) string {
	for field, value := range reflect.ValueOf(l).Elem().Fields() {
		if value.Interface() == chosen {
			return field.Tag.Get("help")
		}
	}
	return "Brings the printers of OctoPrint servers to MQTT and Home Assistant."
}

// folded breaks the lines of a help text that are too long, so that they go on below
// where their text begins.
func folded(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		gap, indent := " ", ""
		switch {
		case strings.HasPrefix(line, "Usage: "):
			gap, indent = " [", "       "
		case strings.HasPrefix(line, " "):
			indent = helpIndent
		}
		for len(line) > helpWidth+len("\n") {
			end := strings.LastIndex(line[:helpWidth+1], gap)
			if end <= len(indent) {
				break
			}
			b.WriteString(line[:end] + "\n")
			line = indent + line[end+1:]
		}
		b.WriteString(line)
	}
	return b.String()
}
