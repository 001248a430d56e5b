package integration

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Announced is an OctoPrint that announces itself in the network.
type Announced struct {
	// URL is where it says to be: by name where this machine knows that name, else by
	// address, which may be another one tomorrow.
	URL *url.URL
	// Addresses are all URLs that lead there.
	Addresses []*url.URL
	Name      string // that its owner gave it, or as it calls itself; may be empty
	Version   string // empty: it doesn't say
	uuid      string // of the installation; empty: unknown
}

// Search finds OctoPrint servers that announce themselves. The zero Search asks the
// network of every interface.
type Search struct {
	// MDNS and SSDP are where to ask; empty means the multicast groups of these
	// protocols, "-" not at all.
	MDNS, SSDP string
	// Wait is how long to wait for answers; 0 means 3 s.
	Wait time.Duration
	// Resolve looks up the addresses of a name; nil means as the system does.
	Resolve func(ctx context.Context, host string) ([]string, error)
}

const (
	mdnsGroup = "224.0.0.251:5353"
	ssdpGroup = "239.255.255.250:1900"
	// maxAnnouncement is more than any answer has that counts.
	maxAnnouncement = 9000
	// maxAnnounced bounds what is taken in of a network full of answers.
	maxAnnounced = 2000
)

// Run asks and returns who has answered, sorted by address. Several tries are in it, but
// networks lose such packets, and many keep them from passing at all.
func (s Search) Run(whole context.Context) ([]Announced, error) {
	ctx, cancel := context.WithTimeout(whole, cmp.Or(s.Wait, 3*time.Second))
	defer cancel()
	var mdns mdnsAnswers
	var ssdp []Announced
	var mdnsErr, ssdpErr error
	var both sync.WaitGroup
	if s.MDNS != "-" {
		both.Go(func() { mdnsErr = shout(ctx, cmp.Or(s.MDNS, mdnsGroup), mdns.questions, mdns.take) })
	}
	if s.SSDP != "-" {
		both.Go(func() {
			ssdpErr = shout(ctx, cmp.Or(s.SSDP, ssdpGroup), ssdpQuestion, func(from netip.Addr, packet []byte) {
				if a, ok := readSSDP(from, packet); ok && len(ssdp) < maxAnnounced {
					ssdp = append(ssdp, a)
				}
			})
		})
	}
	both.Wait()
	if mdnsErr != nil && ssdpErr != nil {
		return nil, mdnsErr
	}
	return s.prefer(whole, merge(append(mdns.found(), ssdp...))), nil
}

// shouting is how often questions are asked.
const shouting = time.Second

