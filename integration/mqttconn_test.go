package integration

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// wire is a connection that has just these bytes to read, some at a time.
type wire struct {
	net.Conn
	data  []byte
	piece int
}

func (w *wire) Read(b []byte) (int, error) {
	if len(w.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), w.piece)], w.data)
	w.data = w.data[n:]
	return n, nil
}

func (*wire) Write(b []byte) (int, error) { return len(b), nil }

// packet makes an MQTT packet.
func packet(kind byte, length int, body ...byte) []byte {
	b := binary.AppendUvarint([]byte{kind << 4}, uint64(length))
	return append(b, body...)
}

func suback9(codes ...byte) []byte { return packet(9, 2+len(codes), append([]byte{0, 1}, codes...)...) }

// greeting is the packet that begins every connection.
func greeting() []byte { return packet(2, 2, 0, 0) }

// written returns packets of the bridge that ask for an answer: a subscription
// with the id 1, the end of one with the id 10, and messages with the other ids.
func written(ids ...byte) [][]byte {
	var list [][]byte
	for _, id := range ids {
		switch id {
		case 1:
			list = append(list, packet(8, 6, 0, id, 0, 1, 'a', 1))
		case 10:
			list = append(list, []byte{0xa2, 5, 0, id, 0, 1, 'a'})
		default:
			list = append(list, []byte{0x33, 5, 0, 1, 'a', 0, id})
		}
	}
	return list
}

// wired returns a connection to a broker that sends just these bytes after it has
// been sent some packets.
func wired(data []byte, piece, filters int, packets ...[]byte) *packetConn {
	c := newPacketConn(&wire{data: slices.Clone(data), piece: piece})
	c.filters.Store(int32(filters))
	for _, p := range packets {
		_, _ = c.Write(p)
	}
	return c
}

func TestPacketConnPassesPacketsOn(t *testing.T) {
	t.Parallel()
	all := slices.Concat(
		greeting(), packet(3, 3, 0, 1, 'a'), suback9(1, 0x80), packet(13, 0), packet(3, 300, make([]byte, 300)...), packet(4, 2, 0, 9),
		packet(3, 70_000, bytes.Repeat([]byte{7}, 70_000)...), []byte{0x3b, 5, 0, 1, 'a', 0, 1}, packet(4, 2, 0, 8), packet(13, 0),
		packet(11, 2, 0, 10),
	)
	for _, piece := range []int{1, 2, 3, 1000, 1 << 20} {
		c := wired(all, piece, 2, written(1, 8, 9, 10)...)
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(got, all) {
			t.Errorf("in pieces of %d: %d of %d bytes, %v", piece, len(got), len(all), err)
		}
		if n := len(c.guard.unanswered); n != 0 {
			t.Errorf("%d packets count as unanswered", n)
		}
	}
}

