package word_test

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"esagate/internal/redact"
	"esagate/internal/word"
)

const uuid = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"

// kinds are the kinds with words that are theirs, and such as are not.
var kinds = map[string]struct {
	kind    *word.Kind
	is, not []string
}{
	"name": {word.Name,
		[]string{"a", "google_ad_manager", "Custom.Targeting-2", "2fa_required", "task:one", "gam_default_advertiser_v2", "abcdefghijklmn1",
			"third-party", "audience_segments_vendor_2", strings.Repeat("a", 128)},
		[]string{"_x", ".x", "a/b", "a+b", "abcdefghijklmno1", "key_abcdefghijklmno1_x", uuid, "sk-live-4f9a8b7c6d5e-4f3a2b1c9d8e", strings.Repeat("a", 129)}},
	"stream": {word.Stream,
		[]string{"inventory", "custom_targeting", "customTargeting", "audience_3p", "__x", "a-b"},
		[]string{"_", "a.b", "a:b", "xoxb-12-34-ab", "ghp_abcdef12", "abcdefghijklmno1", strings.Repeat("a", 65)}},
	"member": {word.Member, []string{"last_24h_impressions", "_id"}, []string{"a-b", "a.b", "ghp_abcdef12", "abcdefghijklmno1", strings.Repeat("a", 65)}},
	"id": {word.ID,
		[]string{"tnt_retail_gam", "tenant_9f27c4d1a0b3", "wh_00c0ffee", uuid, "t-1", "a..b", "_x", strings.Repeat("9", 128)},
		[]string{"-x", "..x", "a:b", "a%2fb", "tenant?x", "t;x", "Bearer abc", "ghp_abcdefghij0123456789", "AKIAIOSFODNN7EXAMPLE", strings.Repeat("9", 129)}},
	"run": {word.RunID, []string{"sync_9f8e", "-._aZ9", uuid, strings.Repeat("9", 128)}, []string{"a:b", strings.Repeat("9", 129)}},
	"org": {word.OrgID, []string{"4210-1001", "4210", "acme/eu", "a=b"}, []string{"a:b", "a%b", "a|b", strings.Repeat("9", 92)}},
	"cursor": {word.Cursor,
		[]string{"eyJvZmZzZXQiOiAyfQ==", "eyJzIjoiMjAyNi0wNS0wMiJ9", "ab-_+/==", "2026-03-09T14:00:00+00:00|sync_9f8e", "2026-03-09T14:00:00.123456Z", "~!", "500", "offset:20",
			strings.Repeat("c", 1024)},
		[]string{strings.Repeat("c", 1025), `{"after":1}`, "a?b", "a&b", "a#b", "password=x", "password:x", "a|api_key:x", "user@host",
			"ghp_abcdefghij0123456789", "AKIAIOSFODNN7EXAMPLE", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"}},
	"request": {word.RequestID, []string{"req-1", "0af7651916cd43dd8448eb211c80319c", uuid}, []string{"a:b", strings.Repeat("a", 65)}},
	"email": {word.Email,
		[]string{"a@b.example", "retail-gam-4210@example-esa.iam.gserviceaccount.com", "a.b+c@x-y.example"},
		[]string{"a", "@b.example", "a@b", "a@b@c.example", "key: x@b.example", "a@b..example", "user:pw@b.example", "user%3Apw@b.example", "a/b@c.example"}},
	"path": {word.Path, []string{"/", "/settings#ad-server", "/a?tab=b&c=d", "/tenant/retail-gam-publisher-europe-2026/settings", "/t/" + uuid},
		[]string{"a", "//a", "/%2fa.example", "/a?next=//a.example", "/t/xoxb-12-34-abcdefghijklmnopqrstu", "/a/.", "/a?b=\u00e9"}},
	"address": {word.Address,
		[]string{"https://agent.example.com/mcp/", "http://127.0.0.1:9/a2a", "http://[::1]:80/mcp", "https://tenant-1.sales.example.com", "https://a.example/t/" + uuid + "/mcp"},
		[]string{"ftp://a.example/", "https://u:p@a.example/", "https://a.example/?k=v", "https://a.example/#f", "https://a.example/a/../b", "https://a.example/%2e%2e/b",
			"https://a.example//b", "//a.example/", "javascript:alert(1)", "https:///x", "https://a.example/sk_live_4eC39HqLyjWDarjtT1zdp7dc", "https://a.example/password=hunter2"}},
	"endpoint": {word.Endpoint,
		[]string{"https://login.example.com/" + uuid + "/oauth2/v2.0/token?policy=b2c_1"},
		[]string{"http://a.example/", "https://u@a.example/", "https://a.example/../token", "https://a.example/%2e%2e/token", "https://a.example/#f"}},
	"scope":  {word.Scope, []string{"read:all", "https://www.example.com/auth/ads", "api://x/.default"}, []string{strings.Repeat("s", 257)}},
	"client": {word.ClientID, []string{"abc123", "https://client.example/metadata.json", "id@tenant"}, []string{strings.Repeat("c", 1025)}},
}

func TestKinds(t *testing.T) {
	never := []string{"", ".", "..", "a/../b", "../a", " a", "a b", "a\t", "a\n", "a\x00", "a\x7f", "a\u0085", "a\u200b", "\u00e9", "a\xff", `a"b`, "a'b", "a`b", "a<b", "a>b", `a\b`, "ａ"}
	for name, c := range kinds {
		for _, s := range c.is {
			if !c.kind.Is(s) {
				t.Errorf("%s: %q does not pass", name, s)
			}
		}
		for _, s := range append(c.not, never...) {
			if c.kind.Is(s) {
				t.Errorf("%s: %q passes", name, s)
			}
		}
	}
}

// TestWordsArePlain holds for any text: what passes is ASCII without what ends a string, a line or a tag somewhere, and
// is no secret where the kind is not one of ids.
func TestWordsArePlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z0-9/.:?#=%@_-]{0,40}`), rapid.StringMatching(`https?://[a-z0-9.:@/%?=_-]{0,40}`)).Draw(t, "s")
		for name, c := range kinds {
			if !c.kind.Is(s) {
				continue
			}
			if strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII || r <= ' ' || strings.ContainsRune("\"'`<>\\\x7f", r) }) {
				t.Fatalf("%s: %q", name, s)
			}
			if (name == "name" || name == "stream") && redact.Secretlike(s) && !strings.ContainsAny(s, "_.:") {
				t.Fatalf("%s: %q is secret-like", name, s)
			}
		}
	})
}

func TestPrintable(t *testing.T) {
	for s, want := range map[string]bool{"a b": true, `a"b\`: true, "": false, "a\n": false, "\u00e9": false} {
		if word.Printable.Is(s) != want {
			t.Errorf("%q", s)
		}
	}
	if word.Printable.AtMost("abc", 2) || !word.Printable.AtMost("ab", 2) {
		t.Error("the bound")
	}
}
