package octoprinttest

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

func (c *call) systemCommands() response {
	one := func(source, action, name string) object {
		o := object{"source": source, "action": action, "resource": c.url("/api/system/commands/" + source + "/" + action)}
		if name != "" {
			o["name"] = name
		}
		return o
	}
	core := []object{
		one("core", "shutdown", "Shutdown system"), one("core", "reboot", "Reboot system"),
		one("core", "restart", "Restart OctoPrint"), one("core", "restart_safe", "Restart OctoPrint in safe mode"),
	}
	for i, command := range core {
		command["confirm"] = "This will disrupt a running print."
		if i < 2 && c.s.release.atLeast(11) {
			command["fresh_credentials"] = true
		}
	}
	custom, plugin := []object{}, []object{}
	for _, command := range c.s.options.SystemCommands {
		if command.source() == "custom" {
			custom = append(custom, one("custom", command.Action, command.Name))
		} else {
			plugin = append(plugin, one("plugin", command.Action, command.Name))
		}
	}
	o := object{"core": core, "custom": custom}
	if c.s.release.atLeast(7) {
		o["plugin"] = plugin
	}
	return ok(o)
}

func (c SystemCommand) source() string { return cmp.Or(c.Source, "custom") }

func (c *call) usage() response {
	place := object{"free": freeSpace, "total": totalSpace}
	return ok(object{"usage": object{"data": place, "logs": place, "uploads": place, "timelapse": place}})
}

func (c *call) systemInfo() response {
	info := object{"octoprint.version": c.s.release.text, "octoprint.safe_mode": c.s.options.SafeMode != "", "systeminfo.generator": "systemapi"}
	if c.s.printer.state.isOperational() {
		info["printer.firmware"] = firmwareName
	}
	return ok(object{"systeminfo": info})
}

// restartTime is how long the simulated OctoPrint needs to come back after its restart command.
const restartTime = 7 * time.Second

func (c *call) postSystemCommand() response {
	source, action, _ := strings.Cut(c.tail, "/")
	if source == "core" {
		switch action {
		case "restart", "restart_safe":
			c.s.later(800*time.Millisecond, func() { c.s.goDown() })
			c.s.later(800*time.Millisecond+restartTime, func() { c.s.comeUp() })
			return done()
		case "shutdown", "reboot":
			return done()
		}
	}
	for _, command := range c.s.options.SystemCommands {
		switch {
		case source != command.source() || command.Action != action:
		case command.Name == "":
			return c.bad("Dividers cannot be executed")
		case command.Error != "":
			text := fmt.Sprintf("Command for custom:%s failed: 500 Internal Server Error: Command for custom:%s failed with return code 1:\n\nSTDOUT:\n\n\nSTDERR:\n%s\n", action, action, command.Error)
			return c.fail(500, text)
		default:
			return done()
		}
	}
	return c.notFound()
}

func (c *call) timelapse() response {
	return ok(object{"config": object{"type": "off"}, "enabled": true, "files": []object{}})
}

func (c *call) plugins() response {
	list := []object{}
	for key, name := range map[string]string{
		"appkeys": "Application Keys Plugin", "classicwebcam": "Classic Webcam", "softwareupdate": "Software Update",
		"action_command_prompt": "Action Command Prompt Support",
	} {
		list = append(list, object{"key": key, "name": name, "enabled": true, "bundled": true, "version": nil})
	}
	return ok(object{"octoprint": c.s.release.text, "os": "linux", "online": true, "plugins": list})
}
