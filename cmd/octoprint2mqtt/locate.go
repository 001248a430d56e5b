package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"octoprint2mqtt/integration"
)

// maxRedirects is how often in a row somebody is asked to follow a redirect.
const maxRedirects = 3

// locate finds the OctoPrint at the first of some addresses that has one.
func (s *setup) locate(ctx context.Context, addresses []*url.URL) (integration.Recognized, error) {
	var first error
	for i, u := range addresses {
		s.printer.URL, s.printer.TLS, s.certificate = u, nil, nil
		server, err := s.recognize(ctx, maxRedirects)
		var failed *integration.SetupError
		if err == nil || !errors.As(err, &failed) || len(addresses) == 1 {
			return server, nothingChanged(err)
		}
		// That a machine is there tells more than that another port is closed.
		if first == nil || i > 0 && failed.Failure != integration.SetupUnreachable {
			first = err
		}
	}
	var tried []string
	for _, u := range addresses {
		tried = append(tried, u.String())
	}
	return integration.Recognized{}, nothingChanged(fmt.Errorf("%w\nTried: %s", first, strings.Join(tried, ", ")))
}

func nothingChanged(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("nothing was changed: %w", err)
}

// recognize looks for OctoPrint at the printer's address. Where a redirect leads, or a
// certificate that nobody vouches for, the user decides.
func (s *setup) recognize(ctx context.Context, redirects int) (integration.Recognized, error) {
	server, err := integration.Recognize(ctx, s.printer)
	var failed *integration.SetupError
	if err == nil || !errors.As(err, &failed) {
		return server, err
	}
	switch {
	case failed.Failure == integration.SetupRedirected && failed.Redirect != nil && redirects > 0:
		if err := s.offerRedirect(ctx, failed.Redirect); err != nil {
			return server, err
		}
		return s.recognize(ctx, redirects-1)
	case failed.Failure == integration.SetupCertificate && s.certificate == nil:
		if accepted, err := s.offerCertificate(ctx); !accepted {
			if err == nil {
				err = failed
			}
			return server, err
		}
		return s.recognize(ctx, redirects)
	}
	return server, err
}

// offerRedirect asks whether the address that a server names is to be used.
func (s *setup) offerRedirect(ctx context.Context, to *url.URL) error {
	to, err := printerAddress().parse(to.String())
	if err != nil {
		return fmt.Errorf("%s redirects to an address that %w", s.printer.URL, err)
	}
	if to.String() == s.printer.URL.String() {
		return fmt.Errorf("%s redirects to itself: something in front of OctoPrint is set up wrongly", to)
	}
	s.say("%s redirects to %s. Redirects are not followed later, so the address has to be the right one.", s.printer.URL, to)
	switch {
	case s.yes && to.Hostname() != s.printer.URL.Hostname():
		return fmt.Errorf("%s redirects to another host; if that is right, add %s", s.printer.URL, to)
	case s.yes && s.printer.URL.Scheme == "https" && to.Scheme != "https":
		return fmt.Errorf("%s redirects to an address without TLS, on the way to which the key could be read; if that is right, add %s", s.printer.URL, to)
	}
	agreed, err := s.confirm(ctx, "Use "+to.String()+"?")
	if err == nil && !agreed {
		err = fmt.Errorf("%s redirects to %s, which you don't want", s.printer.URL, to)
	}
	if err != nil {
		return err
	}
	s.printer.URL, s.printer.TLS, s.certificate = to, nil, nil
	return nil
}

// offerCertificate shows the certificate that the server has and asks whether it is to
// be trusted. It is false where that is no way out.
func (s *setup) offerCertificate(ctx context.Context) (bool, error) {
	cert, err := integration.ServerCertificate(ctx, &s.printer)
	if err != nil {
		return false, ctx.Err() // no certificate: what went wrong before says more
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	host := s.printer.URL.Hostname()
	if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, DNSName: host}); err != nil {
		return false, explainCertificate(cert, host, err)
	}
	s.say("The certificate of %s is one that nobody vouches for; many devices make their own.", s.printer.URL.Host)
	s.say("  issued to:   %s\n  valid until: %s\n  SHA-256:     %s", certificateNames(cert), cert.NotAfter.UTC().Format(time.DateOnly), fingerprint(cert))
	s.say("Compare the fingerprint with the one that OctoPrint's machine or your browser shows: others could pose as it.")
	agreed, err := s.confirm(ctx, "Trust this certificate, and only this one?")
	if err == nil && !agreed {
		err = fmt.Errorf("the certificate of %s is not trusted", s.printer.URL.Host)
	}
	if err != nil {
		return false, err
	}
	s.printer.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	s.certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	return true, nil
}

// explainCertificate says why not even trusting it would help.
func explainCertificate(cert *x509.Certificate, host string, err error) error {
	var name x509.HostnameError
	switch {
	case errors.As(err, &name):
		return fmt.Errorf("the certificate is for %s, not for %s: use an address with a name that it is for, or give OctoPrint another certificate", certificateNames(cert), host)
	case time.Now().After(cert.NotAfter):
		return fmt.Errorf("the certificate of %s has expired on %s: renew it", host, cert.NotAfter.UTC().Format(time.DateOnly))
	case time.Now().Before(cert.NotBefore):
		return fmt.Errorf("the certificate of %s is not valid before %s: check the clocks of both machines", host, cert.NotBefore.UTC().Format(time.DateOnly))
	}
	return fmt.Errorf("the certificate of %s can't be used: %w", host, err)
}

// certificateNames are what a certificate is for.
func certificateNames(cert *x509.Certificate) string {
	names := append([]string{}, cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no name that counts (" + oneLine(cert.Subject.CommonName) + " is only its title)"
	}
	return oneLine(strings.Join(names, ", "))
}

// oneLine makes foreign text fit for a terminal.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, text)
}

// fingerprint is how browsers and openssl show a certificate's.
func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	var pairs []string
	for _, b := range sum {
		pairs = append(pairs, fmt.Sprintf("%02X", b))
	}
	return strings.Join(pairs, ":")
}
