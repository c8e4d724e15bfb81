// Package fault holds the gateway's one error type: what went wrong, in the
// words that a client may read, apart from the cause that only a log may.
package fault

import (
	"errors"
	"strings"
	"time"
)

// Kind says what sort of failure an error is. The HTTP edge owns the one table
// that turns kinds into status codes and contract codes.
type Kind uint8

// The kinds, in the order of the contract's error table.
const (
	Internal           Kind = iota // 500 INTERNAL_ERROR; also every error that is no *Error
	Validation                     // 400 VALIDATION_ERROR, with Issues
	BadRequest                     // 400 BAD_REQUEST
	Unauthorized                   // 401
	Forbidden                      // 403
	NotFound                       // 404
	MethodNotAllowed               // 405
	Conflict                       // 409
	PreconditionFailed             // 412
	TooLarge                       // 413
	UnsupportedMedia               // 415
	HeadersTooLarge                // 431
	RateLimited                    // 429
	Unavailable                    // 503, with Reason and RetryAfter
)

// Reason is the machine-readable cause behind a status, `details.reason` of an answer.
type Reason string

// Reasons of a 503, and the one of the 404 of a source whose tenant is gone (contract 7.2).
const (
	UpstreamUnreachable     Reason = "UPSTREAM_UNREACHABLE"
	UpstreamTimeout         Reason = "UPSTREAM_TIMEOUT"
	UpstreamError           Reason = "UPSTREAM_ERROR"
	UpstreamInvalidResponse Reason = "UPSTREAM_INVALID_RESPONSE"
	UpstreamUnauthorized    Reason = "UPSTREAM_UNAUTHORIZED"
	CircuitOpen             Reason = "CIRCUIT_OPEN"
	AgentUnauthorized       Reason = "AGENT_UNAUTHORIZED"
	TenantNotFound          Reason = "TENANT_NOT_FOUND"
)

// Reasons of the operations on an ad server: of a 404, of a 409, and of the 400 at `esaId`.
const (
	MappingNotFound      Reason = "MAPPING_NOT_FOUND"
	MediaBuyNotFound     Reason = "MEDIA_BUY_NOT_FOUND"
	ProductNotFound      Reason = "PRODUCT_NOT_FOUND"
	SignalNotFound       Reason = "SIGNAL_NOT_FOUND"
	SourceDeactivated    Reason = "SOURCE_DEACTIVATED"
	MappingExists        Reason = "MAPPING_EXISTS"
	ProductExists        Reason = "PRODUCT_EXISTS"
	ProductIDTaken       Reason = "PRODUCT_ID_TAKEN"
	SignalExists         Reason = "SIGNAL_EXISTS"
	SignalInUse          Reason = "SIGNAL_IN_USE"
	NotProvisioned       Reason = "NOT_PROVISIONED"
	NotSupported         Reason = "NOT_SUPPORTED"
	AdServerNotSupported Reason = "AD_SERVER_NOT_SUPPORTED"
)

// Issue is one thing wrong with a request. Path is dotted ("query.take").
type Issue struct {
	Path    string
	Message string
}

// Error is a failure with a client message and a cause kept apart. Message, Field,
// Issues and Reason are shown to clients and so never hold a secret, nor anything that
// a caller or the upstream wrote, but for text that was treated (contract 4.11)
// and names of members that are plain words; the cause is for logs alone.
type Error struct {
	Kind       Kind
	Message    string
	Field      string        // path of the one field at fault, if there is one
	Issues     []Issue       // Validation only
	Reason     Reason        // Unavailable; and others where the contract names one
	RetryAfter time.Duration // Unavailable: when to try again; 0 leaves it to the edge. Conflict: likewise; 0 says nothing
	ErrorCode  string        // Validation by an ad server: lastErrorCode's word (contract 5.8, 12.11)
	ESAID      int64         // Unavailable, Conflict: the connection that was made all the same; 0: none
	SourceID   string        // its source
	// ActiveReferences is how many media buys use what can't be deleted (Conflict, SignalInUse); nil: not known.
	ActiveReferences *int64
	Cause            error
}

// Error is the text for logs: the message, then the cause in brackets.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	return strings.TrimSuffix(e.Message, ".") + " (" + e.Cause.Error() + ")"
}

// OwnWords is the message: the part that may be shown where the cause may not.
func (e *Error) OwnWords() string { return e.Message }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New makes an error of a kind with a client message.
func New(kind Kind, message string) *Error { return &Error{Kind: kind, Message: message} }

// Wrap makes an error of a kind around a cause that clients do not see.
func Wrap(kind Kind, message string, cause error) *Error {
	return &Error{Kind: kind, Message: message, Cause: cause}
}

// Invalid is a Validation error that names every issue found; Field is the
// first one's path.
func Invalid(issues ...Issue) *Error {
	e := &Error{Kind: Validation, Message: "The request is not valid.", Issues: issues}
	if len(issues) > 0 {
		e.Field = issues[0].Path
		if len(issues) == 1 {
			e.Message = issues[0].Message
		}
	}
	return e
}

// Upstream is an Unavailable error with its reason.
func Upstream(reason Reason, message string, cause error) *Error {
	return &Error{Kind: Unavailable, Reason: reason, Message: message, Cause: cause}
}

// As gives the *Error in err's chain; any other error becomes an Internal one
// whose message says nothing of the cause. It gives nil for nil.
func As(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Wrap(Internal, "Something went wrong on our side.", err)
}

// Is reports whether err is of a kind; an error that is no *Error is Internal.
func Is(err error, kind Kind) bool { return err != nil && As(err).Kind == kind }
