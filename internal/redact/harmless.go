package redact

import (
	"regexp"
	"strings"
)

// What ad servers, and the clients that call them, say of a failed call has the shapes of
// secrets: "(status=503)", "credentials: HTTP 401". The patterns here are an allow-list of
// such texts.

const (
	blanks = " \t\n\v\f\r"

	// clauseEnd follows a pair or a status, and remarkEnd a remark, which no other word may follow.
	clauseEnd = `(?:[\s,;:)\]}>]|[.!]*(?:\s|$))`
	remarkEnd = `(?:[\n\r,;:)\]}>]|[.!]+\s|[.!]*$| \()`

	// pairWord is what names of a status, an error word, a count or a time are made of.
	pairWord = `(?:after|attempts?|charset|code|column|count|desc|duration|elapsed|errno|errors?|exit|failed|fault|grpc|http|limit|` +
		`line|lineno|message|method|offset|operation|page|phase|port|reason|response|retry|retries|service|size|status|timeout|total|` +
		`type|vendor|version)`
)

// The patterns of a pair. Codes that are sent to people have more digits than these.
var (
	// pairName is http_status, errorCode, timeout.
	pairName = regexp.MustCompile(`(?i)^` + pairWord + `(?:[_.-]?` + pairWord + `)*$`)

	// pairValue is a short number or an error word: 503, 30.0, 500ms, AUTH_FAILED, StatusCode.UNAVAILABLE.
	pairValue = regexp.MustCompile(`^ *(?:-?[0-9]{1,5}(?:\.[0-9]{1,3})?m?s?|[A-Za-z_][A-Za-z_.]{0,63}|(?i:utf-8))` + clauseEnd)

	// idName and idValue are those of what an ad server calls its own, which are longer numbers.
	idName  = regexp.MustCompile(`(?i)^(?:ad_?unit|advertiser|creative|line_?item|network|order)_?(?:code|id)$`)
	idValue = regexp.MustCompile(`^ *[0-9]{1,15}` + clauseEnd)

	// codeValue is a value for the name "code" alone, because codes give access too.
	codeValue = regexp.MustCompile(`^ *(?:-?[0-9]{1,5}|[A-Z_]{1,64})` + clauseEnd)

	// hostValue is a value for the name "host", as Python's clients write it.
	hostValue = regexp.MustCompile(`^'[A-Za-z0-9.-]{1,253}'` + clauseEnd)
)

// harmlessPair reports whether the equals sign at s[at] stands between a name and a value of
// these patterns, and neither is part of something longer.
func harmlessPair(s string, at int) bool {
	before := strings.TrimRight(s[:at], " ")
	begin := 1 + strings.LastIndexAny(before, blanks+"([{,;")
	before, name := before[:begin], before[begin:]
	switch value := s[at+1:]; {
	case name == "host":
		return hostValue.MatchString(value)
	case idName.MatchString(name):
		return idValue.MatchString(value)
	case !pairName.MatchString(name):
		return false
	case strings.EqualFold(name, "code") && !strings.HasSuffix(before, "rpc error: "):
		return errorBefore(before) && codeValue.MatchString(value)
	default:
		return pairValue.MatchString(value)
	}
}

// errorBefore reports whether what stands before "code=" lets it be an error's code: nothing,
// "status=503 " or "error ", but not "access ". It reads only the end of s, since a text can hold many codes.
func errorBefore(s string) bool {
	const enough = 64 // bytes
	s = strings.TrimRight(s[max(len(s)-enough, 0):], blanks)
	word := s[1+strings.LastIndexAny(s, blanks):]
	return word == "" || !is(word[len(word)-1], letter|digit) || strings.Contains(word, "=") || pairName.MatchString(word)
}

// harmlessRemark matches what follows the name of a secret and a colon, and says what happened and
// not what the secret is: an HTTP status that is named as one, or a complaint and nothing more.
var harmlessRemark = regexp.MustCompile(`(?i)^\(?(?:` +
	`(?:http(?:/[12](?:\.[01])?)?[ :=]+|(?:http[ _])?(?:status|error)(?:[ _]?code)?[ :=]+){1,2}[1-5][0-9]{2}` + clauseEnd +
	`|(?:token must be a short-lived token|(?:this )?(?:field |value )?(?:is |was )?(?:mandatory|not active|not set|required|unknown))` + remarkEnd +
	`|(?:must not|must|cannot|can't|may not|should not|shouldn't) be (?:blank|empty|null|at least [0-9]{1,4} characters)` + remarkEnd +
	`|(?:[45][0-9]{2} )?(?:access denied|bad gateway|bad request|client error|does not match|expired|forbidden|gateway timeout|incorrect|` +
	`internal server error|invalid|invalid_client|invalid_grant|mismatch|missing|not authorized|not found|not valid|permission denied|` +
	`rejected|required|revoked|server error|service unavailable|timed out|too many requests|unauthorized)` + remarkEnd + `)`)

// harmlessName matches names that end as those of secrets do: keys of databases and of targeting.
var harmlessName = regexp.MustCompile(`(?i)(?:^|[^A-Za-z])(?:duplicate|foreign|primary|targeting)[ _-]keys?[^A-Za-z0-9]{0,2}$`)

// version matches what follows the @ of a package or an action and is no host: v4, 1.2.3.
var version = regexp.MustCompile(`^(?:v[0-9]{1,3}(?:\.[0-9]{1,5}){0,2}|[0-9]{1,3}(?:\.[0-9]{1,5}){1,2})` + clauseEnd)
