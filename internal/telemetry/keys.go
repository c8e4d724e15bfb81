package telemetry

// Redacted stands in a log line for a value that may not be shown.
const Redacted = "[redacted]"

// treatment says how the string value of an attribute is judged. Numbers,
// booleans, durations, times and errors are treated alike under every key.
type treatment uint8

const (
	plain    treatment = iota // shown unless redact.Secretlike
	text                      // written by somebody else: its first line, by redact.Text
	hexID                     // 32 or 40 hexadecimal digits or a UUID are shown, else as plain
	ident                     // an id made of letters, digits and "-_.", such as a UUID, is shown; else as plain
	version                   // a semantic or pseudo-version is shown, else as plain
	route                     // a pattern of the route table is shown, else as plain
	pathname                  // each element is judged alone
	baseURL                   // without user info and query, each element judged alone
	ours                      // a sentence that the code or the config check made: shown
	stack                     // only lines that a Go stack trace consists of
)

// keys is the allow-list of log attributes: a value under any other key is
// never written. To add a key is to promise that only harmless values are
// logged under it. `time`, `level` and `msg` are slog's own.
var keys = map[string]treatment{
	// What is being done, to what, for whom.
	"component": plain, "operation": plain, "kind": plain, "method": plain,
	"path_pattern": route, "route": route, "request_id": hexID,
	"trace_id": hexID, "span_id": plain,
	"customer": plain, "customer_id": plain, "key_name": plain, "path": pathname, "access": plain,
	"source_id": ident, "esa_id": plain, "tenant": ident, "tenant_id": ident,
	"stream": plain, "sync_type": plain, "task": plain, "field": plain, "adapter": plain,

	// How it went.
	"attempt": plain, "attempts": plain, "breaker": plain, "bytes": plain, "code": plain,
	"after": plain, "count": plain, "deadline": plain, "delay": plain, "dropped": plain, "duration": plain, "duration_ms": plain,
	"age": plain, "outcome": plain, "reason": plain, "result": plain, "retry_after": plain,
	"next_try": plain, "scope": plain, "state": plain, "status": plain, "from": plain, "to": plain,
	"cause": text, "error": text, "panic": text, "stack": stack,

	// The process and what it was given.
	"address": plain, "allow": plain, "config": pathname, "database": ours, "entries": plain,
	"envelope": plain, "keys": plain, "note": ours, "traces": plain, "file": pathname, "go_version": plain, "interval": plain, "limit": plain,
	"pid": plain, "read_only": plain, "remaining": plain, "revision": hexID, "signal": plain, "sources": plain,
	"store": plain, "timeout": plain, "total": plain, "url": baseURL, "version": version,
}

// KeyAllowed reports whether values under a log attribute key are written.
func KeyAllowed(key string) bool {
	_, ok := keys[key]
	return ok
}

// shownKey is the key as it is written. Keys are constants in code, but a
// misplaced argument can put a value where slog expects a key.
func shownKey(key string) string {
	if KeyAllowed(key) || key == "!BADKEY" {
		return key
	}
	if key == "" || len(key) > 40 || !onlyOf(key, lower+"_.") {
		return Redacted
	}
	switch key {
	case "time", "level", "msg": // a second one would shadow slog's own
		return Redacted
	}
	return key
}
