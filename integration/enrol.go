package integration

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"octoprint2mqtt/octoprint"
)

// SetupFailure is the kind of a [SetupError].
type SetupFailure string

// The failures of setting up that callers treat differently.
const (
	SetupRedirected  SetupFailure = "redirected"   // SetupError.Redirect says where to
	SetupCertificate SetupFailure = "certificate"  // of the server: it isn't trusted
	SetupUnreachable SetupFailure = "unreachable"  // nothing answers
	SetupNoServer    SetupFailure = "no_octoprint" // something else answers
	SetupKeyDenied   SetupFailure = "key_denied"   // by the user who was asked
	SetupKeyExpired  SetupFailure = "key_expired"  // nobody has decided in time
	SetupKeyLimited  SetupFailure = "key_limited"  // too many requests for keys
	SetupNoKeys      SetupFailure = "no_keys"      // the server takes no requests for keys
	SetupRefused     SetupFailure = "refused"      // the key is of no use
)

// SetupError says why an OctoPrint can't become a printer: what happened, why, and
// what to do, each a part of a sentence.
type SetupError struct {
	Failure       SetupFailure
	What, Why, Do string
	Redirect      *url.URL // where OctoPrint would be; nil: that can't be told
}

func (e *SetupError) Error() string {
	return diagnosis{what: e.What, why: e.Why, do: e.Do}.detail()
}

// setupError explains an error of the octoprint package.
func setupError(p *PrinterConfig, err error) *SetupError {
	d := diagnose(p, err)
	e := &SetupError{Failure: SetupNoServer, What: d.what, Why: d.why, Do: d.do}
	switch d.connection {
	case connectionUnreachable, connectionStarting:
		e.Failure = SetupUnreachable
	case connectionTLS:
		e.Failure = SetupCertificate
	case connectionUnauthorized, connectionNotPermitted:
		e.Failure = SetupRefused
	}
	if failed, ok := errors.AsType[*octoprint.Error](err); ok && failed.Failure == octoprint.Redirected {
		e.Failure, e.Redirect = SetupRedirected, redirectedBase(failed.Location)
		if p.ID == "" {
			e.Do = "use the address that a browser shows in the end; if that is the login page of a proxy, OctoPrint must be reached past it"
		}
	}
	return e
}

// probePath is what is asked for first, of every server.
const probePath = "/plugin/appkeys/probe"

// redirectedBase returns the address of the OctoPrint to which a request for probePath
// was redirected.
func redirectedBase(location string) *url.URL {
	u, err := url.Parse(location)
	if err != nil {
		return nil
	}
	path, ok := strings.CutSuffix(u.Path, probePath)
	if !ok || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}
}

// Recognized is an OctoPrint that was found at an address.
type Recognized struct {
	Version string
	// GivesKeys tells whether it takes requests for application keys.
	GivesKeys bool
	config    string // nobody else's
}

// Recognize finds out whether an OctoPrint is at a printer's address, and whether its
// push socket can be reached. It needs no key and sends none. Its error is a
// [*SetupError].
func Recognize(ctx context.Context, p PrinterConfig) (Recognized, error) {
	p.APIKey = ""
	client := newSetupClient(&p)
	err := client.ProbeKeys(ctx)
	// Without the plugin OctoPrint answers as any other server would.
	if err != nil && !errors.Is(err, octoprint.ErrNoKeyRequests) && !errors.Is(err, octoprint.Refused) {
		return Recognized{}, setupError(&p, err)
	}
	greeting, greeted := client.Greet(ctx)
	if greeted != nil {
		if err != nil { // then nothing was OctoPrint's
			greeted = &octoprint.Error{Failure: octoprint.NotOctoPrint, Message: "there is none of its pages, and no push socket"}
		}
		return Recognized{}, setupError(&p, greeted)
	}
	return Recognized{Version: greeting.Version, GivesKeys: err == nil, config: greeting.Config}, nil
}

// TwinOf returns the id of the printer that is the same OctoPrint under another
// address, "" if none is that can be reached.
func TwinOf(ctx context.Context, r Recognized, printers []PrinterConfig) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	same := make([]bool, len(printers))
	var all sync.WaitGroup
	slots := make(chan struct{}, checkedAtOnce)
	for i, p := range printers {
		if p.Disabled || r.config == "" {
			continue
		}
		p.APIKey = ""
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			g, err := newSetupClient(&p).Greet(ctx)
			same[i] = err == nil && g.Config == r.config
		})
	}
	all.Wait()
	for i, twin := range same {
		if twin {
			return printers[i].ID
		}
	}
	return ""
}

// KeyQuestion is what a user has to decide in OctoPrint.
type KeyQuestion struct {
	App string // the name that OctoPrint shows
	// Page is where to click: the page that asks, or OctoPrint's own, which asks
	// wherever it is open.
	Page   string
	Dialog bool // Page is the page that asks
}

// ApplicationName is how OctoPrint shows this installation when it is asked for a key.
// It differs each time: the same name gives the same key again, and who revokes that
// would cut off every program that uses it.
func ApplicationName() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "this machine"
	}
	var mark [5]byte
	rand.Read(mark[:]) // never fails
	return fmt.Sprintf("octoprint2mqtt on %s (%s)", clean(host), strings.ToLower(base32.StdEncoding.EncodeToString(mark[:]))[:4])
}

