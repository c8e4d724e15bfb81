package sources

import (
	"crypto/rand"
	"strings"
	"unicode"
	"unicode/utf8"

	"esagate/registry"
)

// CheckSourceID says what is wrong with a sourceId, "" if nothing (contract, "Rules
// for inventory sources").
func CheckSourceID(id string) string {
	switch {
	case id == "":
		return "sourceId is empty."
	case !utf8.ValidString(id):
		return "sourceId is not UTF-8."
	case len(id) > registry.MaxIDLength && utf8.RuneCountInString(id) > registry.MaxIDLength:
		return "sourceId is longer than 255 characters."
	case id == "." || id == "..":
		return "sourceId can't be a dot segment."
	case strings.ContainsAny(id, `/\?#%`):
		return `sourceId can't contain any of / \ ? # %.`
	case strings.ContainsFunc(id, unicode.IsControl):
		return "sourceId can't contain control characters."
	case strings.TrimSpace(id) != id:
		return "sourceId can't begin or end with a space."
	}
	return ""
}

func sourceID(_, value string) string { return CheckSourceID(value) }

const (
	agentIDLetters = "abcdefghijklmnopqrstuvwxyz0123456789"
	agentIDRandom  = 6
)

// agentID makes an agent's id: a slug without its dashes, and six random letters or
// digits; no longer than [registry.MaxIDLength].
func agentID(slug string) string {
	stem := strings.ReplaceAll(slug, "-", "")
	stem = stem[:min(len(stem), registry.MaxIDLength-1-agentIDRandom)] // a slug is ASCII
	id := append([]byte(stem), '_')
	for len(id) < len(stem)+1+agentIDRandom {
		var b [1]byte
		_, _ = rand.Read(b[:]) // never fails
		// The largest multiple of the alphabet that a byte holds keeps it even.
		if n := len(agentIDLetters); int(b[0]) < 256/n*n {
			id = append(id, agentIDLetters[int(b[0])%n])
		}
	}
	return string(id)
}
