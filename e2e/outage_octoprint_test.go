//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// badGateway is what a proxy in front of OctoPrint says while OctoPrint isn't there.
func badGateway() string {
	const page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1><hr>nginx</body></html>"
	return fmt.Sprintf("HTTP/1.1 502 Bad Gateway\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s", len(page), page)
}

// farmInManyStates is a farm of three: left prints for long, middle is idle with a heated bed, right's printer is off.
func farmInManyStates(t *testing.T) *farm {
	t.Helper()
	f := newFarm(t, func(f *farm) { f.config.Printers[2].APIKey = f.octo["right"].appKey(t, "operator") }, printerIDs[:]...)
	f.waitOnline(printerIDs[:]...)
	f.octo["middle"].post(t, "/api/printer/bed", map[string]any{"command": "target", "target": 45})
	f.octo["right"].disconnect(t)
	f.startLongPrint("left")
	f.expect("right/state", "offline")
	f.expectWithin(patient, "middle/bed_temperature", "45", func(text string) bool { return text == "45" })
	f.compareWithHomeAssistant()
	return f
}

// startLongPrint prints an hour's file after OctoPrint has analysed it, so that the time left is known from the start.
func (f *farm) startLongPrint(id string) {
	f.t.Helper()
	octo := f.octo[id]
	// What prints nothing is not analysed.
	const drawn = "G28\nG1 X10 Y10 Z0.2 F3000\nG1 X20 Y20 E1 F3000\n"
	path := octo.upload(f.t, "long.gcode", drawn+slowPrint(3600), nil)
	eventually(f.t, path+" has been analysed", patient, func() (bool, string) {
		var file struct{ GcodeAnalysis map[string]any }
		err := octo.do(http.MethodGet, "/api/files/local/"+path, nil, &file)
		return file.GcodeAnalysis["estimatedPrintTime"] != nil, fmt.Sprint(file, err)
	})
	mark := f.broker.mark()
	octo.post(f.t, "/api/files/local/"+path, map[string]any{"command": "select", "print": true})
	f.waitEvent(mark, id, "print_started")
	for _, row := range []string{"finish", "remaining", "elapsed", "progress"} {
		f.expectThat(id+"/"+row, "a value", func(text string) bool { return text != "None" })
	}
}

// TestOctoPrintLostAndBack has each printer lose its server in several ways, all three at the same time.
func TestOctoPrintLostAndBack(t *testing.T) {
	f := farmInManyStates(t)
	lanes := map[string][]outage{"left": outagesWhilePrinting(), "middle": outagesWhileIdle(), "right": outagesOfRights()}
	t.Run("lanes", func(t *testing.T) {
		for id, outages := range lanes {
			t.Run(id, func(t *testing.T) {
				t.Parallel()
				f.each(t, outages, id)
				if id == "right" {
					t.Run("key revoked", f.expectKeyRevoked)
				}
			})
		}
	})
	t.Run("another key", f.expectAnotherKey)
	f.waitTruth(patient, printerIDs[:]...)
	f.expectNoChanges()
}

// expectKeyRevoked revokes the key of "right". OctoPrint tells nobody: the bridge has to ask, every three minutes.
func (f *farm) expectKeyRevoked(t *testing.T) {
	part := *f
	part.t = t
	logged := f.bridge.logMark()
	f.octo["right"].revokeAppKey(t, "operator")
	part.expectWithin(4*time.Minute, "right/connection", "unauthorized", func(text string) bool { return text == "unauthorized" })
	part.expectLost("right", "unauthorized")
	f.bridge.wantLog(t, logged, []string{"warn right: OctoPrint does not accept the API key"}, nil, "right")
}

