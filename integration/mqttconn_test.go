package integration

import (
	"bytes"
	"encoding/binary"
	"errors"
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

// packet makes an MQTT packet.
func packet(kind byte, length int, body ...byte) []byte {
	b := binary.AppendUvarint([]byte{kind << 4}, uint64(length))
	return append(b, body...)
}

func suback9(codes ...byte) []byte { return packet(9, 2+len(codes), append([]byte{0, 1}, codes...)...) }

func TestPacketConnPassesPacketsOn(t *testing.T) {
	t.Parallel()
	var all []byte
	for _, p := range [][]byte{
		packet(2, 2, 0, 0), suback9(1, 0x80), packet(13, 0), packet(3, 300, make([]byte, 300)...),
		packet(3, 70_000, bytes.Repeat([]byte{7}, 70_000)...), packet(4, 2, 0, 9),
	} {
		all = append(all, p...)
	}
	for _, piece := range []int{1, 2, 3, 1000, 1 << 20} {
		c := newPacketConn(&wire{data: slices.Clone(all), piece: piece})
		c.filters.Store(2)
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(got, all) {
			t.Errorf("in pieces of %d: %d of %d bytes, %v", piece, len(got), len(all), err)
		}
	}
}

func TestPacketConnRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		filters int32
		data    []byte
		want    error // nil: any
	}{
		{"a SUBACK with a code too many", 1, suback9(1, 1), errBadSuback},
		{"a SUBACK with a code too few", 2, suback9(1), errBadSuback},
		{"a SUBACK without codes", 1, suback9(), errBadSuback},
		{"a SUBACK without an id", 1, packet(9, 1, 0), errBadSuback},
		{"an empty SUBACK", 1, packet(9, 0), errBadSuback},
		{"a SUBACK that nobody asked for", 0, suback9(1), errBadSuback},
		{"a packet of 256 MB", 1, packet(3, 1<<28-1), errPacketTooLarge},
		{"a packet of a byte more than 8 MiB", 1, packet(3, maxPacket+1), errPacketTooLarge},
		{"a length of five bytes", 1, []byte{0x30, 0xff, 0xff, 0xff, 0xff, 1}, nil},
		{"no length in five bytes", 1, []byte{0x30, 0x80, 0x80, 0x80, 0x80, 0}, nil},
		{"a cut length", 1, []byte{0x30, 0xff}, io.ErrUnexpectedEOF},
	} {
		c := newPacketConn(&wire{data: slices.Clone(tt.data), piece: 1})
		c.filters.Store(tt.filters)
		got, err := io.ReadAll(c)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || len(got) > 0 {
			t.Errorf("%s: %d bytes are passed on, error %v", tt.name, len(got), err)
		}
	}
}

// TestPacketConnAllowsTheLimit: exactly 8 MiB are fine.
func TestPacketConnAllowsTheLimit(t *testing.T) {
	t.Parallel()
	data := packet(3, maxPacket, make([]byte, maxPacket)...)
	c := newPacketConn(&wire{data: slices.Clone(data), piece: 1 << 16})
	if n, err := io.Copy(io.Discard, c); err != nil || int(n) != len(data) {
		t.Errorf("%d of %d bytes, %v", n, len(data), err)
	}
}

// FuzzPacketConn: whatever a broker sends, what is passed on is a beginning of it,
// every packet in it is small enough, and every SUBACK has the right length.
func FuzzPacketConn(f *testing.F) {
	f.Add(suback9(1), uint8(1), uint8(1))
	f.Add(append(packet(2, 2, 0, 0), packet(3, 5, 1, 2, 3, 4, 5)...), uint8(1), uint8(3))
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0xff, 0xff}, uint8(0), uint8(2))
	f.Add(packet(3, 1<<28-1), uint8(0), uint8(200))
	f.Fuzz(func(t *testing.T, data []byte, filters, piece uint8) {
		c := newPacketConn(&wire{data: slices.Clone(data), piece: int(piece) + 1})
		c.filters.Store(int32(filters))
		got, err := io.ReadAll(c)
		if !bytes.HasPrefix(data, got) {
			t.Fatalf("%x became %x", data, got)
		}
		for rest := got; len(rest) > 0; {
			length, n := binary.Uvarint(rest[1:])
			if n <= 0 || length > maxPacket || rest[0]>>4 == 9 && length != 2+uint64(filters) {
				t.Fatalf("passed on: %x", rest)
			}
			rest = rest[min(len(rest), 1+n+int(length)):]
		}
		if err == nil && len(got) != len(data) {
			t.Errorf("%d of %d bytes without an error", len(got), len(data))
		}
	})
}

// FuzzBrokerBytes connects to a broker that sends anything: the bridge neither
// crashes nor hangs.
func FuzzBrokerBytes(f *testing.F) {
	f.Add([]byte{0x20, 2, 0, 0})
	f.Add(append([]byte{0x20, 2, 0, 0}, suback9(1, 1)...))
	f.Add(append([]byte{0x20, 2, 0, 0, 0x90, 4, 0, 1, 1, 1}, packet(3, 6, 0, 1, 'a', 0, 0, 'x')...))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		synctest.Test(t, func(t *testing.T) {
			b := lyingBroker(t, data)
			began := time.Now()
			if err := b.serve(t.Context()); err == nil {
				t.Error("no error from a broker that hangs up")
			}
			if time.Since(began) > time.Minute {
				t.Error("it took more than a minute")
			}
			time.Sleep(2 * time.Second) // the broker has hung up
		})
	})
}
