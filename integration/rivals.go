package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

const (
	// rivalAge is how old the health of another bridge may be for it to count as
	// being at work: it is published each minute.
	rivalAge = 90 * time.Second
	// takeoverMemory is how long a lost connection counts in which another bridge
	// has appeared.
	takeoverMemory = time.Minute
	// rivalJitter keeps two bridges that yielded to each other from looking again
	// at the same moment.
	rivalJitter = 30 * time.Second
	// lookAgain is the pause between looks at what may be our own last run.
	lookAgain = 10 * time.Second
)

// errRival means that another bridge is at work on our topics.
var errRival = errors.New("another octoprint2mqtt is at work on the same base topic")

// rivals keeps two bridges from working on the same topics: the one that sees
// that another is at work yields. It publishes nothing, takes no commands, and
// looks again after a while.
//
// A bridge is told from another by the random instance in bridge/health.
type rivals struct {
	bridge *Bridge

	mu sync.Mutex
	// look says that the broker has to be asked before the next connection.
	look bool
	// former are our own last runs, as far as the journal knows. The will of the
	// last one may be still to come; what they have left on the broker is no word
	// of a rival.
	former []string
	// alone says that nobody else has the state folder, so that those have ended.
	alone bool
	// dead is the instance that was found to have ended.
	dead string
	// yielded says that there was another bridge when we looked last.
	yielded bool
	// was says that we have been the one at work: what another instance has said
	// since is a takeover.
	was       bool
	takeovers []time.Time
}

func newRivals(b *Bridge) *rivals { return &rivals{bridge: b, look: true} }

// instanceRecord is what the journal keeps of a run.
type instanceRecord struct {
	Instances []string `json:"instances"` // the last one last
}

// maxFormer is how many runs may end before one of them reaches the broker, and
// still know each other.
const maxFormer = 16

// instanceName is the run's name in the journal.
const instanceName = "bridge"

// recall learns from the journal who we were in the last run, and records who we
// are in this one. It takes whether nobody else has the state folder.
func (r *rivals) recall(alone bool) {
	r.alone = alone
	var last instanceRecord
	if r.bridge.journal.load(instanceName, &last) {
		r.former = last.Instances
	}
	r.former = r.former[max(0, len(r.former)-maxFormer):]
	r.bridge.journal.put(instanceName, instanceRecord{Instances: append(slices.Clone(r.former), r.bridge.instance)})
}

// check looks for another bridge if there is reason to: at the first connection,
// and after one was seen. Where that may be our own last run and nothing shows that
// it has ended, it waits whether something new is heard of it.
func (r *rivals) check(ctx context.Context) error {
	r.mu.Lock()
	look, former, yielded := r.look, r.former, r.yielded
	r.mu.Unlock()
	if !look {
		return nil
	}
	if yielded && !wait(ctx, rand.N(rivalJitter)) {
		return ctx.Err()
	}
	other, err := r.find(ctx)
	// After a power cut the broker may come back with our own last word and nobody
	// left to tell our will. A run that is dead says nothing new.
	for end := time.Now().Add(rivalAge); errors.Is(err, errRival) && slices.Contains(former, other) && time.Now().Before(end) && wait(ctx, lookAgain); {
		other, err = r.find(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.yielded = errors.Is(err, errRival)
		return err
	}
	r.look, r.yielded, r.takeovers = false, false, nil
	return nil
}

// find asks the broker who is at work. It logs in under a name of its own: with
// ours it would throw the other bridge out. A broker that doesn't let it in that
// way is not asked.
func (r *rivals) find(ctx context.Context) (instance string, err error) {
	b := r.bridge
	state, health := b.topics.BridgeState(), b.topics.BridgeHealth()
	retained, err := b.broker.peek(ctx, "look-"+b.instance, []string{state, health})
	switch {
	case errors.Is(err, ErrBrokerRefused), errors.Is(err, ErrSubscriptionRefused):
		return "", nil // the connection itself tells what is wrong
	case err != nil:
		return "", err
	}
	h, ok := parseHealth([]byte(retained[health]))
	if !ok || h.Instance == b.instance {
		return "", nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if retained[state] == offline || !h.young(time.Now()) || r.alone && slices.Contains(r.former, h.Instance) {
		r.dead = h.Instance
		return "", nil
	}
	return h.Instance, rival(h.Instance)
}

func rival(instance string) error {
	return fmt.Errorf("%w, with instance %s", errRival, clean(instance))
}

// introduced takes in that we are at work.
func (r *rivals) introduced() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.was = true
}

// heard takes in what is said on bridge/health, and returns why to yield, if
// there is a reason.
func (r *rivals) heard(d *delivery) error {
	if bytes.Contains(d.payload, []byte(`"instance":"`+r.bridge.instance+`"`)) {
		return nil // our own, which is large in a large farm
	}
	h, ok := parseHealth(d.payload)
	if !ok {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.retained && (h.Instance == r.dead || slices.Contains(r.former, h.Instance)) {
		return nil
	}
	if d.retained && !h.young(d.at) && !r.takenOverLocked(d.at) {
		return nil
	}
	r.look, r.yielded, r.was = true, true, false
	if !d.retained {
		r.alone = false // somebody has a copy of the state folder
	}
	return rival(h.Instance)
}

// takenOverLocked reports whether the connection was taken over by another bridge
// for the second time within a minute. Clocks that differ make a bridge at work
// look as if it had stopped; but what it says where we were the last to speak, it
// has said since.
func (r *rivals) takenOverLocked(now time.Time) bool {
	if !r.was {
		return false
	}
	r.takeovers = slices.DeleteFunc(r.takeovers, func(at time.Time) bool { return now.Sub(at) >= takeoverMemory })
	r.takeovers = append(r.takeovers, now)
	return len(r.takeovers) > 1
}

// rivalHealth is what counts in the health of a bridge.
type rivalHealth struct {
	Time     time.Time `json:"time"`
	Instance string    `json:"instance"`
}

func parseHealth(payload []byte) (h rivalHealth, ok bool) {
	if json.Unmarshal(payload, &h) != nil {
		return rivalHealth{}, false
	}
	return h, h.Instance != ""
}

// young reports whether the health is fresh, by clocks that may differ a little.
func (h rivalHealth) young(now time.Time) bool { return now.Sub(h.Time).Abs() < rivalAge }
