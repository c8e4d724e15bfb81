package redact_test

import (
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"esagate/internal/redact"
)

// forms write a name and a value in the ways that programs print them.
var forms = []string{
	"%s=%s", "%s = %s", "%s: %s", "%s:%s", "%s -> %s", "%s->%s", "%s => %s", "%s \u2192 %s", "--%s %s", "--%s=%s", "-%s %s", "<%s>%s</x>", "<x:%s> %s </x:y>",
	"<%s>%s", `<field name="%s" value="%s"/>`, `{"%s": "%s"}`, `{'%s': '%s'}`, `{b'%s': b'%s'}`, `{"body": "{\"%s\": \"%s\"}"}`, `"%s":"%s"`, "%s:\n  %s", "[%s]: %s",
	`{:%s => "%s"}`, "X-%s: %s", "[('%s', '%s')]: pool", "postgres host=db %s=%s", "%s ~> %s", "%s \u27f6 %s", "%s \u2794 %s",
	"%s \u2261 %s", "%s\u2236 %s", "%s[0]: %s", "%s.value: %s", "%s_hash: %s", "<%s >%s</x>", "<name>%s</name><value>%s</value>", `{"name": "%s", "value": "%s"}`,
	"Command '['dump', '--%s', '%s']' failed", "headers=[(b'%s', b'%s')]", "(\"%s\", \"%s\")", "https://x.example/a?%s=%s", "%s\uff1d%s", "%s\uff1a%s",
}

// escapes are the ways to write a text that are undone.
var escapes = []func(string) string{
	func(s string) string { return s },
	html.EscapeString,
	url.QueryEscape, url.PathEscape,
	each("\\u%04x"), each("\\x%02x"), each("%%%02X"), each("&#%d;"), each("&#x%x;"), each("\\%03o"),
	each("\\u{%x}"), each("%%u%04x"), each("\\\\u%04x"), each("%%25%02x"), each("%%26%%23%d%%3b"),
	func(s string) string { return html.EscapeString(html.EscapeString(s)) },
	func(s string) string {
		return strings.NewReplacer("=", "&equals;", ":", "&colon;", `"`, "&quot;", "<", "&lt;", ">", "&gt;").Replace(s)
	},
	strings.NewReplacer(`"`, `\"`, "\n", `\n`).Replace,
	func(s string) string { // full width
		return strings.Map(func(r rune) rune {
			if '!' <= r && r <= '~' && r != '\\' && r != '&' {
				r += 0xfee0
			}
			return r
		}, s)
	},
}

func each(format string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for _, r := range s {
			if r > 0x7f {
				b.WriteRune(r)
			} else {
				fmt.Fprintf(&b, format, r)
			}
		}
		return b.String()
	}
}

func TestPairsInEveryFormAndEscape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"password", "Password", "api_key", "ApiKey", "refresh-token", "client_secret", "PWD", "access_key_id",
			"sessionId", "X-Auth-Token", "Set-Cookie", "creds"}).Draw(t, "name")
		value := rapid.SampledFrom([]string{"hunter2", "x1", "canary", "s3cr3t!"}).Draw(t, "value")
		form := rapid.SampledFrom(forms).Draw(t, "form")
		if strings.HasPrefix(form, "[('") {
			form = "'%s': '%s'"
		}
		text := rapid.SampledFrom(escapes).Draw(t, "escape")(fmt.Sprintf(form, name, value))
		text = rapid.SampledFrom([]string{"", "Connection failed: ", "Traceback (most recent call last): ", "401 "}).Draw(t, "before") + text +
			rapid.SampledFrom([]string{"", " at line 4", ", retrying"}).Draw(t, "after")
		if got, ok := redact.Text(text); ok || got != "" {
			t.Fatalf("Text(%q) = %q, %v", text, got, ok)
		}
	})
}

// BenchmarkHostile judges 1 MiB of what costs most; each should cost a few times what plain text costs.
func BenchmarkHostile(b *testing.B) {
	for name, piece := range map[string]string{
		"plain": "not found ", "backslashes": `\`, "escapes": `\u0041`, "percents": "%", "percent escapes": "%41", "ampersands": "&", "entities": "&lt;",
		"ligatures": "\ufdfa", "marks": "a\u0301\u0323", "tags": "<password> ", "open tags": "<password", "arrows": "->", "options": "--", "words of options": "-a ",
		"equals": "= ", "not equals": "!= ", "colons": "a:", "codes": "code=1,", "hosts": "host='x',", "slashes": "a/ ", "at signs": "@ ", "basic": "basic ", "prefixes": "eyJ ", "digits": "1 ", "selectors": "a\ufe0f",
	} {
		text := strings.Repeat(piece, 1<<20/len(piece))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				redact.Secretlike(text)
			}
		})
	}
}
