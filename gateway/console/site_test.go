package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"esagate/gateway/console"
)

const other = "tnt_other"

func newSite(change ...func(*console.Site)) *console.Site {
	s := &console.Site{
		Address: address("https://console.example"), SourceID: "meadow-daily", TenantID: "tnt_meadow",
		Upstream: address("http://agent.internal:3091/admin"), Cookies: "esagate-9.",
	}
	for _, c := range change {
		c(s)
	}
	return s
}

func address(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

func TestPathsThatPass(t *testing.T) {
	for given, want := range map[string]string{
		"/tenant/tnt_meadow":                         "http://agent.internal:3091/admin/tenant/tnt_meadow",
		"/tenant/tnt_meadow/":                        "http://agent.internal:3091/admin/tenant/tnt_meadow/",
		"/tenant/tnt%5Fmeadow/products":              "http://agent.internal:3091/admin/tenant/tnt_meadow/products",
		"/tenant/tnt_meadow/p/a%20b/gr%C3%B6%C3%9Fe": "http://agent.internal:3091/admin/tenant/tnt_meadow/p/a%20b/gr%C3%B6%C3%9Fe",
		"/tenant/tnt_meadow/100%25":                  "http://agent.internal:3091/admin/tenant/tnt_meadow/100%25",
		"/tenant/tnt_meadow/..a/b..":                 "http://agent.internal:3091/admin/tenant/tnt_meadow/..a/b..",
		"/tenant/tnt_meadow?page=2&next=%2Ftenant%2Ftnt_meadow%2Fx&tenant_id=tnt_meadow": "http://agent.internal:3091/admin/tenant/tnt_meadow?page=2&next=%2Ftenant%2Ftnt_meadow%2Fx&tenant_id=tnt_meadow",
	} {
		p, query, _ := strings.Cut(given, "?")
		to, ok := newSite().Pass(p, query)
		if !ok || to.Asset || to.URL.String() != want {
			t.Errorf("%s goes to %v (%v), want %s", given, to.URL, ok, want)
		}
	}
	for _, asset := range []string{"/static/validation.js", "/static/favicons/default/favicon.jpg", "/favicon.ico"} {
		if to, ok := newSite().Pass(asset, ""); !ok || !to.Asset || to.URL.Path != "/admin"+asset {
			t.Errorf("%s goes to %v (%v)", asset, to.URL, ok)
		}
	}
}

// ways are paths and queries with which somebody would get at what is not the source's own.
var ways = []string{
	"", "/", "/tenant", "/tenant/", "/tenants/tnt_meadow", "/tenant/tnt_other", "/tenant/tnt_other/products", "/tenant/TNT_MEADOW", "/Tenant/tnt_meadow",
	"/tenant/tnt_meadow/../tnt_other", "/tenant/tnt_meadow/..", "/tenant/./tnt_meadow", "/tenant/tnt_meadow/.",
	"/tenant/tnt_meadow/%2e%2e/tnt_other", "/tenant/tnt_meadow/%2E./x", "/tenant/tnt_meadow/.%2e/x", "/tenant/tnt_meadow/%252e%252e/x",
	"/tenant/tnt_meadow/%2e%2e%2ftnt_other", "/tenant/tnt_meadow%2f..%2ftnt_other", "/tenant/tnt_meadow%2Fproducts", "/tenant%2Ftnt_meadow",
	"/tenant/tnt_meadow/..%5ctnt_other", `/tenant/tnt_meadow/..\tnt_other`, "/tenant/tnt_meadow/%5c..", "/tenant/tnt_meadow/..%00/x", "/tenant/tnt_meadow/a%0d%0aX-Identity-Role:%20admin",
	"//tenant/tnt_meadow", "/tenant//tnt_meadow", "/tenant/tnt_meadow//x", "/tenant/tnt_meadow//", "//evil.example/tenant/tnt_meadow", "/http://agent.internal/tenant/tnt_meadow", "http://evil.example/tenant/tnt_meadow",
	"/tenant/tnt_meadow/%25%32%65", "/tenant/tnt_meadow/a%252fb", "/tenant/tnt_meadow/%c0%ae%c0%ae/x", "/tenant/tnt_meadow/%zz", "/tenant/tnt_meadow/%7f", "/tenant/tnt_meadow/%c2%85",
	"/static", "/static/", "/static/../tenant/tnt_other", "/static/%2e%2e/tenant/tnt_other", "/static/x/", "/favicon.ico/x", "/STATIC/x.js",
	"/login", "/logout", "/settings", "/api/tenant/tnt_meadow/products", "/admin/tenant/tnt_meadow", "/auth/oidc/tenant/tnt_meadow/config", "/.well-known/agent.json",

	"/tenant/tnt_meadow?tenant=tnt_other", "/tenant/tnt_meadow?tenant_id=tnt_other", "/tenant/tnt_meadow?tenantId=tnt_other", "/tenant/tnt_meadow?TENANT_ID=tnt_other",
	"/tenant/tnt_meadow?tenant%5Fid=tnt_other", "/tenant/tnt_meadow?tenant_id=tnt_meadow&tenant_id=tnt_other", "/tenant/tnt_meadow?tenant_id=", "/tenant/tnt_meadow?tenant-id[]=tnt_other",
	"/tenant/tnt_meadow?next=/tenant/tnt_other", "/tenant/tnt_meadow?next=%2Ftenant%2Ftnt_other%2Fx", "/tenant/tnt_meadow?next=%252Ftenant%252Ftnt_other", "/tenant/tnt_meadow?next=%25252Ftenant%25252Ftnt_other",
	"/tenant/tnt_meadow?next=https://a.example/tenant/tnt_other/x", "/tenant/tnt_meadow?next=/tenant/%2574nt_other", `/tenant/tnt_meadow?next=\tenant\tnt_other`, "/tenant/tnt_meadow?next=/TENANT/tnt_other",
	"/tenant/tnt_meadow?next=/tenant/tnt_meadow/x,/tenant/tnt_other/x", "/tenant/tnt_meadow?/tenant/tnt_other=1", "/tenant/tnt_meadow?a=%zz", "/tenant/tnt_meadow?a=1;tenant_id=tnt_other",
	"/tenant/tnt_meadow/..;/tnt_other", "/tenant/tnt_meadow/%2e%2e%3Bx=1/tnt_other", "/tenant/tnt_meadow/.;/x", "/static/..;/tenant/tnt_other",
	"/tenant/tnt_meadow?next=/tenant//tnt_other", "/tenant/tnt_meadow?next=%" + strings.Repeat("25", 10) + "2f",
}

func TestPathsThatDoNotPass(t *testing.T) {
	for _, way := range ways {
		p, query, _ := strings.Cut(way, "?")
		if to, ok := newSite().Pass(p, query); ok {
			t.Errorf("%s goes to %s", way, to.URL)
		}
	}
	if to, ok := newSite(func(s *console.Site) { s.TenantID = "" }).Pass("/tenant/", ""); ok {
		t.Errorf("without a tenant: %s", to.URL)
	}
}

// TestWhatPassesStaysBelow: however a path is made up, what is asked for is the tenant's own or an asset, also for a
// reader that unescapes twice and resolves steps.
func TestWhatPassesStaysBelow(t *testing.T) {
	piece := rapid.SampledFrom([]string{"/", "tenant", "tnt_meadow", "tnt_other", "static", "..", ".", "%2e", "%2E", "%2f", "%5c", `\`, "%25", "%", "2e", "2f", "a", "%00", "favicon.ico", "ü", "%c3%bc", ";", "http:"})
	s := newSite()
	rapid.Check(t, func(t *rapid.T) {
		given := rapid.SampledFrom([]string{"/tenant/tnt_meadow", "/static/", "/", ""}).Draw(t, "begin") + strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces"), "")
		to, ok := s.Pass(given, "")
		if !ok {
			return
		}
		sent := to.URL.EscapedPath()
		for range 3 {
			clean := path.Clean(strings.ReplaceAll(sent, `\`, "/"))
			if to.Asset && (strings.HasPrefix(clean, "/admin/static/") || clean == "/admin/favicon.ico") ||
				!to.Asset && strings.HasPrefix(clean+"/", "/admin/tenant/tnt_meadow/") {
				once, err := url.PathUnescape(sent)
				if err != nil {
					return
				}
				sent = once
				continue
			}
			t.Fatalf("%s is %s", given, sent)
		}
	})
}

func TestArriving(t *testing.T) {
	s := newSite(func(s *console.Site) { s.SourceID = "größe 1" })
	for given, want := range map[string]string{
		"/": "", "/products": "/products", "/products/?page=2": "/products/?page=2",
		"/tenant/tnt_meadow": "", "/tenant/tnt_meadow/products?a=b": "/products?a=b", "/tenant/tnt_meadow/": "",
		"/console/gr%C3%B6%C3%9Fe%201/tenant/tnt_meadow/products?embedded=1": "/products?embedded=1",
		"/tenantry": "/tenantry", "/x/tenant/tnt_other": "/x/tenant/tnt_other",
	} {
		if got, ok := s.Arrive(given); !ok || got != want {
			t.Errorf("%s: %q (%v), want %q", given, got, ok, want)
		}
	}
	for relative, want := range map[string]string{
		"": "/tenant/tnt_meadow?embedded=1", "/products": "/tenant/tnt_meadow/products?embedded=1",
		"/p?embedded=0&a=b&%65mbedded=2&": "/tenant/tnt_meadow/p?a=b&embedded=1",
	} {
		if got := s.Page(relative); got != "/console/gr%C3%B6%C3%9Fe%201"+want {
			t.Errorf("%q is at %s, want …%s", relative, got, want)
		}
	}
	s = newSite()
	for _, way := range append(ways, "products", "https://evil.example/", "//evil.example", `/\evil.example`, "/products#x", "javascript:alert(1)", "/a b", "/ü", "/a\n",
		"/console/meadow-daily", "/console/meadow-daily/", "/console/meadow-daily/products", "/console/other/tenant/tnt_meadow/x", "/console/meadow-daily/static/x.js", "/console/meadow-daily/tenant/tnt_other",
		"/console/meadow-daily/../other/tenant/tnt_meadow", "/"+strings.Repeat("a", 2048), "https:/products", "https:products", "?a=b", "/products?tenant=x", "user@/x") {
		// What is no page of the source's by itself may be one relative to it.
		if got, ok := s.Arrive(way); ok {
			p, query, _ := strings.Cut("/tenant/tnt_meadow"+got, "?")
			if _, passes := s.Pass(p, query); !passes || strings.Contains(got, other) {
				t.Errorf("%q arrives at %q", way, got)
			}
		}
	}
	for _, way := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "/..", "/%2e%2e/x", "/tenant/tnt_other/x", "/tenant", "/Tenant/tnt_meadow",
		"/console/other/tenant/tnt_meadow/x", "/console/meadow-daily/products", "/products#x", "products", "", "/products?tenant=tnt_other"} {
		if got, ok := s.Arrive(way); ok {
			t.Errorf("%q arrives at %q", way, got)
		}
	}
}

func TestLocations(t *testing.T) {
	s, from := newSite(), address("/console/meadow-daily/tenant/tnt_meadow/products/new")
	const own = "/console/meadow-daily/tenant/tnt_meadow"
	for given, want := range map[string]string{
		"/tenant/tnt_meadow/products":                                    own + "/products",
		"/admin/tenant/tnt_meadow/products?ok=1#row-2":                   own + "/products?ok=1#row-2",
		"/console/meadow-daily/tenant/tnt_meadow":                        own,
		"/console/meadow-daily/admin/tenant/tnt_meadow":                  own,
		"/admin/console/meadow-daily/tenant/tnt_meadow":                  own,
		"https://console.example/console/meadow-daily/tenant/tnt_meadow": own,
		"https://CONSOLE.example:443/tenant/tnt_meadow":                  own,
		"http://agent.internal:3091/admin/tenant/tnt_meadow/a%20b":       own + "/a%20b",
		"../products":      own + "/products",
		"done?x=1":         own + "/products/done?x=1",
		"?page=2":          own + "/products/new?page=2",
		"/static/logo.svg": "/console/meadow-daily/static/logo.svg",
	} {
		if got, ok := s.Location(from, given); !ok || got != want {
			t.Errorf("%s leads to %q (%v), want %q", given, got, ok, want)
		}
	}
	for _, given := range []string{"https://evil.example/tenant/tnt_meadow", "//evil.example/tenant/tnt_meadow", "///evil.example", `/\evil.example`, `\\evil.example`, "/%2fevil.example", "/%5cevil.example", "javascript:alert(1)",
		"data:text/html,x", "https:evil.example", "https:///evil.example", "https://console.example@evil.example/tenant/tnt_meadow", "https://u:p@console.example/tenant/tnt_meadow", "http://console.example/tenant/tnt_meadow",
		"https://console.example:8443/tenant/tnt_meadow", "https://console.example.evil.example/tenant/tnt_meadow", "http://agent.internal:3091/metrics", "../../tnt_other", "../../../../../ops", "/ops", "/launch/x",
		"/console/other/tenant/tnt_meadow", "/console/meadow-daily/tenant/tnt_other", "/tenant/tnt_meadow\r\nSet-Cookie: a=b", "\t//evil.example", " //evil.example", "/tenant/tnt_meadow?next=" + strings.Repeat("a", 9000)} {
		if got, ok := s.Location(from, given); ok {
			t.Errorf("%q leads to %q", given, got)
		}
	}
	for _, given := range ways {
		if got, ok := s.Location(from, given); ok && (strings.Contains(got, other) || !strings.HasPrefix(got, "/console/meadow-daily/")) {
			t.Errorf("%q leads to %q", given, got)
		}
	}
}

// forged is what a client sends that nobody else than the gateway may say.
var forged = http.Header{
	"X-Identity-Email": {"root@agent.example"}, "X-Identity-Org-Id": {"1"}, "X-Identity-Role": {"admin"}, "X-Identity-Source": {"x"}, "X-Identity-User-Id": {"x"},
	"X_identity_role": {"admin"}, "X-Identity_role": {"admin"}, "X_Identity_Role": {"admin"}, "x-identity-role": {"admin"}, "X-Identity-Signature": {"x"}, "X-Identity-Timestamp": {"1"},
	"X-Principal-Id": {"buyer"}, "X_principal_id": {"buyer"}, "X-Adcp-Tenant": {other}, "Apx-Incoming-Host": {"x"}, "X-Adcp-Auth": {"x"}, "Authorization": {"Bearer key"}, "X-Scope3-Api-Key": {"key"},
	"X-Tenant-Management-Api-Key": {"key"}, "X-Script-Name": {"/evil"}, "X-Forwarded-For": {"1.2.3.4"}, "X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Prefix": {"//evil.example"}, "Forwarded": {"for=x"},
	"X_forwarded_host": {"evil.example"}, "X-Original-Url": {"/tenant/" + other}, "X-Rewrite-Url": {"/tenant/" + other}, "X-Http-Method-Override": {"DELETE"}, "Connection": {"X-Identity-Role, Cookie"}, "Te": {"trailers"}, "Proxy-Authorization": {"x"},
	"Upgrade": {"h2c"}, "Http2-Settings": {"x"}, "Expect": {"100-continue"}, "Host": {"evil.example"}, "Sec-Websocket-Key": {"x"}, "Esagate-Customer": {"1"}, "Traceparent": {"x"},
}

func TestRequestsSayOnlyWhatIsListed(t *testing.T) {
	r := httptest.NewRequest("POST", "/console/meadow-daily/tenant/tnt_meadow/x", nil)
	for name, values := range forged {
		r.Header[name] = values
	}
	r.Header["Origin"] = []string{"https://gateway.example"}
	r.Header["Accept"] = []string{"text/html"}
	r.Header["Content-Type"] = []string{"text/plain"}
	r.Header["Referer"] = []string{"https://console.example/console/meadow-daily/tenant/tnt_meadow/y?z=1"}
	r.Header["Hx-Current-Url"] = []string{"https://console.example/console/other/tenant/tnt_meadow"}
	r.Header["Cookie"] = []string{"__Host-esagate=secret; esagate-9.session=a.b-c; esagate-8.session=other; esagate-9.=none; esagate-console=sealed; session=mine"}
	want := http.Header{
		"X-Forwarded-Host": {"console.example"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Prefix": {"/console/meadow-daily"},
		"Origin": {"https://console.example"}, "Accept": {"text/html"}, "Content-Type": {"text/plain"}, "Referer": r.Header["Referer"], "Cookie": {"session=a.b-c"}, "User-Agent": nil,
	}
	same(t, newSite().Request(r, false, false), want)
	want["Sec-Websocket-Key"] = []string{"x"}
	same(t, newSite().Request(r, false, true), want)
	for _, name := range []string{"Sec-Websocket-Key", "Origin", "Referer", "Cookie"} {
		delete(want, name)
	}
	same(t, newSite().Request(r, true, false), want)
}

func same(t *testing.T, got, want http.Header) {
	t.Helper()
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %q passes", name, got[name])
		}
	}
	for name, values := range want {
		if strings.Join(got[name], "\n") != strings.Join(values, "\n") {
			t.Errorf("%s: %q, want %q", name, got[name], values)
		}
	}
}

func TestAnswers(t *testing.T) {
	framed := newSite(func(s *console.Site) { s.Origins = []string{"https://app.example", "https://b.example:8443"} })
	from := address("/console/meadow-daily/tenant/tnt_meadow/x")
	answer := http.Header{
		"Content-Type": {"text/html"}, "Etag": {`"1"`}, "Location": {"/tenant/tnt_meadow/y"}, "Hx-Redirect": {"/tenant/tnt_meadow/z"}, "Hx-Push-Url": {"false"},
		"Content-Security-Policy": {"default-src 'self'; Frame-Ancestors *, frame-ancestors https://evil.example;", "frame-ancestors 'none'", " script-src 'self' "},
		"Set-Cookie": {"session=a.b; Domain=example; Path=/; SameSite=None; Secure", "__Host-esagate=stolen; Path=/", "esagate-console=x", "broken cookie", "gone=; Max-Age=0",
			"big=" + strings.Repeat("x", 5000)},
		"X-Frame-Options": {"ALLOWALL"}, "Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Credentials": {"true"}, "Clear-Site-Data": {`"*"`}, "Refresh": {"0; url=https://evil.example"},
		"Link": {"<https://evil.example>; rel=preload"}, "Service-Worker-Allowed": {"/"}, "Www-Authenticate": {"Basic"}, "Server": {"x"}, "X-Identity-Role": {"admin"}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Strict-Transport-Security": {"max-age=0"}, "Content-Location": {"/x"}, "X-Accel-Redirect": {"/etc"}, "Alt-Svc": {"h3"}, "Trailer": {"X"},
		"Cache-Control": {"Public, max-age=60", "s-maxage=600,must-revalidate"},
	}
	h, ok := framed.Answer(from, 303, answer, false)
	if !ok {
		t.Fatal("it does not pass")
	}
	const bound = "; Path=/console/meadow-daily/; HttpOnly; Secure; SameSite=None; Partitioned"
	want := http.Header{
		"Content-Type": {"text/html"}, "Etag": {`"1"`}, "Location": {"/console/meadow-daily/tenant/tnt_meadow/y"},
		"Hx-Redirect": {"/console/meadow-daily/tenant/tnt_meadow/z"}, "Hx-Push-Url": {"false"},
		"Content-Security-Policy": {"default-src 'self'", "script-src 'self'", "frame-ancestors 'self' https://app.example https://b.example:8443"},
		"Set-Cookie": {"esagate-9.session=a.b" + bound, "esagate-9.__Host-esagate=stolen" + bound, "esagate-9.esagate-console=x" + bound,
			"esagate-9.gone=; Path=/console/meadow-daily/; Max-Age=0; HttpOnly; Secure; SameSite=None; Partitioned"},
		"Cache-Control": {"private, max-age=60, must-revalidate"},
	}
	same(t, h, want)

	alone := newSite()
	delete(answer, "Location")
	h, _ = alone.Answer(from, 101, answer, true)
	want["Content-Security-Policy"][2], want["X-Frame-Options"] = "frame-ancestors 'self'", []string{"SAMEORIGIN"}
	want["Connection"], want["Upgrade"] = []string{"Upgrade"}, []string{"websocket"}
	delete(want, "Location")
	delete(want, "Set-Cookie")
	want["Cache-Control"] = answer["Cache-Control"]
	same(t, h, want)

	for said, want := range map[string]string{"": "no-store", "public": "no-store", "no-store": "private, no-store", "private=\"x\", no-cache": "private, no-cache"} {
		if h, _ := alone.Answer(from, 200, http.Header{"Cache-Control": {said}}, false); h.Get("Cache-Control") != want {
			t.Errorf("a page of %q has %q", said, h.Get("Cache-Control"))
		}
	}

	for _, name := range []string{"Location", "Hx-Redirect", "Hx-Location", "Hx-Push-Url", "Hx-Replace-Url"} {
		for _, values := range [][]string{{"https://evil.example/"}, {"/tenant/tnt_other"}, {"/tenant/tnt_meadow", "/tenant/tnt_meadow"}, {`{"path":"https://evil.example"}`}} {
			if h, ok := alone.Answer(from, 200, http.Header{name: values}, false); ok {
				t.Errorf("%s: %q passes as %v", name, values, h)
			}
		}
	}
}

// TestCookiesOverPlainHTTP are not said to be secure, or browsers would not keep them.
func TestCookiesOverPlainHTTP(t *testing.T) {
	s := newSite(func(s *console.Site) {
		s.Address, s.Origins = address("http://localhost:8080"), []string{"https://app.example"}
	})
	if got := s.SetCookie("session=a; Expires=Wed, 21 Oct 2026 07:28:00 GMT").String(); got != "esagate-9.session=a; Path=/console/meadow-daily/; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly; SameSite=Lax" {
		t.Error(got)
	}
}