// expectAnotherKey puts another key into the configuration: the bridge doesn't wait for anything else to try it.
func (f *farm) expectAnotherKey(t *testing.T) {
	part := *f
	part.t = t
	logged := f.bridge.logMark()
	f.secrets = append(f.secrets, f.config.Printers[2].APIKey)
	f.config.Printers[2].APIKey = f.octo["right"].appKey(t, "operator")
	part.reload(bySignal, "left", "middle")
	part.waitOnline("right")
	part.waitTruth(soon, "right")
	part.compareWithHomeAssistant()
	f.bridge.wantLog(t, logged, []string{reloaded, "info right: connected to OctoPrint"}, nil)
}

// outagesWhilePrinting are those of "left", whose print goes on.
func outagesWhilePrinting() []outage {
	return []outage{
		unseenCut(),
		{
			name: "half open",
			lose: func(f *farm) {
				f.lines["left"].stall()
				f.expectLost("left", "unreachable")
			},
			restore: func(f *farm) { f.lines["left"].flow() },
			log:     []string{"warn left: No answer from", "info left: connected to OctoPrint"},
		},
		{
			name: "502 pages",
			lose: func(f *farm) {
				f.lines["left"].say(badGateway())
				f.expectLost("left", "starting")
			},
			restore: func(f *farm) { f.lines["left"].say("") },
			log:     []string{"warn left: OctoPrint is not up yet", "info left: connected to OctoPrint"},
		},
		{
			name: "server stands still",
			lose: func(f *farm) {
				goOn := f.octo["left"].process(f.t).hold(f.t)
				f.expectLost("left", "unreachable")
				goOn()
			},
			restore: func(*farm) {},
			log:     []string{"warn left: No answer from", "info left: connected to OctoPrint"},
		},
	}
}

// unseenCut is a loss that ends within the grace: nobody is told, on no topic.
func unseenCut() outage {
	var mark, logins int
	return outage{
		name: "connections cut, seen by nobody",
		lose: func(f *farm) {
			mark, logins = f.broker.mark(), f.lines["left"].asked("POST /api/login")
			f.lines["left"].cut()
		},
		restore: func(f *farm) {
			f.waitLogin("left", logins)
			for _, row := range []string{"connection", "connection_detail", "availability", "state", "printing", "file", "started"} {
				if told := f.history(mark, "left/"+row); len(told) > 0 {
					f.t.Errorf("left/%s was published as %q", row, told)
				}
			}
		},
	}
}

// waitLogin waits until the bridge has logged in once more than before and has the session.
func (f *farm) waitLogin(id string, before int) {
	f.t.Helper()
	eventually(f.t, "another session with "+id, soon, func() (bool, string) {
		logins, open := f.lines[id].asked("POST /api/login"), f.lines[id].open()
		return logins > before && open == 1, fmt.Sprintf("%d logins, %d connections", logins, open)
	})
}

// outagesWhileIdle are those of "middle", which is idle at first.
func outagesWhileIdle() []outage {
	lostAndBack := []string{"warn middle: ", "info middle: connected to OctoPrint"}
	return []outage{
		{
			name: "something that is no HTTP",
			lose: func(f *farm) {
				f.lines["middle"].say("Not found")
				f.expectLost("middle", "starting")
			},
			restore: func(f *farm) { f.lines["middle"].say("") },
			log:     []string{"warn middle: OctoPrint is not up yet", "info middle: connected to OctoPrint"},
		},
		{
			name: "server killed",
			lose: func(f *farm) {
				f.octo["middle"].kill(f.t)
				f.t.Cleanup(func() { f.octo["middle"].up(f.t) })
				f.expectLost("middle", "unreachable")
			},
			restore: func(f *farm) { f.octo["middle"].up(f.t) },
			log:     lostAndBack,
			may:     reconnection("middle"),
			changed: true, // the bed is no longer heated
		},
		killedInAPrint(),
		{
			name: "server restarted by its own command",
			lose: func(f *farm) {
				f.octo["middle"].post(f.t, "/api/system/commands/core/restart", nil)
				f.expect("middle/availability", "offline")
			},
			restore: func(*farm) {},
			log:     lostAndBack,
			may:     reconnection("middle"),
			changed: true,
		},
	}
}

