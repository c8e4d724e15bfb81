package gateway

import (
	"errors"
	"log/slog"
	"net/http"

	"esagate/gateway/ops"
	"esagate/internal/auth"
	"esagate/internal/fault"
	"esagate/internal/telemetry"
)

// CallbackPath is where the issuer of access tokens sends people back who sign in there.
const CallbackPath = opsPath + "/callback"

const issuerPath = signInPath + "/oidc"

// strictOrigin keeps the code in a page's address out of the requests that the page makes. Under no-referrer
// they would have no Origin by which their forms are known.
var strictOrigin = []string{"strict-origin"}

// flowCookie gives the cookie of a sign-in at the issuer that is under way; empty: there is none any more. It must come
// along when the issuer sends the browser back, so it is no SameSite=Strict. Path=/ is what the
// name's prefix asks for, which no other site of the domain can set.
func (g pages) flowCookie(text string) *http.Cookie {
	c := g.cookie("-sign-in", text, http.SameSiteLaxMode)
	if text != "" {
		c.MaxAge = int(auth.SignInLife.Seconds())
	}
	return c
}

// beginAtIssuer sends a browser to sign in at the issuer.
func (g pages) beginAtIssuer(w http.ResponseWriter, r *request) error {
	if !g.deps.Auth.SignsIn() {
		return errNoPage
	}
	next := safeNext(r.URL.Query().Get("next"))
	if !takesSessions(g.public, r.Host) {
		g.signInPage(w, r, next, nil) // which says why
		return nil
	}
	address, kept, err := g.deps.Auth.BeginSignIn(r.Context(), next)
	if err != nil {
		g.signInPage(w, r, next, fault.As(err))
		return nil
	}
	http.SetCookie(w, g.flowCookie(kept))
	seeOther(w, r, address)
	return nil
}

// finishAtIssuer takes the answer of the issuer that a browser brings along, and begins a session.
func (g pages) finishAtIssuer(w http.ResponseWriter, r *request) error {
	if !g.deps.Auth.SignsIn() {
		return errNoPage
	}
	w.Header()["Referrer-Policy"] = strictOrigin
	if r.Method == http.MethodHead {
		writeUncached(w, r, http.StatusOK, htmlType, nil) // an answer is good once, so HEAD does not take it
		return nil
	}
	in, err := g.takeAnswer(r)
	if err == nil {
		err = g.known(w.Header(), r, in.Caller)
	}
	if err != nil {
		failure := fault.As(err)
		g.access.info(r.Context(), "a sign-in at the issuer did not succeed", slog.String("request_id", r.id), slog.Any("error", failure))
		if failure.Kind != fault.RateLimited { // then the answer was not looked at, and is still good
			http.SetCookie(w, g.flowCookie(""))
		}
		g.signInPage(w, r, in.Next, failure)
		return nil
	}
	g.enter(w.Header(), r, in.Session)
	http.SetCookie(w, g.flowCookie(""))
	writePage(w, r, http.StatusOK, ops.Onward(ops.OnwardView{Page: r.pageView("You are signed in"), Address: safeNext(in.Next)}))
	return nil
}

// takeAnswer finishes the sign-in that the answer belongs to. What is wrong counts with wrong keys.
func (g pages) takeAnswer(r *request) (in auth.SignedIn, err error) {
	attempt, err := g.limits.attempt(r.Request)
	if err != nil {
		return in, err
	}
	defer func() { attempt.End(fault.Is(err, fault.BadRequest) || fault.Is(err, fault.Forbidden)) }()
	query, err := authorizationAnswer(r)
	if err != nil {
		return in, err
	}
	var kept string
	if cookies := r.CookiesNamed(g.flowCookie("").Name); len(cookies) == 1 { // of two, one is another's
		kept = cookies[0].Value
	}
	in, err = g.deps.Auth.FinishSignIn(r.Context(), kept, query)
	if errors.Is(err, auth.ErrUnknown) {
		g.ins.AuthRefusal(telemetry.Refusal(auth.ReasonOf(err)))
	}
	return in, err
}
