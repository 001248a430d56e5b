package octoprinttest

import (
	"maps"
	"net/http"
	"strings"
)

// pluginSettings are the settings of all plugins, some of the bundled ones' among them.
func (s *Server) pluginSettings() object {
	all := object{"classicwebcam": object{"stream": s.options.StreamURL, "snapshot": s.options.SnapshotURL}}
	if s.release.hasPermissions() {
		all[promptID] = object{"command": "M876", "enable": "always", "enable_emergency_sending": true, "enable_signal_support": true}
	}
	if s.release.atLeast(5) {
		all[notificationID] = object{"enable": true, "enable_popups": false, "filter": ""}
	}
	for id, p := range s.options.Plugins {
		all[id] = p.Settings
		if p.Settings == nil {
			all[id] = object{}
		}
	}
	return all
}

// plugin finds the plugin that a request is for.
func (c *call) plugin() (Plugin, bool) {
	for _, below := range []string{"/api/plugin/", "/plugin/"} {
		if rest, ok := strings.CutPrefix(c.path, below); ok {
			id, _, _ := strings.Cut(rest, "/")
			p, ok := c.s.options.Plugins[id]
			return p, ok && p.Serve != nil
		}
	}
	return Plugin{}, false
}

func (c *call) askPlugin(p Plugin) response {
	q := PluginRequest{Method: c.r.Method, Path: c.path, Body: c.body}
	if !c.user.isGuest() {
		q.User = c.user.Name
	}
	status, answer := p.Serve(q)
	switch a := answer.(type) {
	case nil:
		return response{status: status}
	case []byte:
		return response{status: status, kind: http.DetectContentType(a), body: a}
	}
	r := ok(answer)
	r.status = status
	return r
}

// SetPlugin installs a plugin, changes it, or with nil removes it, and tells clients that the settings have changed.
func (s *Server) SetPlugin(id string, p *Plugin) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Plugins = maps.Clone(s.options.Plugins)
	if s.options.Plugins == nil {
		s.options.Plugins = make(map[string]Plugin)
	}
	delete(s.options.Plugins, id)
	if p != nil {
		s.options.Plugins[id] = *p
	}
	s.settingsChanged()
}

// settingsChanged tells clients that the settings are others.
func (s *Server) settingsChanged() {
	s.changes++
	s.emit("SettingsUpdated", object{"config_hash": s.configHash(), "effective_hash": s.configHash()})
}

// Emit fires an event of a name and payload at every socket that may see and wants it, as a plugin would.
func (s *Server) Emit(name string, payload any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.emit(name, payload)
}

// SetPresets replaces the temperature presets and tells clients that the settings have changed.
func (s *Server) SetPresets(presets ...Preset) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Presets = presets
	s.settingsChanged()
}
