package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"octoprint2mqtt/integration"
)

type addCommand struct {
	configFlag
	URL    string      `arg:"positional,required" help:"Where OctoPrint is, such as octopi.local or https://example.org/left; what a browser shows will do."`
	Key    string      `help:"An API key, instead of asking OctoPrint for one."`
	User   string      `placeholder:"NAME" help:"The user of OctoPrint that the key must belong to."`
	ID     string      `help:"The permanent id, used in topics; proposed otherwise."`
	Name   string      `help:"The name for people; OctoPrint's own otherwise."`
	Access accessLevel `placeholder:"LEVEL" default:"control" help:"What may be done over MQTT: read, control or full."`
	MQTT   string      `placeholder:"URL" help:"The broker, such as mqtt://user:password@homeassistant.local, for a configuration that isn't there yet."`
	Yes    bool        `arg:"-y" help:"Ask nothing: take every proposal, also a certificate that nobody vouches for."`
}

// accessLevel is a level of access as an option.
type accessLevel integration.Access

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *accessLevel) UnmarshalText(text []byte) error {
	level, err := access(string(text))
	*a = accessLevel(level)
	return err
}

// Run adds a printer to the configuration. Whatever goes wrong leaves that as it was.
func (a *addCommand) Run(ctx context.Context, env surroundings) error {
	if err := a.check(); err != nil {
		return usageError{err}
	}
	return a.with(ctx, env, newDialog(env, a.Yes))
}

// with adds a printer in a dialog that may have begun already.
func (a *addCommand) with(ctx context.Context, env surroundings, ask *dialog) error {
	addresses, err := typedAddress(a.URL)
	if err != nil {
		return usageError{err}
	}
	file, err := openConfig(string(a.Config), env.lookup)
	if err != nil {
		return err
	}
	s := &setup{addCommand: a, dialog: ask, file: file}
	return interrupted(ctx, s.run(ctx, addresses))
}

// interrupted says so instead of what failed because of it.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted: nothing was changed")
	}
	return err
}

// check refuses options that the configuration would refuse.
func (a *addCommand) check() error {
	for _, o := range []struct {
		name, text string
		parse      func(string) (string, error)
	}{{"--id", a.ID, printerID}, {"--name", a.Name, plainText(100)}, {"--user", a.User, plainText(255)}, {"--key", a.Key, apiKey}} {
		if o.text == "" {
			continue
		}
		if _, err := o.parse(o.text); err != nil {
			return errors.New(o.name + " " + err.Error())
		}
	}
	return nil
}

// setup is one printer on its way into the configuration.
type setup struct {
	*addCommand
	*dialog
	file        *configFile
	broker      brokerLogin
	printer     integration.PrinterConfig
	certificate []byte // PEM, that the user has accepted
}

func (s *setup) run(ctx context.Context, addresses []*url.URL) error {
	if s.ID != "" && s.file.taken(s.ID) {
		return fmt.Errorf("there is a printer with the id %s already; nothing was changed", s.ID)
	}
	if err := s.file.ready(); err != nil {
		return err
	}
	if err := s.askForBroker(ctx); err != nil {
		return err
	}
	s.printer = integration.PrinterConfig{User: s.User, Access: integration.Access(s.Access)}
	server, err := s.locate(ctx, addresses)
	if err != nil {
		return err
	}
	s.say("OctoPrint %s is at %s.", server.Version, s.printer.URL)
	if err := s.refuseTwin(ctx, server); err != nil {
		return err
	}
	owner, err := s.enrol(ctx)
	if err != nil {
		return err
	}
	return s.write(ctx, owner)
}

// enrol gives the printer a key, and says what that is worth.
func (s *setup) enrol(ctx context.Context) (owner integration.Enrolled, err error) {
	if s.printer.APIKey, err = s.obtainKey(ctx); err != nil {
		return owner, err
	}
	if owner, err = integration.Examine(ctx, s.printer); err != nil {
		return owner, nothingChanged(err)
	}
	s.tell(owner)
	return owner, nil
}

// refuseTwin refuses an OctoPrint that is configured already.
func (s *setup) refuseTwin(ctx context.Context, server integration.Recognized) error {
	printers := s.file.config.Bridge.Printers
	for _, p := range printers {
		if !p.Disabled && sameServer(p.URL) == sameServer(s.printer.URL) {
			return fmt.Errorf("this OctoPrint is in the configuration already, as %s; nothing was changed", p.ID)
		}
	}
	if id := integration.TwinOf(ctx, server, printers); id != "" {
		return fmt.Errorf("this OctoPrint is in the configuration already, as %s, under another address; nothing was changed", id)
	}
	return nil
}

