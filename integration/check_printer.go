package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"octoprint2mqtt/octoprint"
)

const (
	// slowAnswer is how long a request may take before that is worth a word.
	slowAnswer = 2 * time.Second
	// expiresSoon is how long before its end a certificate is worth a word.
	expiresSoon = 21 * 24 * time.Hour
)

// checkedPrinter is what was found of one printer.
type checkedPrinter struct {
	findings
	config string // of its OctoPrint, which is nobody else's; empty: unknown
}

// checkPrinter opens a session, which tries everything that the bridge needs, and
// looks at what else may be wrong.
func checkPrinter(ctx context.Context, p *PrinterConfig) checkedPrinter {
	k := checkedPrinter{findings: findings{subject: p.ID}}
	if p.Disabled {
		k.ok("connection", "disabled in the configuration; not contacted")
		return k
	}
	client := newSetupClient(p)
	session, err := openSession(ctx, client)
	if err != nil {
		d := diagnose(p, err)
		k.add(LevelError, d.check(), d.what, d.why, d.do)
		return k
	}
	k.ok("connection", fmt.Sprintf("OctoPrint %s as user %s; the printer is %s", clean(session.info.Version), clean(session.info.User), session.phase))
	k.server(p, session.info)
	k.key(ctx, client, p, session.info)
	k.permissions(p, session.info)
	k.certificate(ctx, p)
	k.webcams(ctx, client, p, session.info)
	k.cors(ctx, client)
	if g, err := client.Greet(ctx); err == nil {
		k.config = g.Config
	}
	return k
}

// newSetupClient returns a client for what happens before or beside the bridge's own.
func newSetupClient(p *PrinterConfig) *octoprint.Client {
	return octoprint.NewClient(octoprint.Options{URL: p.URL, APIKey: p.APIKey, User: p.User, TLS: p.TLS, Dial: p.Dial, Agent: "octoprint2mqtt"})
}

// openSession opens a session and ends it.
func openSession(ctx context.Context, client *octoprint.Client) (*probe, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout/2)
	defer cancel()
	found := &probe{opened: cancel}
	err := client.Serve(ctx, found)
	switch {
	case found.info.Version != "":
		return found, nil
	case err == nil:
		return nil, context.DeadlineExceeded
	}
	return nil, err
}

// server tells what the server is like.
func (k *checkedPrinter) server(p *PrinterConfig, info octoprint.Info) {
	if info.Permissions == nil {
		k.add(LevelWarning, "version", fmt.Sprintf("OctoPrint %s does not tell whose the API key is: taken for that of %s", clean(info.Version), quote(info.User)),
			"that is a guess (the user octofarm if there is one, else the first administrator), and this release has no permissions that could be checked",
			"update OctoPrint; set user: to be told if the guess is another one")
	}
	if info.Latency > slowAnswer {
		k.add(LevelWarning, "latency", fmt.Sprintf("OctoPrint took %.1f s to answer a small question", info.Latency.Seconds()),
			"commands take as long, and a busy server may disturb the print itself",
			"look at its load and its network: weak Wi-Fi, a slow SD card and plugins that do much are the usual reasons")
	} else {
		k.ok("latency", fmt.Sprintf("answers within %d ms at %s", info.Latency.Milliseconds(), publicURL(p.URL)))
	}
}

// key tells what kind of key it is, and what user.
func (k *checkedPrinter) key(ctx context.Context, client *octoprint.Client, p *PrinterConfig, info octoprint.Info) {
	own, err := client.OwnKey(ctx)
	switch {
	case err != nil:
		k.add(LevelNote, "key", "what kind of API key it is could not be found out: "+shortReason(err), "an application key can be revoked by itself", "run check again")
	case own:
		k.add(LevelNote, "key", fmt.Sprintf("the API key is the own key of the user %s, not an application key", quote(info.User)),
			"everything that uses this key stops when it is changed, and it can't be revoked for this program alone",
			strings.TrimSpace("octoprint2mqtt enroll "+p.ID)+" gets an application key with one click")
	default:
		k.ok("key", "the API key is an application key")
	}
	if info.May("ADMIN") && info.Permissions != nil && p.Access != AccessFull {
		k.add(LevelNote, "user", fmt.Sprintf("the user %s has administrator rights, which access: %s does not need", quote(info.User), p.Access),
			"whoever gets hold of the API key could change everything in this OctoPrint",
			"make a user of its own for this program, in the group Operator alone, and an application key as that user")
	}
}

// permissions holds what the user may do against what the configuration wants done.
func (k *checkedPrinter) permissions(p *PrinterConfig, info octoprint.Info) {
	missing := missingAt(*p, p.Access, info)
	if len(missing) == 0 {
		k.ok("permissions", fmt.Sprintf("the user may do all that access: %s needs", p.Access))
		return
	}
	enough := AccessRead
	if len(missingAt(*p, AccessControl, info)) == 0 {
		enough = AccessControl
	}
	level := LevelWarning
	if p.Access == AccessRead {
		level = LevelNote // the group Read-only does not have all that there is to see
	}
	for _, lack := range explainMissing(info.User, p.Access, enough, missing) {
		k.list = append(k.list, Finding{Subject: k.subject, Check: "permissions", Level: level, What: lack.what, Why: lack.why, Do: lack.do})
	}
}

