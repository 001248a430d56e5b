package octoprint_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

func TestGlobalKeyIsRefused(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		bubble(t, octoprinttest.Options{Version: version, GlobalKey: "global-key"}, func(b *bench) {
			err, _ := b.serve(b.client("global")).failure(time.Second)
			wantFailure(t, err, octoprint.GlobalKey)
		})
	}
}

func TestWrongUser(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		c := b.clientWith(octoprint.Options{APIKey: "operator-key", User: "bridge"})
		err, _ := b.serve(c).failure(time.Second)
		wantFailure(t, err, octoprint.WrongUser)
		if text := err.Error(); !strings.Contains(text, `"operator"`) || !strings.Contains(text, `"bridge"`) {
			t.Errorf("the error doesn't name both users: %v", err)
		}
		b.opened(b.clientWith(octoprint.Options{APIKey: "operator-key", User: "operator"})).stop()
	})
}

func TestInfoOfAUser(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		bubble(t, octoprinttest.Options{Version: version, Prefix: "/octo/print"}, func(b *bench) {
			i, err := b.client("readonly").Identify(b.t.Context())
			must(b.t, err)
			if i.Version != version || i.User != "readonly" || !slices.IsSorted(i.Permissions) {
				t.Errorf("info %+v", i)
			}
			if !i.May(octoprint.PermissionStatus) || i.May(octoprint.PermissionPrint) || i.May(octoprint.PermissionControl) || i.May(octoprint.PermissionConnection) {
				t.Errorf("permissions %v", i.Permissions)
			}
		})
	}
}

func TestNotPermittedCommand(t *testing.T) {
	t.Parallel()
	bubble(t, octoprinttest.Options{}, func(b *bench) {
		c := b.client("readonly")
		b.sim.AddFile(octoprinttest.File{Path: "a.gcode"})
		must(b.t, b.sim.Print("a.gcode"))
		after(time.Second)
		wantFailure(t, c.Cancel(b.t.Context()), octoprint.NotPermitted)
		wantFailure(t, c.SetTarget(b.t.Context(), "bed", 1), octoprint.NotPermitted)
		wantFailure(t, c.Disconnect(b.t.Context()), octoprint.NotPermitted)
		wantFailure(t, c.EmergencyStop(b.t.Context()), octoprint.NotPermitted)
	})
}

// TestLegacyOwner: a server before 1.4 doesn't say whose key it is.
func TestLegacyOwner(t *testing.T) {
	t.Parallel()
	user := func(name string, groups ...string) octoprinttest.User {
		return octoprinttest.User{Name: name, Key: name + "-key", Groups: groups}
	}
	for name, c := range map[string]struct {
		users []octoprinttest.User
		key   string
		want  string
	}{
		"octofarm":             {[]octoprinttest.User{user("boss", "admins"), user("octofarm", "admins")}, "octofarm", "octofarm"},
		"OctoFarm in any case": {[]octoprinttest.User{user("boss", "admins"), user("OctoFARM", "users")}, "boss", "OctoFARM"},
		"first administrator":  {[]octoprinttest.User{user("guest", "users"), user("boss", "admins"), user("chief", "admins")}, "boss", "boss"},
		"almost octofarm":      {[]octoprinttest.User{user("octofarms", "users"), user("boss", "admins")}, "boss", "boss"},
		"nobody fits":          {[]octoprinttest.User{user("one", "users"), user("two", "users")}, "one", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, octoprinttest.Options{Version: "1.3.12", Users: c.users}, func(b *bench) {
				i, err := b.client(c.key).Identify(b.t.Context())
				if c.want == "" {
					wantFailure(t, err, octoprint.WrongUser)
					return
				}
				must(b.t, err)
				if i.User != c.want || i.Version != "1.3.12" || i.Permissions != nil || !i.May("ANYTHING") {
					t.Errorf("info %+v, want the user %s with no known permissions", i, c.want)
				}
				if c.key == c.want {
					b.opened(b.client(c.key)).stop()
				}
			})
		})
	}
}

// TestOwnerIsNotGuessed: where OctoPrint says whose key it is, nobody asks for
// the list of users.
func TestOwnerIsNotGuessed(t *testing.T) {
	t.Parallel()
	users := append(octoprinttest.DefaultUsers(), octoprinttest.User{Name: "octofarm", Key: "octofarm-key", Groups: []string{"admins"}})
	for _, version := range versions() {
		bubble(t, octoprinttest.Options{Version: version, Users: users}, func(b *bench) {
			i, err := b.client("operator").Identify(b.t.Context())
			must(b.t, err)
			if i.User != "operator" || slices.Contains(b.paths(), "GET /api/users") {
				t.Errorf("the owner is %s, by %v", i.User, b.paths())
			}
		})
	}
}

// TestPathPrefix: requests, the push session and commands go below the path of the
// server's URL, as behind a reverse proxy.
func TestPathPrefix(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		bubble(t, octoprinttest.Options{Version: version, Prefix: "/octo/print"}, func(b *bench) {
			c := b.client("operator")
			s := b.opened(c)
			must(b.t, c.SetTarget(b.t.Context(), "bed", 40))
			after(5 * time.Second)
			if target := s.log().state.Heaters["bed"].Target; target == nil || *target != 40 {
				t.Errorf("%s: the session tells a target of %v", version, target)
			}
			s.stop()
		})
	}
}
