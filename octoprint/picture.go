package octoprint

import (
	"cmp"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// Snapshot opens the picture that a webcam takes at this moment, whose address the
// server's settings have ([Webcam].Snapshot). An address of the server's own loopback
// interface means the server's host, and a relative one is relative to the server's
// URL. It fails with Refused at an address of any other host.
//
// The API key is not sent. Whoever reads the picture closes it, and must not trust
// that it is one; ctx bounds that, too.
func (c *Client) Snapshot(ctx context.Context, address string) (io.ReadCloser, error) {
	const op = "GET the snapshot"
	u, err := c.snapshotURL(address)
	if err != nil {
		return nil, &Error{Op: op, Failure: Refused, Err: err}
	}
	return c.openPicture(ctx, op, u, false)
}

// SnapshotAt is Snapshot with an address that somebody has vouched for: it may be
// of any host, and have a user and a password in it.
func (c *Client) SnapshotAt(ctx context.Context, u *url.URL) (io.ReadCloser, error) {
	return c.openPicture(ctx, "GET the snapshot", u, false)
}

// Thumbnail opens the picture of a file ([File].Thumbnail), as Snapshot does. The API
// key is sent, since OctoPrint shows these pictures to its users only: for that
// reason it fails with Refused at any address but one below the server's own URL. It
// needs the permission FILES_DOWNLOAD since 2.0.
func (c *Client) Thumbnail(ctx context.Context, address string) (io.ReadCloser, error) {
	const op = "GET the thumbnail"
	u, err := c.thumbnailURL(address)
	if err != nil {
		return nil, &Error{Op: op, Failure: Refused, Err: err}
	}
	return c.openPicture(ctx, op, u, true)
}

// addressError says in a sentence why an address isn't used. It has nothing of the
// address but its host.
type addressError string

func (e addressError) Error() string { return string(e) }

const unreadable addressError = "the address can't be understood"

// snapshotURL returns where a webcam's picture is to be fetched from.
func (c *Client) snapshotURL(address string) (*url.URL, error) {
	ref, err := url.Parse(strings.TrimSpace(address))
	if err != nil || ref.Opaque != "" {
		return nil, unreadable // the error would quote it
	}
	u := c.folder().ResolveReference(ref)
	u.Fragment, u.RawFragment = "", ""
	own := c.options.URL.Hostname()
	switch host := u.Hostname(); {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, addressError("the address starts neither with http:// nor with https://")
	case host == "":
		return nil, addressError("the address names no host")
	case sameHost(host, own):
		return u, nil
	case !isLoopback(host):
		return nil, addressError("the address is on another host, " + oneLine(host) + ", than OctoPrint")
	}
	u.Host = own
	if port := ref.Port(); port != "" {
		u.Host = net.JoinHostPort(own, port)
	} else if strings.Contains(own, ":") {
		u.Host = "[" + own + "]"
	}
	return u, nil
}

// folder is the server's URL, as pages that it serves see it.
func (c *Client) folder() *url.URL {
	u := *c.options.URL
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.JoinPath("/")
}

// thumbnailURL returns where the picture of a file is to be fetched from. What
// OctoPrint takes for its own scheme and port may be wrong, behind a proxy; those of
// the server's URL are right.
func (c *Client) thumbnailURL(address string) (*url.URL, error) {
	folder := c.folder()
	ref, err := url.Parse(address)
	if err != nil && !strings.Contains(address, "://") {
		// Plugins write file names as they are.
		name, query, _ := strings.Cut(address, "?")
		ref, err = &url.URL{Path: name, RawQuery: query}, nil
	}
	if err != nil || ref.Opaque != "" || ref.User != nil {
		return nil, unreadable
	}
	u := folder.ResolveReference(ref)
	u.Fragment, u.RawFragment = "", ""
	switch {
	case ref.Host != "" && !sameHost(u.Hostname(), folder.Hostname()):
		return nil, addressError("the address is on another host, " + oneLine(u.Hostname()) + ", than OctoPrint")
	case path.Clean(u.Path) != u.Path, !strings.HasPrefix(u.Path, folder.Path):
		return nil, addressError("the address isn't below OctoPrint's own")
	}
	u.Scheme, u.Host = folder.Scheme, folder.Host
	return u, nil
}

func sameHost(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// isLoopback reports whether a name means the host that it is used on.
func isLoopback(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// openPicture asks for a picture and returns what comes. With own the API key is
// sent along.
func (c *Client) openPicture(ctx context.Context, op string, u *url.URL, own bool) (io.ReadCloser, error) {
	password, _ := u.User.Password()
	body, err := c.startPicture(ctx, op, u, own)
	return body, c.presentable(err, password, u.RawQuery)
}

func (c *Client) startPicture(ctx context.Context, op string, u *url.URL, own bool) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, &Error{Op: op, Failure: Refused, Err: unreadable}
	}
	req.Header.Set("Accept", "image/jpeg, image/png")
	req.Header.Set("User-Agent", cmp.Or(c.options.Agent, "Go"))
	if own {
		req.Header.Set("X-Api-Key", c.options.APIKey)
	}
	client := c.newHTTP()
	if !own && !sameHost(u.Hostname(), c.options.URL.Hostname()) {
		// What is said of the certificate of OctoPrint doesn't hold for others.
		client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, transportError(op, err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, pictureError(op, resp)
	}
	return resp.Body, nil
}

// pictureError classifies an answer that is no picture. Whatever its body says, it
// comes from a camera and not from OctoPrint.
func pictureError(op string, resp *http.Response) error {
	e := &Error{Op: op, Failure: Refused, Status: resp.StatusCode}
	switch code := resp.StatusCode; {
	case code >= 300 && code < 400:
		e.Failure, e.Location = Redirected, redirectTarget(resp)
	case code == http.StatusUnauthorized:
		e.Failure, e.Message = NotPermitted, "it asks for a user name and password"
	case code == http.StatusForbidden:
		e.Failure = NotPermitted
	case code >= 500:
		e.Failure = ServerFailed
	}
	return e
}
