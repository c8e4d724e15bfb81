package telemetry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"reflect"
	"slices"
	"strings"
	"syscall"

	"esagate/internal/background"
	"esagate/internal/redact"
)

// stringLimit bounds a string that is written, in bytes.
const stringLimit = 1024

// callersAttr gives a caller's attribute without a group, since slog drops what follows
// one that ReplaceAttr has emptied, and not under a key of slog's own.
func callersAttr(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	if _, ok := slogKeys[a.Key]; ok || a.Value.Kind() == slog.KindGroup {
		return slog.String(shownKey(a.Key), Redacted)
	}
	return a
}

// cleanAttr gives what may be written of an attribute, slog's own among them.
func cleanAttr(_ []string, a slog.Attr) slog.Attr {
	if a.Equal(slog.Attr{}) { // slog leaves it out
		return a
	}
	treat, ok := keys[a.Key]
	if !ok {
		treat, ok = slogKeys[a.Key]
	}
	if !ok {
		return slog.String(shownKey(a.Key), Redacted)
	}
	return slog.Attr{Key: a.Key, Value: cleanValue(treat, a.Value)}
}

// cleanValue is what is written for a resolved value under an allowed key.
func cleanValue(treat treatment, v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindBool, slog.KindInt64, slog.KindUint64, slog.KindFloat64, slog.KindTime:
		return v
	case slog.KindDuration:
		// slog's JSON writes nanoseconds without saying so.
		return slog.StringValue(v.Duration().String())
	case slog.KindString:
		return slog.StringValue(treat(v.String()))
	}
	return slog.StringValue(cleanAny(treat, v.Any()))
}

// cleanText is redact.Text with a word in place of what may not be shown.
func cleanText(s string) string {
	if t, ok := redact.Text(s); ok {
		return t
	}
	return Redacted
}

// cleanAny judges the values that slog has no kind for: errors, and named
// types of a basic kind. Everything else may hold anything and is not written.
func cleanAny(treat treatment, v any) (s string) {
	defer func() {
		// A nil pointer or worse behind Error or String must not cost the line.
		if recover() != nil {
			s = Redacted
		}
	}()
	switch v := v.(type) {
	case nil:
		return "<nil>"
	case error:
		return errorText(v)
	case background.Stack:
		return v.String() // places in code, and nothing else
	}
	switch r := reflect.ValueOf(v); {
	case r.Kind() == reflect.String, r.Kind() == reflect.Bool, r.CanInt(), r.CanUint(), r.CanFloat():
		s = fmt.Sprint(r)
	default:
		return Redacted
	}
	// A type that writes itself may do so to hide what it holds: go by what it
	// says, and by nothing when it says so in a way not understood here.
	switch self := v.(type) {
	case fmt.Stringer:
		s = self.String()
	case fmt.Formatter, interface{ MarshalText() ([]byte, error) }, interface{ MarshalJSON() ([]byte, error) }:
		return Redacted
	}
	return treat(s)
}

// errorText is what is written for an error: its first line, when nothing in
// the whole text is secret-like. Else what errors of ours in its chain say in their own
// words, and the part that the standard library wrote about the connection, which is
// what an operator looks for: *url.Error prefixes it with a URL, and URLs look like tokens.
//
// An exportError is taken as it is, since its host's name would often look like a token.
func errorText(err error) string {
	if own, ok := errors.AsType[*exportError](err); ok {
		return cut(own.Error())
	}
	whole := err.Error()
	if t, ok := redact.Text(whole); ok {
		return t
	}
	said := appendOwnWords([]string{Redacted}, err)
	for _, cause := range connectionCauses(err) {
		if t, ok := redact.Text(cause.Error()); ok {
			if !strings.Contains(said[len(said)-1], t) {
				said = append(said, t)
			}
			break
		}
	}
	return cut(strings.Join(said, ": "))
}

// worded is an error with a text of its own that may be shown whatever it wraps: words of
// the code, never anything that another system, a caller or a row says. Its types are the
// allow-list: fault.Error, and those of the registry and of its store.
type worded interface {
	error
	OwnWords() string
}

// appendOwnWords adds what the errors in a chain say in their own words, the outer ones first.
func appendOwnWords(to []string, err error) []string {
	if own, ok := err.(worded); ok {
		if t, ok := redact.Text(own.OwnWords()); ok && !slices.Contains(to, t) {
			to = append(to, t)
		}
	}
	switch wraps := err.(type) {
	case interface{ Unwrap() error }:
		if inner := wraps.Unwrap(); inner != nil {
			to = appendOwnWords(to, inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range wraps.Unwrap() {
			to = appendOwnWords(to, inner)
		}
	}
	return to
}

// connectionCauses are the errors in a chain whose text is about a connection
// alone, the more telling first. It is an allow-list: any other error may have
// been wrapped because its text alone means nothing ("password: %w").
func connectionCauses(err error) (found []error) {
	found = appendCause[*net.OpError](found, err)
	found = appendCause[*net.DNSError](found, err)
	found = appendCause[*tls.CertificateVerificationError](found, err)
	found = appendCause[syscall.Errno](found, err)
	for _, e := range []error{context.DeadlineExceeded, context.Canceled, io.ErrUnexpectedEOF, io.EOF, net.ErrClosed} {
		if errors.Is(err, e) {
			found = append(found, e)
		}
	}
	return found
}

func appendCause[E error](to []error, err error) []error {
	if e, ok := errors.AsType[E](err); ok {
		return append(to, e)
	}
	return to
}

// cut bounds a string without splitting a character.
func cut(s string) string {
	if len(s) <= stringLimit {
		return s
	}
	return strings.ToValidUTF8(s[:stringLimit], "")
}
