package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/rs/zerolog"

	"octoprint2mqtt/integration"
)

type configFlag struct {
	Config fileName `arg:"required,-c" placeholder:"FILE" help:"The configuration file; config.example.yaml explains all of it."`
}

// fileName is never the empty name that a script gives by $FILE where that isn't set.
type fileName string

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *fileName) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("is empty; give the name of the configuration file")
	}
	*n = fileName(text)
	return nil
}

// load reads the configuration and fills in what only the program knows.
func (f configFlag) load(env surroundings) (Config, error) {
	c, err := loadConfig(string(f.Config), env.lookup)
	c.Bridge.Version = version()
	c.Bridge.HTTP.Hosts = append(c.Bridge.HTTP.Hosts, ownNames()...)
	return c, err
}

type runCommand struct{ configFlag }

// garbage is how much may lie about before it is collected, in percent of what is
// in use. Programs usually wait for 100: that would take twice the memory and spare
// a tenth of the CPU time; docs/performance.md has the figures.
const garbage = 30

// Run serves until the context ends.
func (r *runCommand) Run(ctx context.Context, env surroundings) error {
	if _, set := env.lookup("GOGC"); !set {
		debug.SetGCPercent(garbage)
	}
	for {
		err := r.serve(ctx, env)
		if !errors.Is(err, integration.ErrRestart) {
			return err
		}
	}
}

// serve runs the bridge once, with the configuration as it is now.
func (r *runCommand) serve(ctx context.Context, env surroundings) error {
	c, err := r.load(env)
	if err != nil {
		return err
	}
	log, level := newLogger(c.Log, env.stderr, isTerminal(env.stderr))
	log.Info().Str("version", c.Bridge.Version).Int("printers", len(c.Bridge.Printers)).Msg("octoprint2mqtt starts")
	warn(log, c.Warnings)
	h := newHost(c, level, func() (Config, error) { return r.load(env) })
	h.edit = func(e integration.Edit) error { return edit(string(r.Config), env.lookup, e) }
	h.enrollable = func(id string) error { return enrollable(string(r.Config), env.lookup, id) }
	defer h.watch(ctx, env.hangup)()
	c.Bridge.Host = h.forBridge(log)
	return integration.New(c.Bridge, log).Run(ctx)
}

func warn(log zerolog.Logger, warnings []string) {
	for _, w := range warnings {
		log.Warn().Msg(w)
	}
}

type purgeCommand struct{ configFlag }

// Run removes everything from the broker that the bridge ever retained there.
func (p *purgeCommand) Run(ctx context.Context, env surroundings) error {
	c, err := p.load(env)
	if err != nil {
		return err
	}
	n, err := integration.Purge(ctx, c.Bridge)
	if err == nil {
		fmt.Fprintf(env.stdout, "removed %d topics of %s from %s\n", n, c.Bridge.MQTT.BaseTopic, c.Bridge.MQTT.URL.Host)
	}
	return err
}

type asyncAPICommand struct{}

// Run prints the MQTT contract for programs.
func (asyncAPICommand) Run(_ context.Context, env surroundings) error {
	_, err := env.stdout.Write(integration.AsyncAPI())
	return err
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(_ context.Context, env surroundings) error {
	_, err := fmt.Fprintln(env.stdout, "octoprint2mqtt", version())
	return err
}

// version is the module's version where the program was built from a release,
// else the commit that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}

// isTerminal reports whether a person watches.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
