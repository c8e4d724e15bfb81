package redact_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"esagate/internal/redact"
)

const tokenBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_.-"

// TestPlantedTokenNeverSurvives plants a 32-character token with a digit
// anywhere, in any text, perhaps with hidden characters strewn in.
func TestPlantedTokenNeverSurvives(t *testing.T) {
	hidden := []string{"", "", "\u200b", "\x00", "\u00ad", "\u202e", "\x7f", "\ufe0e", "\ufe0f", "\u200c", "\u200d", "\U000e0100"}
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.SliceOfN(rapid.SampledFrom([]byte(tokenBytes)), 32, 32).Draw(t, "token")
		token[rapid.IntRange(0, 31).Draw(t, "where")] = byte('0' + rapid.IntRange(0, 9).Draw(t, "digit"))
		var planted strings.Builder
		for _, c := range token {
			planted.WriteByte(c)
			planted.WriteString(rapid.SampledFrom(hidden).Draw(t, "hidden"))
		}
		text := rapid.String().Draw(t, "before") + planted.String() + rapid.String().Draw(t, "after")
		if got, ok := redact.Text(text); ok || got != "" {
			t.Fatalf("Text(%q) = %q, %v", text, got, ok)
		}
	})
}

// TestPairsThatAreNotPlainNeverSurvive plants in any text a pair whose value mixes letters and
// digits, or whose name is a secret's.
func TestPairsThatAreNotPlainNeverSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"status", "status_code", "error", "code", "HTTP_STATUS", "token", "key", "user"}
		name := rapid.SampledFrom(names).Draw(t, "name")
		value := rapid.StringMatching(`[A-Za-z]{1,9}[0-9][A-Za-z0-9_]{0,9}`).Draw(t, "value")
		if name == "token" || name == "key" {
			value = rapid.SampledFrom([]string{value, "503", "expired", "AUTH_FAILED"}).Draw(t, "any value")
		}
		equals := rapid.SampledFrom([]string{"=", " = ", "= ", "%3D"}).Draw(t, "equals")
		text := rapid.String().Draw(t, "before") + name + equals + value + rapid.String().Draw(t, "after")
		if got, ok := redact.Text(text); ok || got != "" {
			t.Fatalf("Text(%q) = %q, %v", text, got, ok)
		}
	})
}

// TestTextKeepsItsPromises holds for any text: what comes out is short, one
// line, valid, trimmed, visible, and a piece of what went in.
func TestTextKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		check(t.Fatalf, rapid.String().Draw(t, "text"))
	})
}

func FuzzText(f *testing.F) {
	for _, c := range shown {
		f.Add(c.in)
	}
	for _, c := range secrets {
		f.Add(c.in)
	}
	f.Fuzz(func(t *testing.T, s string) { check(t.Fatalf, s) })
}

func check(fatalf func(string, ...any), s string) {
	text, ok := redact.Text(s)
	if ok == redact.Secretlike(s) {
		fatalf("Text and Secretlike disagree on %q", s)
	}
	if !ok && text != "" {
		fatalf("Text(%q) = %q with ok false", s, text)
	}
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > redact.TextLimit {
		fatalf("Text(%q) = %q: invalid or too long", s, text)
	}
	if strings.TrimSpace(text) != text {
		fatalf("Text(%q) = %q: not trimmed", s, text)
	}
	if strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }) >= 0 {
		fatalf("Text(%q) = %q: holds a control character or a line end", s, text)
	}
	if again, _ := redact.Text(text); ok && again != "" && again != text {
		fatalf("Text(%q) = %q, and again %q", s, text, again)
	}
}
