package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
)

// readTLS returns the TLS settings of a section for the server at u, nil if
// there are none. u may be nil if it was wrong.
func readTLS(s *section, u *url.URL) *tls.Config {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	ca, hasCA := s.value("ca_file")
	settings.InsecureSkipVerify = read(s, "insecure_skip_verify", false, boolean)
	if hasCA {
		settings.RootCAs = readCertificates(s, ca)
	}
	switch {
	case settings.InsecureSkipVerify && hasCA:
		s.src.report.mistake(ca.place, "has no effect together with insecure_skip_verify; remove one of them")
	case settings.InsecureSkipVerify:
		s.src.report.warn(s.place("insecure_skip_verify"),
			"the server's certificate is not checked, so others in the network can pose as the server and read the secrets sent to it; ca_file is the safe way")
	case !hasCA:
		return nil
	}
	requireTLS(s, u, "ca_file")
	if settings.InsecureSkipVerify {
		requireTLS(s, u, "insecure_skip_verify")
	}
	return settings
}

// readClientCertificate adds the certificate that this program shows to the
// server at u, if the section names one, and returns the settings.
func readClientCertificate(s *section, u *url.URL, settings *tls.Config) *tls.Config {
	certValue, hasCert := s.value("cert_file")
	keyValue, hasKey := s.value("key_file")
	requireTLS(s, u, "cert_file")
	requireTLS(s, u, "key_file")
	switch {
	case s.has("cert_file") && !s.has("key_file"):
		s.src.report.mistake(s.place("cert_file"), "needs key_file too, the private key of the certificate")
	case s.has("key_file") && !s.has("cert_file"):
		s.src.report.mistake(s.place("key_file"), "needs cert_file too, the certificate of the private key")
	}
	if !hasCert || !hasKey {
		return settings
	}
	cert, certOK := s.src.file(certValue)
	key, keyOK := s.src.file(keyValue)
	if !certOK || !keyOK {
		return settings
	}
	s.src.warnExposed(keyValue.place, s.src.resolvePath(keyValue.text), keyValue.shown)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		s.src.report.mistake(certValue.place, "this and key_file are not a certificate and its private key, both as PEM and without a passphrase")
		return settings
	}
	if settings == nil {
		settings = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	settings.Certificates = []tls.Certificate{pair}
	return settings
}

// requireTLS reports a key that is there although the server at u is reached
// without TLS.
func requireTLS(s *section, u *url.URL, key string) {
	if u == nil || !s.has(key) || u.Scheme == "https" || u.Scheme == "mqtts" || u.Scheme == "wss" {
		return
	}
	secure := map[string]string{"http": "https", "mqtt": "mqtts", "ws": "wss"}[u.Scheme]
	s.src.report.mistake(s.place(key), "has a meaning only if url starts with "+secure+"://; change the url or remove this line")
}

// readCertificates returns the certificates in a file, nil if there are none,
// which is reported.
func readCertificates(s *section, v value) *x509.CertPool {
	content, ok := s.src.file(v)
	if !ok {
		return nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		s.src.reject(v, "holds no certificate; it must be a PEM file, with lines -----BEGIN CERTIFICATE-----")
		return nil
	}
	return pool
}