// missingAt returns what a user lacks for an access level.
func missingAt(p PrinterConfig, level Access, info octoprint.Info) []string {
	p.Access = level
	return missingOf(&printerView{config: &p, info: info, prints: &tracker{}}).names
}

// webcams tries to get a picture of each camera, as the bridge does.
func (k *checkedPrinter) webcams(ctx context.Context, client *octoprint.Client, p *PrinterConfig, info octoprint.Info) {
	v := &printerView{config: p, info: info, prints: &tracker{}}
	if p.Camera.Enabled && p.Camera.URL == nil && !k.listed(ctx, client, v) {
		return
	}
	g := newGallery()
	for _, r := range cameraRows(v) {
		if len(r.lacks(v)) > 0 {
			continue
		}
		large, from := &room{of: g.large}, r.picture(v)
		bytes, _, err := g.get(ctx, client, &from, large)
		large.leave()
		if err != nil {
			reason, _ := explainPicture(err, true)
			k.add(LevelWarning, "webcam", fmt.Sprintf("no picture of %s: %s", quote(r.component.Name), reason), "a grey placeholder stands in for its picture",
				"check the snapshot URL in OctoPrint's settings under Webcam & Timelapse; it must be at the same host as OctoPrint, reachable from this machine")
			continue
		}
		k.ok("webcam", fmt.Sprintf("%s sends pictures, this one of %d KB", quote(r.component.Name), (len(bytes)+1023)/1024))
	}
}

// listed reads which webcams OctoPrint has, and reports whether there are some to try.
func (k *checkedPrinter) listed(ctx context.Context, client *octoprint.Client, v *printerView) bool {
	settings, err := client.Settings(ctx)
	user := quote(v.info.User)
	switch {
	case errors.Is(err, octoprint.NotPermitted):
		k.add(LevelNote, "settings", fmt.Sprintf("the user %s may not read OctoPrint's settings", user), "temperature presets, the webcam and plugins are not shown", "give the user the permission Settings Access, which the groups Operator and Read-only have")
	case err != nil:
		k.add(LevelWarning, "settings", "OctoPrint's settings could not be read: "+shortReason(err), "temperature presets, the webcam and plugins are not shown", "run check again")
	case !v.info.May(octoprint.PermissionWebcam):
		k.add(LevelNote, "webcam", fmt.Sprintf("the user %s lacks the permission WEBCAM", user), "there are no pictures", "give the user that permission, which the groups Operator and Read-only have")
	case len(settings.Webcams) == 0:
		k.ok("webcam", "OctoPrint has no webcam with a snapshot URL")
	default:
		v.has.Webcams = settings.Webcams
		return true
	}
	return false
}

// cors tells how the server stands to programs in browsers. It is no fault either way.
func (k *checkedPrinter) cors(ctx context.Context, client *octoprint.Client) {
	const why = "only programs that run in a browser need it; this bridge does not"
	c, err := client.CORS(ctx)
	switch {
	case err != nil:
		k.add(LevelNote, "cors", "whether cross-origin requests (CORS) are allowed could not be found out: "+shortReason(err), why, "nothing")
	case c.REST != c.Socket:
		k.add(LevelNote, "cors", fmt.Sprintf("cross-origin requests (CORS) are %s in the settings, and %s for the push socket", onOffWord(c.REST), onOffWord(c.Socket)),
			"OctoPrint heeds a change of this setting for its push socket only after a restart; "+why, "restart OctoPrint, unless no browser needs it")
	case c.REST:
		k.add(LevelNote, "cors", "cross-origin requests (CORS) are allowed", why, "switch it off in OctoPrint's settings under API, unless another program needs it, and restart OctoPrint")
	default:
		k.ok("cors", "cross-origin requests (CORS) are off, and needn't be on for this bridge")
	}
}

func onOffWord(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// certificate warns of one that is about to expire.
func (k *checkedPrinter) certificate(ctx context.Context, p *PrinterConfig) {
	if p.URL.Scheme != "https" {
		return
	}
	cert, err := ServerCertificate(ctx, p)
	if err != nil {
		return // it was good a moment ago; if it isn't any more the next check tells
	}
	left := time.Until(cert.NotAfter)
	if left > expiresSoon {
		k.ok("certificate", "the certificate is valid until "+cert.NotAfter.UTC().Format(time.DateOnly))
		return
	}
	k.add(LevelWarning, "certificate", "the certificate expires on "+cert.NotAfter.UTC().Format(time.DateOnly), "after that there is no connection", "renew it, and if ca_file names it, put the new one there")
}

// shortReason is why something failed.
func shortReason(err error) string {
	if e, ok := errors.AsType[*octoprint.Error](err); ok {
		return reason(e)
	}
	return clean(err.Error())
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
