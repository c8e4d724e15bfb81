package gateway

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"esagate/gateway/ops"
	"esagate/internal/auth"
	"esagate/internal/fault"
)

// maxForm bounds the form for signing in, in bytes: a key, each byte escaped, and where to go on.
const maxForm = 32 << 10

const plainHTTP = "Signing in needs https here, since anybody on the way could read the key. Set server.public_url to " +
	"the https address at which browsers reach this gateway, or open this page on the gateway's own machine, at localhost."

// showSignIn answers with the page for signing in. Who has a session is led on.
func (g pages) showSignIn(w http.ResponseWriter, r *request) error {
	next := r.URL.Query().Get("next")
	if len(g.sessionCookies(r.Request)) > 0 {
		if _, err := g.authenticate(w.Header(), r); err == nil {
			seeOther(w, r, safeNext(next))
			return nil
		}
	}
	g.signInPage(w, r, next, nil)
	return nil
}

// signInPage answers with the page for signing in, and says why it failed where it has been tried.
func (g pages) signInPage(w http.ResponseWriter, r *request, next string, failure *fault.Error) {
	view := ops.SignInView{Page: r.pageView("Sign in"), Next: safeNext(next)}
	if g.deps.Auth.SignsIn() {
		view.Issuer = g.cfg.PublicURL + issuerPath // whatever it is called in this browser: the issuer leads back there
	}
	status := http.StatusOK
	if failure != nil {
		r.failure = failure
		status, view.Problem = answerOf[failure.Kind].status, failure.Message
		setRetryAfter(w.Header(), failure)
	}
	if !takesSessions(g.public, r.Host) {
		status, view.Refused = http.StatusForbidden, plainHTTP
	}
	writePage(w, r, status, ops.SignIn(view))
}

// signIn exchanges a key for a session.
func (g pages) signIn(w http.ResponseWriter, r *request) error {
	if !takesSessions(g.public, r.Host) {
		g.signInPage(w, r, "", fault.New(fault.Forbidden, plainHTTP))
		return nil
	}
	body, err := readBody(r, maxForm)
	if err != nil {
		return err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return fault.New(fault.BadRequest, "The form can't be read.")
	}
	key, next := strings.TrimSpace(form.Get("key")), form.Get("next")
	caller, err := callers(g).identify(r, key, key != "")
	if fault.Is(err, fault.Unauthorized) {
		err = fault.Wrap(fault.Unauthorized, "This key is not valid. Check that it was copied whole, and that it has not been revoked.", err)
	}
	if err == nil {
		err = g.known(w.Header(), r, caller)
	}
	if err != nil {
		g.signInPage(w, r, next, fault.As(err))
		return nil
	}
	session, err := g.deps.Auth.NewSession(caller, key)
	if err != nil {
		return err
	}
	g.enter(w.Header(), r, session)
	seeOther(w, r, safeNext(next))
	return nil
}

// known counts the request as that of a caller who has just signed in.
func (g pages) known(h http.Header, r *request, caller *auth.Caller) error {
	r.key, r.caller, r.quota = caller, caller, caller.CustomerID
	return g.limits.count(h, r, nil)
}

// enter gives the browser of a known caller its session.
func (g pages) enter(h http.Header, r *request, session string) {
	g.setSession(h, session)
	g.access.info(r.Context(), "somebody has signed in", slog.String("request_id", r.id), slog.String("key_name", r.key.Name))
}

// signOut takes the session from the browser. It needs none: one that has run out is none.
func (g pages) signOut(w http.ResponseWriter, r *request) error {
	g.setSession(w.Header(), "")
	seeOther(w, r, signInPath)
	return nil
}
