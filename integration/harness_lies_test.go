package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// shows is what should be seen of a printer.
type shows struct {
	connection connection
	user       string // whose key it is
	control    bool   // commands are permitted
	shaped     bool   // the bridge can know that they are or are not
	itself     itself // when connected
	// maintenance was switched on before anything went wrong.
	maintenance bool
}

func (s shows) ready() bool {
	return s.connection == connectionConnected && s.itself.ready() && !s.maintenance
}

// expected works out what should be seen of a printer.
func (tr *ordeal) expected(id string) shows {
	s := shows{connection: connectionConnected, user: "operator", control: true, shaped: true}
	if id == "left" {
		s = tr.expectedLeft()
	}
	if s.connection == connectionConnected {
		s.itself = tr.sims[id].itself(tr.t)
	}
	s.maintenance = id == "middle"
	return s
}

// expectedLeft works it out for the printer that the faults hit.
func (tr *ordeal) expectedLeft() shows {
	s := shows{connection: connectionConnected, user: "operator", control: tr.raised["no control"] == 0}
	if tr.raised["successor"] > 0 {
		s.user, s.control = "successor", true
	}
	switch {
	case tr.raised["unplugged"] > 0, tr.raised["held"] > 0:
		s.connection = connectionUnreachable
	case tr.raised["proxy"] > 0, tr.raised["starting"] > 0:
		s.connection = connectionStarting
	case tr.raised["revoked"] > 0, s.user == "successor" && tr.named:
		s.connection = connectionUnauthorized
	case tr.raised["no status"] > 0 && s.user == "operator":
		s.connection = connectionNotPermitted
	case tr.raised["limited"] > 0 && tr.sims["left"].Sockets() == 0:
		s.connection = connectionUnreachable
	}
	s.shaped = s.connection == connectionConnected
	return s
}

// lies returns what is retained and should not be, is missing, or is wrong.
func (tr *ordeal) lies() []string {
	l := &auditor{ordeal: tr, retained: tr.broker.retained()}
	all := make(map[string]shows)
	for _, c := range tr.config.Printers {
		all[c.ID] = tr.expected(c.ID)
		l.printer(c.ID, all[c.ID])
	}
	if len(l.list) > 0 {
		return l.list // what follows from these is wrong, too
	}
	l.farm(all)
	l.bridge(all)
	l.discovery(all)
	l.topicSet(all)
	return l.list
}

// auditor compares what is retained with what should be.
type auditor struct {
	*ordeal
	retained map[string]string
	list     []string
}

func (l *auditor) say(format string, args ...any) {
	l.list = append(l.list, fmt.Sprintf(format, args...))
}

// row holds one topic against what it should say.
func (l *auditor) row(device, key string, w want) {
	topic := l.topics.Value(device, key)
	if better := w(l.retained[topic]); better != "" {
		l.say("%s/%s is %q, want %s", device, key, l.retained[topic], better)
	}
}

func (l *auditor) printer(id string, s shows) {
	l.row(id, "connection", exactly(string(s.connection)))
	l.row(id, "maintenance", onOrOff(s.maintenance))
	rows := lostRows()
	if s.connection == connectionConnected {
		rows = s.itself.rows(time.Now())
		rows["ready"] = onOrOff(s.ready())
		rows["octoprint_version"], rows["key_user"] = exactly("1.11.8"), exactly(s.user)
		l.row(id, "connection_detail", exactly("None"))
		l.row(id, "availability", exactly(online))
		switch j := l.current(id, s.itself.File.Path); {
		case s.itself.Phase == "cancelling" || s.itself.Phase == "finishing": // the print has ended, the job has not
			delete(rows, "started")
			delete(rows, "started_by")
		case j != nil && s.itself.running():
			rows["started"] = around(j.started, 2*time.Second)
		}
	} else {
		l.row(id, "connection_detail", func(p string) string {
			if p == "None" || !strings.HasSuffix(p, ".") {
				return "a sentence"
			}
			return ""
		})
		l.row(id, "availability", exactly(offline))
	}
	for key, w := range rows {
		if !l.optional(l.topics.Value(id, key), s) {
			l.row(id, key, w)
		}
	}
	l.document(id)
}

// current returns the print of a file.
func (tr *ordeal) current(printer, path string) *printJob {
	for _, j := range tr.prints {
		if j.printer == printer && j.path == path {
			return j
		}
	}
	return nil
}

// optional reports whether a topic may be missing, or has to be.
func (tr *ordeal) optional(topic string, s shows) bool {
	return (!s.control || !s.shaped) && !tr.without.topics[topic]
}

// lastLies is what is shown of the prints that ended last and should not be.
func (tr *ordeal) lastLies() []string {
	l := &auditor{ordeal: tr, retained: tr.broker.retained()}
	for _, c := range tr.config.Printers {
		l.last(c.ID)
	}
	return l.list
}

