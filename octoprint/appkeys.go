package octoprint

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

const (
	// KeyPollInterval is how often to ask whether a request for a key was decided.
	// OctoPrint drops one that nobody has asked after for 5 s.
	KeyPollInterval = time.Second
	// KeyRequestLapse is the time without a successful poll after which OctoPrint
	// has dropped a request.
	KeyRequestLapse = 5 * time.Second
	// KeyRequestLife is how long OctoPrint lets a user decide.
	KeyRequestLife = 10 * time.Minute
)

var (
	// ErrNoKeyRequests means that the server takes no requests for application
	// keys: its bundled plugin for that is switched off.
	ErrNoKeyRequests = errors.New("the application keys plugin is switched off")
	// ErrKeyRequestGone means that a request for a key was denied, has expired or
	// was answered already. OctoPrint doesn't tell these apart.
	ErrKeyRequestGone = errors.New("the request for an application key is gone")
)

// KeyRequest is a request for an application key that waits for a user's decision.
type KeyRequest struct {
	// Dialog is the page on which the user decides, as the server gives it: behind
	// a proxy that doesn't tell OctoPrint its address it leads nowhere. nil: servers
	// before 1.8, which ask in every page that is open already.
	Dialog *url.URL
	token  string
}

// ProbeKeys asks whether the server hands out application keys. It needs no key,
// and fails with [ErrNoKeyRequests] where nothing takes requests: on an OctoPrint
// without the plugin as on a server that isn't OctoPrint.
func (c *Client) ProbeKeys(ctx context.Context) error {
	var nothing struct{} // is what OctoPrint answers: a page, of a router for instance, is none of its
	err := c.get(ctx, "/plugin/appkeys/probe", &nothing)
	if e, ok := errors.AsType[*Error](err); ok && e.Status == http.StatusNotFound {
		return ErrNoKeyRequests
	}
	return err
}

// RequestKey asks for an application key under the name app; a name that the
// deciding user has granted before gives the same key again. If user is not empty,
// only that user can decide. It needs no key. It fails with RateLimited after three
// requests in a minute, and with [ErrNoKeyRequests].
//
// The request is dropped unless [Client.PollKey] is called every few seconds.
func (c *Client) RequestKey(ctx context.Context, app, user string) (KeyRequest, error) {
	const path = "/plugin/appkeys/request"
	in := map[string]string{"app": app}
	if user != "" {
		in["user"] = user
	}
	var answer struct {
		Token  string `json:"app_token"`
		Dialog string `json:"auth_dialog"`
	}
	err := c.post(ctx, path, in, &answer)
	if e, ok := errors.AsType[*Error](err); ok && e.Status == http.StatusNotFound {
		return KeyRequest{}, ErrNoKeyRequests
	}
	if err == nil && answer.Token == "" {
		err = &Error{Op: "POST " + path, Failure: NotOctoPrint, Message: "the answer is not OctoPrint's"}
	}
	if err != nil {
		return KeyRequest{}, err
	}
	r := KeyRequest{token: answer.Token}
	if u, err := url.Parse(answer.Dialog); err == nil && u.Host != "" {
		r.Dialog = u
	}
	return r, nil
}

// PollKey asks whether a request was decided: it returns the key once it was
// granted, and an empty one before. It fails with [ErrKeyRequestGone] when there is
// nothing to wait for any more. A key can be had once only.
func (c *Client) PollKey(ctx context.Context, r KeyRequest) (key string, err error) {
	const path = "/plugin/appkeys/request/"
	var answer struct {
		Key string `json:"api_key"`
	}
	err = c.doHeader(ctx, request{method: http.MethodGet, path: path + url.PathEscape(r.token), secrets: []string{r.token}}, &answer)
	if e, ok := errors.AsType[*Error](err); ok {
		e.Op = "GET " + path // without the token
		if e.Status == http.StatusNotFound {
			return "", ErrKeyRequestGone
		}
	}
	return answer.Key, err
}

// OwnKey reports whether the client's API key is its user's own one, as opposed to
// an application key, of which a user can have many and revoke each. Servers before
// 1.3.10 know no others. It needs no permission.
func (c *Client) OwnKey(ctx context.Context) (bool, error) {
	var answer struct{ APIKey string } // the user's own, whichever key asks
	err := c.post(ctx, "/api/login", map[string]bool{"passive": true}, &answer)
	return err == nil && answer.APIKey != "" && answer.APIKey == c.options.APIKey, err
}
