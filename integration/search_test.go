package integration

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// responder answers each packet that it gets on a port of this machine.
func responder(t *testing.T, answer func(question []byte) [][]byte) string {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		buffer := make([]byte, 9000)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			for _, packet := range answer(buffer[:n]) {
				_, _ = conn.WriteTo(packet, from)
			}
		}
	})
	t.Cleanup(func() { conn.Close(); serving.Wait() })
	return conn.LocalAddr().String()
}

// records packs an answer of multicast DNS.
func records(t *testing.T, lines ...string) []byte {
	t.Helper()
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}}
	for _, line := range lines {
		r, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		m.Answer = append(m.Answer, r)
	}
	packet, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

const (
	leftInstance  = `OctoPrint\ instance\ \"Left\ 2\.0\"\ on\ octopi._octoprint._tcp.local.`
	rightInstance = `OctoPrint\ instance\ on\ pi4._octoprint._tcp.local.`
)

// TestSearch: what two servers say, one by both ways, and what others say.
func TestSearch(t *testing.T) {
	t.Parallel()
	mdns := responder(t, func(question []byte) [][]byte {
		var q dns.Msg
		if q.Unpack(question) != nil || len(q.Question) != 1 {
			return nil
		}
		switch q.Question[0].Name {
		case octoPrintService: // the left one tells all at once, the right one only that it is there
			return [][]byte{[]byte("garbage"), question, records(t,
				"_octoprint._tcp.local. 10 IN PTR "+leftInstance,
				leftInstance+` 10 IN SRV 0 0 80 octopi.local.`,
				leftInstance+` 10 IN TXT "path=/" "version=1.11.8" "api=0.1" "uuid=aaa"`,
				"OctoPi.local. 10 IN A 127.0.0.1", "octopi.local. 10 IN AAAA fe80::1", "octopi.local. 10 IN A 192.168.1.20",
				"_octoprint._tcp.local. 10 IN PTR "+rightInstance,
				"_http._tcp.local. 10 IN PTR web._http._tcp.local.",
			)}
		case rightInstance:
			return [][]byte{records(t, rightInstance+` 10 IN SRV 0 0 5000 pi4.local.`, rightInstance+` 10 IN TXT "path=/right/" "version=2.0.0rc7"`)}
		case "pi4.local.":
			return [][]byte{records(t, "pi4.local. 10 IN A 192.168.1.21")}
		}
		return nil
	})
	ssdp := responder(t, func(question []byte) [][]byte {
		if !strings.HasPrefix(string(question), "M-SEARCH * HTTP/1.1\r\n") || !strings.Contains(string(question), "MAN: \"ssdp:discover\"\r\n") {
			return nil
		}
		answer := func(location, uuid string) []byte {
			return []byte("HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:" + uuid + "::upnp:rootdevice\r\nLocation: " + location + "\r\nCache-Control: max-age=60\r\n\r\n")
		}
		return [][]byte{
			[]byte("garbage"),
			answer("http://127.0.0.1:80/plugin/discovery/discovery.xml", "aaa"),
			answer("http://127.0.0.1:5001/plugin/discovery/discovery.xml", "ccc"),
			answer("http://192.168.1.1:5000/plugin/discovery/discovery.xml", "ddd"), // of another machine
			answer("http://127.0.0.1:8080/description.xml", "eee"),                  // a television
		}
	})
	resolve := func(_ context.Context, host string) ([]string, error) {
		if host == "octopi.local" {
			return []string{"192.168.1.20"}, nil
		}
		return nil, errors.New("no such host")
	}
	list, err := Search{MDNS: mdns, SSDP: ssdp, Wait: 2500 * time.Millisecond, Resolve: resolve}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range list {
		var addresses []string
		for _, u := range a.Addresses {
			addresses = append(addresses, u.String())
		}
		slices.Sort(addresses)
		got = append(got, strings.Join([]string{a.URL.String(), a.Name, a.Version, a.uuid, strings.Join(addresses, " ")}, "|"))
	}
	want := []string{
		"http://127.0.0.1:5001|||ccc|http://127.0.0.1:5001",
		"http://192.168.1.21:5000/right|pi4|2.0.0rc7||http://192.168.1.21:5000/right http://pi4.local:5000/right",
		"http://octopi.local|Left 2.0|1.11.8|aaa|http://127.0.0.1 http://192.168.1.20 http://octopi.local",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestOwnName: what servers call themselves.
func TestOwnName(t *testing.T) {
	t.Parallel()
	for instance, want := range map[string]string{
		`OctoPrint instance "Left"`: "Left", `OctoPrint instance "Left" on octopi`: "Left", `OctoPrint instance on octopi`: "octopi",
		`OctoPrint instance "a" on b" on c`: `a" on b`, "Kitchen": "Kitchen", "a\x00b": "a b", "": "",
	} {
		if got := ownName(instance); got != want {
			t.Errorf("%q: %q", instance, got)
		}
	}
}

// TestSearchEnds: with nobody there, and when nobody wants to know any more.
func TestSearchEnds(t *testing.T) {
	t.Parallel()
	silent := responder(t, func([]byte) [][]byte { return nil })
	list, err := Search{MDNS: silent, SSDP: silent, Wait: 50 * time.Millisecond}.Run(t.Context())
	if err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	if _, err := (Search{MDNS: silent, SSDP: silent}).Run(ctx); err != nil || time.Since(began) > time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

// FuzzAnnouncements: the network may say anything.
func FuzzAnnouncements(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nUSN: uuid:a::b\r\nLocation: http://127.0.0.1:1/plugin/discovery/discovery.xml\r\n\r\n"))
	f.Add([]byte{0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, packet []byte) {
		from := netip.MustParseAddr("127.0.0.1")
		list := []Announced{}
		if a, ok := readSSDP(from, packet); ok {
			list = append(list, a)
		}
		var m mdnsAnswers
		m.take(from, packet)
		m.questions()
		for _, a := range (Search{Resolve: func(context.Context, string) ([]string, error) { return nil, nil }}).prefer(t.Context(), merge(append(list, m.found()...))) {
			if a.URL == nil || a.URL.Host == "" || hasControl(a.Name) || hasControl(a.Version) {
				t.Errorf("%+v", a)
			}
		}
	})
}
