package redact

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The short loop is there for speed alone: it must judge as the full one does.
func TestShortScanJudgesAsTheFullOne(t *testing.T) {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{
			"bearer", "Basic", " ", "b", "-", "--", "-----BEGIN", "a1b2c3d4e5f6", "word", "=", ":", "password", "@", "?x", "/", "//", "%3D", "ü", "\x00", ".", "ABCDEFGHIJKLMNOPQRSTUVW", "7",
		}),
		rapid.StringN(0, 6, 12),
	)
	rapid.Check(t, func(rt *rapid.T) {
		s := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(rt, "pieces"), "")
		secret, hidden := scan(s)
		wantSecret, wantHidden := scanAll(s)
		if secret != wantSecret || !secret && hidden != wantHidden {
			rt.Fatalf("%q: %t %t, the full scan says %t %t", s, secret, hidden, wantSecret, wantHidden)
		}
	})
}
