package integration

import (
	"context"
	"time"
)

// tickAll does each second what waits for time to pass, until ctx ends.
func (b *Bridge) tickAll(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			b.tick(now)
		}
	}
}

func (b *Bridge) tick(now time.Time) {
	b.ticked.Store(int64(now.Sub(b.started)))
	for _, p := range b.printers() {
		p.tick(now)
		p.answerSnapshots()
	}
	b.farm.tick(now)

	for _, due := range b.due(now) {
		due(now)
	}
}

// due returns what the time has come for.
func (b *Bridge) due(now time.Time) []func(time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.recent.forget(now)
	var list []func(time.Time)
	if passed(&b.bornAt, now) {
		b.stubsAt = now.Add(stubDelay)
		list = append(list, b.born)
	}
	if passed(&b.stubsAt, now) {
		list = append(list, func(time.Time) { b.repeatAnnouncements(false) })
	}
	if passed(&b.sweepAt, now) {
		if b.sweep.underWay() {
			list = append(list, b.endSweep)
		} else {
			b.sweepAt = now.Add(sweepTime)
			list = append(list, b.beginSweep)
		}
	}
	if passed(&b.restoreAt, now) {
		list = append(list, b.restore)
	}
	if b.staleInfo {
		b.staleInfo = false
		list = append(list, func(time.Time) { b.outbox.Put(b.topics.BridgeInfo(), mustMarshal(b.info()), valueClass) })
	}
	if now.Sub(b.healthAt) >= healthInterval {
		list = append(list, b.health)
	}
	return list
}

// born answers Home Assistant's start.
func (b *Bridge) born(now time.Time) {
	b.log.Info().Msg("Home Assistant has started: publishing everything again")
	b.repeatAnnouncements(true)
	b.outbox.Again()
	for _, p := range b.printers() {
		p.renewPictures(false, now)
	}
}

func (b *Bridge) repeatAnnouncements(full bool) {
	for _, a := range b.announcements() {
		a.repeat(full)
	}
}

// passed reports whether a time has come, and forgets it then.
func passed(at *time.Time, now time.Time) bool {
	if at.IsZero() || now.Before(*at) {
		return false
	}
	*at = time.Time{}
	return true
}
