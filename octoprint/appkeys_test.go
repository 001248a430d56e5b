package octoprint_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestApplicationKey: asked for, granted, fetched once, and good.
func TestApplicationKey(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		bubble(t, octoprinttest.Options{Version: version, Prefix: "/octo"}, func(b *bench) {
			ctx := b.t.Context()
			c := b.clientWith(octoprint.Options{})
			must(b.t, c.ProbeKeys(ctx))
			r, err := c.RequestKey(ctx, "octoprint2mqtt on a test", "")
			must(b.t, err)
			old := version == "1.5.3" || version == "1.7.3"
			if (r.Dialog == nil) != old || !old && !strings.HasPrefix(r.Dialog.String(), "http://octopi.local/octo/plugin/appkeys/auth/") {
				t.Errorf("%s: the dialog is at %v", version, r.Dialog)
			}
			for range 20 {
				if key, err := c.PollKey(ctx, r); key != "" || err != nil {
					t.Fatalf("%s: %q, %v", version, key, err)
				}
				after(octoprint.KeyPollInterval)
			}
			must(b.t, b.sim.DecideKey("operator", true))
			key, err := c.PollKey(ctx, r)
			must(b.t, err)
			granted := b.clientWith(octoprint.Options{APIKey: key})
			if info, err := granted.Identify(ctx); err != nil || info.User != "operator" {
				t.Errorf("%s: %+v, %v", version, info, err)
			}
			if own, err := granted.OwnKey(ctx); own || err != nil {
				t.Errorf("%s: the application key is the user's own: %t, %v", version, own, err)
			}
			if own, err := b.client("operator").OwnKey(ctx); !own || err != nil {
				t.Errorf("%s: the user's key is the user's own: %t, %v", version, own, err)
			}
			if _, err := c.PollKey(ctx, r); !errors.Is(err, octoprint.ErrKeyRequestGone) {
				t.Errorf("%s: a second time: %v", version, err)
			}
		})
	}
}

// TestApplicationKeyForAUser: nobody else can grant it.
func TestApplicationKeyForAUser(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		c := b.clientWith(octoprint.Options{})
		r, err := c.RequestKey(b.t.Context(), "x", "operator")
		must(b.t, err)
		if err := b.sim.DecideKey("admin", true); !errors.Is(err, octoprinttest.ErrNoRequest) {
			t.Errorf("another user decides: %v", err)
		}
		must(b.t, b.sim.DecideKey("operator", true))
		if key, err := c.PollKey(b.t.Context(), r); key == "" || err != nil {
			t.Errorf("%q, %v", key, err)
		}
	})
}

// TestNoApplicationKey: what may come instead of a key.
func TestNoApplicationKey(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		ctx := b.t.Context()
		c := b.clientWith(octoprint.Options{})
		denied, err := c.RequestKey(ctx, "x", "")
		must(b.t, err)
		must(b.t, b.sim.DecideKey("operator", false))
		lapsed, err := c.RequestKey(ctx, "x", "")
		must(b.t, err)
		after(octoprint.KeyRequestLapse + time.Second)
		for _, r := range []octoprint.KeyRequest{denied, lapsed} {
			if key, err := c.PollKey(ctx, r); key != "" || !errors.Is(err, octoprint.ErrKeyRequestGone) {
				t.Errorf("%q, %v", key, err)
			}
		}
		_, err = c.RequestKey(ctx, "x", "")
		must(b.t, err)
		_, err = c.RequestKey(ctx, "x", "")
		wantFailure(t, err, octoprint.RateLimited)
		b.sim.SetProxyPage(502, "")
		_, err = c.PollKey(ctx, lapsed)
		wantFailure(t, err, octoprint.Starting)
		if strings.Contains(err.Error(), "auth") || !strings.HasPrefix(err.Error(), "GET /plugin/appkeys/request/: ") {
			t.Errorf("the token is in the error: %v", err)
		}
	})
}

// TestNoKeyRequests: a server that knows nothing of application keys.
func TestNoKeyRequests(t *testing.T) {
	t.Parallel()
	without := func(sim http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/plugin/appkeys/") {
				http.NotFound(w, r)
				return
			}
			sim.ServeHTTP(w, r)
		})
	}
	bubbleBehind(t, octoprinttest.Options{}, without, func(b *bench) {
		c := b.clientWith(octoprint.Options{})
		if err := c.ProbeKeys(b.t.Context()); !errors.Is(err, octoprint.ErrNoKeyRequests) {
			t.Errorf("probe: %v", err)
		}
		if _, err := c.RequestKey(b.t.Context(), "x", ""); !errors.Is(err, octoprint.ErrNoKeyRequests) {
			t.Errorf("request: %v", err)
		}
	})
}

// TestProbeOfSomethingElse: whatever answers everything with a page, such as a router,
// is no OctoPrint that hands out keys.
func TestProbeOfSomethingElse(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		b.sim.SetProxyPage(http.StatusOK, "<html>Router")
		if err := b.clientWith(octoprint.Options{}).ProbeKeys(b.t.Context()); !errors.Is(err, octoprint.NotOctoPrint) {
			t.Errorf("probe: %v", err)
		}
	})
}