// obtainKey returns the key that was given, or asks OctoPrint for one.
func (s *setup) obtainKey(ctx context.Context) (string, error) {
	if s.Key != "" {
		return s.Key, nil
	}
	key, err := integration.EnrolKey(ctx, s.printer, integration.ApplicationName(), s.showQuestion)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("nothing was changed: %w", err)
	}
	if err == nil {
		s.say("The key was granted.")
	}
	return key, err
}

// showQuestion says what somebody has to decide in OctoPrint.
func (s *setup) showQuestion(q integration.KeyQuestion) {
	who := "as the user that octoprint2mqtt is to act as: best one of its own, in the group Operator"
	if s.printer.User != "" {
		who = "as " + s.printer.User
	}
	s.say("\nIt is asked for an application key under the name %q.", q.App)
	if q.Dialog {
		s.say("Open this page, log in %s, and click Allow:\n\n  %s\n", who, q.Page)
	} else {
		s.say("Open OctoPrint in a browser, log in %s, and click Allow in the window that comes up:\n\n  %s\n", who, q.Page)
	}
	s.say("Waiting for that, for up to 10 minutes …")
}

// tell says what the key is worth.
func (s *setup) tell(owner integration.Enrolled) {
	s.say("The key belongs to the user %s.", owner.User)
	for _, f := range owner.Findings {
		if f.Level == integration.LevelOK {
			continue
		}
		s.sayFinding(f)
	}
}

func (d *dialog) sayFinding(f integration.Finding) {
	d.say("%s: %s", f.Level, f.What)
	if f.Do != "" {
		d.say("  %s", f.Do)
	}
}

// write asks for name and id, as far as they weren't given, and writes the printer into
// the file.
func (s *setup) write(ctx context.Context, owner integration.Enrolled) error {
	name, err := s.chosen(ctx, question{what: "Name", given: s.Name, proposal: proposeName(owner.Name, s.printer.URL), parse: plainText(100)})
	if err != nil {
		return err
	}
	id, err := s.chosen(ctx, question{what: "Permanent id, used in topics", given: s.ID, proposal: proposeID(name, s.file.taken), parse: printerID, taken: s.file.taken})
	if err != nil {
		return err
	}
	p := newPrinter{
		id: id, name: name, user: s.User, url: s.printer.URL, access: s.printer.Access, key: s.printer.APIKey, certificate: s.certificate,
	}
	if err := s.file.add(p, s.broker); err != nil {
		return err
	}
	s.say("\n%s is in %s now. A running bridge takes it up within seconds; otherwise start it:\n\n  octoprint2mqtt run --config %s", id, s.Config, s.Config)
	s.say("\nIf something does not work, this says what, and what to do:\n\n  octoprint2mqtt check --config %s", s.Config)
	return nil
}

// proposeName is OctoPrint's own name, or else that of its host.
func proposeName(own string, u *url.URL) string {
	if _, err := plainText(100)(own); err == nil {
		return own
	}
	if net.ParseIP(u.Hostname()) != nil {
		return "3D printer"
	}
	host, _, _ := strings.Cut(u.Hostname(), ".")
	return host
}

// question is something to choose.
type question struct {
	what     string
	given    string // as an option; empty: it is asked for
	proposal string
	parse    func(string) (string, error)
	taken    func(string) bool // nil: it needn't be unique
}

// chosen returns what was given as an option, or asks until there is an answer that can
// be used.
func (s *setup) chosen(ctx context.Context, q question) (string, error) {
	if q.given != "" {
		return q.given, nil
	}
	for {
		text, err := s.ask(ctx, q.what, q.proposal)
		if err != nil {
			return "", fmt.Errorf("nothing was changed: %w", err)
		}
		text, err = q.parse(text)
		switch {
		case err != nil:
			s.say("That %v.", err)
		case q.taken != nil && q.taken(text):
			s.say("There is a printer with that already.")
		default:
			return text, nil
		}
		if s.yes {
			return "", fmt.Errorf("nothing was changed: %s could not be proposed; give it as an option", strings.ToLower(q.what))
		}
	}
}
