//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// message is one message as a subscriber got it.
type message struct {
	At      time.Time `json:"-"`
	Topic   string    `json:"topic"`
	Payload string    `json:"payload"`
	Retain  int       `json:"retain"` // 1: retained on the broker
	QoS     int       `json:"qos"`
}

// broker publishes to one MQTT broker and records everything that goes over
// it: as a stream, and as the tree of retained messages that results.
type broker struct {
	host string
	port int

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every message
	stream   []message
	retained map[string]string
}

// watchBroker starts to record. It returns when messages are being received;
// the recording ends with the test.
func watchBroker(t *testing.T, host string, port int) *broker {
	t.Helper()
	// In MQTT 5 a subscriber can ask for the retain flag as it was published.
	return watchWith(t, host, port, "-V", "5", "--retain-as-published", "-q", "2")
}

// watchWith records with mosquitto_sub's flags as given.
func watchWith(t *testing.T, host string, port int, flags ...string) *broker {
	t.Helper()
	b := &broker{host: host, port: port, changed: make(chan struct{}), retained: map[string]string{}}
	address := []string{"-h", host, "-p", strconv.Itoa(port), "-t", "#", "-F", "%j"}
	cmd := exec.Command("mosquitto_sub", append(address, flags...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() { b.record(out) })
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		reading.Wait()
		_ = cmd.Wait() // the error only says that it was killed
	})
	b.barrier(t)
	return b
}

// retainedNow asks any broker, with a new connection, for what it retains. It
// takes a second: nothing says when the last message has come.
func retainedNow(t *testing.T, host string, port int) map[string]string {
	t.Helper()
	out, err := exec.Command("mosquitto_sub", "-h", host, "-p", strconv.Itoa(port), "-t", "#", "-W", "1", "-F", "%j").Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 27 { // 27: time is over
		t.Fatalf("mosquitto_sub: %v", err)
	}
	b := &broker{changed: make(chan struct{}), retained: map[string]string{}}
	b.record(bytes.NewReader(out))
	return b.retained
}

func (b *broker) record(lines io.Reader) {
	scanner := bufio.NewScanner(lines)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var m message
		if err := json.Unmarshal(scanner.Bytes(), &m); err != nil {
			m = message{Topic: "unreadable", Payload: scanner.Text()}
		}
		m.At = time.Now()
		b.add(m)
	}
}

func (b *broker) add(m message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stream = append(b.stream, m)
	switch {
	case m.Retain == 1 && m.Payload == "":
		delete(b.retained, m.Topic)
	case m.Retain == 1:
		b.retained[m.Topic] = m.Payload
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// wait returns true as soon as done does, which is asked again at every message
// with the lock held, and false when time is over.
func (b *broker) wait(limit time.Duration, done func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		b.mu.Lock()
		ok, changed := done(), b.changed
		b.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-deadline.C:
			return false
		}
	}
}

// barrier returns when everything that was published before it is recorded.
func (b *broker) barrier(t *testing.T) {
	t.Helper()
	topic := fmt.Sprintf("e2e/barrier/%d", time.Now().UnixNano())
	for range 150 { // half a minute
		b.publish(t, topic, "1")
		if b.wait(200*time.Millisecond, func() bool { return b.seen(0, topic) != nil }) {
			return
		}
	}
	t.Fatal("the recording of the broker's messages doesn't work")
}

// publish sends one message, neither retained nor acknowledged by subscribers.
func (b *broker) publish(t *testing.T, topic, payload string, flags ...string) {
	t.Helper()
	payloadFlag := "-s" // from standard input: a payload may hold what no argument can
	if payload == "" {
		payloadFlag = "-n"
	}
	args := []string{"-h", b.host, "-p", strconv.Itoa(b.port), "-q", "1", "-t", topic, payloadFlag}
	cmd := exec.Command("mosquitto_pub", append(args, flags...)...)
	cmd.Stdin = strings.NewReader(payload)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("publishing to %s: %v: %s", topic, err, out)
	}
}

// publishRetained is what a command must not be.
func (b *broker) publishRetained(t *testing.T, topic, payload string) {
	t.Helper()
	b.publish(t, topic, payload, "-r")
}

// forgetRetained removes every retained message below the given topics.
func (b *broker) forgetRetained(t *testing.T, topics ...string) {
	t.Helper()
	for _, topic := range slices.Sorted(maps.Keys(b.tree())) {
		for _, prefix := range topics {
			if strings.HasPrefix(topic, prefix) {
				b.publish(t, topic, "", "-r")
			}
		}
	}
	b.barrier(t)
}

// forget clears the picture of what is retained: the broker has lost it.
func (b *broker) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.retained)
}

// tree returns the retained messages by topic.
func (b *broker) tree() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.retained)
}

// mark returns a position in the stream: what comes later is after it.
func (b *broker) mark() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.stream)
}

// after returns the messages after a mark on the topics that match.
func (b *broker) after(mark int, match func(topic string) bool) []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []message
	for _, m := range b.stream[mark:] {
		if match(m.Topic) {
			found = append(found, m)
		}
	}
	return found
}

// told reports whether a payload was published on a topic after a mark; the lock is held.
func (b *broker) told(mark int, topic, payload string) bool {
	return slices.ContainsFunc(b.stream[mark:], func(m message) bool { return m.Topic == topic && m.Payload == payload })
}

// seen returns the first message on a topic after a mark; the lock is held.
func (b *broker) seen(mark int, topic string) *message {
	for i := range b.stream[mark:] {
		if b.stream[mark+i].Topic == topic {
			return &b.stream[mark+i]
		}
	}
	return nil
}
