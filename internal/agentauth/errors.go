package agentauth

import (
	"errors"
	"time"
)

// Reason says why something did not succeed, in a word for logs.
type Reason string

// Reasons.
const (
	ReasonAway         Reason = "away"      // can't be reached, or answers 5xx or 429
	ReasonAddress      Reason = "address"   // not https, or refused by the guard
	ReasonMetadata     Reason = "metadata"  // a document that can't be read or lacks what it must have
	ReasonMismatch     Reason = "mismatch"  // another resource or issuer
	ReasonNoServer     Reason = "no_server" // of an agent that asks for authorization
	ReasonNoPKCE       Reason = "no_pkce"
	ReasonUnsupported  Reason = "unsupported"
	ReasonNoClient     Reason = "no_client" // and does not know us
	ReasonRefused      Reason = "refused"   // Code says why
	ReasonAnswer       Reason = "answer"
	ReasonUnknownState Reason = "unknown_state"
	ReasonDenied       Reason = "denied"
	ReasonChanged      Reason = "changed"     // or was deleted
	ReasonConsentDue   Reason = "consent_due" // no tokens, or none that are good for anything
	ReasonNoCredential Reason = "no_credential"
	ReasonCredential   Reason = "credential" // a private key, or a text that no header may hold
	ReasonBusy         Reason = "busy"       // or we are stopping
	ReasonStore        Reason = "store"      // Cause says how
)

// sentences are the reasons in the texts of errors.
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
	ReasonNoCredential: "no credentials are stored",
	ReasonCredential:   "the stored credentials can't be used",
	ReasonBusy:         "too much is under way at once",
	ReasonStore:        "the store failed",
}

// Error is every failure of this package. Nothing in it was written by an agent, a
// server or a caller.
type Error struct {
	Reason     Reason
	Code       string        // the OAuth error code of a refusal if it is a known one, else "other"
	RetryAfter time.Duration // of a refresh: no other is tried before
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
	if e, ok := errors.AsType[*Error](err); ok {
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
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return fail(ReasonAway)
}

// codes are the OAuth error codes that are passed on (RFC 6749 §4.1.2.1 and §5.2,
// RFC 7591 §3.2.2, RFC 8707 §2, OpenID Connect Core §3.1.2.6), and what each means when a
// browser brings it.
var codes = map[string]Reason{
	"access_denied": ReasonDenied, "consent_required": ReasonDenied, "interaction_required": ReasonDenied,
	"login_required": ReasonDenied, "account_selection_required": ReasonDenied,
	"server_error": ReasonAway, "temporarily_unavailable": ReasonAway,
	"invalid_request": ReasonRefused, "unauthorized_client": ReasonRefused, "unsupported_response_type": ReasonRefused,
	"invalid_scope": ReasonRefused, "invalid_target": ReasonRefused, "invalid_grant": ReasonRefused,
	"invalid_client": ReasonRefused, "unsupported_grant_type": ReasonRefused, "invalid_redirect_uri": ReasonRefused,
	"invalid_client_metadata": ReasonRefused, "invalid_software_statement": ReasonRefused,
	"unapproved_software_statement": ReasonRefused,
}

// refused is a server's no, under its code if that is a known one.
func refused(code string) *Error {
	if codes[code] == "" {
		code = "other"
	}
	return &Error{Reason: ReasonRefused, Code: code}
}
