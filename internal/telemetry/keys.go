package telemetry

import (
	"log/slog"
	"regexp"

	"esagate/internal/redact"
)

// Redacted stands in a log line for a value that may not be shown.
const Redacted = "[redacted]"

// treatment gives what is shown of a string. Numbers, booleans, durations,
// times and errors are treated alike under every key.
type treatment func(string) string

// Treatments of strings under the keys below.
var (
	hexID   = allow(isID)
	ident   = allow(isIdent)
	version = allow(isVersion)
	route   = allow(isRoute)
	path    = only(isPath)
	baseURL = only(isBaseURL)
	text    = cleanText                                // written by others: its first line
	ours    = cut                                      // a sentence of the code or the config check
	stack   = only(func(string) bool { return false }) // a background.Stack; never a string
)

// plain shows what is not redact.Secretlike.
func plain(s string) string {
	if redact.Secretlike(s) {
		return Redacted
	}
	return cut(s)
}

// allow shows strings of a format that can look like a token, others as plain.
func allow(fits func(string) bool) treatment {
	return func(s string) string {
		if fits(s) {
			return s
		}
		return plain(s)
	}
}

// only shows strings of a format, and no others.
func only(fits func(string) bool) treatment {
	return func(s string) string {
		if fits(s) {
			return s
		}
		return Redacted
	}
}

// keys is the allow-list of log attributes: a value under any other key is
// never written. To add a key is to promise that only harmless values are
// logged under it.
var keys = map[string]treatment{
	// What is being done, to what, for whom.
	"component": plain, "operation": plain, "kind": plain, "method": plain, "route": route, "request_id": hexID,
	"trace_id": hexID, "span_id": plain, "customer": plain, "customer_id": plain, "key_name": plain,
	"source_id": ident, "esa_id": plain, "tenant": ident, "tenants": plain, "field": plain,

	// How it went.
	"breaker": plain, "bytes": plain, "bytes_received": plain, "bytes_sent": plain, "door": plain, "first_byte": plain, "code": plain, "after": plain, "count": plain, "dropped": plain,
	"duration": plain, "duration_ms": plain, "outcome": plain, "reason": plain, "next_try": plain, "scope": plain,
	"state": plain, "status": plain, "cause": text, "error": text, "stack": stack,

	// The process and what it was given.
	"address": plain, "config": path, "database": ours, "line": plain, "entries": plain, "keys": plain, "note": ours,
	"traces": plain, "file": path, "read_only": plain, "store": plain, "timeout": plain, "total": plain,
	"url": baseURL, "version": version,
}

// slogKeys are the keys of slog's own attributes. A caller's would shadow them.
var slogKeys = map[string]treatment{slog.TimeKey: plain, slog.LevelKey: plain, slog.MessageKey: text}

// KeyAllowed reports whether values under a log attribute key are written.
func KeyAllowed(key string) bool {
	_, ok := keys[key]
	return ok
}

var keyFormat = regexp.MustCompile(`^[a-z_.]{1,40}$`)

// shownKey is a caller's key as it is written. Keys are constants in code, but a
// misplaced argument can put a value where slog expects a key.
func shownKey(key string) string {
	if _, ok := slogKeys[key]; ok || key != "!BADKEY" && !keyFormat.MatchString(key) {
		return Redacted
	}
	return key
}
