package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ending is how a print ended, as OctoPrint itself has it.
type ending struct {
	known   bool // neither can the bridge know it while this is false
	over    bool
	at      time.Time
	success bool
	lost    bool // OctoPrint was restarted and knows of no end
	job     *printJob
}

func (tr *ordeal) ending(j *printJob) ending {
	if !j.end.over {
		j.end = tr.findEnding(j)
	}
	return j.end
}

func (tr *ordeal) findEnding(j *printJob) ending {
	if j.printer == "left" && tr.expectedLeft().connection != connectionConnected {
		return ending{job: j}
	}
	s := tr.sims[j.printer]
	if r, ok := s.remembers(tr.t, j.path); ok {
		return ending{job: j, known: true, over: true, at: r.at, success: r.success}
	}
	if i := s.itself(tr.t); i.running() && i.File.Path == j.path {
		return ending{job: j, known: true}
	}
	for _, at := range tr.restarts {
		if !at.Before(j.started) {
			return ending{job: j, known: true, over: true, at: at, lost: true}
		}
	}
	tr.t.Fatalf("what has become of %s on %s?", j.path, j.printer)
	return ending{}
}

// results are what may be shown as its result. Of a print that ended unseen
// OctoPrint only tells whether it was a success.
func (e ending) results() []string {
	switch {
	case e.success:
		return []string{resultSuccess}
	case e.lost:
		return []string{resultFailed}
	case e.job.cancelled:
		return []string{resultCancelled, resultUndetermined}
	}
	return []string{resultFailed, resultUndetermined}
}

// types are the events that may tell it.
func (e ending) types() []string {
	switch {
	case e.success:
		return []string{"print_finished success "}
	case e.lost:
		return []string{"print_failed failed lost"}
	case e.job.cancelled:
		return []string{"print_cancelled cancelled ", "print_failed undetermined unknown"}
	}
	return []string{"print_failed failed error", "print_failed undetermined unknown"}
}

// look notes, each second, which prints a session of the bridge is there to see.
func (tr *ordeal) look() {
	for _, j := range tr.prints {
		tr.notice(j)
	}
	tr.in(time.Second, tr.look)
}

func (tr *ordeal) notice(j *printJob) {
	hidden := j.printer == "left" && tr.expectedLeft().connection != connectionConnected
	if j.seen || j.end.over || hidden || tr.sims[j.printer].Sockets() == 0 {
		return
	}
	i := tr.sims[j.printer].itself(tr.t)
	j.seen = i.running() && i.Phase != "cancelling" && i.Phase != "finishing" && i.File.Path == j.path
}

// toldEvent is an event as it was told, however often.
type toldEvent struct {
	event
	at    time.Time // the first time
	count int
}

// tellings returns the events of a topic by their ids, and what is wrong with
// repetitions.
func (tr *ordeal) tellings(topic string) (list []*toldEvent, lies []string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	byID := make(map[string]*toldEvent)
	for _, m := range tr.told {
		if m.topic != topic {
			continue
		}
		var e event
		if err := json.Unmarshal([]byte(m.payload), &e); err != nil || m.retain || e.ID == "" {
			lies = append(lies, fmt.Sprintf("%s: %+v", topic, m))
			continue
		}
		first := byID[e.ID]
		if first == nil {
			first = &toldEvent{event: e, at: m.at}
			byID[e.ID] = first
			list = append(list, first)
		}
		first.count++
		e.Late = first.Late // it may have become late
		if first.Type == EventPrintFailed && first.Reason == reasonUnknown || e.Reason == reasonUnknown {
			continue // found out anew after a crash, with less known than before
		}
		if mustMarshal(e) != mustMarshal(first.event) {
			lies = append(lies, fmt.Sprintf("%s was told as %s and as %s", e.ID, mustMarshal(first.event), mustMarshal(e)))
		}
	}
	return list, lies
}

