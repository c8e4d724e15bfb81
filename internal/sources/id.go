package sources

import (
	"crypto/rand"
	"strings"
	"unicode"
	"unicode/utf8"

	"esagate/registry"
)

// CheckSourceID says what is wrong with a sourceId, "" if nothing (contract 6.1).
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

const agentIDRandom = 6

// agentID makes an agent's id: a slug without its dashes, and six random letters or digits; no
// longer than [registry.MaxIDLength].
func agentID(slug string) string {
	stem := strings.ReplaceAll(slug, "-", "")
	stem = stem[:min(len(stem), registry.MaxIDLength-1-agentIDRandom)] // a slug is ASCII
	return stem + "_" + strings.ToLower(rand.Text()[:agentIDRandom])
}
