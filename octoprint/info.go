package octoprint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unique"
)

// The permissions that this program asks for, as OctoPrint names them.
const (
	PermissionStatus       = "STATUS"     // everything that is shown
	PermissionConnection   = "CONNECTION" // connect, disconnect, and reading printer profiles
	PermissionControl      = "CONTROL"    // temperatures, movement, G-code
	PermissionPrint        = "PRINT"      // job control
	PermissionFilesList    = "FILES_LIST"
	PermissionSelect       = "FILES_SELECT"
	PermissionUpload       = "FILES_UPLOAD"
	PermissionDelete       = "FILES_DELETE"
	PermissionSystem       = "SYSTEM" // the system menu
	PermissionSettingsRead = "SETTINGS_READ"
	PermissionWebcam       = "WEBCAM"
	PermissionUpdateCheck  = "PLUGIN_SOFTWAREUPDATE_CHECK"
	PermissionUpdate       = "PLUGIN_SOFTWAREUPDATE_UPDATE"
	PermissionAdmin        = "ADMIN" // everything that the server knows
)

// The names of OctoPrint's own groups, as its user interface has them.
const (
	GroupOperator = "Operator"
	GroupAdmins   = "Admins"
)

// Group returns the smaller one of OctoPrint's groups Operator and Admins whose
// members have a permission, unless the server's owner has changed the groups.
func Group(permission string) string {
	switch permission {
	case PermissionSystem, PermissionUpdate, PermissionAdmin:
		return GroupAdmins
	}
	return GroupOperator
}

// Info is what a server, a user and a printer profile are like. It changes
// rarely, and a session reports each change.
type Info struct {
	Version     string   // OctoPrint's, such as "1.11.8"
	User        string   // whom the API key belongs to
	Permissions []string // effective ones, sorted; nil: a server without permissions (before 1.4)
	// Profile is the printer profile in use. It is nil when it can't be known:
	// the user may not read profiles and the printer is off.
	Profile *Profile
	Latency time.Duration // of one request, when the session was opened
}

// Profile is the part of a printer profile that decides what a printer has.
type Profile struct {
	ID      string
	Name    string
	Model   string
	Heaters []string // "tool0" …, then "bed" and "chamber" where the printer has them

	X, Y, Z Range // where the print head can go; zero if it isn't known
}

// Range is from Min to Max, in mm.
type Range struct{ Min, Max float64 }

// May reports whether the user has a permission.
func (i Info) May(permission string) bool {
	return i.Permissions == nil || slices.Contains(i.Permissions, permission)
}

// HasConnectors reports whether the server may connect to its printer otherwise than
// by a serial port, as 2.0 can.
func (i Info) HasConnectors() bool { return atLeast(i.Version, 2, 0) }

// Identify asks the server what it is and whom the API key belongs to. It fails
// with KeyRejected, GlobalKey, WrongUser or NotPermitted when the key is of no
// use for watching this printer, and with NotOctoPrint or Redirected when the
// URL isn't OctoPrint's.
func (c *Client) Identify(ctx context.Context) (Info, error) {
	start := time.Now()
	info, err := c.keyOwner(ctx)
	if err != nil {
		return Info{}, err
	}
	info.Latency = time.Since(start)
	if err := c.checkUser(info); err != nil {
		return Info{}, err
	}
	if info.Version, err = c.version(ctx); err != nil {
		return Info{}, err
	}
	return info, nil
}

// keyOwner finds out whom the API key belongs to and what that user may do.
func (c *Client) keyOwner(ctx context.Context) (Info, error) {
	const path = "/api/currentuser"
	var user struct {
		Name        *string
		Groups      []string
		Permissions []string
	}
	err := c.get(ctx, path, &user)
	var e *Error
	switch {
	case err == nil && user.Name != nil:
		return Info{User: *user.Name, Permissions: shared(user.Permissions)}, nil
	case err == nil && (user.Groups != nil || user.Permissions != nil):
		return Info{}, &Error{Op: "GET " + path, Failure: KeyRejected} // a guest is nobody
	case err == nil:
		return Info{}, &Error{Op: "GET " + path, Failure: NotOctoPrint, Message: "the answer is not OctoPrint's"}
	case errors.As(err, &e) && (e.Status == 403 || e.Failure == KeyRejected):
		return Info{}, c.rejectedOrForeign(ctx, e)
	case errors.As(err, &e) && e.Status == 404:
		return c.legacyOwner(ctx)
	case errors.Is(err, Refused): // OctoPrint refuses this to nobody
		return Info{}, &Error{Op: e.Op, Failure: NotOctoPrint, Status: e.Status, Message: e.Message}
	}
	return Info{}, err
}

