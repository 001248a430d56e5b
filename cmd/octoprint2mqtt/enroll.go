package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"octoprint2mqtt/integration"
)

type enrollCommand struct {
	configFlag
	ID  string `arg:"positional,required" help:"The printer's id in the configuration."`
	Key string `help:"An API key, instead of asking OctoPrint for one."`
}

// Run gives a printer that is configured already another key. Whatever goes wrong leaves
// the configuration as it was.
func (e *enrollCommand) Run(ctx context.Context, env surroundings) error {
	if err := (&addCommand{Key: e.Key}).check(); err != nil {
		return usageError{err}
	}
	file, err := openConfig(string(e.Config), env.lookup)
	if err != nil {
		return err
	}
	if file.text == nil {
		return fmt.Errorf("there is no file %s; octoprint2mqtt add makes one", e.Config)
	}
	printers := file.config.Bridge.Printers
	i := slices.IndexFunc(printers, func(p integration.PrinterConfig) bool { return p.ID == e.ID })
	if i < 0 {
		return errors.New(noSuchPrinter(e.ID, printers))
	}
	s := &setup{addCommand: &addCommand{configFlag: e.configFlag, Key: e.Key}, dialog: newDialog(env, true), file: file, printer: printers[i]}
	return interrupted(ctx, s.renew(ctx))
}

func noSuchPrinter(id string, printers []integration.PrinterConfig) string {
	var ids []string
	for _, p := range printers {
		ids = append(ids, p.ID)
	}
	if len(ids) == 0 {
		return "there is no printer in the configuration; octoprint2mqtt add adds one"
	}
	return fmt.Sprintf("no printer in the configuration has the id %q; there are: %s", id, strings.Join(ids, ", "))
}

// renew gives the printer a key at the address, and for the user, that it is configured
// with.
func (s *setup) renew(ctx context.Context) error {
	if err := s.file.renewable(s.printer.ID); err != nil {
		return err
	}
	server, err := integration.Recognize(ctx, s.printer)
	if err != nil {
		return nothingChanged(err)
	}
	s.say("OctoPrint %s is at %s.", server.Version, s.printer.URL)
	if _, err := s.enrol(ctx); err != nil {
		return err
	}
	if err := s.file.enrol(s.printer.ID, s.printer.APIKey); err != nil {
		return err
	}
	s.say("\n%s has its new key. A running bridge uses it within seconds.", s.printer.ID)
	s.say("If the old one was an application key, remove it in OctoPrint under Settings → Application Keys.")
	return nil
}

// enrollable is renewable for a file that is to be read first.
func enrollable(path string, getenv func(string) (string, bool), id string) error {
	file, err := openConfig(path, getenv)
	if err != nil {
		return err
	}
	return file.renewable(id)
}

// renewable tries whether a printer could be given a key, so that nobody is asked for one
// in vain.
func (f *configFile) renewable(id string) error {
	if err := f.writable(); err != nil {
		return err
	}
	if _, err := editPrinter(f.text, id, keyEdit(id)); err != nil {
		return f.unsafe()
	}
	return nil
}
