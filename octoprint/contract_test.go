package octoprint_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
)

// TestAgainstARealServer has a session watch a real OctoPrint with a virtual
// printer while the printer is disconnected, connected and heated. It runs with
// the variables of the simulation's contract suite, OCTOPRINT_URL and
// OCTOPRINT_KEY_OPERATOR; without them it checks that an empty address is refused.
func TestAgainstARealServer(t *testing.T) {
	address := os.Getenv("OCTOPRINT_URL")
	if address == "" {
		_, err := octoprint.NewClient(octoprint.Options{URL: parse(t, "")}).Identify(t.Context())
		wantFailure(t, err, octoprint.Unreachable)
		return
	}
	c := octoprint.NewClient(octoprint.Options{URL: parse(t, address), APIKey: os.Getenv("OCTOPRINT_KEY_OPERATOR")})
	r := &recorder{t: t}
	var serving sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	serving.Go(func() {
		if err := c.Serve(ctx, r); err != nil {
			t.Errorf("the session ended: %v", err)
		}
	})
	defer serving.Wait()
	defer cancel()

	until(t, "the session is open", func() bool { return r.log().opened == 1 })
	info := r.log().info
	if !info.May(octoprint.PermissionControl) || info.Profile == nil || !slices.Equal(info.Profile.Heaters, []string{"tool0", "bed"}) {
		t.Errorf("info %+v", info)
	}
	if r.log().state.Phase != octoprint.PhaseIdle {
		must(t, c.Connect(ctx, octoprint.ConnectOptions{Port: "VIRTUAL"}))
		until(t, "the printer is idle", func() bool { return r.log().state.Phase == octoprint.PhaseIdle })
	}
	must(t, c.Disconnect(ctx))
	until(t, "the printer is off", func() bool { return r.log().state.Phase == octoprint.PhaseOffline })
	if heaters := r.log().state.Heaters; len(heaters) != 0 {
		t.Errorf("heaters of a printer that is off: %v", heaters)
	}
	r.forget()
	must(t, c.Connect(ctx, octoprint.ConnectOptions{Port: "VIRTUAL"}))
	until(t, "it is idle again", func() bool { return r.log().state.Phase == octoprint.PhaseIdle })
	if got := r.log().story(); !strings.HasSuffix(got, "connecting idle") {
		t.Errorf("phases %q", got)
	}
	if err := c.Connect(ctx, octoprint.ConnectOptions{}); !errors.Is(err, octoprint.Conflict) {
		t.Errorf("connecting twice: %v", err)
	}
	must(t, c.SetTarget(ctx, "bed", 40))
	until(t, "the bed has its target", func() bool {
		bed := r.log().state.Heaters["bed"]
		return bed.Target != nil && *bed.Target == 40
	})
	must(t, c.SetTarget(ctx, "bed", 0))
	if rejected := r.log().rejected; len(rejected) > 0 {
		t.Errorf("frames rejected: %v", rejected)
	}
}

// until polls a condition of a real server, which has its own pace.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}
