package integration

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// want is what a topic should say: "" if a payload is right, else what would be.
type want func(payload string) string

func exactly(s string) want {
	return func(payload string) string {
		if payload == s {
			return ""
		}
		return s
	}
}

// textOr is a text, unknown when it is empty.
func textOr(s string) want {
	if s == "" {
		return exactly("None")
	}
	return exactly(s)
}

func onOrOff(on bool) want { return exactly(map[bool]string{true: "ON", false: "OFF"}[on]) }

// oneOfThese is any of some payloads.
func oneOfThese(list ...string) want {
	return func(payload string) string {
		if slices.Contains(list, payload) {
			return ""
		}
		return strings.Join(list, " or ")
	}
}

// between is a number within bounds.
func between(low, high float64) want {
	return func(payload string) string {
		if n, err := strconv.ParseFloat(payload, 64); err == nil && n >= low-1e-9 && n <= high+1e-9 {
			return ""
		}
		return fmt.Sprintf("%.2f to %.2f", low, high)
	}
}

// around is a time that is off by no more than slack.
func around(at time.Time, slack time.Duration) want {
	return func(payload string) string {
		if got, err := time.Parse(time.RFC3339, payload); err == nil && got.Sub(at).Abs() <= slack+time.Second {
			return ""
		}
		return fmt.Sprintf("%s, give or take %v", at.UTC().Format(time.RFC3339), slack)
	}
}

// jobKeys say nothing unless a job runs.
func jobKeys() []string {
	return []string{"progress", "elapsed", "remaining", "started", "finish", "progress_bytes", "started_by"}
}

// rows returns what the rows of a live printer should show. What is held back by a
// noise rule may be off by as much as the rule allows.
func (i itself) rows(now time.Time) map[string]want {
	rows := map[string]want{
		"state": exactly(i.Phase), "connected": onOrOff(i.connected()), "printing": onOrOff(i.running()),
		"problem": onOrOff(i.Phase == "error"), "error": textOr(i.Error), "file": textOr(i.File.Display),
		"estimate_origin": textOr(i.Origin), "ready": onOrOff(i.ready()), "z": i.z(),
		"file_size": rounded0(i.File.Size, 1), "estimated_total": rounded0(i.estimated, 60),
		"filament_length": exactly("None"), "filament_volume": exactly("None"),
		// Nobody asks anything in these tests; that is known a moment after the beginning of a session.
		"layer": exactly("None"), "layers": exactly("None"),
		"prompt": exactly("None"), "prompt_answer": oneOfThese("-", "None"),
	}
	i.serverRows(rows)
	if f, ok := i.filament["tool0"]; ok {
		rows["filament_length"] = between(f.Length/1000-0.005, f.Length/1000+0.005)
		rows["filament_volume"] = between(f.Volume-0.005, f.Volume+0.005)
	}
	if i.running() {
		i.jobRows(rows, now)
	} else {
		for _, key := range jobKeys() {
			rows[key] = exactly("None")
		}
	}
	for _, heater := range []string{"tool0", "bed"} {
		i.heaterRows(rows, heater)
	}
	for _, key := range []string{"fan", "feedrate", "flowrate"} {
		rows[key] = exactly("None") // nobody sets them here
	}
	rows["preset"], rows["unattended_heat"] = i.preset(), onOrOff(false) // nobody leaves a heater on for that long
	return rows
}

// serverRows are those that are asked for by REST: for a while after a session has
// begun nobody knows them.
func (i itself) serverRows(rows map[string]want) {
	rows["selected_file"] = exactly("None")
	if i.File.Path != "" {
		rows["selected_file"] = exactly(i.File.Origin + "/" + i.File.Path)
	}
	rows["port"], rows["profile"] = oneOfThese("VIRTUAL", "AUTO"), oneOfThese("Default", "_default")
	rows["firmware"] = oneOfThese("Virtual Marlin 1.0", "None")
	if !i.connected() {
		rows["firmware"] = exactly("None")
	}
	rows["safe_mode"], rows["disk_free"] = oneOfThese("OFF", "None"), oneOfThese("81214550016", "None")
	rows["octoprint_update"], rows["plugin_updates"] = exactly("1.11.8"), oneOfThese("0", "None")
}

