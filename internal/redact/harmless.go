package redact

import "strings"

// What ad servers say of a failed call has the shapes of secrets: "(status=503)",
// "credentials: HTTP 401". The rules here are allow-lists of such texts.

// statusNames are what names of a status, an error word or a count are made of:
// status, http_status, error_code.
var statusNames = [...]string{
	"status", "code", "error", "http", "reason", "fault", "vendor", "response", "grpc", "attempt", "attempts",
	"retry", "retries", "count", "timeout", "statuscode", "errorcode", "httpstatus",
}

// complaints are what is said of the name of a secret, where its value could stand:
// "key: not found".
var complaints = [...]string{
	"access denied", "bad request", "expired", "forbidden", "invalid", "invalid_client", "invalid_grant", "missing",
	"not found", "not valid", "permission denied", "rejected", "required", "revoked", "timed out", "unauthorized",
}

const (
	harmlessDigits = 5  // digits of a status or a count: codes that are sent to people have more
	harmlessWord   = 40 // bytes of an error word
)

// harmlessPair reports whether the equals sign at s[at] joins a name of statusNames with a
// short number or a word, and neither is part of something longer: status=503,
// code=AUTH_FAILED.
func harmlessPair(s string, at int) bool {
	before := strings.TrimRight(s[:at], " ")
	begin := len(before)
	for begin > 0 && nameByte(before[begin-1]) {
		begin--
	}
	before, name := before[:begin], before[begin:]
	if !statusName(name) || begin > 0 && !is(s[begin-1], space) && strings.IndexByte("([{,;", s[begin-1]) < 0 {
		return false
	}
	value := strings.TrimLeft(s[at+1:], " ")
	length, digits, small := 0, 0, 0
	for ; length < len(value) && nameByte(value[length]); length++ {
		switch c := value[length]; {
		case is(c, digit):
			digits++
		case c >= 'a':
			small++
		}
	}
	switch {
	case length == 0 || !clauseEnds(value[length:]):
		return false
	case strings.EqualFold(name, "code") && (small > 0 || kindOfCode(before)): // it may be one that gives access
		return false
	}
	return digits == 0 && length <= harmlessWord || digits == length && length <= harmlessDigits
}

// kindOfCode reports whether what stands before "code=" says that it is no error's: "access ",
// but neither "status=503 " nor "error ".
func kindOfCode(before string) bool {
	before = strings.TrimRight(before, " ")
	word := before[strings.LastIndexByte(before, ' ')+1:]
	return word != "" && is(word[len(word)-1], letter|digit) && !strings.Contains(word, "=") && !statusName(word)
}

// nameByte reports whether c can stand in a name or an error word.
func nameByte(c byte) bool { return is(c, letter|digit) || c == '_' }

// statusName reports whether a name is made of statusNames alone, with "_" in between.
func statusName(name string) bool {
	for {
		word, rest, more := strings.Cut(name, "_")
		if !anyFold(statusNames[:], word) {
			return false
		}
		if !more {
			return true
		}
		name = rest
	}
}

// harmlessRemark reports whether s, which follows the name of a secret and a colon, says what
// happened and not what the secret is: an HTTP status ("HTTP 401", "status=503",
// "401 Unauthorized"), or one of complaints and nothing more.
func harmlessRemark(s string) bool {
	named := false
	for {
		end := 0
		for end < len(s) && nameByte(s[end]) && !is(s[end], digit) {
			end++
		}
		if !statusName(s[:end]) {
			break
		}
		named, s = true, s[end:]
		for _, version := range [...]string{"/1.0", "/1.1", "/2"} { // of HTTP
			s = strings.TrimPrefix(s, version)
		}
		s = strings.TrimLeft(s, " =")
	}
	if len(s) >= 3 && '1' <= s[0] && s[0] <= '5' && is(s[1], digit) && is(s[2], digit) && clauseEnds(s[3:]) {
		if named {
			return true
		}
		s = strings.TrimLeft(s[3:], " ")
	}
	for _, c := range complaints {
		if hasPrefixFold(s, c) {
			rest := s[len(c):]
			if clauseEnds(rest) && (rest == "" || rest[0] != ' ' || strings.HasPrefix(rest, " (")) {
				return true
			}
		}
	}
	return false
}

// clauseEnds reports whether s, which follows something harmless, does not go on with it.
func clauseEnds(s string) bool {
	return s == "" || is(s[0], space) || strings.IndexByte(",;:)]}>", s[0]) >= 0 ||
		s[0] == '.' && (len(s) == 1 || is(s[1], space))
}

func anyFold(all []string, word string) bool {
	for _, w := range all {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}