// last holds what is shown of the print that ended last against what OctoPrint
// remembers of it.
func (l *auditor) last(id string) {
	last := l.ended[id]
	for _, j := range l.prints {
		if j.printer != id {
			continue
		}
		if e := l.ending(j); !e.known || e.over && !j.seen {
			return // it can't be known yet, or perhaps never
		} else if e.over {
			last = j
		}
	}
	if last == nil {
		for _, key := range []string{"last_result", "last_file", "last_duration", "last_ended"} {
			l.row(id, key, exactly("None"))
		}
		return
	}
	l.row(id, "last_file", exactly(last.path))
	l.row(id, "last_result", oneOfThese(last.end.results()...))
}

// documentRows are the parts of a printer's document that rows show, too.
func documentRows() map[string]string {
	return map[string]string{
		"state": "state", "connection": "connection", "connection_detail": "connection_detail", "printing": "printing", "ready": "ready",
		"problem": "problem", "error": "error",
		"job.file": "file", "job.size": "file_size", "job.started": "started", "job.finish": "finish", "job.progress": "progress",
		"job.progress_bytes": "progress_bytes", "job.estimate_origin": "estimate_origin", "job.z_mm": "z",
		"job.elapsed_s": "elapsed", "job.remaining_s": "remaining", "job.estimated_total_s": "estimated_total",
		"last_job.file": "last_file", "last_job.result": "last_result", "last_job.ended": "last_ended",
		"temperatures.tool0.actual": "tool0_temperature", "temperatures.tool0.target": "tool0_target",
		"temperatures.bed.actual": "bed_temperature", "temperatures.bed.target": "bed_target",
	}
}

// document holds a printer's document against its rows.
func (l *auditor) document(id string) {
	topic := l.topics.Document(id)
	var d map[string]any
	if err := json.Unmarshal([]byte(l.retained[topic]), &d); err != nil {
		l.say("%s: %v in %q", topic, err, l.retained[topic])
		return
	}
	for path, key := range documentRows() {
		got := payloadOf(at(d, strings.Split(path, ".")...), strings.HasSuffix(path, "_s"))
		if want := l.retained[l.topics.Value(id, key)]; got != want {
			l.say("the document of %s says %s = %s, %s is %s", id, path, got, key, want)
		}
	}
}

// payloadOf writes a member of a document as its row would.
func payloadOf(v any, minutes bool) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return map[bool]string{true: "ON", false: "OFF"}[v]
	case float64:
		if minutes {
			v /= 60
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return "None"
}

// farm counts the printers.
func (l *auditor) farm(all map[string]shows) {
	counts, names, attention := make(map[string]int), make(map[string][]string), make(map[string]bool)
	var next time.Time
	for _, c := range l.config.Printers {
		s := all[c.ID]
		category := categoryOfTheContract(s)
		counts[category]++
		names[category] = append(names[category], c.Name)
		if s.ready() {
			counts["ready"]++
		}
		rejected := s.connection == connectionUnauthorized || s.connection == connectionNotPermitted
		if !s.maintenance && (rejected || s.itself.Phase == "error") {
			attention[c.ID] = true
		}
		if left := s.itself.Left; s.itself.running() && left != nil {
			if at := time.Now().Add(time.Duration(*left) * time.Second); next.IsZero() || at.Before(next) {
				next = at
			}
		}
	}
	for _, key := range []string{"printing", "paused", "idle", "offline", "error", "unreachable", "ready"} {
		l.row("farm", key, exactly(strconv.Itoa(counts[key])))
	}
	l.row("farm", "printers", exactly(strconv.Itoa(len(all))))
	l.row("farm", "attention", onOrOff(len(attention) > 0))
	if next.IsZero() {
		l.row("farm", "next_free", exactly("None"))
	} else {
		l.row("farm", "next_free", around(next, 2*time.Minute+5*time.Second))
	}
	l.farmAttributes(names, attention)
}

// farmAttributes holds who is counted, and the farm's document.
func (l *auditor) farmAttributes(names map[string][]string, attention map[string]bool) {
	for _, key := range []string{"error", "unreachable"} {
		topic := l.topics.Attributes("farm", key)
		want := mustMarshal(map[string][]string{"names": append([]string{}, names[key]...)})
		if l.retained[topic] != want {
			l.say("%s is %s, want %s", topic, l.retained[topic], want)
		}
	}
	topic := l.topics.Attributes("farm", "attention")
	var who map[string]string
	_ = json.Unmarshal([]byte(l.retained[topic]), &who) // what it is shows in the next line
	if got, want := slices.Sorted(maps.Keys(who)), slices.Sorted(maps.Keys(attention)); !slices.Equal(got, want) {
		l.say("%s is %s, want %v", topic, l.retained[topic], want)
	}
	topic = l.topics.Document("farm")
	d := l.decode(l.retained[topic])
	for _, key := range []string{"printers", "printing", "paused", "idle", "offline", "error", "unreachable", "ready", "next_free"} {
		if got, want := payloadOf(d[key], false), l.retained[l.topics.Value("farm", key)]; got != want {
			l.say("the farm's document says %s = %s, the row is %s", key, got, want)
		}
	}
}

