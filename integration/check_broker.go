package integration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"octoprint2mqtt/discovery"
)

// echoTime is how long a broker may take to send back what was published.
const echoTime = 3 * time.Second

// brokerCheck is a look at the broker. It uses a client id of its own: with that of a
// running bridge it would throw that one out.
type brokerCheck struct {
	findings
	bridge *Bridge // never run
	conn   *brokerConn
	heard  chan delivery
}

// checkBroker tries what the bridge will do: log in, subscribe, publish below its own
// topics and the discovery prefix, and have something retained. What it publishes it
// removes again. It also looks for other bridges and for Home Assistant.
func checkBroker(ctx context.Context, c Config) []Finding {
	id := c.MQTT.ClientID
	c.MQTT.ClientID += "-check-" + newInstance()
	k := &brokerCheck{findings: findings{subject: SubjectBroker}, bridge: New(c, zerolog.Nop()), heard: make(chan delivery, 64)}
	b := k.bridge.broker
	b.online = "" // no will: nothing is to be said about the bridge
	b.deliver = func(d delivery) {
		select {
		case k.heard <- d:
		default: // more than anybody has asked for
		}
	}
	var err error
	if k.conn, err = b.dial(ctx); err != nil {
		k.failed("login", err)
		return k.list
	}
	defer k.conn.close()
	if err := k.conn.subscribe(ctx, k.bridge.filters()); err != nil {
		k.failed("subscribe", err)
		return k.list
	}
	k.ok("login", fmt.Sprintf("logged in to %s and subscribed to commands below %s", c.MQTT.URL.Host, c.MQTT.BaseTopic))
	k.publishing(ctx)
	k.others(ctx, id)
	k.retaining(ctx)
	k.subject = SubjectHomeAssistant
	k.homeAssistant(ctx)
	return k.list
}

// failed tells why there is nothing more to try.
func (k *brokerCheck) failed(check string, err error) {
	d := diagnoseBroker(&k.bridge.config.MQTT, err)
	k.add(LevelError, check, d.what, "without the broker nothing is published and no command arrives", d.do)
}

// probeTopic is below the bridge's own topics, and no row's.
func (k *brokerCheck) probeTopic() string {
	return k.bridge.topics.Value("bridge", "check") + "/" + k.bridge.instance
}

// probeConfig is a discovery topic of no device: no id has an underscore.
func (k *brokerCheck) probeConfig() string {
	return k.bridge.topics.Config("check_" + k.bridge.instance)
}

// publishing tries to write and to read.
func (k *brokerCheck) publishing(ctx context.Context) {
	err := k.echo(ctx, "write", message{topic: k.probeTopic(), payload: "check"}, k.bridge.config.MQTT.BaseTopic, "what printers do is published there")
	prefix := k.bridge.config.MQTT.DiscoveryPrefix
	if prefix == "" || err != nil { // some brokers end a connection that isn't allowed something
		return
	}
	// Home Assistant takes an empty document for the end of a device, of which it has
	// never heard.
	_ = k.echo(ctx, "discovery", message{topic: k.probeConfig()}, prefix, "Home Assistant learns there which devices there are")
}

// echo tells whether what is published comes back. An error means that the connection
// is lost.
func (k *brokerCheck) echo(ctx context.Context, check string, probe message, below, why string) error {
	do := fmt.Sprintf("let this user read and write %s/# in the broker's access rules", below)
	if err := k.conn.subscribe(ctx, listening(1, probe.topic)); err != nil {
		k.add(LevelError, check, fmt.Sprintf("this login may not read below %s: %v", below, err), why, do)
		if errors.Is(err, ErrSubscriptionRefused) {
			return nil
		}
		return err
	}
	err := k.conn.await(ctx, k.conn.client.Publish(probe.topic, 0, false, probe.payload))
	reason := "the broker drops it without a word"
	switch {
	case err != nil:
		reason = err.Error()
	case k.hears(ctx, probe.topic, probe.payload, false):
		k.ok(check, "may read and write below "+below)
		return nil
	}
	k.add(LevelError, check, fmt.Sprintf("this login may not publish, or not read, below %s: what was published did not come back (%s)", below, reason), why, do)
	return err
}

// retaining tries whether the broker keeps what it is told to keep. It does so last:
// Mosquitto, where it is told not to, ends the connection of who tries.
func (k *brokerCheck) retaining(ctx context.Context) {
	topic := k.probeTopic()
	if !slices.ContainsFunc(k.list, func(f Finding) bool { return f.Check == "write" && f.Level == LevelOK }) {
		return // there is nothing that it could keep
	}
	err := k.conn.await(ctx, k.conn.client.Publish(topic, 1, true, "kept"))
	if err == nil {
		err = k.conn.unsubscribe(ctx, []string{topic})
	}
	if err == nil {
		err = k.conn.subscribe(ctx, listening(1, topic))
	}
	kept := err == nil && k.hears(ctx, topic, "kept", true)
	if err == nil {
		_ = k.conn.await(ctx, k.conn.client.Publish(topic, 1, true, "")) // where it isn't kept there is nothing to remove
	}
	if kept {
		k.ok("retain", "keeps retained messages")
		return
	}
	k.add(LevelError, "retain", "the broker does not keep retained messages",
		"after a restart of Home Assistant all devices and values would be gone until something changes",
		"switch retained messages on in the broker (Mosquitto: retain_available true), also for the topics of this program")
}