// TestPacketConnRefuses: after the greeting, and after a subscription with the id
// 1 and messages with the ids 7 and 8, of which the broker has acknowledged 8.
func TestPacketConnRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		filters int
		data    []byte
		want    error
	}{
		{"a SUBACK with a code too many", 1, suback9(1, 1), errBadSuback},
		{"a SUBACK with a code too few", 2, suback9(1), errBadSuback},
		{"a SUBACK without codes", 1, suback9(), errBadSuback},
		{"a SUBACK without an id", 1, packet(9, 1, 0), errBadSuback},
		{"an empty SUBACK", 1, packet(9, 0), errBadSuback},
		{"a SUBACK with an unknown code", 1, suback9(3), errBadPacket},
		{"a SUBACK for another packet", 1, packet(9, 3, 0, 2, 1), errBadAnswer},
		{"a SUBACK for a message", 1, packet(9, 3, 0, 7, 1), errBadAnswer},
		{"a cut SUBACK", 1, packet(9, 3, 0, 1), io.ErrUnexpectedEOF},
		{"a PUBACK for what was not sent", 1, packet(4, 2, 0, 2), errBadAnswer},
		{"a PUBACK for the id 0", 1, packet(4, 2, 0, 0), errBadAnswer},
		{"a PUBACK for what has been acknowledged", 1, packet(4, 2, 0, 8), errBadAnswer},
		{"a PUBACK for a subscription", 1, packet(4, 2, 0, 1), errBadAnswer},
		{"a PUBACK of one byte", 1, packet(4, 1, 7), errBadPacket},
		{"a PUBACK with a reason", 1, packet(4, 3, 0, 7, 0), errBadPacket},
		{"an empty PUBACK", 1, packet(4, 0), errBadPacket},
		{"a PUBACK with flags", 1, []byte{0x42, 2, 0, 7}, errBadPacket},
		{"a cut PUBACK", 1, packet(4, 2, 0), io.ErrUnexpectedEOF},
		{"a PUBREC", 1, packet(5, 2, 0, 7), errBadPacket},
		{"a PUBREL", 1, []byte{0x62, 2, 0, 7}, errBadPacket},
		{"a PUBCOMP", 1, packet(7, 2, 0, 7), errBadPacket},
		{"an UNSUBACK for a subscription", 1, packet(11, 2, 0, 1), errBadAnswer},
		{"an UNSUBACK for what was not sent", 1, packet(11, 2, 0, 2), errBadAnswer},
		{"an UNSUBACK with codes", 1, packet(11, 3, 0, 1, 0), errBadPacket},
		{"a second CONNACK", 1, greeting(), errBadPacket},
		{"a message of quality of service 2", 1, []byte{0x34, 5, 0, 1, 'a', 0, 1}, errBadPacket},
		{"a message of quality of service 3", 1, []byte{0x36, 5, 0, 1, 'a', 0, 1}, errBadPacket},
		{"a PINGRESP with a body", 1, packet(13, 1, 0), errBadPacket},
		{"a packet of a client", 1, packet(8, 6, 0, 1, 0, 1, 'a', 1), errBadPacket},
		{"a DISCONNECT", 1, packet(14, 0), errBadPacket},
		{"a packet of no type", 1, packet(0, 0), errBadPacket},
		{"a packet of MQTT 5", 1, packet(15, 0), errBadPacket},
		{"a packet of 256 MB", 1, packet(3, 1<<28-1), errPacketTooLarge},
		{"a packet of a byte more than 8 MiB", 1, packet(3, maxPacket+1), errPacketTooLarge},
		{"a length of five bytes", 1, []byte{0x30, 0xff, 0xff, 0xff, 0xff, 1}, errBadLength},
		{"no length in five bytes", 1, []byte{0x30, 0x80, 0x80, 0x80, 0x80, 0}, errBadLength},
		{"a cut length", 1, []byte{0x30, 0xff}, io.ErrUnexpectedEOF},
	} {
		before := slices.Concat(greeting(), packet(4, 2, 0, 8))
		c := wired(slices.Concat(before, tt.data), 1, tt.filters, written(1, 7, 8)...)
		got, err := io.ReadAll(c)
		if !errors.Is(err, tt.want) || !bytes.Equal(got, before) {
			t.Errorf("%s: %d bytes are passed on, error %v", tt.name, len(got)-len(before), err)
		}
	}
}

// TestPacketConnWantsAGreeting: the first packet is the broker's CONNACK.
func TestPacketConnWantsAGreeting(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		data []byte
		want error
	}{
		{"a web server", []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), errNoBroker},
		{"an SSH server", []byte("SSH-2.0-OpenSSH_9.2p1\r\n"), errNoBroker},
		{"a TLS alert", []byte{0x15, 3, 1, 0, 2, 2, 70}, errNoBroker},
		{"a message", packet(3, 3, 0, 1, 'a'), errNoBroker},
		{"an acknowledgement", suback9(1), errNoBroker},
		{"a CONNACK with an unknown code", packet(2, 2, 0, 6), errBadPacket},
		{"a CONNACK of MQTT 5", packet(2, 3, 0, 0, 0), errBadPacket},
		{"a short CONNACK", packet(2, 1, 0), errBadPacket},
		{"a cut CONNACK", packet(2, 2, 0), io.ErrUnexpectedEOF},
	} {
		if got, err := io.ReadAll(wired(tt.data, 1, 0, written(1)...)); !errors.Is(err, tt.want) || len(got) > 0 {
			t.Errorf("%s: %d bytes are passed on, error %v", tt.name, len(got), err)
		}
	}
	for code := range byte(6) {
		if got, err := io.ReadAll(wired(packet(2, 2, 0, code), 1, 0)); err != nil || len(got) != 4 {
			t.Errorf("a CONNACK with the code %d: %d bytes are passed on, error %v", code, len(got), err)
		}
	}
}