// preset is one of OctoPrint's own two.
func (i itself) preset() want {
	tool, bed := i.Heaters["tool0"].Target, i.Heaters["bed"].Target
	switch {
	case len(i.Heaters) == 0:
		return exactly("None")
	case tool == 0 && bed == 0:
		return exactly("Off")
	case tool == 210 && bed == 100:
		return exactly("ABS")
	case tool == 180 && bed == 60:
		return exactly("PLA")
	}
	return exactly("None")
}

// jobRows are those of a running job, but for when it started.
func (i itself) jobRows(rows map[string]want, now time.Time) {
	rows["started_by"] = textOr(i.user)
	for _, key := range []string{"progress", "elapsed", "remaining", "finish", "progress_bytes"} {
		rows[key] = exactly("None")
	}
	if i.Elapsed == nil || i.Left == nil || i.Percent == nil {
		return
	}
	elapsed, left := *i.Elapsed, *i.Left
	// A progress is told every 30 s, and OctoPrint's own is told between moves only.
	pace := 100 * 34 / max(elapsed+left, 34)
	percent := *i.Percent
	if strings.HasPrefix(i.Origin, "mixed-") || i.Origin == "estimate" || i.Origin == "average" {
		percent = 100 * elapsed / (elapsed + left)
	}
	rows["progress"] = between(percent-pace, min(percent+6, 100))
	rows["progress_bytes"] = between(*i.Percent-pace, *i.Percent+0.1)
	rows["elapsed"] = between(math.Floor((elapsed-3)/60), math.Floor(elapsed/60))
	if i.Phase == "paused" || i.Phase == "pausing" {
		return
	}
	rows["remaining"] = between(math.Ceil(left/60), math.Ceil((left+3)/60))
	rows["finish"] = around(now.Add(time.Duration(left)*time.Second), time.Minute+4*time.Second)
}

func (i itself) heaterRows(rows map[string]want, heater string) {
	h, ok := i.Heaters[heater]
	if !ok {
		for _, suffix := range []string{"_temperature", "_target", "_setpoint", "_offset", "_heater"} {
			rows[heater+suffix] = exactly("None")
		}
		return
	}
	rows[heater+"_heater"] = exactly(map[bool]string{true: "heat", false: "off"}[h.Target > 0])
	rows[heater+"_temperature"] = between(h.Actual-0.75, h.Actual+0.75)
	rows[heater+"_target"] = between(h.Target, h.Target)
	rows[heater+"_setpoint"] = between(h.Target, h.Target)
	rows[heater+"_offset"] = between(h.Offset, h.Offset)
}

// ready: idle and cold.
func (i itself) ready() bool {
	for _, h := range i.Heaters {
		if h.Actual >= DefaultReadyBelow {
			return false
		}
	}
	return i.Phase == "idle"
}

// z is not told by OctoPrint's API: it is some height, or none where there can be
// none.
func (i itself) z() want {
	if !i.connected() {
		return exactly("None")
	}
	return func(payload string) string {
		if n, err := strconv.ParseFloat(payload, 64); payload != "None" && (err != nil || n < 0) {
			return "a height"
		}
		return ""
	}
}

func rounded0(n *float64, unit float64) want {
	if n == nil {
		return exactly("None")
	}
	return exactly(strconv.FormatFloat(math.Round(*n/unit), 'f', -1, 64))
}

// lostRows returns what the rows of a printer should show that can't be reached:
// nothing. Those that hang on the bridge alone are not among them.
func lostRows() map[string]want {
	rows := make(map[string]want)
	for key := range (itself{}).rows(time.Time{}) {
		rows[key] = exactly("None")
	}
	rows["octoprint_version"], rows["key_user"] = exactly("None"), exactly("None")
	return rows
}
