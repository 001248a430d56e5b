package octoprinttest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// account is somebody whom the server knows, or the guest.
type account struct {
	User
	key     string // "" once it was revoked
	allowed map[string]bool
}

func (a *account) refresh() {
	a.allowed = map[string]bool{}
	for _, k := range effective(a.Groups, a.Permissions) {
		a.allowed[k] = true
	}
}

func (a *account) isGuest() bool { return a.Name == "" }

// may says whether the account has a permission; "" is what everybody has.
func (a *account) may(permission string) bool { return permission == "" || a.allowed[permission] }

func (a *account) permissions() []string { return effective(a.Groups, a.Permissions) }

// accounts are the users, their API keys and their sessions.
type accounts struct {
	users    []*account
	guest    *account
	global   *account          // who comes with the global key
	appKeys  map[string]string // application key to user name
	sessions map[string]*account
	serial   int
}

func newAccounts(o Options) *accounts {
	a := &accounts{
		guest:    &account{User: User{Groups: []string{"guests"}}},
		appKeys:  map[string]string{},
		sessions: map[string]*account{},
	}
	a.guest.refresh()
	for _, u := range o.Users {
		acc := &account{User: u, key: u.Key}
		acc.refresh()
		a.users = append(a.users, acc)
	}
	if o.GlobalKey != "" {
		a.global = &account{User: User{Name: "_api", Groups: []string{"admins", "users"}}, key: o.GlobalKey}
		a.global.refresh()
	}
	return a
}

func (a *accounts) named(name string) *account {
	for _, u := range a.users {
		if u.Name == name {
			return u
		}
	}
	return nil
}

// first is the user who acts when a person at the printer does.
func (a *accounts) first() string {
	if len(a.users) == 0 {
		return ""
	}
	return a.users[0].Name
}

// byKey finds whom a key belongs to, nil when it is unknown.
func (a *accounts) byKey(key string) *account {
	if key == "" {
		return nil
	}
	if a.global != nil && a.global.key == key {
		return a.global
	}
	if name, ok := a.appKeys[key]; ok {
		return a.named(name)
	}
	for _, u := range a.users {
		if u.key == key {
			return u
		}
	}
	return nil
}

// login opens a session.
func (a *accounts) login(u *account, r release) string {
	session := a.token("session", u.Name)
	if !r.atLeast(10) {
		session = session[:32]
	}
	a.sessions[session] = u
	return session
}

// token is 64 hexadecimal digits that nobody had before.
func (a *accounts) token(parts ...string) string {
	a.serial++
	sum := sha256.Sum256(fmt.Append(nil, a.serial, parts, time.Now().UnixNano()))
	return hex.EncodeToString(sum[:])
}

// credential is the API key that a request shows: the first place that has one decides.
func credential(r *http.Request, rel release) string {
	if key := r.URL.Query().Get("apikey"); key != "" {
		return key
	}
	if key := r.Header.Get("X-Api-Key"); key != "" {
		return key
	}
	if key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && rel.hasBearer() {
		return key
	}
	return ""
}

// describe is the account as logins and user lists show it.
func (a *account) describe(r release) object {
	o := object{"name": a.Name, "active": true, "settings": object{}, "apikey": orNull(a.key)}
	isAdmin := a.may("ADMIN")
	if !r.isTwo() {
		o["admin"], o["user"] = isAdmin, true
	}
	if !r.hasPermissions() {
		return o
	}
	groups, direct := slices.Clone(a.Groups), slices.Clone(a.Permissions)
	if groups == nil {
		groups = []string{}
	}
	if direct == nil {
		direct = []string{}
	}
	o["groups"], o["permissions"], o["needs"] = groups, direct, a.needs()
	if !r.isTwo() {
		roles := []string{"user"}
		if isAdmin {
			roles = append(roles, "admin")
		}
		o["roles"] = roles
	}
	return o
}

func (a *account) needs() object {
	needs := object{}
	var roles []string
	for _, p := range permissions() {
		for _, role := range p.needs() {
			if a.may(p.key) && !slices.Contains(roles, role) {
				roles = append(roles, role)
			}
		}
	}
	if len(a.Groups) > 0 {
		needs["group"] = a.Groups
	}
	if len(roles) > 0 {
		needs["role"] = roles
	}
	return needs
}
