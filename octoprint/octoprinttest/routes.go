package octoprinttest

// routes are all that the release answers.
func (s *Server) routes() []route {
	all := []route{
		{"GET", "/api/version", "STATUS", (*call).version},
		{"GET", "/api/job", "STATUS", (*call).job},
		{"POST", "/api/job", "", (*call).postJob},
		{"POST", "/api/login", "", (*call).login},
		{"GET", "/api/connection", "STATUS", (*call).connection},
		{"POST", "/api/connection", "CONNECTION", (*call).postConnection},
		{"GET", "/api/printer", "STATUS", (*call).printer},
		{"GET", "/api/printer/tool", "STATUS", (*call).tools},
		{"POST", "/api/printer/tool", "CONTROL", (*call).postTool},
		{"GET", "/api/printer/bed", "STATUS", (*call).bed},
		{"POST", "/api/printer/bed", "CONTROL", (*call).postBed},
		{"GET", "/api/printer/chamber", "STATUS", (*call).chamber},
		{"POST", "/api/printer/chamber", "CONTROL", (*call).postChamber},
		{"GET", "/api/printer/sd", "STATUS", (*call).sd},
		{"POST", "/api/printer/printhead", "CONTROL", (*call).postPrinthead},
		{"POST", "/api/printer/command", "CONTROL", (*call).postCommand},
		{"GET", "/api/printerprofiles", "CONNECTION", (*call).profiles},
		{"GET", "/api/printerprofiles/*", "CONNECTION", (*call).profile},
		{"GET", "/api/files", "FILES_LIST", (*call).listFiles},
		{"GET", "/api/files/local", "FILES_LIST", (*call).listFiles},
		{"POST", "/api/files/local", "FILES_UPLOAD", (*call).upload},
		{"GET", "/api/files/local/*", "FILES_LIST", (*call).file},
		{"POST", "/api/files/local/*", "", (*call).postFile},
		{"DELETE", "/api/files/local/*", "FILES_DELETE", (*call).deleteFile},
		{"GET", "/downloads/files/local/*", "FILES_DOWNLOAD", (*call).download},
		{"GET", "/api/settings", "SETTINGS_READ", (*call).settings},
		{"POST", "/api/settings", "SETTINGS", (*call).postSettings},
		{"GET", "/api/system/commands", "SYSTEM", (*call).systemCommands},
		{"POST", "/api/system/commands/*", "SYSTEM", (*call).postSystemCommand},
		{"GET", "/api/system/usage", "SYSTEM", (*call).usage},
		{"GET", "/api/timelapse", "TIMELAPSE_LIST", (*call).timelapse},
		{"GET", "/plugin/appkeys/probe", "", (*call).probe},
		{"POST", "/plugin/appkeys/request", exempt, (*call).requestKey},
		{"GET", "/plugin/appkeys/request/*", "", (*call).pollKey},
		{"GET", "/api/plugin/appkeys", "", (*call).listKeys},
		{"POST", "/plugin/appkeys/decision/*", "PLUGIN_APPKEYS_GRANT", (*call).decideKey},
		{"GET", "/plugin/pluginmanager/plugins", "PLUGIN_PLUGINMANAGER_MANAGE", (*call).plugins},
		{"GET", "/plugin/softwareupdate/check", "PLUGIN_SOFTWAREUPDATE_CHECK", (*call).updates},
		{"POST", "/plugin/softwareupdate/update", "PLUGIN_SOFTWAREUPDATE_UPDATE", (*call).update},
		{"POST", "/plugin/softwareupdate/update/queued", "PLUGIN_SOFTWAREUPDATE_UPDATE", (*call).queuedUpdate},
		{"GET", "/sockjs/info", "", (*call).sockjsInfo},
	}
	return append(all, s.routesOfRelease()...)
}

// routesOfRelease are those that not every release has.
func (s *Server) routesOfRelease() []route {
	var some []route
	r := s.release
	if r.hasPermissions() {
		some = append(some,
			route{"GET", "/api/currentuser", "", (*call).currentUser},
			route{"GET", "/api/access/users", "ADMIN", (*call).users},
			route{"GET", "/api/access/permissions", "", (*call).knownPermissions},
			route{"GET", "/api/plugin/" + promptID, "PLUGIN_ACTION_COMMAND_PROMPT_INTERACT", (*call).getPrompt},
			route{"POST", "/api/plugin/" + promptID, "PLUGIN_ACTION_COMMAND_PROMPT_INTERACT", (*call).postPrompt},
		)
	}
	switch {
	case !r.hasPermissions():
		some = append(some, route{"GET", "/api/users", "STATUS", (*call).users})
	case !r.isTwo():
		some = append(some, route{"GET", "/api/users", "", (*call).oldUsers})
	}
	if r.hasServerInfo() {
		some = append(some,
			route{"GET", "/api/server", "STATUS", (*call).server},
			route{"GET", "/api/system/info", "SYSTEM", (*call).systemInfo},
		)
	}
	if r.hasErrorReport() {
		some = append(some, route{"GET", "/api/printer/error", "STATUS", (*call).printerError})
	}
	if r.isTwo() {
		some = append(some,
			route{"GET", "/api/files/printer", "FILES_LIST", (*call).card},
			route{"GET", "/downloads/thumbs/local/*", "FILES_DOWNLOAD", (*call).thumbnail},
			route{"GET", "/api/plugin/pluginmanager", "PLUGIN_PLUGINMANAGER_LIST", func(*call) response { return done() }},
		)
	} else {
		if _, ok := s.options.Plugins[thumbnailPlugin]; ok {
			some = append(some, route{"GET", "/plugin/" + thumbnailPlugin + "/thumbnail/*", "", (*call).thumbnail})
		}
		some = append(some,
			route{"GET", "/api/files/sdcard", "FILES_LIST", (*call).card},
			route{"GET", "/api/plugin/pluginmanager", "PLUGIN_PLUGINMANAGER_LIST", (*call).plugins},
		)
	}
	return some
}
