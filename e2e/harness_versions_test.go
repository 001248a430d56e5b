//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"
)

// version is a running OctoPrint server of one version.
type version struct {
	t      *testing.T // that has the server do something
	name   string
	server octoPrintServer
}

// startVersion starts a server of a version from nothing; it is stopped when the test ends.
func startVersion(t *testing.T, name string) version {
	t.Helper()
	port := strconv.Itoa(anyServers(t).VersionPort)
	t.Cleanup(func() { runServers(t, "octoprint-down", port) })
	runServers(t, "octoprint-up", port, name, "--fresh")
	text, err := os.ReadFile(inCache(t, "octoprint", "servers", port, "server.json"))
	must(t, err)
	v := version{t: t, name: name}
	must(t, json.Unmarshal(text, &v.server))
	return v
}

// with returns the same server for a part of the test.
func (v version) with(t *testing.T) version {
	t.Helper()
	v.t = t
	return v
}

// left starts a bridge for the server as the printer "left", by a user's key; change may change the configuration and the
// printer before. No Home Assistant looks on.
func (v version) left(user string, change func(*farm)) *farm {
	v.t.Helper()
	return newFarmWith(v.t, nil, func(f *farm) {
		if user != "" {
			f.config.Printers[0].APIKey = v.server.Keys[user]
		}
		if change != nil {
			change(f)
		}
	}, map[string]octoPrintServer{"left": v.server}, "left")
}
