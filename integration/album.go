package integration

import (
	"cmp"
	"slices"
	"time"

	"octoprint2mqtt/discovery"
)

const (
	// idleInterval is how often a camera's picture is fetched while nothing is
	// printed.
	idleInterval = 5 * time.Minute
	// maxFailures is how many pictures in a row may be missed before the last one is
	// taken down.
	maxFailures = 3
	// firstRetry is how long a picture waits after a failure, until there are
	// maxFailures, and laterRetry how long from then on.
	firstRetry = 10 * time.Second
	laterRetry = time.Minute
)

// picture is a topic of a printer that shows a picture. It is guarded by the
// printer's mutex.
type picture struct {
	key    string                    // of its row
	camera bool                      // else it changes only with its source
	look   func(*printerView) source // the row's
	source source                    // as it is now
	shows  exhibit
	due    time.Time // when it is to be fetched; zero: it isn't

	busy     bool // it is to be fetched next, being fetched or being published
	again    bool // it is to be fetched once more after that
	proven   bool // the last attempt has succeeded
	failures int  // in a row
	problem  string
	logged   source // of which a problem was logged

	asked   []*snapshot // that wait for the next attempt to begin
	serving []*snapshot // that wait for the attempt under way
}

// exhibit is what the broker has on a picture's topic.
type exhibit uint8

const (
	showsNothing     exhibit = iota // or it isn't known what
	showsPlaceholder                // as good as a value: it stays whatever happens to the broker
	showsPicture
)

// arrangeLocked gives the printer the pictures that its rows have. They show a
// placeholder at first: what an earlier run has left may be long out of date.
func (p *printer) arrangeLocked() {
	before := p.album
	p.album = nil
	for i := range p.device.rows {
		r := &p.device.rows[i]
		if r.picture == nil {
			continue
		}
		at := slices.IndexFunc(before, func(pic *picture) bool { return pic.key == r.key })
		if at >= 0 {
			before[at].look = r.picture
			p.album = append(p.album, before[at])
			continue
		}
		pic := &picture{key: r.key, look: r.picture, camera: r.component.Platform == discovery.Camera}
		p.album = append(p.album, pic)
		p.takeDownLocked(pic)
		p.toldLocked(pic, "")
	}
	for _, pic := range before {
		if !slices.Contains(p.album, pic) {
			p.answerLocked(pic.asked, refuse(CodeInvalid, "this printer has no camera any more"))
		}
	}
}

// lookLocked sees to it that each picture is of what it should show, and fetches
// those that are due. It is called for every message of OctoPrint.
func (p *printer) lookLocked(now time.Time) {
	for _, pic := range p.album {
		wanted := source{}
		if p.view.live() {
			wanted = pic.look(&p.view)
		}
		if wanted != pic.source {
			p.sourceChangedLocked(pic, wanted, now)
		}
		if pic.due.IsZero() || now.Before(pic.due) || !p.session {
			continue
		}
		if pic.busy {
			pic.again, pic.due = true, time.Time{}
		} else if p.bridge.gallery.want(errand{p, pic}, laneOf(pic)) {
			pic.busy, pic.due = true, time.Time{}
		}
	}
}

// sourceChangedLocked takes in that a picture is to be had elsewhere, or not at all.
// One of another file isn't left standing, one of a camera only until the next attempt.
func (p *printer) sourceChangedLocked(pic *picture, to source, now time.Time) {
	pic.source, pic.failures, pic.proven, pic.due = to, 0, false, now
	if to == (source{}) {
		pic.due = time.Time{}
	}
	p.toldLocked(pic, "")
	switch {
	case !pic.camera || to == (source{}):
		p.takeDownLocked(pic)
	case pic.shows == showsPicture:
		pic.shows = showsNothing
	}
}

// dueLocked has pictures fetched at once.
func (p *printer) dueLocked(now time.Time, which func(*picture) bool) {
	for _, pic := range p.album {
		if which(pic) && pic.source != (source{}) {
			pic.due = now
		}
	}
}

// happenedLocked has the cameras look at what has just happened.
func (p *printer) happenedLocked(events []event, now time.Time) {
	worth := []EventType{EventPrintStarted, EventPrintPaused, EventPrintFinished, EventPrintCancelled, EventPrintFailed, EventPrinterError}
	if slices.ContainsFunc(events, func(e event) bool { return slices.Contains(worth, e.Type) }) {
		p.dueLocked(now, func(pic *picture) bool { return pic.camera })
	}
}

// takeDownLocked puts the placeholder in the place of a picture.
func (p *printer) takeDownLocked(pic *picture) {
	if pic.shows == showsPlaceholder {
		return
	}
	pic.shows = showsPlaceholder
	p.device.exhibited(pic.key)
	p.bridge.outbox.Put(p.bridge.topics.Value(p.id, pic.key), p.bridge.placeholders()[p.typeLocked(pic)], valueClass)
}

// typeLocked is the media type that Home Assistant expects of a picture. Of cameras
// it takes any.
func (p *printer) typeLocked(pic *picture) string {
	if pic.camera {
		return typeJPEG
	}
	if p.view.thumbnailType == "" {
		return typePNG
	}
	return p.view.thumbnailType
}

// toldLocked says beside a picture why there is no newer one.
func (p *printer) toldLocked(pic *picture, problem string) {
	pic.problem = problem
	doc := struct {
		Problem value `json:"problem"`
	}{text(problem)}
	p.device.explain(pic.key, mustMarshal(doc))
}

// renewPictures has all pictures fetched again. With lost it isn't known any more
// whether the broker has the last ones.
func (p *printer) renewPictures(lost bool, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pic := range p.album {
		if lost && pic.shows == showsPicture {
			pic.shows = showsNothing
		}
	}
	p.dueLocked(now, func(*picture) bool { return true })
}

// takeDownAll leaves only placeholders, and has all pictures fetched again later.
func (p *printer) takeDownAll(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pic := range p.album {
		p.takeDownLocked(pic)
	}
	p.dueLocked(now, func(*picture) bool { return true })
}

// intervalLocked is how long a picture stands.
func (p *printer) intervalLocked() time.Duration {
	if p.view.running() {
		return cmp.Or(p.view.config.Camera.Interval, DefaultCameraInterval)
	}
	return idleInterval
}
