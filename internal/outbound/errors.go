package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
)

// Errors of an exchange. Their texts are constant.
var (
	// ErrURL: [Client.CheckURL] refuses the URL for a reason without an error of
	// its own.
	ErrURL error = &failure{text: "outbound: the URL is not acceptable"}
	// ErrNotHTTPS: the URL is not https.
	ErrNotHTTPS error = &failure{text: "outbound: the URL is not https"}
	// ErrNotPublic: the address is not public and not allowed; it was not connected to.
	ErrNotPublic error = &failure{text: "outbound: the address is not public"}
	// ErrRedirect: a redirect that is not followed: one too many, one that would send
	// a body to another origin, or one to a URL that is refused (then the error is
	// also one of those above).
	ErrRedirect error = &failure{text: "outbound: the redirect is refused"}
	// ErrTooLarge: the answer's body is longer than [MaxBody].
	ErrTooLarge error = &failure{text: "outbound: the answer is too large"}
	// ErrUnreachable: the name can't be resolved, or no connection be made or kept.
	ErrUnreachable error = &failure{text: "outbound: the host can't be reached"}
	// ErrTLS: the handshake failed, or the certificate is not good for the host.
	ErrTLS error = &failure{text: "outbound: the TLS handshake failed"}
	// ErrExchange: anything else, such as an answer that is not HTTP.
	ErrExchange error = &failure{text: "outbound: the exchange failed"}
)

// failure is an error with a constant text. It has no cause, because net/http's
// errors quote what they could not read.
type failure struct {
	text string
	is   []error
}

// Error implements error.
func (f *failure) Error() string { return f.text }

// Unwrap gives the errors that it also is.
func (f *failure) Unwrap() []error { return f.is }

// refusedRedirect is ErrRedirect and the reason for which its URL was refused.
func refusedRedirect(reason error) error {
	return &failure{text: ErrRedirect.Error(), is: []error{ErrRedirect, reason}}
}

// Reason gives why an exchange failed in words that may be logged, without the URL
// that net/http puts before them: one of this package's errors, context.Canceled or
// context.DeadlineExceeded. It takes any error of [Client.HTTP], of a body, or of a
// library that wraps one; nil gives nil.
func Reason(err error) error {
	var (
		own    *failure
		netErr net.Error
		op     *net.OpError
		cert   *tls.CertificateVerificationError
		record tls.RecordHeaderError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return own
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return context.DeadlineExceeded
	case errors.As(err, &cert), errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch),
		errors.As(err, &op) && op.Op == "remote error": // an alert of the other side, whose type is not exported
		return ErrTLS
	case errors.As(err, &op): // resolving, connecting, reading, writing
		return ErrUnreachable
	}
	return ErrExchange
}
