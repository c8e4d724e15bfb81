package adserver

import (
	"cmp"
	"strings"
)

// ErrorInternal is the lastErrorCode of what was not the ad server's doing, or can't be told.
const ErrorInternal = "INTERNAL_ERROR"

// errorCodes are the codes of refusals by an ad server (contract 5.11).
var errorCodes = map[string]string{
	"network_not_found":    "ADAPTER_NETWORK_NOT_FOUND",
	"permission_denied":    "ADAPTER_PERMISSION_DENIED",
	"invalid_credentials":  "ADAPTER_INVALID_CREDENTIALS",
	"invalid_config":       "ADAPTER_INVALID_CONFIG",
	"connection_failed":    "ADAPTER_CONNECTION_FAILED",
	"upstream_unavailable": "ADAPTER_CONNECTION_FAILED",
}

// ErrorCode gives the lastErrorCode for what upstream calls an ad server's refusal,
// with or without its prefix adapter_ ; INTERNAL_ERROR for anything else.
func ErrorCode(adapterCode string) string {
	return cmp.Or(errorCodes[strings.TrimPrefix(adapterCode, "adapter_")], ErrorInternal)
}

// WhichConfig is the word for the config that a sentence is about.
type WhichConfig string

// Configs that sentences are about.
const (
	SavedConfig WhichConfig = "saved "
	NewConfig   WhichConfig = "new " // it came with the request, and was refused
	AnyConfig   WhichConfig = ""     // it is not known which
)

// errorTexts says what is wrong with a config, by its lastErrorCode; "%" is which one.
var errorTexts = map[string]string{
	"ADAPTER_NETWORK_NOT_FOUND":   "The ad server does not know the %network or account.",
	"ADAPTER_PERMISSION_DENIED":   "The ad server does not give the %credentials access to this network or account.",
	"ADAPTER_INVALID_CREDENTIALS": "The ad server refused the %credentials.",
	"ADAPTER_INVALID_CONFIG":      "The %ad server configuration is not complete or not valid.",
	"ADAPTER_CONNECTION_FAILED":   "The ad server could not be reached.",
}

// ErrorText gives the sentence for a lastErrorCode, for where upstream has no text that may be
// shown.
func ErrorText(code string, of WhichConfig) string {
	text := cmp.Or(errorTexts[code], "Something went wrong on our side while the ad server was connected.")
	return strings.Replace(text, "%", string(of), 1)
}
