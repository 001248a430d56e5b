package integration

import (
	"bytes"
	"crypto/tls"
	"slices"
)

// samePrinter reports whether two configurations of a printer say the same.
func samePrinter(a, b *PrinterConfig) bool {
	return sameConnection(a, b) && a.Name == b.Name && a.Area == b.Area && a.Access == b.Access &&
		a.Limits == b.Limits && sameCamera(&a.Camera, &b.Camera) && a.ReadyBelow == b.ReadyBelow && slices.Equal(a.GcodeAllow, b.GcodeAllow) &&
		a.PlateCheck == b.PlateCheck && a.HeatWatch == b.HeatWatch && slices.Equal(a.Arm, b.Arm)
}

// sameConnection reports whether two configurations of a printer lead to the same
// session with OctoPrint.
func sameConnection(a, b *PrinterConfig) bool {
	return a.URL.String() == b.URL.String() && a.APIKey == b.APIKey && a.User == b.User &&
		a.Disabled == b.Disabled && sameTLS(a.TLS, b.TLS) &&
		slices.Equal(a.Raw.Plugins, b.Raw.Plugins) && slices.Equal(a.Raw.Events, b.Raw.Events)
}

func sameCamera(a, b *CameraConfig) bool {
	return a.Enabled == b.Enabled && a.Interval == b.Interval && (a.URL == nil) == (b.URL == nil) && (a.URL == nil || a.URL.String() == b.URL.String())
}

// sameTLS compares what the configuration file can say of TLS.
func sameTLS(a, b *tls.Config) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.InsecureSkipVerify == b.InsecureSkipVerify && a.ServerName == b.ServerName &&
		(a.RootCAs == b.RootCAs || a.RootCAs != nil && b.RootCAs != nil && a.RootCAs.Equal(b.RootCAs)) &&
		slices.EqualFunc(a.Certificates, b.Certificates, func(c, d tls.Certificate) bool {
			return slices.EqualFunc(c.Certificate, d.Certificate, bytes.Equal)
		})
}
