package transform

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"esagate/internal/redact"
)

// shown treats upstream's free text by status rule 11: what may be shown of it,
// or else the sentence of ours. A copy is made of a part, lest the rest, which
// was not to be shown, stays in memory with it.
func shown(s, instead string) string {
	text, ok := redact.Text(s)
	switch {
	case !ok || text == "":
		return instead
	case len(text) < len(s):
		return strings.Clone(text)
	}
	return text
}

// bounded treats a setup task's wording, which is prose and not an error: it may
// have many lines, but neither a secret nor more than limit code points.
func bounded(s string, limit int, instead string) string {
	s, ok := redact.Whole(s)
	if !ok {
		return instead
	}
	if len(s) <= limit { // no more bytes than characters are allowed
		return s
	}
	count := 0
	for i := range s {
		if count++; count > limit {
			return strings.Clone(s[:i])
		}
	}
	return s
}

// Sentences that stand in for text that is not shown.
const (
	textTestFailed  = "The last test of the ad server connection failed."
	textTaskName    = "Setup task"
	textTaskDetails = "Open the task for its details."
	textDetail      = "The ad server gave details that can't be shown."
)

// checkText says what came of the check of a capability, by its status.
func checkText(status string) string {
	switch status {
	case "passed":
		return "This check passed."
	case "failed":
		return "This check failed."
	}
	return "This was not checked."
}

// syncTexts says what is wrong with a stream, by the category of its issue.
var syncTexts = map[string]string{
	"auth":      "The ad server refused the saved credentials.",
	"transient": "The ad server could not be read this time; the sync is tried again.",
	"permanent": "The sync can't succeed until something is changed.",
	"stale":     "The synced data is out of date.",
}

func syncText(category string) string {
	if text, ok := syncTexts[category]; ok {
		return text
	}
	return "The sync failed."
}

// connectionTexts says what is wrong with a connection, by its lastErrorCode.
var connectionTexts = map[string]string{
	"ADAPTER_NETWORK_NOT_FOUND":   "The ad server does not know this network or account.",
	"ADAPTER_PERMISSION_DENIED":   "The ad server does not give these credentials access to this network or account.",
	"ADAPTER_INVALID_CREDENTIALS": "The ad server refused the saved credentials.",
	"ADAPTER_INVALID_CONFIG":      "The ad server configuration is not complete or not valid.",
	"ADAPTER_CONNECTION_FAILED":   "The ad server could not be reached.",
}

// LastErrorText gives the sentence for a lastErrorCode: what may be said where there is
// no text of upstream's, or none that may be shown.
func LastErrorText(code string) string {
	if text, ok := connectionTexts[code]; ok {
		return text
	}
	return "Something went wrong on our side while the ad server was connected."
}

const maxPath = 2048

// safePath reports whether s is a path within the host's pages: a link to it
// must not lead to another site nor carry a credential.
func safePath(s string) bool {
	if s == "" || s[0] != '/' || len(s) > maxPath || !utf8.ValidString(s) {
		return false
	}
	if len(s) > 1 && (s[1] == '/' || s[1] == '\\') { // browsers read both as another host
		return false
	}
	if strings.Contains(s, "://") || strings.Contains(s, "-----BEGIN") || strings.ContainsFunc(s, unicode.IsControl) {
		return false
	}
	// A query is made of pairs, so of these only the names and values are judged.
	if _, query, _ := strings.Cut(s, "?"); query != "" && redact.Secretlike(strings.ReplaceAll(query, "=", ": ")) {
		return false
	}
	// user:password@ anywhere, also in a query
	if at := strings.LastIndexByte(s, '@'); at >= 0 && strings.Contains(s[:at], ":") {
		return false
	}
	return true
}
