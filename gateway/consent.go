package gateway

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"esagate/internal/agentauth"
	"esagate/internal/fault"
	"esagate/internal/telemetry"
)

// Limits of /oauth/callback, which needs no key.
const (
	consentsAtOnce  = 64 // agentauth lets one customer have only a few of them
	maxConsentQuery = 8 << 10
)

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
	document := []byte(`{"status":"connected"}`)
	h["Content-Type"] = jsonType
	_, _ = w.Write(document) // the client may be gone
	return nil
}

func (g *Gateway) takeConsent(r *request) error {
	select {
	case g.consents <- struct{}{}:
		defer func() { <-g.consents }()
	default:
		return &fault.Error{Kind: fault.RateLimited, Message: "Many consents end at this moment. Reload this page in a few seconds.", RetryAfter: 5 * time.Second}
	}
	if len(r.URL.RawQuery) > maxConsentQuery {
		return fault.New(fault.BadRequest, "The authorization server's answer is too long.")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fault.New(fault.BadRequest, "The authorization server's answer can't be read.")
	}
	// Finish goes on when the person closes the page, and has limits of its own.
	if err := g.deps.Agents.Finish(r.Context(), query); err != nil {
		f := consentFault(err)
		switch f.Kind {
		case fault.BadRequest:
			g.ins.Consent(telemetry.ConsentRefused)
		case fault.Conflict:
			g.ins.Consent(telemetry.ConsentStale)
		default:
			g.ins.Consent(telemetry.ConsentFailed)
		}
		return f
	}
	g.ins.Consent(telemetry.ConsentGiven)
	return nil
}

// consentFault explains to a person why an agent could not be connected.
func consentFault(err error) *fault.Error {
	kind, message := fault.Unavailable, "The agent's authorization server can't be asked at the moment. Begin the consent again later."
	switch agentauth.ReasonOf(err) {
	case agentauth.ReasonUnknownState:
		kind, message = fault.BadRequest, "This consent has run out, or was used before. Begin it again."
	case agentauth.ReasonDenied:
		kind, message = fault.BadRequest, "The consent was denied."
	case agentauth.ReasonRefused:
		kind, message = fault.BadRequest, "The agent's authorization server refused the consent. Begin it again."
	case agentauth.ReasonMismatch:
		kind, message = fault.BadRequest, "Another authorization server has answered than the one that was asked."
	case agentauth.ReasonAnswer:
		message = "The agent's authorization server gave an answer that can't be used."
	case agentauth.ReasonChanged:
		kind, message = fault.Conflict, "The source was changed or deleted meanwhile. Begin the consent again."
	case agentauth.ReasonBusy:
		message = "Many consents end at this moment. Begin this one again in a minute."
	case agentauth.ReasonStore:
		message = "The consent could not be stored. Begin it again later."
	}
	return fault.Wrap(kind, message, err)
}

// acceptsHTML reports whether a browser asks, and not a program.
func acceptsHTML(h http.Header) bool {
	for _, value := range h["Accept"] {
		if strings.Contains(value, "text/html") {
			return true
		}
	}
	return false
}
