package gateway

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"

	"esagate/internal/auth"
	"esagate/internal/fault"
	"esagate/internal/telemetry"
)

// Names of the session's cookie. A browser takes the first from https alone, and from no other site of the
// domain; the second is for a gateway on the machine of the browser.
const (
	secureCookie   = "__Host-esagate"
	loopbackCookie = "esagate"
)

// takesSessions reports whether there may be a session at pages that are at an address: over https, or on the machine
// that the gateway runs on, by the name that the browser knows it by. Anybody can read along elsewhere.
func takesSessions(public *url.URL, host string) bool {
	return public.Scheme == "https" || isLoopback(host)
}

// isLoopback reports whether a Host is this machine.
func isLoopback(host string) bool {
	u, err := url.Parse("http://" + host)
	if err != nil || u.Host != host {
		return false
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return strings.EqualFold(u.Hostname(), "localhost")
}

// sessionCookies gives the cookies with which a session may have come. What another site's page loads is not for
// whom it is shown to: it could hold all of their streams open, or their session.
func (g pages) sessionCookies(r *http.Request) []*http.Cookie {
	if !takesSessions(g.public, r.Host) || elsewhere(r) && !navigates(r) {
		return nil
	}
	return r.CookiesNamed(g.cookieName(""))
}

// setSession gives the browser the text of a session; empty: the session is over.
func (g pages) setSession(h http.Header, text string) {
	h["Set-Cookie"] = []string{g.cookie("", text, http.SameSiteStrictMode).String()}
}

// cookie makes the session's cookie, or one beside it, whose name ends otherwise. Without a text it is taken from
// the browser.
func (g pages) cookie(suffix, text string, site http.SameSite) *http.Cookie {
	c := &http.Cookie{Name: g.cookieName(suffix), Value: text, Path: "/", Secure: g.https, HttpOnly: true, SameSite: site}
	if text == "" {
		c.MaxAge = -1
	}
	return c
}

func (g pages) cookieName(suffix string) string {
	if g.https {
		return secureCookie + suffix
	}
	return loopbackCookie + suffix
}

// authenticate gives the caller that a browser's session is of, and has the session go on. One that is
// not good any more is taken from the browser.
func (g pages) authenticate(h http.Header, r *request) (*auth.Caller, error) {
	cookies := g.sessionCookies(r.Request)
	if len(cookies) == 0 {
		g.ins.AuthRefusal(telemetry.RefusalMissing)
		return nil, errSignIn
	}
	var text string
	if len(cookies) == 1 { // of two, two readers could take different ones
		text = cookies[0].Value
	}
	session, err := g.deps.Auth.OpenSession(text)
	if err != nil {
		g.setSession(h, "")
		return nil, callers(g).refusal(err)
	}
	caller := g.deps.Auth.RecognizeSession(session)
	if caller == nil {
		caller, err = callers(g).try(r, true, func(ctx context.Context) (*auth.Caller, error) {
			return g.deps.Auth.AuthenticateSession(ctx, session)
		})
	}
	switch {
	case fault.Is(err, fault.Unauthorized):
		g.setSession(h, "")
		return nil, err
	case err != nil:
		return nil, err
	}
	r.session = session
	renewed, err := g.deps.Auth.RenewSession(session)
	if renewed != "" {
		g.setSession(h, renewed)
	}
	return caller, err
}

var errSignIn = fault.New(fault.Unauthorized, "Sign in to see this page.")

// maxNext bounds the address of a page to go on to, in bytes.
const maxNext = 2 << 10

// nextOf gives the page to go on to after signing in: the one that was asked for, or from which something
// was asked for or done.
func nextOf(r *http.Request) string {
	if current, err := url.Parse(r.Header.Get("Hx-Current-Url")); err == nil && current.Path != "" {
		return safeNext(current.RequestURI())
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return safeNext(path.Dir(r.URL.EscapedPath()))
	}
	return safeNext(r.URL.RequestURI())
}

// safeNext gives the path and query of one of our pages, and the wall instead of anything else.
func safeNext(next string) string {
	u, err := url.Parse(next)
	switch {
	case err != nil || len(next) > maxNext || strings.ContainsFunc(next, unsafeInNext),
		u.IsAbs() || u.Host != "" || u.User != nil || u.Opaque != "",
		!isPage(u.Path) || path.Clean(u.Path) != u.Path,
		u.Path == opsPath+"/events" || strings.HasPrefix(u.Path, opsPath+"/sign-") || u.Path == opsPath+"/callback":
		return opsPath
	}
	return u.RequestURI()
}

// unsafeInNext holds what browsers read in ways of their own, and what is no ASCII.
func unsafeInNext(c rune) bool { return c <= ' ' || c >= 0x7f || c == '\\' }
