package octoprint_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"octoprint2mqtt/octoprint"
	"octoprint2mqtt/octoprint/octoprinttest"
)

// TestSetTargets sets what it can, with one request for all tools, also where a
// heater is refused.
func TestSetTargets(t *testing.T) {
	t.Parallel()
	profile := octoprinttest.Profile{Extruders: 2, HeatedBed: true}
	for _, version := range versions() {
		bubble(t, octoprinttest.Options{Version: version, Profile: profile}, func(b *bench) {
			c := b.client("operator")
			wantFailure(t, c.SetTargets(b.t.Context(), map[string]float64{"chamber": 40, "tool0": 200, "tool1": 210, "bed": 60}), octoprint.Conflict)
			var got []string
			for _, r := range b.sim.Requests() {
				if r.Method == http.MethodPost && strings.HasPrefix(r.Path, "/api/printer/") {
					got = append(got, fmt.Sprintf("%s %s", r.Path, r.Body))
				}
			}
			want := []string{
				`/api/printer/bed {"command":"target","target":60}`, `/api/printer/chamber {"command":"target","target":40}`,
				`/api/printer/tool {"command":"target","targets":{"tool0":200,"tool1":210}}`,
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("%s: sent\n%s", version, strings.Join(got, "\n"))
			}
			must(b.t, c.SetTargets(b.t.Context(), map[string]float64{"bed": 0}))
			must(b.t, c.SetTargets(b.t.Context(), nil))
		})
	}
}
