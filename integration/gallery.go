package integration

import (
	"context"
	"sync"
)

// lane is a queue of pictures that are to be fetched. Those that have shown
// themselves to be quick never wait for others.
type lane uint8

const (
	trialLane  lane = iota // the last attempt has failed, or there was none: they may hang
	soundLane              // fetched as they are
	turnedLane             // turned after that, which takes the processor for a while
	lanes
)

// places returns how many pictures of a lane may be on their way at a time, from the
// camera to the broker.
func (l lane) places() int { return [lanes]int{trialLane: 16, soundLane: 32, turnedLane: 4}[l] }

func laneOf(pic *picture) lane {
	switch {
	case !pic.proven:
		return trialLane
	case pic.source.turn != turn{}:
		return turnedLane
	}
	return soundLane
}

// maxLargePictures bounds how many pictures of more than smallPicture are held at a
// time.
const maxLargePictures = 4

// errand is to fetch a picture.
type errand struct {
	printer *printer
	picture *picture
}

// gallery fetches the pictures of all printers, a bounded number at a time. Pictures
// are not kept: they are fetched only while the broker takes them, and hold their
// place in the lane until it has them.
type gallery struct {
	wake    chan struct{} // holds one element while there may be something to do
	large   chan struct{} // holds one element for each large picture
	turning chan struct{} // holds one element while a picture is turned

	mu      sync.Mutex
	limit   pictureLimit
	open    bool
	waiting [lanes][]errand
	running [lanes]int
}

func newGallery() *gallery {
	return &gallery{wake: make(chan struct{}, 1), large: make(chan struct{}, maxLargePictures), turning: make(chan struct{}, 1)}
}

// want has a picture fetched when there is room, and reports whether the gallery is
// open. A picture may be in it once.
func (g *gallery) want(e errand, l lane) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open {
		return false
	}
	g.waiting[l] = append(g.waiting[l], e)
	g.signal()
	return true
}

// set opens or closes the gallery, as opened says. What is closed takes nothing in;
// what has begun is finished.
func (g *gallery) set(opened func() bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = opened()
}

func (g *gallery) isOpen() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

func (g *gallery) signal() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// run fetches pictures until ctx ends, and waits for those that are under way.
func (g *gallery) run(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.wake:
		}
		for l := range lanes {
			for e, ok := g.next(l); ok; e, ok = g.next(l) {
				group.Go(func() {
					defer g.left(l)
					e.printer.fetch(ctx, e.picture)
				})
			}
		}
	}
}

// next takes the next errand of a lane, if there is a place for it.
func (g *gallery) next(l lane) (errand, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting[l]) == 0 || g.running[l] >= l.places() {
		return errand{}, false
	}
	e := g.waiting[l][0]
	g.waiting[l] = g.waiting[l][1:]
	if len(g.waiting[l]) == 0 {
		g.waiting[l] = nil
	}
	g.running[l]++
	return e, true
}

// left gives a place in a lane back.
func (g *gallery) left(l lane) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running[l]--
	g.signal()
}

// room is one of a number of places, which may be taken or not.
type room struct {
	of    chan struct{}
	taken bool
}

// enter waits until there is room.
func (r *room) enter(ctx context.Context) error {
	select {
	case r.of <- struct{}{}:
		r.taken = true
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave gives the place back, if it was taken.
func (r *room) leave() {
	if r.taken {
		<-r.of
		r.taken = false
	}
}

// openGallery lets pictures in while they can be published and nobody listens to
// everything that is: that would bring them all back.
func (b *Bridge) openGallery() {
	b.gallery.set(func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.brokerWas == connectionConnected && b.sweepAt.IsZero()
	})
}
