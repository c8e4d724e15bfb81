package transform

import (
	"cmp"
	"strings"

	"esagate/internal/redact"
)

// safeText gives the part of upstream's free text that may be shown (contract 4.11), or else the
// fallback. A part is copied: the rest, which is not to be shown, must not stay in memory with it.
func safeText(s, fallback string) string {
	text, ok := redact.Text(s)
	if !ok || text == "" {
		return fallback
	}
	return strings.Clone(text)
}

// safeProse is safeText for a setup task's wording, which may have many lines, but neither a secret
// nor more than limit code points.
func safeProse(s string, limit int, fallback string) string {
	s, ok := redact.Whole(s)
	if !ok {
		return fallback
	}
	count := 0
	for i := range s {
		if count++; count > limit {
			return strings.Clone(s[:i])
		}
	}
	return s
}

// checkTexts say what came of the check of a capability, by its status.
var checkTexts = map[string]string{"passed": "This check passed.", "failed": "This check failed."}

// syncTexts says what is wrong with a stream, by the category of its issue.
var syncTexts = map[string]string{
	"auth":      "The ad server refused the saved credentials.",
	"transient": "The ad server could not be read this time; the sync is tried again.",
	"permanent": "The sync can't succeed until something is changed.",
	"stale":     "The synced data is out of date.",
}

func syncText(category string) string { return cmp.Or(syncTexts[category], "The sync failed.") }
