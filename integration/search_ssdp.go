package integration

import (
	"bufio"
	"bytes"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// discoveryPage is what OctoPrint's discovery plugin serves, and what no other device
// has.
const discoveryPage = "/plugin/discovery/discovery.xml"

// ssdpQuestion asks for all devices: OctoPrint has no kind of its own.
func ssdpQuestion() [][]byte {
	return [][]byte{[]byte("M-SEARCH * HTTP/1.1\r\nHOST: " + ssdpGroup + "\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n")}
}

// readSSDP reads an answer. It is false for devices that are no OctoPrint, and for
// answers that point to another machine than the one they come from.
func readSSDP(from netip.Addr, packet []byte) (Announced, bool) {
	answer, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(packet)), nil)
	if err != nil {
		return Announced{}, false
	}
	answer.Body.Close()
	u, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return Announced{}, false
	}
	path, ours := strings.CutSuffix(u.Path, discoveryPage)
	host, err := netip.ParseAddr(u.Hostname())
	if !ours || err != nil || host.Unmap() != from {
		return Announced{}, false
	}
	base := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}
	if port := u.Port(); port == "80" && u.Scheme == "http" || port == "443" && u.Scheme == "https" {
		base.Host = u.Hostname()
	}
	uuid, _, _ := strings.Cut(strings.TrimPrefix(answer.Header.Get("Usn"), "uuid:"), "::")
	return Announced{Addresses: []*url.URL{base}, uuid: uuid}, true
}
