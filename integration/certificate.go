package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"time"
)

// certificateTimeout is how long a server may take to show its certificate.
const certificateTimeout = 10 * time.Second

// ServerCertificate returns the certificate that a printer's OctoPrint shows, whoever
// has issued it. Nothing is sent to the server.
func ServerCertificate(ctx context.Context, p *PrinterConfig) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, certificateTimeout)
	defer cancel()
	dial := p.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	port := p.URL.Port()
	if port == "" {
		port = "443"
	}
	conn, err := dial(ctx, "tcp", net.JoinHostPort(p.URL.Hostname(), port))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	secured := tls.Client(conn, &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: p.URL.Hostname(),
		InsecureSkipVerify: true, //nolint:gosec // it is looked at, not trusted
	})
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	shown := secured.ConnectionState().PeerCertificates
	if len(shown) == 0 {
		return nil, errors.New("the server shows no certificate")
	}
	return shown[0], nil
}