// eventLies is what was told and should not have been, or not so, and what should
// have been told and was not.
func (tr *ordeal) eventLies() []string {
	var lies []string
	var everybody []string
	for _, c := range tr.config.Printers {
		list, wrong := tr.tellings(tr.topics.Event(c.ID))
		lies = append(lies, wrong...)
		for _, e := range list {
			everybody = append(everybody, e.ID)
		}
		if i := slices.IndexFunc(list, aboutMore); c.ID == "right" && i >= 0 {
			lies = append(lies, fmt.Sprintf("right told %+v", list[i].event))
		}
		for _, j := range tr.prints {
			if j.printer == c.ID {
				lies = append(lies, tr.printLies(j, list)...)
			}
		}
	}
	list, _ := tr.tellings(tr.topics.Event("farm"))
	var farm []string
	for _, e := range list {
		farm = append(farm, e.ID)
	}
	slices.Sort(everybody)
	slices.Sort(farm)
	if !slices.Equal(everybody, farm) {
		lies = append(lies, fmt.Sprintf("the farm told %v, the printers %v", farm, everybody))
	}
	return lies
}

// aboutMore reports whether an event is about more than heat.
func aboutMore(e *toldEvent) bool { return e.Type != EventHeated && e.Type != EventCooledDown }

// printLies is about the events of one print.
func (tr *ordeal) printLies(j *printJob, list []*toldEvent) []string {
	var lies, types []string
	var starts, ends []*toldEvent
	for _, e := range list {
		switch {
		case e.Path != j.path:
		case e.Type == EventPrintStarted:
			starts = append(starts, e)
		case e.Result != "":
			ends = append(ends, e)
			types = append(types, e.ID+" "+string(e.Type))
		}
	}
	if len(starts) > 1 || len(starts) == 0 && tr.calm(j.started) {
		lies = append(lies, fmt.Sprintf("%s: the start was told %d times", j.path, len(starts)))
	}
	if len(starts) == 1 && tr.calm(j.started) && starts[0].Late {
		lies = append(lies, j.path+": the start was told as late")
	}
	end := tr.ending(j)
	switch {
	case !end.known:
	case !end.over && len(ends) > 0, len(ends) > 1:
		lies = append(lies, fmt.Sprintf("%s: over %v, ends %v", j.path, end.over, types))
	case end.over && len(ends) == 0 && j.seen:
		lies = append(lies, j.path+": the end was not told")
	case len(ends) == 1:
		lies = append(lies, tr.endLies(end, ends[0])...)
	}
	return lies
}

// endLies is about the event that ends a print.
func (tr *ordeal) endLies(end ending, e *toldEvent) []string {
	var lies []string
	what := strings.Join([]string{string(e.Type), e.Result, e.Reason}, " ")
	calm := tr.calm(end.at)
	switch delay := e.at.Sub(end.at); {
	case !slices.Contains(end.types(), what), calm && e.Reason == reasonUnknown:
		lies = append(lies, fmt.Sprintf("%s: told %q, want one of %q", e.Path, what, end.types()))
	case delay > tr.unnoticed(end.job)+time.Second && !e.Late:
		lies = append(lies, fmt.Sprintf("%s: told %v after the end, but not as late", e.Path, delay))
	case calm && (e.Late || delay > time.Second || e.Time.Sub(end.at).Abs() > time.Second):
		lies = append(lies, fmt.Sprintf("%s: told %v after the end, late %v, time %v, ended %v", e.Path, delay, e.Late, e.Time, end.at))
	}
	return lies
}

// unnoticed is how old an event may be that is not told as late: where a half-open
// line heals before it is noticed, or a broker that stood still goes on, nobody can tell
// how old what comes through is.
func (tr *ordeal) unnoticed(j *printJob) time.Duration {
	if _, healed := tr.raised["held"]; healed && j.printer == "left" {
		return noticeTime
	}
	if _, resumed := tr.raised["broker stopped"]; resumed {
		return max(lateAfter, noticeTime) // told in time, to a broker that read it when it went on
	}
	return lateAfter
}

// calm reports whether nothing was in the way at a time that is remembered.
func (tr *ordeal) calm(at time.Time) bool {
	return at.After(tr.horizon) && !slices.ContainsFunc(tr.trouble, func(t span) bool {
		return !at.Before(t.from.Add(-time.Second)) && (t.to.IsZero() || !at.After(t.to))
	})
}

// span is from when to when something was in the way; to is zero while it is.
type span struct{ from, to time.Time }
