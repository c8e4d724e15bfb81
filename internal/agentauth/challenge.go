package agentauth

import "strings"

// parameter is one of a challenge's, or its beginning: then name is "". Scheme and name are
// in lower case.
type parameter struct{ scheme, name, value string }

// parameters reads WWW-Authenticate fields (RFC 9110 §11.6.1). What is no part of a challenge
// is skipped, but for a text in quotes that does not end: with it the field ends. Values that
// should stand in quotes may do without, and commas may be missing between parameters.
func parameters(fields []string) []parameter {
	var all []parameter
	scheme := "" // also of what follows in the next field: they are one list (RFC 9110 §5.3)
	for _, rest := range fields {
		begins := true // an element of the list: only there a scheme stands
		for {
			next := strings.TrimLeft(rest, " \t,")
			begins = begins || strings.Contains(rest[:len(rest)-len(next)], ",")
			if rest = next; rest == "" {
				break
			}
			word := rest[:len(rest)-len(strings.TrimLeft(rest, tokenLetters))]
			after := strings.TrimLeft(rest[len(word):], " \t")
			switch {
			case word != "" && strings.HasPrefix(after, "="):
				p := parameter{scheme: scheme, name: strings.ToLower(word)}
				p.value, rest = readValue(strings.TrimLeft(after[1:], " \t"))
				all = append(all, p)
			case word != "" && begins:
				scheme, rest = strings.ToLower(word), rest[len(word):]
				all = append(all, parameter{scheme: scheme})
			case rest[0] == '"':
				_, rest = readValue(rest)
			default: // the credentials' text that some schemes have (token68), or none of all this
				rest = rest[max(len(word), 1):]
			}
			begins = false
		}
	}
	return all
}

// tokenLetters are what names and schemes consist of (RFC 9110 §5.6.2).
const tokenLetters = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// readValue reads what a parameter is set to, in quotes (RFC 9110 §5.6.4) or without, and
// gives what follows.
func readValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		if end := strings.IndexAny(s, " \t,"); end >= 0 {
			return s[:end], s[end:]
		}
		return s, ""
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", ""
}
