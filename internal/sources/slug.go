package sources

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"esagate/registry"
)

// latin spells the Latin letters that have no decomposition in Unicode.
var latin = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th",
	'ı': "i", 'ħ': "h", 'ŧ': "t", 'ŋ': "n", 'ĸ': "k", 'ƒ': "f", 'ɓ': "b", 'ɗ': "d", 'ƙ': "k",
	'ə': "e", 'ɛ': "e", 'ɔ': "o",
}

// Slug makes a sourceId of a name: letters a to z, digits, and single dashes between
// them, at most [registry.MaxIDLength] long and never empty. Accents fall away. Of a
// name that has nothing to offer, one in Chinese for instance, it is a stable stand-in.
func Slug(name string) string {
	var slug strings.Builder
	dash := false
	write := func(s string) {
		if dash && slug.Len() > 0 {
			slug.WriteByte('-')
		}
		dash = false
		slug.WriteString(s)
	}
	for _, r := range norm.NFKD.String(name) {
		r = unicode.ToLower(r)
		switch spelt := latin[r]; {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			write(string(r))
		case spelt != "":
			write(spelt)
		case unicode.IsMark(r):
			// Part of the letter before it.
		default:
			dash = true
		}
	}
	if slug.Len() == 0 {
		sum := sha256.Sum256([]byte(name))
		return "source-" + hex.EncodeToString(sum[:4])
	}
	cut := slug.String()
	return strings.TrimRight(cut[:min(len(cut), registry.MaxIDLength)], "-")
}
