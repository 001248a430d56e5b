package integration

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync/atomic"
)

// maxPacket bounds what the broker may send in one packet. Nothing that is
// subscribed to is anywhere near as large.
const maxPacket = 8 << 20

// suback is MQTT's packet type of the answer to a subscription.
const suback = 9

var (
	errPacketTooLarge = errors.New("the broker sent a packet of more than 8 MiB")
	errBadSuback      = errors.New("the broker acknowledged another number of subscriptions than were asked for")
)

// packetConn guards the MQTT library against what it doesn't check itself: it
// would reserve the memory that a packet's header claims, up to 256 MiB, and
// crash on a SUBACK of the wrong length. It also buffers reads, which the library
// makes in pieces of a few bytes.
type packetConn struct {
	net.Conn
	buffered *bufio.Reader
	left     int    // bytes of the current packet that are still to be read
	header   []byte // of the current packet, as far as it hasn't been handed on

	// filters is how many filters the subscription under way has.
	filters atomic.Int32
}

func newPacketConn(c net.Conn) *packetConn {
	return &packetConn{Conn: c, buffered: bufio.NewReaderSize(c, 4096)}
}

// Read hands packets on once their header has been checked.
func (c *packetConn) Read(b []byte) (int, error) {
	if len(c.header) == 0 && c.left == 0 {
		if err := c.readHeader(); err != nil {
			return 0, err
		}
	}
	if len(c.header) > 0 {
		n := copy(b, c.header)
		c.header = c.header[n:]
		return n, nil
	}
	n, err := c.buffered.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

// readHeader reads a packet's type and its length, a number of up to four bytes
// with seven bits each.
func (c *packetConn) readHeader() error {
	kind, err := c.buffered.ReadByte()
	if err != nil {
		return err
	}
	header, length := []byte{kind}, 0
	for shift := 0; ; shift += 7 {
		if shift > 21 {
			return errors.New("the broker sent a packet with a malformed length")
		}
		b, err := c.buffered.ReadByte()
		if err != nil {
			return io.ErrUnexpectedEOF
		}
		header = append(header, b)
		length |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			break
		}
	}
	if length > maxPacket {
		return errPacketTooLarge
	}
	if want := 2 + int(c.filters.Load()); kind>>4 == suback && length != want {
		return fmt.Errorf("%w: %d bytes instead of %d", errBadSuback, length, want)
	}
	c.header, c.left = header, length
	return nil
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
