package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"octoprint2mqtt/octoprint"
)

// Finding is what [Check] found out about the broker or a printer.
type Finding struct {
	Subject string // "broker", or a printer's id
	OK      bool
	Text    string   // one sentence: what works, or what is wrong and what to do
	Notes   []string // what works less than it could
}

const (
	checkTimeout  = 20 * time.Second // of one subject
	checkedAtOnce = 16
)

// Check tries the broker and every printer of a configuration and explains what
// is wrong. It changes nothing. The broker comes first, then the printers in the
// order of the configuration.
func Check(ctx context.Context, c Config) []Finding {
	findings := make([]Finding, 1+len(c.Printers))
	var all sync.WaitGroup
	slots := make(chan struct{}, checkedAtOnce)
	check := func(i int, f func(context.Context) Finding) {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(ctx, checkTimeout)
			defer cancel()
			findings[i] = f(ctx)
		})
	}
	check(0, func(ctx context.Context) Finding { return checkBroker(ctx, c) })
	for i := range c.Printers {
		check(i+1, func(ctx context.Context) Finding { return checkPrinter(ctx, &c.Printers[i]) })
	}
	all.Wait()
	return findings
}

// checkBroker logs in, subscribes and leaves, under a client id of its own: with
// that of a running bridge it would throw that one out.
func checkBroker(ctx context.Context, c Config) Finding {
	f := Finding{Subject: "broker"}
	c.MQTT.ClientID += "-check-" + newInstance()
	b := New(c, zerolog.Nop())
	b.broker.online = "" // no will: nothing is to be said about the bridge
	conn, err := b.broker.dial(ctx)
	if err == nil {
		err = conn.subscribe(ctx, b.filters())
		conn.close()
	}
	if err != nil {
		f.Text = explainBroker(&c.MQTT, err)
		return f
	}
	f.OK, f.Text = true, fmt.Sprintf("logged in to %s and subscribed to commands below %s", c.MQTT.URL.Host, c.MQTT.BaseTopic)
	return f
}

// checkPrinter opens a session, which tries everything that the bridge needs.
func checkPrinter(ctx context.Context, p *PrinterConfig) Finding {
	f := Finding{Subject: p.ID}
	if p.Disabled {
		f.OK, f.Text = true, "disabled in the configuration; not contacted"
		return f
	}
	client := octoprint.NewClient(octoprint.Options{URL: p.URL, APIKey: p.APIKey, User: p.User, TLS: p.TLS, Dial: p.Dial})
	probe := &probe{}
	opened, cancel := context.WithCancel(ctx)
	defer cancel()
	probe.opened = cancel
	err := client.Serve(opened, probe)
	switch {
	case probe.info.Version != "":
		v := &printerView{config: p, info: probe.info, prints: &tracker{}}
		f.OK = true
		f.Text = fmt.Sprintf("OctoPrint %s as user %s; the printer is %s", clean(probe.info.Version), clean(probe.info.User), probe.phase)
		f.Notes = missingNotes(missingOf(v))
		f.Notes = append(f.Notes, checkCameras(ctx, client, v)...)
	case err != nil:
		f.Text = diagnose(p, err).detail
	default:
		f.Text = diagnose(p, context.DeadlineExceeded).detail
	}
	return f
}

// missingNotes say what a user lacks, by who of OctoPrint's groups has it.
func missingNotes(m *missing) []string {
	var notes []string
	for _, group := range []string{octoprint.GroupOperator, octoprint.GroupAdmins} {
		lacks := m.inGroup(group)
		if len(lacks) == 0 {
			continue
		}
		var rows []string
		for _, permission := range lacks {
			rows = append(rows, m.of[permission].Rows...)
		}
		slices.Sort(rows)
		notes = append(notes, fmt.Sprintf("the user lacks %s, which OctoPrint's group %s has: these are not shown, or only to look at: %s",
			strings.Join(lacks, ", "), group, strings.Join(slices.Compact(rows), ", ")))
	}
	return notes
}

// checkCameras takes a picture with each camera of a printer, and says of which there
// is none.
func checkCameras(ctx context.Context, c *octoprint.Client, v *printerView) []string {
	if v.config.Camera.Enabled && v.config.Camera.URL == nil && v.maySeeWebcams() {
		s, err := c.Settings(ctx)
		if err != nil {
			return []string{"OctoPrint does not tell of its cameras: " + err.Error()}
		}
		v.has.Webcams = s.Webcams
	}
	var notes []string
	g := newGallery()
	for _, r := range cameraRows(v) {
		if len(r.lacks(v)) > 0 {
			continue
		}
		large, from := &room{of: g.large}, r.picture(v)
		_, _, err := g.get(ctx, c, &from, large)
		large.leave()
		if err != nil {
			reason, _ := explainPicture(err, true)
			notes = append(notes, fmt.Sprintf("%s: %s", r.component.Name, reason))
		}
	}
	return notes
}

// probe is a handler that leaves as soon as the session is open.
type probe struct {
	opened func()
	info   octoprint.Info
	phase  octoprint.Phase
}

func (p *probe) SessionOpened(i octoprint.Info, s *octoprint.State) {
	p.info, p.phase = i, s.Phase
	p.opened()
}
func (p *probe) InfoChanged(octoprint.Info)                      {}
func (p *probe) StateChanged(*octoprint.State)                   {}
func (p *probe) EventReceived(octoprint.Event, *octoprint.State) {}
func (p *probe) PluginReceived(string, json.RawMessage)          {}

func (p *probe) FrameRejected(error) {}
