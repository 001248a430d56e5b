package integration

import (
	"context"
	"slices"
	"time"

	"octoprint2mqtt/octoprint"
)

// pictureTimeout is how long a picture may take to come.
const pictureTimeout = 5 * time.Second

// fetched is what came of an attempt to get a picture.
type fetched struct {
	source  source // that it was asked of
	picture string
	kind    string // its media type
	err     error
}

// fetch gets a picture and publishes it, or what stands in for it. It returns when
// the broker has that, or isn't there any more.
func (p *printer) fetch(ctx context.Context, pic *picture) {
	client, from, ok := p.beginFetch(pic)
	if !ok {
		return
	}
	f, room := fetched{source: from}, &room{of: p.bridge.gallery.large}
	defer room.leave()
	f.picture, f.kind, f.err = p.bridge.gallery.get(ctx, client, &from, room)
	if ctx.Err() != nil {
		return
	}
	settled := p.exhibit(pic, &f)
	kind, size := f.kind, len(f.picture)
	f.picture = "" // the outbox has it
	arrived := true
	if settled != nil {
		select {
		case arrived = <-settled:
		case <-ctx.Done():
			return
		}
	}
	if settled != nil && arrived {
		p.bridge.gallery.arrived(size)
	}
	p.endFetch(pic, arrived, f.err, pictureDoc{Type: kind, Bytes: size})
}

// beginFetch tells what to fetch now, which may be nothing any more.
func (p *printer) beginFetch(pic *picture) (*octoprint.Client, source, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pic.again = false
	if !p.hangsLocked(pic) || !p.session || pic.source == (source{}) || !p.bridge.gallery.isOpen() {
		pic.busy = false
		p.dueLocked(time.Now(), func(other *picture) bool { return other == pic })
		return nil, source{}, false
	}
	pic.serving, pic.asked = append(pic.serving, pic.asked...), nil
	return p.client, pic.source, true
}

// hangsLocked reports whether the printer still has a picture.
func (p *printer) hangsLocked(pic *picture) bool { return slices.Contains(p.album, pic) }

// get gets a picture from where it is to be had, as it is to be seen.
func (g *gallery) get(ctx context.Context, c *octoprint.Client, from *source, large *room) (picture, kind string, err error) {
	picture, err = download(ctx, c, from, large)
	if err != nil {
		return "", "", err
	}
	kind, size, err := checkPicture(picture)
	if err != nil || from.turn == (turn{}) {
		return picture, kind, err
	}
	turning := &room{of: g.turning}
	if err := turning.enter(ctx); err != nil {
		return "", "", err
	}
	defer turning.leave()
	picture, err = turnPicture(picture, kind, size, from.turn)
	return picture, kind, err
}

func download(ctx context.Context, c *octoprint.Client, from *source, large *room) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, pictureTimeout)
	defer cancel()
	body, err := from.open(ctx, c)
	if err != nil {
		return "", err
	}
	defer body.Close()
	return readPicture(ctx, body, large.enter)
}

// exhibit publishes what came of an attempt, and returns where it is told whether the
// picture has arrived; nil if the attempt has failed.
func (p *printer) exhibit(pic *picture, f *fetched) <-chan bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.hangsLocked(pic) || !p.view.live() || f.source != pic.source || !p.bridge.gallery.isOpen() {
		pic.again = true // it is of something else, or nobody takes it
		settled := make(chan bool, 1)
		settled <- false
		return settled
	}
	if f.err == nil && p.bridge.gallery.tooLarge(len(f.picture), time.Now()) {
		f.err = errBrokerRefuses
	}
	if f.err != nil {
		p.missedLocked(pic, f.err)
		return nil
	}
	p.expectLocked(pic, f.kind)
	pic.failures, pic.proven, pic.shows, pic.due = 0, true, showsPicture, time.Time{}
	if pic.camera {
		pic.due = time.Now().Add(p.intervalLocked())
	}
	if pic.logged != (source{}) {
		p.log().Info().Str("picture", pic.key).Msg("there is a picture again")
		pic.logged = source{}
	}
	if pic.problem != "" {
		p.toldLocked(pic, "")
	}
	p.device.exhibited(pic.key)
	settled := make(chan bool, 1)
	p.bridge.outbox.PutPicture(p.bridge.topics.Value(p.id, pic.key), f.picture, func(arrived bool) { settled <- arrived })
	return settled
}

// expectLocked has Home Assistant told of another media type before a picture of it
// comes.
func (p *printer) expectLocked(pic *picture, kind string) {
	if pic.camera || kind == p.typeLocked(pic) {
		return
	}
	p.view.thumbnailType = kind
	p.announced.publishLocked(false)
}

// missedLocked takes in that an attempt has failed. A picture that isn't replaced for
// a while is taken down, as is one that may not be there.
func (p *printer) missedLocked(pic *picture, err error) {
	pic.failures++
	pic.proven = false
	reason, final := explainPicture(err, pic.camera)
	now := time.Now()
	switch {
	case final || !pic.camera && pic.failures >= maxFailures:
		pic.due = time.Time{} // until there is another source
	case pic.failures < maxFailures:
		pic.due = now.Add(firstRetry)
	default:
		pic.due = now.Add(max(laterRetry, p.intervalLocked()))
	}
	if final || pic.failures >= maxFailures || pic.shows == showsNothing {
		p.takeDownLocked(pic)
	}
	if !final && pic.failures < maxFailures {
		return
	}
	if pic.problem != reason {
		p.toldLocked(pic, reason)
	}
	if pic.logged != pic.source {
		pic.logged = pic.source
		p.log().Warn().Str("picture", pic.key).Msg(reason)
	}
}

// endFetch takes in whether a picture has arrived, and answers those who asked for it.
func (p *printer) endFetch(pic *picture, arrived bool, err error, doc pictureDoc) {
	defer p.answerSnapshots()
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	pic.busy = false
	if !arrived && pic.shows == showsPicture {
		pic.shows, pic.again = showsNothing, true
	}
	if pic.again && p.hangsLocked(pic) && pic.source != (source{}) {
		pic.due = now
	}
	p.servedLocked(pic, arrived, err, doc)
	p.lookLocked(now)
}
