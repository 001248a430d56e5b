package octoprint_test

import (
	"context"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// step is something that happens to a printer, and what the handler must be
// told of it, whatever the version.
type step struct {
	name   string
	do     func(b *bench, c *octoprint.Client) error
	phases string // that follow
	prints string // events of prints and errors
	link   string // events of the connection to the printer
}

// deaf is the one command that 2.0.0rc7 accepts from a paused printer and
// then forgets, so there is nothing to be told.
const deaf = "restart"

// life is the story of a printer from its start to its end.
func life() []step {
	const file = "benchy.gcode"
	printIt := func(b *bench, _ *octoprint.Client) error { return b.sim.Print(file) }
	choose := func(b *bench, _ *octoprint.Client) error { return b.sim.Select(file) }
	fail := func(b *bench, _ *octoprint.Client) error { return b.sim.FirmwareError("Thermal Runaway") }
	wait := func(*bench, *octoprint.Client) error { after(time.Minute); return nil }
	send := func(f func(*octoprint.Client, context.Context) error) func(*bench, *octoprint.Client) error {
		return func(b *bench, c *octoprint.Client) error { return f(c, b.t.Context()) }
	}
	start, cancel, restart := send((*octoprint.Client).Start), send((*octoprint.Client).Cancel), send((*octoprint.Client).Restart)
	pause, resume, disconnect := send((*octoprint.Client).Pause), send((*octoprint.Client).Resume), send((*octoprint.Client).Disconnect)
	connect := send(func(c *octoprint.Client, ctx context.Context) error {
		return c.Connect(ctx, octoprint.ConnectOptions{})
	})

	return []step{
		{"select", choose, "", "", ""},
		{"start", start, "starting printing", "PrintStarted", ""},
		{"pause", pause, "pausing paused", "PrintPaused", ""},
		{"pause again", pause, "", "", ""},
		{"resume", resume, "resuming printing", "PrintResumed", ""},
		{"resume again", resume, "", "", ""},
		{"print to the end", wait, "finishing idle", "PrintDone", ""},
		{"print", printIt, "starting printing", "PrintStarted", ""},
		{"cancel", cancel, "cancelling idle", "PrintCancelled PrintFailed(cancelled)", ""},
		{"print once more", printIt, "starting printing", "PrintStarted", ""},
		{"pause it", pause, "pausing paused", "PrintPaused", ""},
		{deaf, restart, "starting printing", "PrintStarted", ""},
		{"firmware error", fail, "error", "Error PrintFailed(error)", "Disconnected"},
		{"connect", connect, "connecting idle", "", "Connected"},
		{"idle error", fail, "error", "Error", "Disconnected"},
		{"connect again", connect, "connecting idle", "", "Connected"},
		{"disconnect", disconnect, "offline", "", "Disconnected"},
		{"connect after that", connect, "connecting idle", "", "Connected"},
	}
}

// TestAllVersionsTellTheSameStory runs a printer's life on every release.
func TestAllVersionsTellTheSameStory(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			bubble(t, octoprinttest.Options{Version: version}, func(b *bench) {
				b.sim.AddFile(octoprinttest.File{Path: "benchy.gcode", PrintTime: 40 * time.Second, FilamentLength: 5000})
				c := b.client("operator")
				s := b.opened(c)
				if got := s.log().phases[0]; got != octoprint.PhaseIdle {
					t.Errorf("at first the printer is %s, want idle", got)
				}
				for _, step := range life() {
					s.forget()
					must(b.t, step.do(b, c))
					after(6 * time.Second)
					if step.name == deaf && version == "2.0.0rc7" {
						step.phases, step.prints = "", ""
					}
					checkStep(t, step, s.log())
				}
				s.stop()
			})
		})
	}
}

func checkStep(t *testing.T, want step, got record) {
	t.Helper()
	for what, pair := range map[string][2]string{
		"phases": {got.story(), want.phases}, "events": {got.plot(), want.prints}, "connections": {got.link(), want.link},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %s %q, want %q", want.name, what, pair[0], pair[1])
		}
	}
	isError := got.state.Phase == octoprint.PhaseError
	if got.state.Problem != isError || isError && got.state.Error != "Thermal Runaway" {
		t.Errorf("%s: problem %v, error %q in the phase %s", want.name, got.state.Problem, got.state.Error, got.state.Phase)
	}
	if connected := len(got.state.Heaters) > 0; connected != got.state.Phase.Connected() {
		t.Errorf("%s: heaters %v in the phase %s", want.name, got.state.Heaters, got.state.Phase)
	}
	if len(got.rejected) > 0 {
		t.Errorf("%s: frames rejected: %v", want.name, got.rejected)
	}
}
