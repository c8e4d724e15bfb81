package agentauth

import "strings"

// parameter is a parameter of a challenge; with an empty name it stands for the beginning of a
// challenge. Scheme and name are in lower case.
type parameter struct{ scheme, name, value string }

// parameters reads WWW-Authenticate fields (RFC 9110 §11.6.1). It skips what it can't read; a
// quoted string without an end takes the rest of its field with it. Quotes around values and
// commas between parameters may be missing.
func parameters(fields []string) []parameter {
	var all []parameter
	scheme := "" // also of what follows in the next field: they are one list (RFC 9110 §5.3)
	for _, rest := range fields {
		begins := true // an element of the list; a scheme can stand nowhere else
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
			default: // a token68, which some schemes have instead of parameters, or what can't be read
				rest = rest[max(len(word), 1):]
			}
			begins = false
		}
	}
	return all
}

// tokenLetters are the characters of names and schemes (RFC 9110 §5.6.2).
const tokenLetters = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// readValue reads a parameter's value, quoted (RFC 9110 §5.6.4) or not, and gives the rest.
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
