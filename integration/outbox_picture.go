package integration

import "math"

// maxPicturesInFlight bounds how many pictures are on their way to the broker at a
// time: what comes after them waits until they are through.
const maxPicturesInFlight = 4

// sentPicture is the length of what is kept of a picture that is on its way or has
// arrived, which is nothing: pictures are large and soon out of date.
const sentPicture = math.MaxUint32

// sent reports whether the topic's picture isn't there any more to be sent.
func (p packed) sent() bool { return p.length == sentPicture }

// passing has who waits for the fate of a picture.
type passing map[*retained]passage

type passage struct {
	waiting, flying func(arrived bool) // nil: there is no such picture
	size            int                // of the flying one, in bytes
}

// drop gives up a picture that hasn't been sent.
func (p passing) drop(r *retained) {
	way, ok := p[r]
	if !ok || way.waiting == nil {
		return
	}
	way.waiting(false)
	way.waiting = nil
	p.set(r, way)
}

func (p passing) set(r *retained, way passage) {
	if way.waiting == nil && way.flying == nil {
		delete(p, r)
		return
	}
	p[r] = way
}

// flying is how many pictures are in flight.
func (p passing) flying() int {
	n := 0
	for _, way := range p {
		if way.flying != nil {
			n++
		}
	}
	return n
}

// PutPicture has a picture retained on a topic, in place of whatever there is. It is
// sent once and then forgotten. settled is called once: with true when the broker
// has it, with false when something else took its place or the connection ended
// before that. It must neither block nor lock anything.
func (o *outbox) PutPicture(topic, picture string, settled func(arrived bool)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.topics.get(topic)
	if r == nil {
		r = o.addLocked(topic)
	}
	o.classifyLocked(r, pictureClass)
	r.payload = packed{text: picture}
	way := o.passing[r]
	way.waiting = settled
	o.passing[r] = way
	o.markLocked(r)
}

// nextPictureLocked takes the next picture, and what is kept of it afterwards is
// nothing.
func (o *outbox) nextPictureLocked() (message, packed, bool) {
	if len(o.dirty[pictureClass]) == 0 || o.passing.flying() >= maxPicturesInFlight {
		return message{}, packed{}, false
	}
	r := o.nextDirtyLocked(pictureClass)
	if r == nil {
		return message{}, packed{}, false
	}
	picture := r.payload
	r.payload = packed{length: sentPicture}
	o.passing[r] = passage{flying: o.passing[r].waiting, size: len(picture.text)}
	return message{topic: o.topics.topicOf(r), retained: true, done: func() { o.pictureArrived(r) }}, picture, true
}

func (o *outbox) pictureArrived(r *retained) {
	o.acknowledged(r)
	o.mu.Lock()
	defer o.mu.Unlock()
	way, ok := o.passing[r]
	if !ok || way.flying == nil {
		return
	}
	way.flying(true)
	way.flying = nil
	o.passing.set(r, way)
	o.signal() // another may be sent
}

// DropPictures gives up the pictures that are on their way, and returns how many bytes
// the largest had that was sent; 0 if none was. It is called when a connection has
// ended.
func (o *outbox) DropPictures() (largest int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, way := range o.passing {
		if way.flying != nil {
			largest = max(largest, way.size)
		}
	}
	o.dropPicturesLocked()
	return largest
}

func (o *outbox) dropPicturesLocked() {
	for r, way := range o.passing {
		for _, settled := range []func(bool){way.waiting, way.flying} {
			if settled != nil {
				settled(false)
			}
		}
		if r.class == pictureClass {
			r.payload, r.dirty = packed{length: sentPicture}, false
		}
	}
	clear(o.passing)
	o.dirty[pictureClass] = nil
}
