package integration

import (
	"maps"
	"slices"
	"sync"

	"octoprint2mqtt/discovery"
)

// announcement is what Home Assistant is told of one device, and what is to be
// taken out of it again. It is guarded by the mutex of the device's owner, which
// the methods without Locked take themselves.
type announcement struct {
	topic  string // empty: there is no discovery
	outbox *outbox
	owner  sync.Locker
	// describe returns the document as it should be now, and whether its
	// components are all there are: of a printer that was never reached they are
	// not, and nothing is removed on that ground. It is called with owner locked.
	describe func() (d discovery.Document, complete bool)

	// had is what Home Assistant may have and the latest document lacks, and told
	// are the keys of what it may have and the document has.
	had     map[string]discovery.Component
	told    []string
	removed map[string]discovery.Component
	deleted bool // by the user, in Home Assistant
	// erased says that we have withdrawn the document, to publish it again: the
	// broker's echo of that is no deletion by the user.
	erased bool
}

// publishLocked puts the document into the outbox. Components to be removed stand
// in it as stubs, or once more in full when Home Assistant has started anew: a
// stub works only on what it has loaded.
func (a *announcement) publishLocked(full bool) {
	if a.deleted || a.topic == "" {
		return
	}
	d, _ := a.describe()
	a.putLocked(d, full)
}

func (a *announcement) putLocked(d discovery.Document, full bool) {
	d.Stubs = make(map[string]discovery.Platform, len(a.removed))
	for key, c := range a.removed {
		if full {
			d.Components[key] = c
		} else {
			d.Stubs[key] = c.Platform
		}
	}
	a.erased = false
	text, _ := d.MarshalJSON() // never fails
	a.outbox.Put(a.topic, string(text), discoveryClass)
}

// reshapeLocked lets change change what describe returns, and announces that.
func (a *announcement) reshapeLocked(change func()) {
	if a.topic == "" {
		change()
		return
	}
	// A stub for what Home Assistant never had would confuse it.
	known := a.outbox.Known(a.topic)
	if known || len(a.told) > 0 {
		before, _ := a.describe()
		maps.DeleteFunc(before.Components, func(key string, _ discovery.Component) bool {
			return !known && !slices.Contains(a.told, key)
		})
		a.keepLocked(before.Components)
	}
	change()
	a.told = nil
	now, complete := a.describe()
	a.dropLocked(now, complete)
	if !a.deleted {
		a.putLocked(now, false)
	}
}

// inherit takes in what a document of an earlier run, still on the broker,
// announces, and has removed what the device hasn't any more.
func (a *announcement) inherit(former map[string]discovery.Component) {
	a.owner.Lock()
	defer a.owner.Unlock()
	if a.erased || a.deleted {
		return
	}
	before := len(a.removed)
	a.keepLocked(former)
	a.dropLocked(a.describe())
	if len(a.removed) != before {
		a.publishLocked(false)
	}
}

// keepLocked takes the components over.
func (a *announcement) keepLocked(components map[string]discovery.Component) {
	if a.had == nil {
		a.had = components
		return
	}
	maps.Copy(a.had, components)
}

// dropLocked has everything removed that Home Assistant may have and the device
// hasn't. Of what stays the key is enough to remember.
func (a *announcement) dropLocked(now discovery.Document, complete bool) {
	a.told = slices.Grow(a.told, len(a.had))
	for key, c := range a.had {
		if _, stays := now.Components[key]; stays {
			a.told = append(a.told, key)
			delete(a.had, key)
			continue
		}
		if !complete {
			continue
		}
		if a.removed == nil {
			a.removed = make(map[string]discovery.Component)
		}
		a.removed[key] = c
	}
	for key := range now.Components {
		delete(a.removed, key)
	}
	if len(a.had) == 0 {
		a.had = nil // an empty map keeps the room for all that was in it
	}
}

// repeat publishes what is to be removed once more after Home Assistant has
// started: in full, and later as stubs, with which it is done.
func (a *announcement) repeat(full bool) {
	a.owner.Lock()
	defer a.owner.Unlock()
	if len(a.removed) == 0 {
		return
	}
	a.publishLocked(full)
	if full {
		return
	}
	for key := range a.removed {
		delete(a.had, key)
	}
	a.removed = nil
}

// eraseLocked withdraws the document, with which Home Assistant forgets the
// device.
func (a *announcement) eraseLocked() {
	if a.topic == "" {
		return
	}
	a.outbox.Remove(a.topic)
	a.had, a.told, a.removed, a.deleted, a.erased = nil, nil, nil, false, true
}

// withdrawn takes in that the document was deleted on the broker, and reports
// whether the user has done that just now, in Home Assistant. What somebody
// deletes stays deleted until the bridge starts anew, or a refresh is asked for.
func (a *announcement) withdrawn() bool {
	a.owner.Lock()
	defer a.owner.Unlock()
	if a.deleted || a.erased {
		return false
	}
	a.deleted = true
	a.outbox.Disown(a.topic)
	return true
}

// reviveLocked announces a device again that somebody has deleted.
func (a *announcement) reviveLocked() {
	if !a.deleted {
		return
	}
	a.deleted, a.had, a.told, a.removed = false, nil, nil, nil
	a.publishLocked(false)
}