// shared returns permissions sorted. All users of a farm have the same few, so
// that their names need not be kept once for each printer.
func shared(permissions []string) []string {
	list := make([]string, len(permissions))
	for i, p := range permissions {
		list[i] = unique.Make(p).Value()
	}
	slices.Sort(list)
	return list
}

// rejectedOrForeign decides what a 403 means. OctoPrint 1.8 to 1.10 answers so
// to a bad key, but so do many other servers: the application keys plugin
// answers everybody and tells them apart.
func (c *Client) rejectedOrForeign(ctx context.Context, cause *Error) error {
	if err := c.get(ctx, "/plugin/appkeys/probe", nil); err == nil || cause.Failure == KeyRejected {
		return &Error{Op: cause.Op, Failure: KeyRejected, Status: cause.Status}
	}
	return &Error{Op: cause.Op, Failure: NotOctoPrint, Status: cause.Status, Message: cause.Message}
}

// checkUser refuses keys that are accepted by OctoPrint but not by us.
func (c *Client) checkUser(i Info) error {
	const op = "checking the API key"
	switch {
	case i.User == "_api":
		return &Error{Op: op, Failure: GlobalKey, Message: "this is the server's global API key, which belongs to no user"}
	case c.options.User != "" && c.options.User != i.User:
		return c.presentable(&Error{Op: op, Failure: WrongUser, Message: fmt.Sprintf("the key belongs to %q, not to %q", i.User, c.options.User)})
	case !i.May(PermissionStatus):
		return c.presentable(&Error{Op: op, Failure: NotPermitted, Message: fmt.Sprintf("the user %q lacks the permission %s", i.User, PermissionStatus)})
	}
	return nil
}

func (c *Client) version(ctx context.Context) (string, error) {
	const path = "/api/version"
	var v struct{ Server, Text string }
	err := c.get(ctx, path, &v)
	var e *Error
	switch {
	case errors.As(err, &e) && e.Status == 404:
		return "", &Error{Op: e.Op, Failure: NotOctoPrint, Status: e.Status, Message: e.Message}
	case err != nil:
		return "", err
	case v.Server == "" || !namesOctoPrint(v.Text):
		return "", c.presentable(&Error{Op: "GET " + path, Failure: NotOctoPrint, Message: "the answer is not OctoPrint's: " + v.Text})
	}
	return oneLine(v.Server), nil
}

// namesOctoPrint tells OctoPrint, whose text goes on with its version, from the
// programs that imitate it for slicers: "OctoPrint (Moonraker v0.9.3)".
func namesOctoPrint(text string) bool {
	version, ok := strings.CutPrefix(text, "OctoPrint ")
	return ok && digits(version) != ""
}

// legacyOwner guesses the key's owner on servers that don't tell (before 1.4):
// the user octofarm if there is one, else the first administrator.
func (c *Client) legacyOwner(ctx context.Context) (Info, error) {
	if _, err := c.version(ctx); err != nil {
		var e *Error
		if errors.As(err, &e) && e.Failure == NotPermitted {
			return Info{}, c.rejectedOrForeign(ctx, e)
		}
		return Info{}, err
	}
	const path = "/api/users"
	var list struct {
		Users []struct {
			Name   string
			Admin  bool
			Active bool
		}
	}
	if err := c.get(ctx, path, &list); err != nil {
		return Info{}, err
	}
	admin := ""
	for _, u := range list.Users {
		if strings.EqualFold(u.Name, "octofarm") {
			return Info{User: u.Name}, nil
		}
		if u.Admin && admin == "" {
			admin = u.Name
		}
	}
	if admin == "" {
		return Info{}, &Error{Op: "GET " + path, Failure: WrongUser, Message: "no user that the key could belong to"}
	}
	return Info{User: admin}, nil
}

// login returns a session id for the push socket.
func (c *Client) login(ctx context.Context) (string, error) {
	const path = "/api/login"
	var answer struct{ Session string } // the answer also holds the user's master key: nothing else is read
	err := c.post(ctx, path, map[string]bool{"passive": true}, &answer)
	if err == nil && answer.Session == "" {
		err = &Error{Op: "POST " + path, Failure: KeyRejected}
	}
	return answer.Session, err
}

// atLeast reports whether a version such as "1.11.8" or "2.0.0rc7" is at least
// major.minor. A pre-release counts as its release; an unreadable version as new.
func atLeast(version string, major, minor int) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return true
	}
	ma, err1 := strconv.Atoi(parts[0])
	mi, err2 := strconv.Atoi(digits(parts[1]))
	if err1 != nil || err2 != nil {
		return true
	}
	return ma > major || ma == major && mi >= minor
}

// digits returns the leading digits of s.
func digits(s string) string {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		return s
	}
	return s[:end]
}
