package integration

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/url"
	"slices"
	"sync/atomic"
)

// maxPacket bounds what the broker may send in one packet. Nothing that is
// subscribed to is anywhere near as large.
const maxPacket = 8 << 20

// packetConn guards the MQTT library against what it doesn't check itself: it
// would reserve the memory that a packet's header claims, up to 256 MiB, and
// crash on some acknowledgements that don't fit what was sent. It also buffers
// reads, which the library makes in pieces of a few bytes.
//
// One goroutine may read while others write.
type packetConn struct {
	net.Conn
	guard *guard

	// Of the reading side.
	buffered *bufio.Reader
	checked  []byte // of the current packet, as far as it hasn't been handed on
	left     int    // bytes of the current packet that follow those, not looked at

	// filters is how many filters the subscription under way has.
	filters atomic.Int32
	refused atomic.Pointer[error] // what the guard didn't let through
}

func newPacketConn(c net.Conn) *packetConn {
	return &packetConn{Conn: c, guard: newGuard(), buffered: bufio.NewReaderSize(c, 4096)}
}

// Read hands on what the guard lets through. It may wait for a Write that the
// broker acknowledges while it is under way.
func (c *packetConn) Read(b []byte) (int, error) {
	if len(c.checked) == 0 && c.left == 0 {
		if err := c.readPacket(); err != nil {
			return 0, err
		}
	}
	if len(c.checked) > 0 {
		n := copy(b, c.checked)
		c.checked = c.checked[n:]
		return n, nil
	}
	n, err := c.buffered.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

// Write writes one whole packet. That is how the library writes them; of others
// the guard would not let the acknowledgements through.
func (c *packetConn) Write(packet []byte) (int, error) {
	id, answer := asksFor(packet)
	if answer == 0 {
		return c.Conn.Write(packet)
	}
	c.guard.writing(id, answer)
	n, err := c.Conn.Write(packet)
	c.guard.wrote(id, err)
	return n, err
}

// refuse notes why the connection ends.
func (c *packetConn) refuse(err error) error {
	c.refused.Store(&err)
	return err
}

// refusal returns what the guard didn't let through, nil if it never did that.
func (c *packetConn) refusal() error {
	if err := c.refused.Load(); err != nil {
		return *err
	}
	return nil
}

// readPacket reads the next packet as far as the guard looks at it: all but what
// is published, which may be large.
func (c *packetConn) readPacket() error {
	first, length, header, err := c.readHeader()
	if err != nil {
		return err
	}
	if err := c.guard.header(first, length, int(c.filters.Load())); err != nil {
		return c.refuse(err)
	}
	if kindOf(first) == publishPacket {
		c.checked, c.left = header, length
		return nil
	}
	packet := slices.Grow(header, length)[:len(header)+length]
	body := packet[len(header):]
	if _, err := io.ReadFull(c.buffered, body); err != nil {
		return io.ErrUnexpectedEOF
	}
	if err := c.guard.body(kindOf(first), body); err != nil {
		return c.refuse(err)
	}
	c.checked = packet
	return nil
}

// readHeader reads a packet's first byte and its length, a number of up to four
// bytes with seven bits each. It also returns all bytes of both.
func (c *packetConn) readHeader() (first byte, length int, header []byte, err error) {
	if first, err = c.buffered.ReadByte(); err != nil {
		return 0, 0, nil, err
	}
	header = []byte{first}
	for shift := 0; ; shift += 7 {
		if shift > 21 {
			return 0, 0, nil, c.refuse(errBadLength)
		}
		b, err := c.buffered.ReadByte()
		if err != nil {
			return 0, 0, nil, io.ErrUnexpectedEOF
		}
		header = append(header, b)
		length |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			return first, length, header, nil
		}
	}
}

// open makes the network connection that an mqtt or mqtts URL asks for.
func (m *MQTTConfig) open(ctx context.Context, u *url.URL) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, brokerTimeout)
	defer cancel()
	dial := m.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, "tcp", u.Host)
	if err != nil || u.Scheme != "mqtts" {
		return conn, err
	}
	config := m.TLS.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if config.ServerName == "" {
		config.ServerName = u.Hostname()
	}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}
