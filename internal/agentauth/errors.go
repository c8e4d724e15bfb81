package agentauth

import (
	"errors"
	"time"
)

// Reason says why something did not succeed.
type Reason string

// Reasons.
const (
	ReasonAway         Reason = "away"          // the agent or its server can't be reached, or answers 5xx or 429
	ReasonAddress      Reason = "address"       // an address that is not https, or that we may not ask
	ReasonMetadata     Reason = "metadata"      // a metadata document that can't be read or lacks what it must have
	ReasonMismatch     Reason = "mismatch"      // metadata that speaks for another resource or issuer
	ReasonNoServer     Reason = "no_server"     // the agent asks for authorization, and no server is found
	ReasonNoPKCE       Reason = "no_pkce"       // the server does not do S256
	ReasonUnsupported  Reason = "unsupported"   // the server does not do something else that we need
	ReasonNoClient     Reason = "no_client"     // the server does not know us and registers no clients
	ReasonRefused      Reason = "refused"       // the server said no; Code says which
	ReasonAnswer       Reason = "answer"        // an answer with tokens or a client that can't be used
	ReasonUnknownState Reason = "unknown_state" // no such consent is under way (any more)
	ReasonDenied       Reason = "denied"        // the user said no
	ReasonChanged      Reason = "changed"       // the source was changed or deleted meanwhile
	ReasonConsentDue   Reason = "consent_due"   // there are no tokens, or none that are good for anything
	ReasonBusy         Reason = "busy"          // too much of it at once, or we are stopping
	ReasonStore        Reason = "store"         // our own store failed; Cause says how
)

var sentences = map[Reason]string{
	ReasonAway:         "the agent or its authorization server is away",
	ReasonAddress:      "an address that may not be asked",
	ReasonMetadata:     "a metadata document is not valid",
	ReasonMismatch:     "a metadata document speaks for something else",
	ReasonNoServer:     "the agent asks for authorization and no server for it is found",
	ReasonNoPKCE:       "the authorization server does not support PKCE with S256",
	ReasonUnsupported:  "the authorization server does not support what is needed",
	ReasonNoClient:     "the authorization server registers no clients",
	ReasonRefused:      "the authorization server refused",
	ReasonAnswer:       "the authorization server's answer can't be used",
	ReasonUnknownState: "no such consent is under way",
	ReasonDenied:       "the consent was denied",
	ReasonChanged:      "the source has changed",
	ReasonConsentDue:   "a consent is due",
	ReasonBusy:         "too much is under way at once",
	ReasonStore:        "the store failed",
}

// Error is every failure of this package. Nothing in it was written by an agent, a
// server or a caller.
type Error struct {
	Reason     Reason
	Code       string        // ReasonRefused, ReasonDenied: the OAuth error code if it is a known one, else "other"
	RetryAfter time.Duration // ReasonAway, ReasonRefused of a refresh: no other is tried before
	Cause      error         // ReasonStore: the store's error
}

// Error is the text for logs.
func (e *Error) Error() string {
	text := "agentauth: " + sentences[e.Reason]
	if e.Code != "" {
		text += ": " + e.Code
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// ReasonOf gives the reason in err's chain; an error that holds none, such as that
// of a context, has "".
func ReasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

func fail(reason Reason) *Error { return &Error{Reason: reason} }

// stored is a failure of our own store.
func stored(err error) *Error { return &Error{Reason: ReasonStore, Cause: err} }

// asError gives the *Error in err's chain. Anything else in this package is the end
// of a context.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return fail(ReasonAway)
}

// codes are the OAuth error codes that are passed on (RFC 6749 §4.1.2.1 and §5.2,
// RFC 7591 §3.2.2, RFC 8707 §2, OpenID Connect Core §3.1.2.6).
var codes = map[string]bool{
	"access_denied": true, "consent_required": true, "interaction_required": true, "login_required": true,
	"account_selection_required": true, "server_error": true, "temporarily_unavailable": true,
	"invalid_request": true, "unauthorized_client": true, "unsupported_response_type": true,
	"invalid_scope": true, "invalid_target": true, "invalid_grant": true, "invalid_client": true,
	"unsupported_grant_type": true, "invalid_redirect_uri": true, "invalid_client_metadata": true,
	"invalid_software_statement": true, "unapproved_software_statement": true,
}

// refused is a server's no, under its code if that is a known one.
func refused(code string) *Error {
	if !codes[code] {
		code = "other"
	}
	return &Error{Reason: ReasonRefused, Code: code}
}
