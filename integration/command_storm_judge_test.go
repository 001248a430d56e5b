package integration

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// orderOf says what OctoPrint is asked for where a command is carried out, by the
// contract; "" where it can't be.
func orderOf(name, payload string) (action, order string) {
	const job, bed, tool = "POST /api/job ", "POST /api/printer/bed ", "POST /api/printer/tool "
	heat := func(heater, target string) (string, string) {
		switch {
		case target == "" || strings.Trim(target, "0123456789.") != "" || target == "999":
			return "set_temperature", ""
		case heater == "bed":
			return "set_temperature", bed + `{"command":"target","target":` + trimmed(target) + `}`
		}
		return "set_temperature", tool + `{"command":"target","targets":{"tool0":` + trimmed(target) + `}}`
	}
	var q struct {
		Heater string
		Target json.RawMessage
		Axes   []string
	}
	if payload != "PRESS" && json.Unmarshal([]byte(payload), &q) != nil && !strings.HasSuffix(name, "_setpoint") {
		return name, ""
	}
	switch name {
	case "bed_setpoint", "tool0_setpoint":
		return heat(strings.TrimSuffix(name, "_setpoint"), payload)
	case "set_temperature":
		return heat(q.Heater, string(q.Target))
	case "home":
		return name, `POST /api/printer/printhead {"axes":["` + strings.Join(q.Axes, `","`) + `"],"command":"home"}`
	case "emergency_stop":
		return name, `POST /api/printer/command {"command":"M112"}`
	case "pause", "resume":
		return name, job + `{"action":"` + name + `","command":"pause"}`
	case "connect", "disconnect":
		return name, `POST /api/connection {"command":"` + name + `"}`
	}
	return name, job + `{"command":"` + name + `"}`
}

// trimmed writes a number as JSON does.
func trimmed(number string) string {
	if whole, fraction, ok := strings.Cut(number, "."); ok && strings.Trim(fraction, "0") == "" {
		return whole
	}
	return number
}

// repeats reports whether a command is a repetition of one before it that is to be
// carried out once.
func (c *claim) repeats(before []*claim) bool {
	if c.repeated {
		return true
	}
	for _, b := range before {
		if b.retained || b.run != c.run || b.order == "" {
			continue
		}
		transaction := transactionOf(c.payload)
		if transaction != "" && transaction == transactionOf(b.payload) && c.at.Sub(b.at) < time.Minute {
			return true
		}
		if c.action == "start" && b.action == "start" && c.at.Sub(b.at) < time.Second {
			return true
		}
	}
	return false
}

func transactionOf(payload string) string {
	var q struct{ Transaction string }
	_ = json.Unmarshal([]byte(payload), &q) // a row's command has none
	return q.Transaction
}

func (s *storm) judge() {
	for id := range s.sims {
		all := s.claims(id)
		var live []*claim
		for i, c := range all {
			if !c.retained && c.order != "" && !c.repeats(all[:i]) {
				live = append(live, c)
			}
		}
		s.judgeOrders(id, live)
		s.judgeUrgent(id, live)
		s.judgeAnswers(id, all)
	}
	s.judgeCounters()
}

// patience is how long a command may take from the bridge to OctoPrint: what waits
// expires after ten seconds, and connect looks first whether it may.
func (c *claim) patience() time.Duration {
	if c.action == "connect" {
		return expiry + commandTimeout
	}
	return expiry
}

// judgeOrders finds for each request that OctoPrint got the command that it stands
// for: one that reached the bridge live, not long ago, and of which no other request
// came. Those that queue are carried out in order.
func (s *storm) judgeOrders(id string, live []*claim) {
	next := 0
	for _, o := range s.sims[id].ordered() {
		found := -1
		for i, c := range live {
			queued := !c.urgent
			if c.matched || c.order != o.text || queued && i < next || o.at.Before(c.at) || queued && o.at.Sub(c.at) > c.patience() {
				continue
			}
			found = i
			break
		}
		if found < 0 {
			s.t.Errorf("%s was asked at %s for %s, and no command stands for that", id, clock(o.at), o.text)
			continue
		}
		c := live[found]
		c.matched = true
		if c.urgent {
			continue
		}
		next = found
		s.judgeState(id, o, c)
		for _, u := range live[found+1:] {
			if u.urgent && u.at.Before(o.at) && undoes(c, u) && c.action != "connect" {
				s.t.Errorf("%s: %s at %s undid %s, which came at %s", id, o.text, clock(o.at), u.order, clock(u.at))
			}
		}
	}
}

func clock(t time.Time) string { return t.UTC().Format("04:05.000") }

// undoes reports whether a command that queued would undo one that is urgent.
func undoes(c, urgent *claim) bool {
	heater, _, _ := strings.Cut(c.order, "{")
	return urgent.action == "emergency_stop" || c.action == "set_temperature" && strings.HasPrefix(urgent.order, heater)
}

