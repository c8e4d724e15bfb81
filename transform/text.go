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

// WhichConfig is the word for the config that a sentence is about.
type WhichConfig string

// Configs that sentences are about.
const (
	SavedConfig WhichConfig = "saved "
	NewConfig   WhichConfig = "new " // it came with the request, and was refused
	anyConfig   WhichConfig = ""     // it is not known which
)

// connectionTexts says what is wrong with a config, by its lastErrorCode; "%" is which one.
var connectionTexts = map[string]string{
	"ADAPTER_NETWORK_NOT_FOUND":   "The ad server does not know the %network or account.",
	"ADAPTER_PERMISSION_DENIED":   "The ad server does not give the %credentials access to this network or account.",
	"ADAPTER_INVALID_CREDENTIALS": "The ad server refused the %credentials.",
	"ADAPTER_INVALID_CONFIG":      "The %ad server configuration is not complete or not valid.",
	"ADAPTER_CONNECTION_FAILED":   "The ad server could not be reached.",
}

// LastErrorText gives the sentence for a lastErrorCode, for where upstream has no text that may be
// shown.
func LastErrorText(code string, of WhichConfig) string {
	text := cmp.Or(connectionTexts[code], "Something went wrong on our side while the ad server was connected.")
	return strings.Replace(text, "%", string(of), 1)
}
