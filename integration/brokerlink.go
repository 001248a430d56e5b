package integration

import (
	"context"
	"errors"
	"time"

	"octoprint2mqtt/discovery"
)

// filters returns what to subscribe to: commands, Home Assistant's birth, our own
// discovery documents, to see when a user deletes one, and what another bridge on
// our topics would say.
func (b *Bridge) filters() []subscription {
	list := listening(1, b.topics.CommandFilters()...)
	if b.config.MQTT.BirthTopic != "" && b.topics.Prefix != "" {
		list = append(list, listening(1, b.config.MQTT.BirthTopic)...)
	}
	list = append(list, listening(0, b.topics.BridgeHealth())...)
	if b.topics.Prefix != "" {
		list = append(list, listening(0, b.topics.Config(discovery.Bridge), b.topics.Config(discovery.Farm))...)
		for _, p := range b.printers() {
			list = append(list, listening(0, b.topics.Config(p.id))...)
		}
	}
	return list
}

// serveBroker serves one connection to the broker, unless another bridge is at
// work there.
func (b *Bridge) serveBroker(ctx context.Context) error {
	err := b.rivals.check(ctx)
	// The one at work may be using the same state folder.
	b.journal.hold(errors.Is(err, errRival))
	if err != nil {
		return err
	}
	b.outbox.Unmute()
	return b.broker.serve(ctx)
}

// brokerConnected tells that everything has been published.
func (b *Bridge) brokerConnected() {
	now := time.Now()
	b.rivals.introduced()
	b.mu.Lock()
	b.brokerWas, b.brokerDetail = connectionConnected, ""
	b.device.observe(b, now)
	if !b.sweptOnce {
		b.sweptOnce = true
		b.sweepAt = now.Add(sweepDelay)
	}
	b.mu.Unlock()
	b.log.Info().Str("broker", publicURL(b.config.MQTT.URL)).Msg("connected to the MQTT broker")
	b.happenings.add(happening{Time: instant(now), Text: "Connected to the MQTT broker", Tone: toneGood})
	b.health(now)
	for _, p := range b.printers() {
		p.renewPictures(true, now)
	}
	b.openGallery()
}

// brokerEnded takes in that a connection has ended with pictures on their way.
func (b *Bridge) brokerEnded(largest int) {
	if size := b.gallery.connectionLost(largest, time.Now()); size > 0 {
		b.log.Warn().Int("bytes", size).Msg("the MQTT broker seems to hang up on large pictures: those of this size and more are not sent for an hour; allow larger packets on the broker, or make the pictures smaller")
	}
}

// brokerFailed logs the loss of the broker once.
func (b *Bridge) brokerFailed(err error) (final bool) {
	defer b.openGallery()
	yields := errors.Is(err, errRival)
	if yields {
		b.outbox.Mute()
		b.journal.hold(true)
	}
	is := connectionUnreachable
	if yields {
		is = connectionYielding
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.brokerDetail = explainBroker(&b.config.MQTT, err)
	if b.brokerWas != is {
		b.log.Warn().Str("broker", publicURL(b.config.MQTT.URL)).Msg(b.brokerDetail)
		b.happenings.add(happening{Time: instant(time.Now()), Text: sentence(b.brokerDetail), Tone: toneBad})
	} else {
		b.log.Debug().Err(err).Msg("no connection to the MQTT broker")
	}
	b.brokerWas = is
	return yields
}
