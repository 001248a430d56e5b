package integration

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptest"
)

// selfSignedServer returns how to dial a server that has a certificate of nobody
// who is known.
func selfSignedServer() func(context.Context, string, string) (net.Conn, error) {
	server := httptest.NewTLSServer(nil)
	server.Close()
	certificates := server.TLS.Certificates
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			_ = tls.Server(far, &tls.Config{Certificates: certificates, MinVersion: tls.VersionTLS12}).Handshake()
		}()
		return near, nil
	}
}