// categoryOfTheContract says what a printer counts as.
func categoryOfTheContract(s shows) string {
	if s.connection != connectionConnected {
		return "unreachable"
	}
	switch s.itself.Phase {
	case "offline", "error":
		return s.itself.Phase
	case "pausing", "paused":
		return "paused"
	case "idle", "connecting":
		return "idle"
	}
	return "printing"
}

func (l *auditor) bridge(all map[string]shows) {
	l.row("bridge", "state", exactly(online))
	l.row("bridge", "version", exactly("0.0.0-test"))
	l.row("bridge", "started", around(l.bridgeStarted(), 0))
	health := l.healthDoc(l.topics.BridgeHealth())
	if reconnects := payloadOf(at(health, "broker", "reconnects"), false); reconnects != l.retained[l.topics.Value("bridge", "broker_reconnects")] {
		l.say("bridge/broker_reconnects is %s, bridge/health says %s", l.retained[l.topics.Value("bridge", "broker_reconnects")], reconnects)
	}
	if at(health, "broker", "connected") != true || at(health, "printers", "right", "connection") != "connected" {
		l.say("bridge/health: %v", health)
	}
	info := l.healthDoc(l.topics.BridgeInfo())
	if health["instance"] != l.world.bridge.instance || info["instance"] != l.world.bridge.instance {
		l.say("another instance is on bridge/health or bridge/info")
	}
	if s := all["left"]; s.shaped {
		printers, _ := info["printers"].([]any)
		if len(printers) != len(all) || at(printers[0], "user") != s.user {
			l.say("bridge/info says %v, want the key to be %s's", printers, s.user)
		}
	}
}

func (l *auditor) healthDoc(topic string) map[string]any {
	return l.decode(l.retained[topic])
}

// decode decodes an object, an empty one if there is none.
func (l *auditor) decode(document string) map[string]any {
	var d map[string]any
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		l.say("%v in %q", err, document)
	}
	return d
}

// bridgeStarted is when the bridge that runs was launched.
func (tr *ordeal) bridgeStarted() time.Time { return tr.processes[len(tr.processes)-1].launched }

// announced returns what should be announced of a device.
func (tr *ordeal) announced(topic string, left shows) map[string]string {
	if topic == tr.topics.Config("left") && !left.control {
		return tr.without.configs[topic]
	}
	return tr.whole.configs[topic]
}

func (l *auditor) discovery(all map[string]shows) {
	for topic := range l.whole.configs {
		if topic == l.topics.Config("left") && !all["left"].shaped {
			continue // it is as the bridge saw it last
		}
		if l.retained[topic] == l.whole.documents[topic] && all["left"].control {
			continue
		}
		should := l.announced(topic, all["left"])
		got := configsIn(l.t, l.retained[topic])
		for key, config := range should {
			if !sameConfig(got[key], config) {
				l.say("%s announces %s as %s, want %s", topic, key, got[key], config)
			}
		}
		for key, c := range got {
			if _, ok := should[key]; !ok && !isStub(c) {
				l.say("%s announces %s", topic, key)
			}
		}
	}
}

// sameConfig compares components but for what selects offer, which changes with
// what OctoPrint has.
func sameConfig(a, b string) bool {
	return a == b || offers.ReplaceAllString(a, "") == offers.ReplaceAllString(b, "")
}

var offers = regexp.MustCompile(`"ops":\[[^\]]*\],"p":"select",`)

// topicSet is about which topics there are at all.
func (l *auditor) topicSet(all map[string]shows) {
	left := all["left"]
	for topic := range l.whole.topics {
		if _, ok := l.retained[topic]; !ok && !l.optional(topic, left) {
			l.say("%s is not retained any more", topic)
		}
	}
	for topic, payload := range l.retained {
		switch {
		case !l.whole.topics[topic]:
			l.say("%s = %s is retained, and nobody should have published it", topic, payload)
		case left.shaped && !left.control && !l.without.topics[topic]:
			l.say("%s = %s is still retained", topic, payload)
		}
	}
}

// homeLies is what Home Assistant shows and should not.
func (tr *ordeal) homeLies() []string {
	left := tr.expectedLeft()
	if tr.raised["no home"] > 0 || tr.raised["birth"] > 0 || !left.shaped {
		return nil
	}
	should := make(map[string]map[string]string)
	for topic := range tr.whole.configs {
		should[topic] = tr.announced(topic, left)
	}
	return tr.home.lies(should)
}
