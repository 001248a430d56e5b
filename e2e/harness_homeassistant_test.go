//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// homeAssistant is the running Home Assistant, used through its REST interface
// and, where that doesn't reach, through hactl.py.
type homeAssistant struct {
	url, folder, token, log string
	client                  http.Client
}

// entityState is a state as Home Assistant shows it.
type entityState struct {
	EntityID   string         `json:"entity_id"`
	State      string         `json:"state"`
	Attributes map[string]any `json:"attributes"`
}

// registeredEntity is an entry of the entity registry.
type registeredEntity struct {
	EntityID   string `json:"entity_id"`
	UniqueID   string `json:"unique_id"`
	Platform   string `json:"platform"`
	DeviceID   string `json:"device_id"`
	DisabledBy string `json:"disabled_by"`
}

func newHomeAssistant(s servers) *homeAssistant {
	h := s.HomeAssistant
	return &homeAssistant{url: h.URL, folder: h.Folder, token: h.Token, log: h.Log, client: http.Client{Timeout: 20 * time.Second}}
}

func (h *homeAssistant) do(method, path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, h.url+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+h.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := h.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, content)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(content, answer)
}

// call calls a service as an automation or a dashboard would.
func (h *homeAssistant) call(t *testing.T, service string, data map[string]any) {
	t.Helper()
	domain, name, _ := strings.Cut(service, ".")
	if err := h.do(http.MethodPost, "/api/services/"+domain+"/"+name, data, nil); err != nil {
		t.Fatal(err)
	}
}

func (h *homeAssistant) press(t *testing.T, entityID string) {
	t.Helper()
	h.waitUsable(t, entityID)
	h.call(t, "button.press", map[string]any{"entity_id": entityID})
}

func (h *homeAssistant) setNumber(t *testing.T, entityID string, value float64) {
	t.Helper()
	h.waitUsable(t, entityID)
	h.call(t, "number.set_value", map[string]any{"entity_id": entityID, "value": value})
}

// states returns all states by entity id.
func (h *homeAssistant) states(t *testing.T) map[string]entityState {
	t.Helper()
	var list []entityState
	must(t, h.do(http.MethodGet, "/api/states", nil, &list))
	states := make(map[string]entityState, len(list))
	for _, state := range list {
		states[state.EntityID] = state
	}
	return states
}

// waitFor waits until an entity's state passes a check.
func (h *homeAssistant) waitFor(t *testing.T, entityID, what string, check func(entityState) bool) entityState {
	t.Helper()
	var state entityState
	eventually(t, fmt.Sprintf("Home Assistant: %s %s", entityID, what), soon, func() (bool, string) {
		state = entityState{}
		err := h.do(http.MethodGet, "/api/states/"+entityID, nil, &state)
		if err != nil {
			return false, err.Error()
		}
		return check(state), fmt.Sprintf("%q %v", state.State, state.Attributes)
	})
	return state
}

func (h *homeAssistant) waitState(t *testing.T, entityID, wanted string) {
	t.Helper()
	h.waitFor(t, entityID, "is "+wanted, func(s entityState) bool { return s.State == wanted })
}

func (h *homeAssistant) waitUsable(t *testing.T, entityID string) {
	t.Helper()
	h.waitFor(t, entityID, "is available", func(s entityState) bool { return s.State != "unavailable" })
}

// hactl runs a command of hactl.py and decodes its output.
func (h *homeAssistant) hactl(t *testing.T, answer any, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	cmd := exec.CommandContext(ctx, "python3", append([]string{"homeassistant/hactl.py"}, args...)...)
	cmd.Env = append(os.Environ(), "HA_DIR="+h.folder, "HA_URL="+h.url)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("hactl.py %v: %v\n%s", args, err, complaints.String())
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatalf("hactl.py %v: %v\n%s", args, err, out)
	}
}

// entities returns the registry's entries for MQTT by unique id.
func (h *homeAssistant) entities(t *testing.T) map[string]registeredEntity {
	t.Helper()
	var list []registeredEntity
	h.hactl(t, &list, "ws", `{"type":"config/entity_registry/list"}`)
	entities := map[string]registeredEntity{}
	for _, entity := range list {
		if entity.Platform == "mqtt" {
			entities[entity.UniqueID] = entity
		}
	}
	return entities
}

// reloadMQTT makes Home Assistant forget and read again everything about MQTT.
func (h *homeAssistant) reloadMQTT(t *testing.T) {
	t.Helper()
	var entries []struct {
		ID     string `json:"entry_id"`
		Domain string
	}
	must(t, h.do(http.MethodGet, "/api/config/config_entries/entry", nil, &entries))
	for _, entry := range entries {
		if entry.Domain == "mqtt" {
			must(t, h.do(http.MethodPost, "/api/config/config_entries/entry/"+entry.ID+"/reload", map[string]any{}, nil))
		}
	}
}

// logMark is a position in Home Assistant's log file.
func (h *homeAssistant) logMark(t *testing.T) int64 {
	t.Helper()
	info, err := os.Stat(h.log)
	must(t, err)
	return info.Size()
}

// complaints returns the warnings and errors that Home Assistant has logged
// since the mark and that concern MQTT or something called as given.
func (h *homeAssistant) complaints(t *testing.T, mark int64, names ...string) []string {
	t.Helper()
	text, err := os.ReadFile(h.log)
	must(t, err)
	var found []string
	for line := range strings.Lines(string(text[min(mark, int64(len(text))):])) {
		if !strings.Contains(line, " WARNING ") && !strings.Contains(line, " ERROR ") && !strings.Contains(line, " CRITICAL ") {
			continue
		}
		if strings.Contains(line, "[homeassistant.util.logging]") {
			continue // it counts lines, of which there are so many only because the suite asks for those of level info
		}
		for _, name := range append(names, "mqtt") {
			if strings.Contains(line, name) {
				found = append(found, strings.TrimSpace(line))
				break
			}
		}
	}
	return found
}
