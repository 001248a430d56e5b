package octoprint_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestFiles: what every release lists, of all folders, the newest first.
func TestFiles(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		bubble(t, octoprinttest.Options{Version: version}, func(b *bench) {
			day := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
			b.sim.AddFile(octoprinttest.File{Path: "old.gcode", Size: 1000, Date: day})
			b.sim.AddFile(octoprinttest.File{Path: "parts/a & b/ünï#%.gcode", Name: "Nice name", Size: 2000, Date: day.Add(time.Hour)})
			b.sim.AddFile(octoprinttest.File{Path: "parts/new.gcode", Size: 3000, Date: day.Add(2 * time.Hour)})
			c := b.client("readonly")
			files, err := c.Files(b.t.Context())
			must(b.t, err)
			var got []string
			for _, f := range files {
				got = append(got, fmt.Sprintf("%s:%s (%d)", f.Origin, f.Path, f.Size))
			}
			want := "local:parts/new.gcode (3000), local:parts/a & b/ünï#%.gcode (2000), local:old.gcode (1000)"
			if strings.Join(got, ", ") != want {
				t.Errorf("%s: %q", version, got)
			}
			if files[0].Date.Unix() != day.Add(2*time.Hour).Unix() || files[1].Display == "" {
				t.Errorf("%s: %+v", version, files)
			}

			wantFailure(t, c.Select(b.t.Context(), octoprint.OriginLocal, "old.gcode"), octoprint.NotPermitted)
			c = b.client("operator")
			must(b.t, c.Select(b.t.Context(), files[1].Origin, files[1].Path))
			must(b.t, c.Print(b.t.Context(), octoprint.OriginLocal, "parts/new.gcode"))
			wantFailure(t, c.Delete(b.t.Context(), "parts/new.gcode"), octoprint.Conflict)
			must(b.t, c.Delete(b.t.Context(), "old.gcode"))
			wantFailure(t, c.Delete(b.t.Context(), "old.gcode"), octoprint.Refused)
			wantFailure(t, c.Print(b.t.Context(), octoprint.OriginLocal, "parts/new.gcode"), octoprint.Conflict)
		})
	}
}

// TestUpload: the path that a file has got may be another than was asked for.
func TestUpload(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		c := b.client("operator")
		path, printing, err := c.Upload(b.t.Context(), "new.gcode", []byte("G28\n"), false)
		if err != nil || path != "new.gcode" || printing {
			t.Errorf("%q, %v, %v", path, printing, err)
		}
		path, printing, err = c.Upload(b.t.Context(), "next.gcode", []byte("G28\n"), true)
		if err != nil || path != "next.gcode" || !printing {
			t.Errorf("%q, %v, %v", path, printing, err)
		}
		_, _, err = c.Upload(b.t.Context(), "picture.jpg", []byte("x"), false)
		wantFailure(t, err, octoprint.Refused)
		_, _, err = b.client("readonly").Upload(b.t.Context(), "new.gcode", []byte("G28\n"), false)
		wantFailure(t, err, octoprint.NotPermitted)
	})
}

// TestSystemCommands: what is listed can be run, and a failure says why.
func TestSystemCommands(t *testing.T) {
	t.Parallel()
	o := octoprinttest.Options{SystemCommands: []octoprinttest.SystemCommand{
		{Action: "lamp_on", Name: "Lamp on"}, {Action: "divider"}, {Action: "fails", Name: "Fails", Error: "no such lamp"},
	}}
	bubble(t, o, func(b *bench) {
		c := b.client("admin")
		list, err := c.SystemCommands(b.t.Context())
		must(b.t, err)
		var custom []string
		for _, s := range list {
			if s.Source == "custom" {
				custom = append(custom, s.Action+": "+s.Name)
			}
		}
		if strings.Join(custom, ", ") != "lamp_on: Lamp on, fails: Fails" || len(list) == len(custom) {
			t.Errorf("listed: %+v", list)
		}
		must(b.t, c.RunSystemCommand(b.t.Context(), "custom", "lamp_on"))
		err = c.RunSystemCommand(b.t.Context(), "custom", "fails")
		wantFailure(t, err, octoprint.ServerFailed)
		if !strings.Contains(err.Error(), "no such lamp") {
			t.Errorf("it does not say why: %v", err)
		}
		wantFailure(t, c.RunSystemCommand(b.t.Context(), "custom", "nothing"), octoprint.Refused)
		_, err = b.client("operator").SystemCommands(b.t.Context())
		wantFailure(t, err, octoprint.NotPermitted)
	})
}

// TestSenselessCommandsAreNotSent: what OctoPrint would answer with a failure of its
// own, or take for something else.
func TestSenselessCommandsAreNotSent(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		c := b.client("operator")
		wantFailure(t, c.Jog(b.t.Context(), octoprint.Move{Speed: 100}), octoprint.Refused)
		wantFailure(t, c.Gcode(b.t.Context()), octoprint.Refused)
		wantFailure(t, c.Gcode(b.t.Context(), "G28", "M117 Hello\nM112"), octoprint.Refused)
		if n := len(b.sim.Requests()); n > 0 {
			t.Errorf("%d requests", n)
		}
	})
}