// TestPacketConnAllowsTheLimit: exactly 8 MiB are fine.
func TestPacketConnAllowsTheLimit(t *testing.T) {
	t.Parallel()
	data := slices.Concat(greeting(), packet(3, maxPacket, make([]byte, maxPacket)...))
	if n, err := io.Copy(io.Discard, wired(data, 1<<16, 0)); err != nil || int(n) != len(data) {
		t.Errorf("%d of %d bytes, %v", n, len(data), err)
	}
}

// TestAcknowledgedBeforeItIsWritten: what the broker acknowledges while it is being
// written counts once it has been written, and not at all if that fails.
func TestAcknowledgedBeforeItIsWritten(t *testing.T) {
	t.Parallel()
	for _, whole := range []bool{true, false} {
		t.Run(fmt.Sprint("whole ", whole), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				c := newPacketConn(near)
				c.guard.greeted = true
				wrote, read := make(chan error, 1), make(chan error, 1)
				go func() {
					_, err := c.Write(written(7)[0])
					wrote <- err
				}()
				synctest.Wait()
				go func() {
					_, err := io.ReadFull(c, make([]byte, 4))
					read <- err
				}()
				if _, err := far.Write(packet(4, 2, 0, 7)); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if len(read) > 0 {
					t.Fatalf("what is still being written is acknowledged: %v", <-read)
				}
				if whole {
					_, err := io.ReadFull(far, make([]byte, 7))
					if err = errors.Join(err, <-wrote, <-read); err != nil {
						t.Error(err)
					}
				} else {
					far.Close()
					if err := <-wrote; err == nil {
						t.Error("written to a connection that is closed")
					}
					if err := <-read; !errors.Is(err, errBadAnswer) {
						t.Errorf("what was not written is acknowledged: %v", err)
					}
				}
				near.Close()
				far.Close()
			})
		})
	}
}

// FuzzPacketConn: whatever a broker sends, what is passed on is a beginning of it,
// begins with one CONNACK, has no packet that is too large, and acknowledges what
// was sent, once each.
func FuzzPacketConn(f *testing.F) {
	after := func(packets ...[]byte) []byte { return slices.Concat(greeting(), slices.Concat(packets...)) }
	f.Add(after(suback9(1), packet(4, 2, 0, 2), packet(4, 2, 0, 3)), uint8(1), uint8(1))
	f.Add(after(packet(3, 5, 0, 1, 3, 4, 5), packet(13, 0)), uint8(1), uint8(3))
	f.Add(after([]byte{0x30, 0xff, 0xff, 0xff, 0xff, 0xff}), uint8(0), uint8(2))
	f.Add(after(packet(3, 1<<28-1)), uint8(0), uint8(200))
	f.Add(after(packet(4, 2, 0, 2), packet(4, 2, 0, 2)), uint8(0), uint8(200))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), uint8(0), uint8(200))
	f.Fuzz(func(t *testing.T, data []byte, filters, piece uint8) {
		got, err := io.ReadAll(wired(data, int(piece)+1, int(filters), written(1, 2, 3)...))
		if !bytes.HasPrefix(data, got) {
			t.Fatalf("%x became %x", data, got)
		}
		if err == nil && len(got) != len(data) {
			t.Errorf("%d of %d bytes without an error", len(got), len(data))
		}
		owed := map[uint16]byte{1: 9, 2: 4, 3: 4}
		for rest := got; len(rest) > 0; {
			kind := rest[0] >> 4
			length, n := binary.Uvarint(rest[1:])
			if n <= 0 || length > maxPacket || kind == 9 && length != 2+uint64(filters) || (kind == 2) != (len(rest) == len(got)) {
				t.Fatalf("passed on: %x", rest)
			}
			if kind == 9 || kind == 4 || kind == 11 {
				id := binary.BigEndian.Uint16(rest[1+n:])
				if owed[id] != kind {
					t.Fatalf("type %d acknowledges packet %d: %x", kind, id, got)
				}
				delete(owed, id)
			}
			rest = rest[min(len(rest), 1+n+int(length)):]
		}
	})
}