// judgeState holds a request against the guards of the contract, as far as the
// bridge could know the printer's state.
func (s *storm) judgeState(id string, o *order, c *claim) {
	i := slices.IndexFunc(contractActions(), func(a contractAction) bool { return a.name == c.action })
	allowed := strings.Fields(strings.ReplaceAll(contractActions()[i].runsIn, "connected", connected))
	since := o.at.Add(-1200 * time.Millisecond)
	fits, session := slices.Contains(allowed, phaseOfText(o.state)), false
	for _, m := range slices.Backward(s.moments[id]) {
		if m.at.After(o.at.Add(50 * time.Millisecond)) {
			continue
		}
		if m.hidden && since.After(m.at.Add(-noticeTime)) {
			since = m.at.Add(-noticeTime) // nobody could see what it did meanwhile
		}
		if m.at.Before(since) {
			break
		}
		fits, session = fits || slices.Contains(allowed, m.state), session || m.session
	}
	if !fits || !session {
		s.t.Errorf("%s was asked at %s for %s while it was %s; a session: %v", id, clock(o.at), o.text, o.state, session)
	}
}

// judgeUrgent: what makes a printer safer is tried at once, whatever hangs.
func (s *storm) judgeUrgent(id string, live []*claim) {
	orders := s.sims[id].ordered()
	for i, c := range live {
		if !c.urgent || c.run < 0 || s.runs[c.run].to.Sub(c.at) < 20*time.Millisecond {
			continue
		}
		hanging := 0
		for _, before := range live[:i] {
			if before.urgent && before.action == c.action && c.at.Sub(before.at) < commandTimeout {
				hanging++
			}
		}
		if hanging >= maxUrgent {
			continue // so many at once are bounded
		}
		tried := slices.ContainsFunc(orders, func(o *order) bool {
			return o.text == c.order && !o.at.Before(c.at) && o.at.Sub(c.at) < 20*time.Millisecond
		})
		if !tried {
			s.t.Errorf("%s: %s came at %s and was not tried at once", id, c.order, clock(c.at))
		}
	}
}

// judgeAnswers: each command is answered once at most, and exactly once if the line
// lives on.
func (s *storm) judgeAnswers(id string, all []*claim) {
	type key struct{ name, transaction string }
	most, least, got := make(map[key]int), make(map[key]int), make(map[key]int)
	for _, c := range all {
		k := key{c.name, transactionOf(c.payload)}
		if c.retained {
			k.transaction = "" // refused unread
		}
		most[k]++
		if !c.repeated && s.lasts(c, expiry+2*commandTimeout) {
			least[k]++
		}
	}
	names := make(map[string]bool)
	for k := range most {
		names[k.name] = true
	}
	for name := range names {
		for _, r := range s.replies(0, s.topics.Response(id, name)) {
			got[key{name, strings.Trim(strings.TrimPrefix(string(r.Transaction), "null"), `"`)}]++
			if code := r.code(); (r.Status == statusOK) != (code == "ok") || !slices.Contains(knownCodes(), code) {
				s.t.Errorf("%s: answered %+v", name, r)
			}
		}
	}
	for k, n := range got {
		if n > most[k] {
			s.t.Errorf("%s: %d answers to %d commands on %s with transaction %q", id, n, most[k], k.name, k.transaction)
		}
	}
	for k, n := range least {
		if got[k] < n {
			s.t.Errorf("%s: %d answers to %d commands on %s with transaction %q", id, got[k], n, k.name, k.transaction)
		}
	}
}

// lasts reports whether line and bridge live on for a while after a command.
func (s *storm) lasts(c *claim, d time.Duration) bool {
	ended, over := s.meddler.ended[c.line]
	return c.run >= 0 && s.runs[c.run].to.Sub(c.at) > d && (!over || ended.Sub(c.at) > d)
}

func knownCodes() []Code {
	return []Code{
		"ok", CodeRetained, CodeExpired, CodeDuplicate, CodeNotPermitted, CodeAccessDenied, CodeOutOfRange, CodeInvalid, CodeTooLarge,
		CodeWrongState, CodeOffline, CodeUnreachable, CodeOctoPrint, CodeTimeout, CodeNoAction, CodeNoPrinter,
	}
}

// judgeCounters: what was refused is counted. What the last bridge got and was not
// carried out was refused.
func (s *storm) judgeCounters() {
	last := len(s.runs) - 1
	health := decodeDoc(s.t, string(s.request("bridge", "health", "{}").Data))
	for id := range s.sims {
		got, carriedOut := 0, 0
		for _, c := range s.claims(id) {
			if c.run == last && !c.repeated {
				got++
			}
		}
		for _, o := range s.sims[id].ordered() {
			if !o.at.Before(s.runs[last].from) && o.status/100 == 2 {
				carriedOut++
			}
		}
		refused, _ := at(health, "printers", id, "refused").(float64)
		if int(refused) != got-carriedOut {
			s.t.Errorf("%s: %v refusals are counted; of %d commands %d were carried out", id, refused, got, carriedOut)
		}
	}
}
