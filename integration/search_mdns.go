package integration

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// octoPrintService is the name under which OctoPrint servers announce themselves.
const octoPrintService = "_octoprint._tcp.local."

// mdnsAnswers collects what multicast DNS says. Answers come in pieces: a service's
// instances, and for each where it is and what it says of itself.
type mdnsAnswers struct {
	instances []string // in the order in which they were heard of
	where     map[string]*dns.SRV
	texts     map[string][]string
	addresses map[string][]netip.Addr // of hosts
}

// questions asks for all instances, and for what is still missing of those that are
// known. They are sent from a port of their own, so that they are answered to it alone.
func (m *mdnsAnswers) questions() [][]byte {
	packets := [][]byte{mdnsQuestion(octoPrintService, dns.TypePTR)}
	for _, instance := range m.instances {
		srv := m.where[instance]
		switch {
		case srv == nil || m.texts[instance] == nil:
			packets = append(packets, mdnsQuestion(instance, dns.TypeANY))
		case len(m.addresses[canonical(srv.Target)]) == 0:
			packets = append(packets, mdnsQuestion(srv.Target, dns.TypeA))
		}
	}
	return packets
}

func mdnsQuestion(name string, kind uint16) []byte {
	q := new(dns.Msg)
	q.SetQuestion(name, kind)
	q.RecursionDesired = false
	packet, _ := q.Pack() // names come from packets or are constant
	return packet
}

// canonical makes equal what DNS takes for equal.
func canonical(name string) string { return strings.ToLower(dns.Fqdn(name)) }

// take takes in an answer; garbage is passed over.
func (m *mdnsAnswers) take(_ netip.Addr, packet []byte) {
	var answer dns.Msg
	if answer.Unpack(packet) != nil || !answer.Response {
		return
	}
	if m.where == nil {
		m.where, m.texts, m.addresses = make(map[string]*dns.SRV), make(map[string][]string), make(map[string][]netip.Addr)
	}
	for _, record := range slices.Concat(answer.Answer, answer.Extra) {
		m.record(record)
	}
}

func (m *mdnsAnswers) record(record dns.RR) {
	name := record.Header().Name
	switch r := record.(type) {
	case *dns.PTR:
		if canonical(name) == octoPrintService && !slices.Contains(m.instances, r.Ptr) && len(m.instances) < maxAnnounced {
			m.instances = append(m.instances, r.Ptr)
		}
	case *dns.SRV:
		if len(m.where) < maxAnnounced {
			m.where[name] = r
		}
	case *dns.TXT:
		if len(m.texts) < maxAnnounced {
			m.texts[name] = append([]string{}, r.Txt...)
		}
	case *dns.A:
		m.address(name, r.A)
	case *dns.AAAA:
		m.address(name, r.AAAA)
	}
}

func (m *mdnsAnswers) address(host string, ip []byte) {
	addr, ok := netip.AddrFromSlice(ip)
	addr = addr.Unmap()
	host = canonical(host)
	known := m.addresses[host]
	if !ok || addr.IsLinkLocalUnicast() || slices.Contains(known, addr) || len(known) > 16 || len(m.addresses) > maxAnnounced {
		return
	}
	m.addresses[host] = append(known, addr)
}

// found are the servers of which enough is known.
func (m *mdnsAnswers) found() []Announced {
	var list []Announced
	for _, instance := range m.instances {
		srv := m.where[instance]
		if srv == nil {
			continue
		}
		said := make(map[string]string)
		for _, text := range m.texts[instance] {
			if key, value, ok := strings.Cut(text, "="); ok {
				said[strings.ToLower(key)] = unescaped(value)
			}
		}
		a := Announced{
			Name: ownName(unescaped(strings.TrimSuffix(instance, "."+octoPrintService))), Version: clean(said["version"]), uuid: said["uuid"],
		}
		host, port := strings.TrimSuffix(srv.Target, "."), int(srv.Port)
		if strings.IndexFunc(host, notInHost) >= 0 || port == 0 {
			continue
		}
		a.Addresses = append(a.Addresses, serverURL(strings.ToLower(host), port, said["path"]))
		for _, ip := range m.addresses[canonical(srv.Target)] {
			a.Addresses = append(a.Addresses, serverURL(ip.String(), port, said["path"]))
		}
		a.Addresses = slices.DeleteFunc(a.Addresses, func(u *url.URL) bool { _, err := url.Parse(u.String()); return err != nil })
		if len(a.Addresses) > 0 {
			list = append(list, a)
		}
	}
	return list
}

func notInHost(r rune) bool {
	return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._", r)
}

// unescaped undoes how the library writes bytes that have a meaning in names: \. and
// \195.
func unescaped(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		if i+2 < len(text) && isDigits(text[i:i+3]) {
			b.WriteByte((text[i]-'0')*100 + (text[i+1]-'0')*10 + (text[i+2] - '0'))
			i += 2
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func isDigits(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }) < 0
}