// TestBrokerThatLies: whatever a broker makes up, the connection ends with the
// reason, before long, and the bridge goes on.
func TestBrokerThatLies(t *testing.T) {
	t.Parallel()
	granted := suback9(1, 1)
	for _, tt := range []struct {
		name    string
		answers [][]byte
		cut     int
		want    error // nil: any
	}{
		{"a good one that hangs up", [][]byte{greeting(), granted, packet(4, 2, 0, 2)}, -1, nil},
		{"nothing", nil, -1, nil},
		{"only a greeting", [][]byte{greeting()}, -1, nil},
		{"an unknown code", [][]byte{packet(2, 2, 0, 48)}, -1, errBadPacket},
		{"an unknown code and more", [][]byte{slices.Concat(packet(2, 2, 0, 48), packet(4, 2, 0, 1))}, -1, errBadPacket},
		{"a PUBACK for the subscription", [][]byte{greeting(), packet(4, 2, 0, 1)}, -1, errBadAnswer},
		{"a PUBACK for half a subscription", [][]byte{greeting(), packet(4, 2, 0, 1)}, 3, errBadAnswer},
		{"a SUBACK for half a subscription", [][]byte{greeting(), granted}, 3, nil},
		{"a SUBACK for nothing", [][]byte{slices.Concat(greeting(), granted)}, -1, nil},
		{"two SUBACKs", [][]byte{greeting(), slices.Concat(granted, granted)}, -1, errBadAnswer},
		{"a long SUBACK", [][]byte{greeting(), suback9(1, 1, 1)}, -1, errBadSuback},
		{"a PUBCOMP for the subscription", [][]byte{greeting(), packet(7, 2, 0, 1)}, -1, errBadPacket},
		{"an UNSUBACK for the subscription", [][]byte{greeting(), packet(11, 2, 0, 1)}, -1, errBadAnswer},
		{"a PUBACK for half a message", [][]byte{greeting(), granted, packet(4, 2, 0, 2)}, 9, nil},
		{"a PUBACK for no message yet", [][]byte{greeting(), granted, packet(4, 2, 0, 3)}, -1, errBadAnswer},
		{"a SUBACK for a message", [][]byte{greeting(), granted, packet(9, 4, 0, 2, 1, 1)}, -1, errBadAnswer},
		{"a PUBREC for a message", [][]byte{greeting(), granted, packet(5, 2, 0, 2)}, -1, errBadPacket},
		{"many PUBRECs for half a message", [][]byte{greeting(), granted, bytes.Repeat(packet(5, 2, 0, 2), 100)}, 9, errBadPacket},
		{"half a SUBACK, and no more is read", [][]byte{greeting(), {0x90, 4}, {0, 1, 1, 1}}, 0, nil},
		{"a message that is too short", [][]byte{greeting(), granted, packet(3, 3, 0, 9, 'a')}, -1, nil},
		{"a message without an id", [][]byte{greeting(), granted, {0x32, 3, 0, 1, 'a'}}, -1, nil},
		{"a message to every topic", [][]byte{greeting(), granted, packet(3, 3, 0, 1, '#')}, -1, nil},
		{"a message with no topic", [][]byte{greeting(), granted, packet(3, 2, 0, 0)}, -1, nil},
		{"an empty message", [][]byte{greeting(), granted, packet(3, 0)}, -1, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := serveLiar(t, liar{answers: tt.answers, cut: tt.cut}); tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("the reason is %v", err)
			}
		})
	}
}

// serveLiar connects to a broker that lies, and returns how that ends.
func serveLiar(t *testing.T, l liar) (err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := lyingBroker(t, l)
		began := time.Now()
		if err = b.serve(t.Context()); err == nil {
			t.Error("no error from a broker that hangs up")
		}
		if time.Since(began) > time.Minute {
			t.Error("it took more than a minute")
		}
		time.Sleep(2 * time.Second) // the broker has hung up
	})
	return err
}

// FuzzBrokerBytes connects to a broker that sends anything: the bridge neither
// crashes nor hangs.
func FuzzBrokerBytes(f *testing.F) {
	granted := suback9(1, 1)
	f.Add(greeting(), granted, packet(4, 2, 0, 2), int16(-1))
	f.Add(slices.Concat(greeting(), granted), []byte{}, []byte{}, int16(-1))
	f.Add(greeting(), granted, slices.Concat(packet(3, 6, 0, 1, 'a', 0, 0, 'x'), packet(13, 0)), int16(-1))
	f.Add(greeting(), granted, []byte{0x32, 6, 0, 1, 'a', 0, 1, 'x'}, int16(0))
	f.Add(greeting(), granted, packet(4, 2, 0, 2), int16(9))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), []byte{}, []byte{}, int16(-1))
	f.Fuzz(func(t *testing.T, first, second, third []byte, cut int16) {
		_ = serveLiar(t, liar{answers: [][]byte{first, second, third}, cut: int(cut)})
	})
}
