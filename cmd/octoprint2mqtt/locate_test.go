package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"
)

// madeOf makes a certificate as devices do for themselves.
func madeOf(t *testing.T, c x509.Certificate) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(1)
	made, err := x509.CreateCertificate(rand.Reader, &c, &c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(made)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// TestExplainCertificate: why trusting one would not help, in the words of its owner.
func TestExplainCertificate(t *testing.T) {
	t.Parallel()
	day := func(d int) time.Time { return time.Date(2020, 1, d, 0, 0, 0, 0, time.UTC) }
	later := time.Now().AddDate(1, 0, 0)
	for _, tt := range []struct {
		cert x509.Certificate
		want string
	}{
		{x509.Certificate{DNSNames: []string{"left.test"}, NotBefore: day(1), NotAfter: day(2)}, "the certificate of left.test has expired on 2020-01-02: renew it"},
		{x509.Certificate{DNSNames: []string{"left.test"}, NotBefore: later, NotAfter: later.AddDate(1, 0, 0)}, "the certificate of left.test is not valid before " + later.UTC().Format(time.DateOnly) + ": check the clocks of both machines"},
		{
			x509.Certificate{DNSNames: []string{"octopi.local"}, IPAddresses: []net.IP{net.IPv4(10, 0, 0, 7)}, NotBefore: day(1), NotAfter: later},
			"the certificate is for octopi.local, 10.0.0.7, not for left.test: use an address with a name that it is for, or give OctoPrint another certificate",
		},
		{
			x509.Certificate{Subject: pkix.Name{CommonName: "left\x1b.test"}, NotBefore: day(1), NotAfter: later},
			"the certificate is for no name that counts (left?.test is only its title), not for left.test: use an address with a name that it is for, or give OctoPrint another certificate",
		},
	} {
		cert := madeOf(t, tt.cert)
		pool := x509.NewCertPool()
		pool.AddCert(cert)
		_, err := cert.Verify(x509.VerifyOptions{Roots: pool, DNSName: "left.test"})
		if err == nil {
			t.Fatalf("it is good: %v", cert)
		}
		if got := explainCertificate(cert, "left.test", err).Error(); got != tt.want {
			t.Errorf("got\n%s\nwant\n%s", got, tt.want)
		}
	}
}
