package terminal

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestSafe(t *testing.T) {
	for text, want := range map[string]string{
		"Harbour News":            "Harbour News",
		"港口新聞 🚢 é":                "港口新聞 🚢 é",
		"a\x1b[31mb":              "a\ufffd[31mb",
		"a\u009b31mb":             "a\ufffd31mb", // CSI in one character
		"a\x07b\x7f":              "a\ufffdb\ufffd",
		"two\nlines\tof\r\ntext":  "two lines of  text",
		"a\u202eb\u2066c":         "a\ufffdb\ufffdc",
		"a\u200db\u200cc":         "abc",
		"bad \xff UTF-8":          "bad \ufffd UTF-8",
		"\u0085\u2028no\u00a0gap": "\ufffd no gap",
	} {
		if got := Safe(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzSafe(f *testing.F) {
	for _, seed := range []string{"Harbour", "\x1b]0;title\x07", "港\u009b", "\xff\xfe", "👩‍👩‍👧", "e\u0301\u0302"} {
		f.Add(seed, 5)
		f.Add(seed, 0)
	}
	f.Fuzz(func(t *testing.T, text string, columns int) {
		safe := Safe(text)
		if !utf8.ValidString(safe) || strings.ContainsFunc(safe, func(r rune) bool { return !unicode.IsPrint(r) }) || Safe(safe) != safe {
			t.Errorf("%q became %q", text, safe)
		}
		columns = max(columns%200, 0)
		if clipped := clip(safe, columns); width(clipped) > columns {
			t.Errorf("%q takes %d columns, not %d", clipped, width(clipped), columns)
		}
		if out := JSON([]byte(`"`+strings.NewReplacer(`"`, "", `\`, "").Replace(strings.ToValidUTF8(text, ""))+`"`), false); strings.ContainsFunc(string(out), func(r rune) bool { return r >= 0x7f && !unicode.IsPrint(r) }) {
			t.Errorf("%q", out)
		}
	})
}