// EnrolKey asks OctoPrint for an application key under the name app and waits until a
// user has granted it. ask is called once, with what to tell that user. With p.User
// only that user can grant it. Its error is a [*SetupError], or that of ctx.
func EnrolKey(ctx context.Context, p PrinterConfig, app string, ask func(KeyQuestion)) (key string, err error) {
	p.APIKey = ""
	client := newSetupClient(&p)
	request, err := client.RequestKey(ctx, app, p.User)
	switch {
	case errors.Is(err, octoprint.ErrNoKeyRequests):
		return "", noKeys(&p)
	case errors.Is(err, octoprint.RateLimited):
		return "", keyLimited()
	case err != nil:
		return "", setupError(&p, err)
	}
	ask(keyQuestion(&p, app, request.Dialog))
	return awaitKey(ctx, &p, client, request)
}

// How asking for a key may end without one.
func keyLimited() *SetupError {
	return &SetupError{
		Failure: SetupKeyLimited, What: "OctoPrint takes no more requests for keys from this address for a while",
		Why: "it allows three in a minute, five in ten minutes and ten in an hour", Do: "wait a minute, or up to an hour after many, and try again",
	}
}

func keyUndecided() *SetupError {
	return &SetupError{Failure: SetupKeyExpired, What: "nobody has decided within 10 minutes", Why: "OctoPrint drops a request then", Do: "try again, and click Allow in OctoPrint"}
}

func keyLapsed() *SetupError {
	return &SetupError{Failure: SetupKeyExpired, What: "the request for a key has lapsed", Why: "OctoPrint could not be asked for some seconds, and drops a request that nobody asks after", Do: "try again"}
}

func keyDenied() *SetupError {
	return &SetupError{Failure: SetupKeyDenied, What: "the request for a key was denied in OctoPrint", Why: "somebody has clicked Deny there, or OctoPrint was restarted", Do: "try again, and click Allow"}
}

func noKeys(p *PrinterConfig) *SetupError {
	return &SetupError{
		Failure: SetupNoKeys, What: "this OctoPrint takes no requests for application keys",
		Why: "its bundled plugin Application Keys is switched off", Do: "switch it on in OctoPrint's settings under Plugin Manager, or " + renewal(p, "give it a key", "give a key with --key"),
	}
}

// keyQuestion trusts the server's idea of its own address only as far as it is the one
// that was used: behind a proxy it may be wrong.
func keyQuestion(p *PrinterConfig, app string, dialog *url.URL) KeyQuestion {
	base := publicURL(p.URL)
	if dialog != nil && dialog.Scheme == p.URL.Scheme && strings.EqualFold(dialog.Host, p.URL.Host) && strings.HasPrefix(dialog.Path, p.URL.Path+"/plugin/appkeys/auth/") {
		return KeyQuestion{App: app, Page: dialog.String(), Dialog: true}
	}
	return KeyQuestion{App: app, Page: base + "/"}
}

// awaitKey asks each second whether a request was decided. A few failures are borne:
// what counts is whether OctoPrint has dropped the request meanwhile.
func awaitKey(ctx context.Context, p *PrinterConfig, client *octoprint.Client, request octoprint.KeyRequest) (string, error) {
	began, heard := time.Now(), time.Now()
	for wait(ctx, octoprint.KeyPollInterval) {
		key, err := client.PollKey(ctx, request)
		now := time.Now()
		switch {
		case key != "":
			return key, nil
		case err == nil:
			heard = now
		case ctx.Err() != nil:
			return "", ctx.Err()
		case errors.Is(err, octoprint.ErrKeyRequestGone) && now.Sub(began) >= octoprint.KeyRequestLife,
			now.Sub(began) >= octoprint.KeyRequestLife+octoprint.KeyRequestLapse:
			return "", keyUndecided()
		case errors.Is(err, octoprint.ErrKeyRequestGone) && now.Sub(heard) >= octoprint.KeyRequestLapse:
			return "", keyLapsed()
		case errors.Is(err, octoprint.ErrKeyRequestGone):
			return "", keyDenied()
		case now.Sub(heard) >= octoprint.KeyRequestLapse && !errors.Is(err, octoprint.Unreachable) && !errors.Is(err, octoprint.Starting):
			return "", setupError(p, err)
		}
	}
	return "", ctx.Err()
}

// Enrolled is what a key turned out to be worth.
type Enrolled struct {
	User, Version string
	Name          string // that the server's owner gave it; empty: none, or it can't be read
	Findings      []Finding
}

// Examine tries a printer's key, as [Check] does. Its error is a [*SetupError].
func Examine(ctx context.Context, p PrinterConfig) (Enrolled, error) {
	client := newSetupClient(&p)
	session, err := openSession(ctx, client)
	if err != nil {
		return Enrolled{}, setupError(&p, err)
	}
	e := Enrolled{User: clean(session.info.User), Version: clean(session.info.Version)}
	k := checkedPrinter{findings: findings{subject: p.ID}}
	k.server(&p, session.info)
	k.key(ctx, client, &p, session.info)
	k.permissions(&p, session.info)
	e.Findings = k.list
	settings, err := client.Settings(ctx)
	if err == nil {
		e.Name = clean(settings.Name)
	} else if !errors.Is(err, octoprint.NotPermitted) {
		e.Findings = append(e.Findings, Finding{
			Subject: p.ID, Check: "settings", Level: LevelNote, What: fmt.Sprintf("OctoPrint's settings could not be read (%s)", shortReason(err)),
		})
	}
	return e, nil
}
