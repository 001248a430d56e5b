package octoprinttest

import (
	"slices"
	"strings"
)

// permission is one right of OctoPrint's access control.
type permission struct {
	key, name string
	dangerous bool
	// groups have it by default.
	groups string
	// roles are what a user with it is said to need; empty for the key in lower case.
	roles  string
	plugin string
}

// permissions are those of an installation with only the bundled plugins, in OctoPrint's order.
func permissions() []permission {
	return []permission{
		{key: "ADMIN", name: "Admin", dangerous: true, groups: "admins"},
		{key: "STATUS", name: "Status", groups: "users readonly"},
		{key: "CONNECTION", name: "Connection", groups: "users"},
		{key: "WEBCAM", name: "Webcam", groups: "users readonly"},
		{key: "SYSTEM", name: "System", dangerous: true},
		{key: "FILES_LIST", name: "File List", groups: "users readonly"},
		{key: "FILES_UPLOAD", name: "File Upload", groups: "users"},
		{key: "FILES_DOWNLOAD", name: "File Download", groups: "users readonly"},
		{key: "FILES_DELETE", name: "File Delete", groups: "users"},
		{key: "FILES_SELECT", name: "File Select", groups: "users"},
		{key: "PRINT", name: "Print", groups: "users"},
		{key: "GCODE_VIEWER", name: "GCODE viewer", groups: "users readonly", roles: "gcodeviewer"},
		{key: "MONITOR_TERMINAL", name: "Terminal", groups: "users readonly"},
		{key: "CONTROL", name: "Control", groups: "users"},
		{key: "SLICE", name: "Slice", groups: "users"},
		{key: "TIMELAPSE_LIST", name: "Timelapse List", groups: "users readonly"},
		{key: "TIMELAPSE_DOWNLOAD", name: "Timelapse Download", groups: "users readonly"},
		{key: "TIMELAPSE_DELETE", name: "Timelapse Delete", groups: "users"},
		{key: "TIMELAPSE_MANAGE_UNRENDERED", name: "Timelapse Manage Unrendered", groups: "users"},
		{key: "TIMELAPSE_ADMIN", name: "Timelapse Admin", groups: "users"},
		{key: "SETTINGS_READ", name: "Settings Access", groups: "users readonly"},
		{key: "SETTINGS", name: "Settings Admin", dangerous: true},
		{key: "PLUGIN_ACHIEVEMENTS_VIEW", name: "Achievements Plugin: View instance achievements & stats", groups: "readonly users admins", plugin: "achievements"},
		{key: "PLUGIN_ACHIEVEMENTS_RESET", name: "Achievements Plugin: Reset instance achievements & stats", groups: "admins", plugin: "achievements"},
		{key: "PLUGIN_ACTION_COMMAND_NOTIFICATION_SHOW", name: "Action Command Notification Support: Show printer notifications", groups: "users", plugin: "action_command_notification"},
		{key: "PLUGIN_ACTION_COMMAND_NOTIFICATION_CLEAR", name: "Action Command Notification Support: Clear printer notifications", groups: "users", plugin: "action_command_notification"},
		{key: "PLUGIN_ACTION_COMMAND_PROMPT_INTERACT", name: "Action Command Prompt Support: Interact with printer prompts", groups: "users", plugin: "action_command_prompt"},
		{key: "PLUGIN_ANNOUNCEMENTS_READ", name: "Announcement Plugin: Read announcements", groups: "admins", plugin: "announcements"},
		{key: "PLUGIN_ANNOUNCEMENTS_MANAGE", name: "Announcement Plugin: Manage announcement subscriptions", groups: "admins", roles: "plugin_announcements_read plugin_announcements_manage", plugin: "announcements"},
		{key: "PLUGIN_APPKEYS_ADMIN", name: "Application Keys Plugin: Admin access", dangerous: true, groups: "admins", plugin: "appkeys"},
		{key: "PLUGIN_APPKEYS_GRANT", name: "Application Keys Plugin: Grant access", groups: "users", roles: "plugin_appkeys_user", plugin: "appkeys"},
		{key: "PLUGIN_BACKUP_CREATE", name: "Backup & Restore: Create backup", groups: "admins", plugin: "backup"},
		{key: "PLUGIN_FILE_CHECK_RUN", name: "File Check: Run File Check", groups: "users admins", plugin: "file_check"},
		{key: "PLUGIN_FIRMWARE_CHECK_DISPLAY", name: "Firmware Check: Display firmware check warnings", groups: "users", plugin: "firmware_check"},
		{key: "PLUGIN_HEALTH_CHECK_CHECK", name: "Healthcheck Plugin: Perform healthchecks", groups: "admins", plugin: "health_check"},
		{key: "PLUGIN_LOGGING_MANAGE", name: "Logging: Logging management", groups: "admins", plugin: "logging"},
		{key: "PLUGIN_PLUGINMANAGER_LIST", name: "Plugin Manager: List plugins", groups: "readonly users admins", plugin: "pluginmanager"},
		{key: "PLUGIN_PLUGINMANAGER_MANAGE", name: "Plugin Manager: Manage plugins", groups: "admins", plugin: "pluginmanager"},
		{key: "PLUGIN_PLUGINMANAGER_INSTALL", name: "Plugin Manager: Install new plugins", dangerous: true, groups: "admins", roles: "plugin_pluginmanager_install plugin_pluginmanager_manage", plugin: "pluginmanager"},
		{key: "PLUGIN_SOFTWAREUPDATE_CHECK", name: "Software Update: Check", groups: "users", plugin: "softwareupdate"},
		{key: "PLUGIN_SOFTWAREUPDATE_UPDATE", name: "Software Update: Update", dangerous: true, groups: "admins", plugin: "softwareupdate"},
		{key: "PLUGIN_SOFTWAREUPDATE_CONFIGURE", name: "Software Update: Configure", dangerous: true, groups: "admins", plugin: "softwareupdate"},
	}
}

func (p permission) needs() []string {
	if p.roles == "" {
		return []string{strings.ToLower(p.key)}
	}
	return strings.Fields(p.roles)
}

// describe is the entry of the `connected` frame.
func (p permission) describe() object {
	groups := strings.Fields(p.groups)
	if groups == nil {
		groups = []string{}
	}
	d := object{
		"key": p.key, "name": p.name, "dangerous": p.dangerous, "default_groups": groups,
		"description": "Allows the use of what is called \"" + p.name + "\" in the user interface",
		"needs":       object{"role": p.needs()},
	}
	if p.plugin != "" {
		d["plugin"] = p.plugin
	}
	return d
}

// DefaultPermissions lists what members of one of OctoPrint's default groups may do.
func DefaultPermissions(group string) []string { return effective([]string{group}, nil) }

// effective lists what a member of the groups may do who was also granted some permissions directly. Those that only
// some plugin knows come last.
func effective(groups, direct []string) []string {
	all := slices.Contains(groups, "admins") || slices.Contains(direct, "ADMIN")
	keys := []string{}
	for _, p := range permissions() {
		byGroup := slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(strings.Fields(p.groups), g) })
		if all || byGroup || slices.Contains(direct, p.key) {
			keys = append(keys, p.key)
		}
	}
	for _, key := range direct { // of plugins that aren't bundled
		if strings.HasPrefix(key, "PLUGIN_") && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}
