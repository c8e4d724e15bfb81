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
	"syscall"
	"unicode/utf8"

	"esagate/internal/redact"
)

// Bounds of what one attribute may hold.
const (
	stringLimit = 1024 // bytes of a string
	depthLimit  = 8    // groups in groups
)

// cleanAttr appends what may be written of an attribute. Groups are entered:
// each attribute in them is judged by its own key.
func cleanAttr(to []slog.Attr, a slog.Attr, depth int) []slog.Attr {
	if a.Equal(slog.Attr{}) {
		return to
	}
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if depth == depthLimit {
			return append(to, slog.String(shownKey(a.Key), Redacted))
		}
		var group []slog.Attr
		for _, member := range v.Group() {
			group = cleanAttr(group, member, depth+1)
		}
		if a.Key == "" { // slog writes such a group's members in its place
			return append(to, group...)
		}
		return append(to, slog.Attr{Key: shownKey(a.Key), Value: slog.GroupValue(group...)})
	}
	how, allowed := keys[a.Key]
	if !allowed {
		return append(to, slog.String(shownKey(a.Key), Redacted))
	}
	return append(to, slog.Attr{Key: a.Key, Value: cleanValue(how, v)})
}

// cleanValue is what is written for a resolved value under an allowed key.
func cleanValue(how treatment, v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindBool, slog.KindInt64, slog.KindUint64, slog.KindFloat64, slog.KindTime:
		return v
	case slog.KindDuration:
		// slog's JSON writes nanoseconds without saying so.
		return slog.StringValue(v.Duration().String())
	case slog.KindString:
		return slog.StringValue(cleanString(how, v.String()))
	}
	return slog.StringValue(cleanAny(how, v.Any()))
}

// cleanString judges a string by the treatment of its key.
func cleanString(how treatment, s string) string {
	switch how {
	case text:
		return cleanText(s)
	case stack:
		if s = stackLines(s); s == "" {
			return Redacted
		}
		return s
	case baseURL:
		if !isBaseURL(s) {
			return Redacted
		}
		return s
	case pathname:
		if !isPathname(s) {
			return Redacted
		}
		return s
	case hexID:
		if isID(s) {
			return s
		}
	case ours:
		return cut(s)
	case ident:
		if isIdent(s) {
			return s
		}
	case version:
		if isVersion(s) {
			return s
		}
	case route:
		if isRoute(s) {
			return s
		}
	}
	if redact.Secretlike(s) {
		return Redacted
	}
	return cut(s)
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
func cleanAny(how treatment, v any) (s string) {
	defer func() {
		// A nil pointer or worse behind Error or String must not cost the line.
		if recover() != nil {
			s = Redacted
		}
	}()
	if v == nil {
		return "<nil>"
	}
	if err, ok := v.(error); ok {
		return errorText(err)
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.String:
		s = r.String()
	case reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
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
	return cleanString(how, s)
}

// errorText is what is written for an error: its first line, when nothing in
// the whole text is secret-like. Else the part of its chain that the standard
// library wrote about the connection, which is what an operator looks for:
// *url.Error prefixes it with a URL, and URLs look like tokens.
func errorText(err error) string {
	whole := err.Error()
	if t, ok := redact.Text(whole); ok {
		return t
	}
	for _, cause := range connectionCauses(err) {
		if t, ok := redact.Text(cause.Error()); ok {
			return Redacted + ": " + t
		}
	}
	return Redacted
}

// connectionCauses are the errors in a chain whose text is about a connection
// alone, the more telling first. It is an allow-list: any other error may have
// been wrapped because its text alone means nothing ("password: %w").
func connectionCauses(err error) (found []error) {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		found = append(found, e)
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		found = append(found, e)
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		found = append(found, e)
	}
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		found = append(found, e)
	}
	for _, e := range []error{context.DeadlineExceeded, context.Canceled, io.ErrUnexpectedEOF, io.EOF, net.ErrClosed} {
		if errors.Is(err, e) {
			found = append(found, e)
		}
	}
	return found
}

// cut bounds a string without splitting a character.
func cut(s string) string {
	if len(s) <= stringLimit {
		return s
	}
	end := stringLimit
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
