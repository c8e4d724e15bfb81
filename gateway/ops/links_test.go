package ops_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"esagate/gateway/ops"
)

func TestPagesOfTheStorefront(t *testing.T) {
	for _, c := range []struct {
		base ops.Storefront
		path string
		want string
	}{
		{"https://shop.example", "/settings", "https://shop.example/settings"},
		{"https://shop.example/", "/settings#adserver", "https://shop.example/settings#adserver"},
		{"https://shop.example:8443/app/", "/a%20b?x=1&y=2#z", "https://shop.example:8443/app/a%20b?x=1&y=2#z"},
		{"http://[::1]:3000", "/", "http://[::1]:3000/"},
		{"https://shop.example", "/a@evil.example", "https://shop.example/a@evil.example"},
	} {
		if got, ok := c.base.Page(c.path); !ok || got != c.want {
			t.Errorf("%s with %s is %q, want %q", c.base, c.path, got, c.want)
		}
	}
	for _, path := range []string{"", "settings", "//evil.example", "/\\evil.example", "\\\\evil.example", "/%2fevil.example", "/%5cevil.example",
		"javascript:alert(1)", "https://evil.example", "@evil.example", ".evil.example", ":80/x", "/a\nb", "/\t/evil.example", "/a\x00", "/..//evil.example",
		"/../x", "/%2e%2e/x", "/a?u=//evil.example", "/\"><script>", "/a b", "/é", "/?key=sk_live_0123456789abcdef0123456789"} {
		if got, ok := ops.Storefront("https://shop.example").Page(path); ok {
			t.Errorf("%q leads to %s", path, got)
		}
	}
	for _, base := range []ops.Storefront{"", "javascript:alert(1)", "//shop.example", "shop.example", "data:text/html,x", "%"} {
		if got, ok := base.Page("/x"); ok {
			t.Errorf("from %q it leads to %s", base, got)
		}
	}
}

func TestPathsOfSources(t *testing.T) {
	for id, want := range map[string]string{
		"retail-gam": "/ops/sources/7/retail-gam", "a b": "/ops/sources/7/a%20b", "küste": "/ops/sources/7/k%C3%BCste",
		`a"<>&`: "/ops/sources/7/a%22%3C%3E&", "a?b#c": "/ops/sources/7/a%3Fb%23c",
	} {
		if got := (ops.Place{CustomerID: 7, SourceID: id}).Path(); got != want {
			t.Errorf("%s is at %s, want %s", id, got, want)
		}
	}
}

// FuzzPage: whatever the path, no address leaves the storefront's host and its path.
func FuzzPage(f *testing.F) {
	for _, path := range []string{"/settings?a=b#c", "//evil", "/%2f/evil", "javascript:x", "/\\evil", "/a/../../b"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got, ok := ops.Storefront("https://shop.example/app").Page(path)
		if !ok {
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.Scheme != "https" || u.Host != "shop.example" || u.User != nil || !strings.HasPrefix(u.Path, "/app/") ||
			strings.ContainsAny(got, "\\\"'<> ") || slices.Contains(strings.Split(u.Path, "/"), "..") {
			t.Fatalf("%q leads to %s", path, got)
		}
	})
}