// reconnection is what may be told when OctoPrint starts: it connects its printer, before or after we look.
func reconnection(id string) []string {
	return []string{id + " printer_disconnected", id + " printer_connected"}
}

// killedInAPrint takes a print away together with its server: when that is back, it knows of no print.
func killedInAPrint() outage {
	var mark int
	var path string
	return outage{
		name: "server killed in the middle of a print",
		lose: func(f *farm) {
			mark = f.broker.mark()
			path = f.startPrint("middle", "torn.gcode", 600)
			f.octo["middle"].kill(f.t)
			f.t.Cleanup(func() { f.octo["middle"].up(f.t) })
			f.expectLost("middle", "unreachable")
		},
		restore: func(f *farm) {
			f.octo["middle"].up(f.t)
			e := f.waitEvent(mark, "middle", "print_failed")
			if e.Reason != "lost" || !e.Late || e.File != path {
				f.t.Errorf("event %+v, want reason lost, late, file %s", e, path)
			}
			f.expect("middle/last_result", "failed")
			f.expect("middle/last_file", path)
		},
		log:     []string{"warn middle: No answer from", "info middle: connected to OctoPrint"},
		events:  []string{"middle print_started", "middle print_failed"},
		may:     reconnection("middle"),
		changed: true,
	}
}

// outagesOfRights are those of "right", whose user loses rights and gets them back.
func outagesOfRights() []outage {
	return []outage{
		{
			name: "session ended because the user was changed",
			lose: func(f *farm) {
				logins := f.lines["right"].asked("POST /api/login")
				password := map[string]string{"password": f.octo["right"].server.Passwords["operator"]}
				must(f.t, f.octo["right"].do(http.MethodPut, "/api/access/users/operator/password", password, nil))
				f.waitLogin("right", logins)
			},
			restore: func(*farm) {},
		},
		{
			name: "control taken and given back",
			lose: func(f *farm) {
				f.octo["right"].setGroups(f.t, "operator", "readonly")
				f.t.Cleanup(func() { f.octo["right"].setGroups(f.t, "operator", "users") })
				f.waitControls("right", false)
			},
			restore: func(f *farm) {
				f.octo["right"].setGroups(f.t, "operator", "users")
				f.waitControls("right", true)
			},
		},
		{
			name: "everything taken and given back",
			lose: func(f *farm) {
				// A session that has lived for a minute starts over with short pauses. After the losses before, a pause
				// can be longer than a loss is kept quiet about, and then it is logged as one of unknown cause first.
				time.Sleep(time.Minute + time.Second)
				f.octo["right"].setGroups(f.t, "operator")
				f.t.Cleanup(func() { f.octo["right"].setGroups(f.t, "operator", "users") })
				f.expectLost("right", "not_permitted")
			},
			restore: func(f *farm) { f.octo["right"].setGroups(f.t, "operator", "users") },
			log:     []string{"warn right: OctoPrint does not let the API key's user see the printer", "info right: connected to OctoPrint"},
		},
	}
}

// waitControls waits until a printer's controls are there, announced and in Home Assistant, or aren't.
func (f *farm) waitControls(id string, wanted bool) {
	f.t.Helper()
	eventually(f.t, fmt.Sprintf("controls of %s: %v", id, wanted), patient, func() (bool, string) {
		announced := f.discovered()
		registered := f.ha.entities(f.t)
		var wrong []string
		for _, row := range printerRows() {
			key := uniqueID(id, row.key)
			_, inDiscovery := announced[key]
			_, inRegistry := registered[key]
			if row.command && (inDiscovery != wanted || inRegistry != wanted) {
				wrong = append(wrong, fmt.Sprintf("%s announced: %v, registered: %v", key, inDiscovery, inRegistry))
			}
		}
		return len(wrong) == 0, joined(wrong)
	})
}
