package gateway

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"esagate/gateway/ops"
	"esagate/internal/agentauth"
	"esagate/internal/fault"
	"esagate/internal/telemetry"
)

// consentsAtOnce bounds what goes on at /oauth/callback, which needs no key. Package agentauth lets one customer
// have only a few of them.
const consentsAtOnce = 64

// maxAuthorizationAnswer bounds the query that an authorization server sends along with a browser, in bytes.
const maxAuthorizationAnswer = 8 << 10

// finishConsent reads the answer that an authorization server sent along with a
// browser (contract 6.4), and shows the outcome to the person in front of it.
func (g *Gateway) finishConsent(w http.ResponseWriter, r *request) error {
	h := w.Header()
	h["Cache-Control"] = noStore
	h["Referrer-Policy"] = noReferrer // the address holds the code and the state
	if r.Method == http.MethodHead {
		h["Content-Type"] = htmlType
		w.WriteHeader(http.StatusOK) // a consent can be finished once, so HEAD does not
		return nil
	}
	err := g.takeConsent(r)
	if acceptsHTML(r.Header) {
		g.consentPage(w, r, err)
		return nil
	}
	if err != nil {
		return err
	}
	writeUncached(w, r, http.StatusOK, jsonType, []byte(`{"status":"connected"}`))
	return nil
}

// consentPage answers a person, with the status that a program would have got.
func (g *Gateway) consentPage(w http.ResponseWriter, r *request, err error) {
	status := http.StatusOK
	view := ops.ConsentView{Given: err == nil, Page: r.pageView("The agent is connected"), Message: "You can close this page and go on where you came from."}
	h := w.Header()
	if err != nil {
		f := fault.As(err)
		r.failure = f
		status = answerOf[f.Kind].status
		view.Title, view.Message = "The agent could not be connected", f.Message
		setRetryAfter(h, f)
	}
	// A page that has opened this one in a window may want to see it closed, so it has no policy for openers.
	h["Content-Security-Policy"] = pagePolicy
	h["X-Frame-Options"] = denyFrames
	writePage(w, r, status, ops.Consent(view))
}

func (g *Gateway) takeConsent(r *request) (err error) {
	attempt, err := g.limits.attempt(r.Request)
	if err != nil {
		return err
	}
	defer func() { attempt.End(fault.Is(err, fault.BadRequest)) }() // as where the state is not known
	if !g.consents.TryAcquire(1) {
		return &fault.Error{
			Kind: fault.RateLimited, RetryAfter: 5 * time.Second,
			Message: "Many consents end at this moment. Reload this page in a few seconds.",
		}
	}
	defer g.consents.Release(1)
	query, err := authorizationAnswer(r)
	if err != nil {
		return err
	}
	// Finish goes on when the person closes the page, and has limits of its own.
	if err := g.deps.Agents.Finish(r.Context(), query); err != nil {
		failed, ok := failedConsents[agentauth.ReasonOf(err)]
		if !ok {
			failed = failedConsents[agentauth.ReasonAway]
		}
		g.ins.Consent(consentOutcomes[failed.kind])
		return fault.Wrap(failed.kind, failed.message, err)
	}
	g.ins.Consent(telemetry.ConsentGiven)
	return nil
}

// authorizationAnswer gives what an authorization server has answered by way of a browser.
func authorizationAnswer(r *request) (url.Values, error) {
	if len(r.URL.RawQuery) > maxAuthorizationAnswer {
		return nil, fault.New(fault.BadRequest, "The authorization server's answer is too long.")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault.New(fault.BadRequest, "The authorization server's answer can't be read.")
	}
	return query, nil
}

// failedConsents explain to a person why an agent could not be connected.
var failedConsents = map[agentauth.Reason]struct {
	kind    fault.Kind
	message string
}{
	agentauth.ReasonAway: {fault.Unavailable,
		"The agent's authorization server can't be asked at the moment. Begin the consent again later."},
	agentauth.ReasonUnknownState: {fault.BadRequest,
		"This consent has run out, or was used before. Begin it again."},
	agentauth.ReasonDenied:   {fault.BadRequest, "The consent was denied."},
	agentauth.ReasonRefused:  {fault.BadRequest, "The agent's authorization server refused the consent. Begin it again."},
	agentauth.ReasonMismatch: {fault.BadRequest, "Another authorization server has answered than the one that was asked."},
	agentauth.ReasonAnswer:   {fault.Unavailable, "The agent's authorization server gave an answer that can't be used."},
	agentauth.ReasonChanged:  {fault.Conflict, "The source was changed or deleted meanwhile. Begin the consent again."},
	agentauth.ReasonBusy:     {fault.Unavailable, "Many consents end at this moment. Begin this one again in a minute."},
	agentauth.ReasonStore:    {fault.Unavailable, "The consent could not be stored. Begin it again later."},
}

var consentOutcomes = map[fault.Kind]telemetry.ConsentOutcome{
	fault.BadRequest:  telemetry.ConsentRefused,
	fault.Conflict:    telemetry.ConsentStale,
	fault.Unavailable: telemetry.ConsentFailed,
}

// acceptsHTML reports whether a browser asks, and not a program.
func acceptsHTML(h http.Header) bool {
	return strings.Contains(strings.Join(h["Accept"], ","), "text/html")
}
