package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

// authority is a self-signed certificate with its private key, as PEM.
type authority struct{ certPEM, keyPEM string }

func newAuthority(tb testing.TB) authority {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	keyBytes, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	encode := func(kind string, content []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}))
	}
	return authority{encode("CERTIFICATE", cert), encode("PRIVATE KEY", keyBytes)}
}

// loadTLS loads a file beside ca.pem, client.pem, client.key and other.key.
func loadTLS(t *testing.T, text string) (Config, error) {
	t.Helper()
	ca, client := newAuthority(t), newAuthority(t)
	return loadConfig(folder(t, map[string]string{
		"config.yaml": text, "ca.pem": ca.certPEM, "client.pem": client.certPEM,
		"client.key": client.keyPEM, "other.key": ca.keyPEM,
	}), environment)
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	config, err := loadTLS(t, `
mqtt: {url: "mqtts://broker.local", ca_file: ca.pem, cert_file: client.pem, key_file: client.key}
printers:
  - {id: a, url: "https://a.local", api_key: A, ca_file: ca.pem}
  - {id: b, url: "https://b.local", api_key: A, insecure_skip_verify: true}
  - {id: c, url: "https://c.local", api_key: A, insecure_skip_verify: false}
  - {id: d, url: "http://d.local", api_key: A, insecure_skip_verify: false, disabled: true}
`)
	if err != nil {
		t.Fatal(err)
	}
	mqtt, printers := config.Bridge.MQTT.TLS, config.Bridge.Printers
	if len(mqtt.Certificates) != 1 {
		t.Errorf("broker: %d client certificates", len(mqtt.Certificates))
	}
	for name, settings := range map[string]*tls.Config{"mqtt": mqtt, "a": printers[0].TLS} {
		if settings.MinVersion != tls.VersionTLS12 || settings.InsecureSkipVerify || settings.RootCAs == nil {
			t.Errorf("%s: version %x, insecure %t, own certificates %t",
				name, settings.MinVersion, settings.InsecureSkipVerify, settings.RootCAs != nil)
		}
	}
	if b := printers[1].TLS; b.MinVersion != tls.VersionTLS12 || !b.InsecureSkipVerify || b.RootCAs != nil {
		t.Errorf("b: version %x, insecure %t", b.MinVersion, b.InsecureSkipVerify)
	}
	if printers[2].TLS != nil || printers[3].TLS != nil {
		t.Error("settings without a reason for any")
	}
}

func TestClientCertificateAlone(t *testing.T) {
	t.Parallel()
	config, err := loadTLS(t, `mqtt: {url: "wss://broker.local", cert_file: client.pem, key_file: client.key}`)
	if err != nil {
		t.Fatal(err)
	}
	settings := config.Bridge.MQTT.TLS
	if settings.MinVersion != tls.VersionTLS12 || len(settings.Certificates) != 1 || settings.RootCAs != nil {
		t.Errorf("version %x, %d certificates", settings.MinVersion, len(settings.Certificates))
	}
}

func TestForeignPrivateKey(t *testing.T) {
	t.Parallel()
	_, err := loadTLS(t, `mqtt: {url: "mqtts://broker.local", cert_file: client.pem, key_file: other.key}`)
	if err == nil || !strings.Contains(err.Error(), "config.yaml:1: mqtt.cert_file: this and key_file are not a certificate and its private key") {
		t.Errorf("got %v", err)
	}
}