// shout sends questions to a group, on every interface, and takes answers until ctx
// ends. questions are asked anew each time.
func shout(ctx context.Context, group string, questions func() [][]byte, take func(from netip.Addr, packet []byte)) error {
	to, err := net.ResolveUDPAddr("udp4", group)
	if err != nil {
		return err
	}
	conns := openAll(ctx, to.IP.IsMulticast())
	if len(conns) == 0 {
		return errors.New("no network interface could be used")
	}
	type packet struct {
		from netip.Addr
		data []byte
	}
	packets := make(chan packet)
	var reading sync.WaitGroup
	defer reading.Wait()
	for _, conn := range conns {
		defer conn.Close()
		reading.Go(func() {
			buffer := make([]byte, maxAnnouncement)
			for {
				n, from, err := conn.ReadFromUDPAddrPort(buffer)
				if err != nil {
					return
				}
				select {
				case packets <- packet{from.Addr().Unmap(), slices.Clone(buffer[:n])}:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	again := time.NewTicker(shouting)
	defer again.Stop()
	ask := func() {
		for _, question := range questions() {
			for _, conn := range conns {
				_, _ = conn.WriteTo(question, to) // of an interface that leads nowhere
			}
		}
	}
	ask()
	for {
		select {
		case p := <-packets:
			take(p.from, p.data)
		case <-again.C:
			ask()
		case <-ctx.Done():
			return nil
		}
	}
}

// openAll opens a socket on each interface that has multicast, or one for unicast. They
// are closed when ctx ends.
func openAll(ctx context.Context, multicast bool) []*net.UDPConn {
	addresses := []net.IP{nil}
	if multicast {
		addresses = ownAddresses()
	}
	var conns []*net.UDPConn
	for _, ip := range addresses {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: ip})
		if err != nil {
			continue
		}
		context.AfterFunc(ctx, func() { conn.Close() })
		conns = append(conns, conn)
	}
	return conns
}

// ownAddresses are the IPv4 addresses of this machine's interfaces that have multicast.
func ownAddresses() []net.IP {
	var list []net.IP
	interfaces, _ := net.Interfaces() // without any there is nowhere to ask
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&(net.FlagMulticast|net.FlagLoopback) == 0 {
			continue
		}
		addresses, _ := i.Addrs() // likewise
		for _, a := range addresses {
			if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
				list = append(list, n.IP)
			}
		}
	}
	return list
}

// merge makes one of what several announcements say of one server.
func merge(list []Announced) []Announced {
	var merged []Announced
	for _, a := range list {
		i := slices.IndexFunc(merged, func(b Announced) bool { return sameAnnounced(&a, &b) })
		if i < 0 {
			merged = append(merged, a)
			continue
		}
		known := &merged[i]
		known.Name, known.Version, known.uuid = cmp.Or(known.Name, a.Name), cmp.Or(known.Version, a.Version), cmp.Or(known.uuid, a.uuid)
		for _, u := range a.Addresses {
			if !slices.ContainsFunc(known.Addresses, func(v *url.URL) bool { return *u == *v }) {
				known.Addresses = append(known.Addresses, u)
			}
		}
	}
	return merged
}

func sameAnnounced(a, b *Announced) bool {
	if a.uuid != "" && b.uuid != "" {
		return a.uuid == b.uuid
	}
	return slices.ContainsFunc(a.Addresses, func(u *url.URL) bool {
		return slices.ContainsFunc(b.Addresses, func(v *url.URL) bool { return *u == *v })
	})
}

// prefer chooses the URL to use of each, and sorts them.
func (s Search) prefer(ctx context.Context, list []Announced) []Announced {
	resolve := s.Resolve
	if resolve == nil {
		resolve = net.DefaultResolver.LookupHost
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var resolving sync.WaitGroup
	for i := range list {
		resolving.Go(func() { list[i].prefer(ctx, resolve) })
	}
	resolving.Wait()
	slices.SortFunc(list, func(a, b Announced) int { return cmp.Compare(a.URL.String(), b.URL.String()) })
	return list
}

// prefer takes the first name that this machine knows to be one of the server's
// addresses, else the first address.
func (a *Announced) prefer(ctx context.Context, resolve func(context.Context, string) ([]string, error)) {
	a.URL = a.Addresses[0]
	for _, u := range a.Addresses {
		if net.ParseIP(u.Hostname()) != nil {
			a.URL = u
			break
		}
	}
	for _, u := range a.Addresses {
		if net.ParseIP(u.Hostname()) != nil {
			continue
		}
		found, err := resolve(ctx, u.Hostname())
		if err == nil && slices.ContainsFunc(found, func(ip string) bool {
			return slices.ContainsFunc(a.Addresses, func(v *url.URL) bool { return v.Hostname() == ip })
		}) {
			a.URL = u
			return
		}
	}
}

// serverURL is where a server is that says its host, port and path.
func serverURL(host string, port int, path string) *url.URL {
	u := &url.URL{Scheme: "http", Host: host, Path: strings.TrimRight(path, "/")}
	if strings.Contains(host, ":") {
		u.Host = "[" + host + "]"
	}
	switch port {
	case 80:
	case 443:
		u.Scheme = "https"
	default:
		u.Host = net.JoinHostPort(host, strconv.Itoa(port))
	}
	if u.Path != "" && !strings.HasPrefix(u.Path, "/") {
		u.Path = "/" + u.Path
	}
	return u
}

var octoPrintInstance = regexp.MustCompile(`^OctoPrint instance (?:"(.*)"(?: on .*)?|on (.*))$`)

// ownName is the name that an owner gave a server which calls itself
// `OctoPrint instance "Left"`, or `OctoPrint instance on octopi` without one.
func ownName(instance string) string {
	if m := octoPrintInstance.FindStringSubmatch(instance); m != nil {
		return clean(cmp.Or(m[1], m[2]))
	}
	return clean(instance)
}