// hears waits for a message.
func (k *brokerCheck) hears(ctx context.Context, topic, payload string, retained bool) bool {
	late := time.NewTimer(echoTime)
	defer late.Stop()
	for {
		select {
		case d := <-k.heard:
			if d.topic == topic && string(d.payload) == payload && d.retained == retained {
				return true
			}
		case <-late.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// others looks for bridges at work on our topics, and for one that may have our client
// id.
func (k *brokerCheck) others(ctx context.Context, clientID string) {
	base := k.bridge.config.MQTT.BaseTopic
	instance, err := k.bridge.rivals.find(ctx)
	var ours instanceRecord
	_ = k.bridge.journal.read(instanceName, &ours) // without one no bridge is known to be ours
	switch {
	case err == nil:
		k.ok("rivals", "no other octoprint2mqtt is at work below "+base)
	case !errors.Is(err, errRival):
		k.add(LevelWarning, "rivals", fmt.Sprintf("the broker could not be asked for other bridges: %v", err), "two on one base topic would contradict each other", "run check again")
	case slices.Contains(ours.Instances, instance):
		k.ok("rivals", "the bridge of this configuration is running")
	default:
		k.add(LevelWarning, "rivals", fmt.Sprintf("an octoprint2mqtt is at work below %s, and it is not known to be this one (instance %s)", base, clean(instance)),
			"of two on one base topic the second keeps still: it publishes nothing and takes no commands",
			"if that isn't the bridge that you want to check, stop it, or give one of the two another base_topic")
	}
	for _, other := range k.bases(ctx) {
		if other != base && other == clientID {
			k.add(LevelWarning, "client_id", fmt.Sprintf("an octoprint2mqtt with the base topic %s is at work, and by default its client id is %s, too", clean(other), clean(clientID)),
				"a broker lets only one client with an id in: the two would throw each other out again and again",
				"give this one another client_id, or remove that line: the base topic is the default")
		}
	}
}

// bases are the base topics of one level below which a bridge is at work.
func (k *brokerCheck) bases(ctx context.Context) []string {
	filter := "+/" + strings.TrimPrefix(k.bridge.topics.BridgeState(), k.bridge.topics.Base+"/")
	if err := k.conn.subscribe(ctx, []subscription{{filter: filter, dispensable: true}}); err != nil {
		return nil
	}
	var found []string
	late := time.NewTimer(time.Second)
	defer late.Stop()
	for {
		select {
		case d := <-k.heard:
			if base, ok := strings.CutSuffix(d.topic, strings.TrimPrefix(filter, "+")); ok && string(d.payload) == online {
				found = append(found, base)
			}
		case <-late.C:
			return found
		case <-ctx.Done():
			return found
		}
	}
}

// homeAssistant looks for its birth message, which it retains only if told to.
func (k *brokerCheck) homeAssistant(ctx context.Context) {
	m := &k.bridge.config.MQTT
	if m.DiscoveryPrefix != "" && m.DiscoveryPrefix != discovery.DefaultPrefix {
		k.add(LevelNote, "prefix", fmt.Sprintf("devices are announced below %s, not below %s, where Home Assistant looks unless it is told otherwise", m.DiscoveryPrefix, discovery.DefaultPrefix),
			"with another prefix there than here no device ever appears", "compare it with the discovery prefix in Home Assistant under Settings → Devices & services → MQTT → Configure, or remove the line discovery_prefix")
	}
	switch {
	case m.DiscoveryPrefix == "":
		k.ok("presence", "discovery is switched off: Home Assistant is told nothing")
		return
	case m.BirthTopic == "":
		k.add(LevelNote, "presence", "birth_topic is empty: nobody can tell whether Home Assistant is there", "after a restart of Home Assistant some values are only there when they change", "remove the line birth_topic, unless Home Assistant's birth message is switched off")
		return
	}
	retained, err := k.bridge.broker.peek(ctx, "check-"+k.bridge.instance, []string{m.BirthTopic})
	switch said := retained[m.BirthTopic]; {
	case err != nil:
		k.add(LevelNote, "presence", fmt.Sprintf("%s could not be read: %v", m.BirthTopic, err), "Home Assistant says there that it has started", "let this user read "+m.BirthTopic)
	case said == online:
		k.ok("presence", "Home Assistant is connected to this broker")
	case said == "":
		k.add(LevelNote, "presence", "whether Home Assistant is connected can't be told: nothing is retained on "+m.BirthTopic,
			"it says online there when it starts, which nobody who comes later hears unless the message is retained",
			"nothing, if devices appear; otherwise see that Home Assistant's MQTT integration uses this broker, the discovery prefix "+m.DiscoveryPrefix+" and the birth topic "+m.BirthTopic)
	default:
		k.add(LevelWarning, "presence", fmt.Sprintf("Home Assistant is not connected to this broker: the last it said on %s is %s", m.BirthTopic, quote(clean(said))),
			"nothing is shown there until it is", "start Home Assistant, and see that its MQTT integration uses this broker")
	}
}
