package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"octoprint2mqtt/integration"
)

type discoverCommand struct {
	Config fileName   `arg:"-c" placeholder:"FILE" help:"The configuration file, to tell which are configured already."`
	Add    bool       `help:"Go through those that aren't configured, and add the ones that you want."`
	Wait   searchTime `default:"3s" placeholder:"TIME" help:"How long to wait for answers."`
	Yes    bool       `arg:"-y" help:"With --add: ask nothing, add all of them. Each still needs a click in OctoPrint."`
	MDNS   string     `arg:"hidden" help:"Where to ask instead of the multicast group of mDNS; - for nowhere."`
	SSDP   string     `arg:"hidden" help:"Where to ask instead of the multicast group of SSDP; - for nowhere."`
}

// searchTime is how long to wait for answers.
type searchTime time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *searchTime) UnmarshalText(text []byte) error {
	d, err := duration(0, longestWait, "3s")(string(text))
	*t = searchTime(d)
	return err
}

// Run lists the OctoPrint servers that announce themselves in this network.
func (d *discoverCommand) Run(ctx context.Context, env surroundings) error {
	if d.Add && d.Config == "" {
		return usageError{errors.New("--add needs --config, the file to add to")}
	}
	var printers []integration.PrinterConfig
	if d.Config != "" {
		file, err := openConfig(string(d.Config), env.lookup)
		if err != nil {
			return err
		}
		printers = file.config.Bridge.Printers
	}
	list, err := integration.Search{MDNS: d.MDNS, SSDP: d.SSDP, Wait: time.Duration(d.Wait)}.Run(ctx)
	if err != nil {
		return fmt.Errorf("search the network: %w", err)
	}
	if ctx.Err() != nil {
		return errors.New("interrupted before all could have answered")
	}
	if len(list) == 0 {
		fmt.Fprintln(env.stdout, nobodyAnswered)
		return nil
	}
	found := d.examine(ctx, list, printers)
	for _, f := range found {
		fmt.Fprintln(env.stdout, f.line(string(d.Config)))
	}
	if !d.Add {
		return nil
	}
	return d.addAll(ctx, env, found)
}

// longestWait is more than any server takes to answer.
const longestWait = 5 * time.Minute

const nobodyAnswered = `No OctoPrint has announced itself. That does not mean that there is none:
- its bundled plugin Discovery must be switched on;
- mDNS and SSDP stay within one network: they pass no router, no VLAN, and no
  container that has a network of its own (Docker: network_mode: host);
- many Wi-Fi access points hold them back.
octoprint2mqtt add ADDRESS works all the same.`

// foundServer is a server with what is known of it.
type foundServer struct {
	integration.Announced
	printer string // that it is configured as; empty: none
	problem string // why it can't be used
}

// examine asks each server what it is, and tells which printers they are.
func (d *discoverCommand) examine(ctx context.Context, list []integration.Announced, printers []integration.PrinterConfig) []foundServer {
	found := make([]foundServer, len(list))
	var asking sync.WaitGroup
	for i, a := range list {
		asking.Go(func() {
			f := foundServer{Announced: a, printer: configuredAs(a.Addresses, printers)}
			server, err := integration.Recognize(ctx, integration.PrinterConfig{URL: a.URL})
			switch {
			case err == nil:
				f.Version = server.Version
				if f.printer == "" {
					f.printer = integration.TwinOf(ctx, server, printers)
				}
			case f.printer == "":
				f.problem = strings.TrimSuffix(err.Error(), ".")
			}
			found[i] = f
		})
	}
	asking.Wait()
	return found
}

// configuredAs is the id of the printer that has one of some addresses.
func configuredAs(addresses []*url.URL, printers []integration.PrinterConfig) string {
	for _, p := range printers {
		if slices.ContainsFunc(addresses, func(u *url.URL) bool { return sameServer(u) == sameServer(p.URL) }) {
			return p.ID
		}
	}
	return ""
}

// line is what is shown of a server.
func (f *foundServer) line(config string) string {
	what := "OctoPrint"
	if f.Version != "" {
		what += " " + f.Version
	}
	if f.Name != "" {
		what += fmt.Sprintf(" %q", f.Name)
	}
	switch {
	case f.printer != "":
		what += ", configured as " + f.printer
	case f.problem != "":
		what += ", which can't be used from here: " + f.problem
	case config != "":
		what += ", not configured"
	}
	return fmt.Sprintf("%-32s %s", f.URL, what)
}

// addAll offers to add each server that isn't configured.
func (d *discoverCommand) addAll(ctx context.Context, env surroundings, found []foundServer) error {
	ask := newDialog(env, d.Yes)
	var failed error
	for _, f := range found {
		if f.printer != "" || f.problem != "" {
			continue
		}
		agreed, err := ask.confirm(ctx, fmt.Sprintf("\nAdd %s?", f.URL))
		if err != nil {
			return err
		}
		if !agreed {
			continue
		}
		a := addCommand{configFlag: configFlag{d.Config}, URL: f.URL.String(), Access: accessLevel(integration.AccessControl), Yes: d.Yes}
		if err := a.with(ctx, env, ask); err != nil {
			if ctx.Err() != nil {
				return err
			}
			ask.say("%v", err)
			failed = errors.New("not all were added")
		}
	}
	return failed
}
