package sources_test

import (
	"regexp"
	"strings"
	"testing"

	"esagate/internal/sources"
	"esagate/registry"
)

func TestSlug(t *testing.T) {
	for name, want := range map[string]string{
		"Ünïcode Ñame":                     "unicode-name",
		"Harbour Screens":                  "harbour-screens",
		"  --A__b  C!! ":                   "a-b-c",
		"Straße Æther Œuvre Øl Łódź":       "strasse-aether-oeuvre-ol-lodz",
		"Đà Nẵng Þórr Ísafjörður ılık":     "da-nang-thorr-isafjordur-ilik",
		"İSTANBUL GROẞE ŊÆ Ħal Ŧ":          "istanbul-grosse-nae-hal-t",
		"ﬁne №5 ½ x² 𝐀𝐝𝐬 Ａ１":               "fine-no5-1-2-x2-ads-a1",
		"Cafe\u0301 e\u0308":               "cafe-e",
		"日本 Ads 東京":                        "ads",
		"a/b\\c?d#e%f":                     "a-b-c-d-e-f",
		strings.Repeat("ab", 200):          strings.Repeat("ab", 127) + "a",
		strings.Repeat("a", 254) + " b":    strings.Repeat("a", 254),
		strings.Repeat("ß", 128):           strings.Repeat("s", 255),
		"'; DROP TABLE sources; --":        "drop-table-sources",
		"bad \xff\xfe bytes\x00and\u200bx": "bad-bytes-and-x",
	} {
		if got := sources.Slug(name); got != want {
			t.Errorf("Slug(%q) = %q, want %q", name, got, want)
		}
	}
}

var fallback = regexp.MustCompile(`^source-[0-9a-f]{8}$`)

func TestSlugOfNothing(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range []string{"日本", "日本語", "😀", "---", "..", "", " ", "Привет", "\u0301"} {
		got := sources.Slug(name)
		if !fallback.MatchString(got) || got != sources.Slug(name) || seen[got] {
			t.Errorf("Slug(%q) = %q", name, got)
		}
		seen[got] = true
	}
	// It must be the same in every process and every version: ids depend on it.
	if got := sources.Slug("日本"); got != "source-cf2abf0c" {
		t.Errorf("the stand-in has changed: %s", got)
	}
}

var slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func FuzzSlug(f *testing.F) {
	for _, s := range []string{"", "日本", "Ünïcode Ñame", "a--b", "\xff", strings.Repeat("ß ", 300), "..", "ﷺ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := sources.Slug(name)
		if !slugForm.MatchString(got) || len(got) > registry.MaxIDLength || sources.CheckSourceID(got) != "" {
			t.Errorf("Slug(%q) = %q", name, got)
		}
		if sources.Slug(got) != got {
			t.Errorf("Slug(%q) = %q, and of that %q", name, got, sources.Slug(got))
		}
	})
}

func TestAgentID(t *testing.T) {
	form := regexp.MustCompile(`^[a-z0-9]+_[a-z0-9]{6}$`)
	for name, stem := range map[string]string{
		"Harbour Screens":         "harbourscreens_",
		"a - b - c":               "abc_",
		"日本":                      strings.ReplaceAll(sources.Slug("日本"), "-", "") + "_",
		strings.Repeat("ab", 127): strings.Repeat("ab", 124) + "_",
	} {
		s, seen := create(t, good().but("name", name).but("sourceId", "other")), map[string]bool{}
		for range 200 {
			id := s.AgentID()
			if !form.MatchString(id) || !strings.HasPrefix(id, stem) || len(id) != len(stem)+6 || len(id) > registry.MaxIDLength || seen[id] {
				t.Fatalf("agent id %q of %q", id, name)
			}
			seen[id] = true
		}
	}
}

func TestCheckSourceID(t *testing.T) {
	for want, ids := range map[string][]string{
		"":                       {"harbour", "a b", "ünïcode", "...", "-", strings.Repeat("😀", 255)},
		"sourceId is empty.":     {""},
		"sourceId is not UTF-8.": {"a\xff"},
		"sourceId is longer than 255 characters.":    {strings.Repeat("😀", 256)},
		"sourceId can't be a dot segment.":           {".", ".."},
		`sourceId can't contain any of / \ ? # %.`:   {"a/b", `a\b`, "a?", "#a", "%41"},
		"sourceId can't contain control characters.": {"a\nb", "a\x00", "a\u0085b"},
		"sourceId can't begin or end with a space.":  {" a", "a\u00a0", "\u3000a"},
	} {
		for _, id := range ids {
			if got := sources.CheckSourceID(id); got != want {
				t.Errorf("CheckSourceID(%q) = %q, want %q", id, got, want)
			}
		}
	}
}
