package octoprinttest_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"octoprint2mqtt/octoprint/octoprinttest"
)

// The contract suite asks the same of the simulation and of a real OctoPrint with a virtual printer, so that the two
// cannot drift apart. The simulation is always asked, as several releases. A real server is asked as well if
//
//	OCTOPRINT_URL                 is its address, such as http://127.0.0.1:5000, and
//	OCTOPRINT_KEY_ADMIN, _OPERATOR, _READONLY, _STATUSONLY, _NOBODY
//
// are the API keys of five users: one in the groups admins and users, one in users, one in readonly, one with only the
// permission STATUS, and one without any. The server must have nothing but the bundled plugins, one printer profile
// with one extruder, a heated bed and no chamber, and its virtual printer must be reachable. Its printer is connected,
// disconnected, made to fail and to print; files that the suite uploads are deleted again.
func TestContract(t *testing.T) {
	for _, version := range []string{"1.5.3", "1.7.3", "1.8.7", "1.9.3", "1.10.3", "1.11.8", "2.0.0rc7"} {
		t.Run("simulated "+version, func(t *testing.T) {
			for _, check := range contract() {
				t.Run(check.name, func(t *testing.T) {
					bubble(t, octoprinttest.Options{Version: version}, func(_ *octoprinttest.Server, c *client) {
						check.run(c.settled())
					})
				})
			}
		})
	}
	if url := os.Getenv("OCTOPRINT_URL"); url != "" {
		t.Run("real", func(t *testing.T) {
			for _, check := range contract() {
				t.Run(check.name, func(t *testing.T) {
					check.run(realClient(t, url).settled())
				})
			}
		})
	}
}

type check struct {
	name string
	run  func(c *client)
}

// contract lists the checks. Each finds a connected, idle printer without a selected file.
func contract() []check {
	var all []check
	for _, some := range [][]check{accessChecks(), commandChecks(), printChecks(), lossChecks(), socketChecks(), fileChecks()} {
		all = append(all, some...)
	}
	return all
}

func realClient(t *testing.T, url string) *client {
	t.Helper()
	keys := map[string]string{}
	for _, u := range octoprinttest.DefaultUsers() {
		keys[u.Name] = os.Getenv("OCTOPRINT_KEY_" + strings.ToUpper(u.Name))
	}
	// Releases such as 1.8 close a connection after an answer to GET without saying so.
	transport := &http.Transport{DisableKeepAlives: true}
	return &client{
		t: t, base: strings.TrimSuffix(url, "/"), keys: keys,
		http: &http.Client{Transport: transport, Timeout: 30 * time.Second, CheckRedirect: stay},
	}
}

// since says whether the server is at least of a release.
func (c *client) since(major, minor int) bool {
	if c.release == "" {
		c.release, _ = c.get("/api/version", "admin").at("server").(string)
	}
	var a, b int
	fmt.Sscanf(c.release, "%d.%d", &a, &b)
	return a > major || a == major && b >= minor
}

// settled brings the server to where every check begins.
func (c *client) settled() *client {
	c.t.Helper()
	s := c.open()
	s.say(c.login("admin"))
	text, _ := s.untilKind("history").at("state", "text").(string)
	switch {
	case strings.HasPrefix(text, "Offline"):
		c.post("/api/connection", "admin", `{"command":"connect","port":"VIRTUAL"}`, 204)
		s.untilEvent("Connected")
	case text != "Operational":
		c.post("/api/job", "admin", `{"command":"cancel"}`, 204)
		s.untilText("Operational")
	}
	s.close()
	switch selected := c.get("/api/job", "admin").at("job", "file", "name") != nil; {
	case selected && !c.since(1, 7):
		s := c.joined("admin")
		c.post("/api/connection", "admin", `{"command":"disconnect"}`, 204)
		s.untilText("Offline")
		s.close()
		return c.settled()
	case selected:
		c.post("/api/files/local/current", "admin", `{"command":"unselect"}`, 204)
	}
	return c
}

// want is one request and the status that answers it. Releases before 1.6 have other words for most errors.
type want struct {
	method, path, user, body string
	status                   int
	text                     string // part of the body, "" for any
}

func (c *client) expect(wants ...want) {
	c.t.Helper()
	for _, w := range wants {
		r := c.do(w.method, w.path, w.user, w.body)
		if r.status != w.status || c.since(1, 6) && !strings.Contains(r.text, w.text) {
			c.t.Errorf("%s %s %s as %q: %d %s; want %d with %q", w.method, w.path, w.body, w.user, r.status, r.text, w.status, w.text)
		}
	}
}

// same compares by what would be printed, which is kind to numbers.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}
