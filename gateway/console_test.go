package gateway_test

import (
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"esagate/gateway"
	"esagate/internal/auth"
	"esagate/registry"
	"esagate/upstream/upstreamtest"
)

func TestConsole(t *testing.T) {
	inConsole(t, setup{origins: []string{"https://app.example"}}, func(w *world, ui *adminUI) {
		v := w.inside(writeKey, launchOf)
		ui.answers(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Set-Cookie", "session=abc; Path=/; Domain=admin.internal")
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("X-Frame-Options", "DENY")
			_, _ = w.Write([]byte("<p>hello"))
		})
		a := v.send("GET", meadowPages+"/products?x=1", "")
		if a.status != 200 || string(a.body) != "<p>hello" || a.header.Get("Content-Security-Policy") != "frame-ancestors 'self' https://app.example" ||
			a.header.Get("X-Frame-Options") != "" || a.header.Get("Cache-Control") != "no-store" || a.header.Get("Referrer-Policy") != "same-origin" || a.header.Get("X-Request-Id") == "" {
			w.Errorf("%d %v %s", a.status, a.header, a.body)
		}
		r := ui.last()
		for name, want := range map[string]string{
			"X-Identity-Email": "writer@esagate.invalid", "X-Identity-Org-Id": "org-meadow", "X-Identity-Role": "admin", "X-Identity-Source": "gateway-tests", "X-Identity-User-Id": "writer",
			"X-Forwarded-Host": "gateway.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/console/" + source, "X-Request-Id": a.header.Get("X-Request-Id"),
			"X-Principal-Id": "", "X-Forwarded-For": "", "Authorization": "", "Cookie": "",
		} {
			if got := r.Header.Get(name); got != want {
				w.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if r.Host != "admin.internal" || !strings.HasPrefix(r.Header.Get("X-Identity-Signature"), "sha256=") {
			w.Errorf("%s %v", r.Host, r.Header)
		}
		ui.answers(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/base/tenant/"+tenant+"/products?ok=1", http.StatusSeeOther)
		})
		a = v.send("POST", meadowPages+"/products", "name=x", "Content-Type", "application/x-www-form-urlencoded", "Origin", "https://gateway.example")
		if r := ui.last(); a.status != 303 || a.header.Get("Location") != meadowPages+"/products?ok=1" || r.Method != "POST" || r.Header.Get("Cookie") != "session=abc" || r.ContentLength != 6 {
			w.Errorf("%d to %s, %v", a.status, a.header.Get("Location"), r)
		}
		ui.answers(nil)
		if a := v.send("GET", "/console/"+source+"/static/app.js", ""); a.status != 200 {
			w.Errorf("an asset: %d", a.status)
		}
		if r := ui.last(); r.URL.Path != "/base/static/app.js" || r.Header.Get("X-Identity-Email") != "" || r.Header.Get("Cookie") != "" {
			w.Errorf("an asset is asked for as %v", r.Header)
		}
		v.send("POST", "/console/"+source+"/static/app.js", "", "Origin", "https://gateway.example").failed(w, 404, "a POST of an asset")
		for _, method := range []string{"PUT", "PATCH", "DELETE"} {
			if a := v.send(method, meadowPages+"/x", "", "Origin", "https://gateway.example"); a.status != 200 || ui.last().Method != method {
				w.Errorf("%s: %d", method, a.status)
			}
		}
		for _, method := range []string{"TRACE", "CONNECT", "OPTIONS", "PROPFIND"} {
			if a := v.send(method, meadowPages+"/x", "", "Origin", "https://gateway.example"); a.status < 400 || ui.last() != nil {
				w.Errorf("%s: %d", method, a.status)
			}
		}
	})
}

// TestConsoleIsPinned: whatever a path or query is made of, nothing is asked of another tenant, and nothing beside the
// tenant's pages.
func TestConsoleIsPinned(t *testing.T) {
	inConsole(t, setup{}, func(w *world, ui *adminUI) {
		v := w.inside(writeKey, launchOf)
		for _, path := range []string{
			"/console/" + source + "/", "/console/" + source + "/tenant/" + brookTenant, "/console/" + source + "/tenant/" + brookTenant + "/products",
			meadowPages + "/../" + brookTenant, meadowPages + "/%2e%2e/" + brookTenant, meadowPages + "/.%2E/x", meadowPages + "/%252e%252e/x", meadowPages + "/..%2f" + brookTenant, meadowPages + "/..%5c" + brookTenant,
			meadowPages + "//x", "/console/" + source + "//tenant/" + tenant, meadowPages + "%2fx", meadowPages + "/a%00b", meadowPages + "/a%0d%0ab", meadowPages + `/a\b`,
			"/console/" + source + "/login", "/console/" + source + "/api/tenant/" + tenant + "/x", "/console/" + source + "/http://evil.example/", "/console/" + source + "/static/../tenant/" + brookTenant,
			meadowPages + "?tenant_id=" + brookTenant, meadowPages + "?next=/tenant/" + brookTenant, meadowPages + "?next=%252Ftenant%252F" + brookTenant,
		} {
			if a := v.send("GET", path, ""); a.status != 404 || ui.last() != nil {
				w.Errorf("%s: %d", path, a.status)
			} else {
				a.failed(w, 404, path)
			}
		}
		raw := httptest.NewRequest("GET", meadowPages, nil)
		for _, target := range []string{"http://admin.internal/base/tenant/" + brookTenant, "//evil.example" + meadowPages} {
			r := raw.Clone(t.Context())
			r.RequestURI = target
			r.URL.Path, r.URL.RawPath = target, ""
			if a := v.ask(r); a.status == 200 || ui.last() != nil {
				w.Errorf("%s: %d", target, a.status)
			}
		}
	})
}

// TestForgedIdentities: what a client says of itself reaches nobody, in whatever spelling.
func TestForgedIdentities(t *testing.T) {
	inConsole(t, setup{}, func(w *world, ui *adminUI) {
		v := w.inside(readKey, launchOf)
		r := httptest.NewRequest("GET", "https://gateway.example"+meadowPages, nil)
		for _, c := range v.jar.Cookies(r.URL) {
			r.AddCookie(c)
		}
		for _, name := range []string{"X-Identity-Role", "X-Identity-Email", "X-Identity-Org-Id", "X-Identity-Source", "X-Identity-User-Id", "X-Identity-Signature", "X-Identity-Timestamp",
			"X_Identity_Role", "x_identity_role", "X-Identity_Role", "X_IDENTITY_EMAIL", "X-Principal-Id", "X_Principal_Id", "X-Adcp-Tenant", "X-Adcp-Auth", "Apx-Incoming-Host", "X-Forwarded-Host", "X_Forwarded_Host", "X-Forwarded-Prefix",
			"X-Script-Name", "Forwarded", "Authorization", "X-Tenant-Management-Api-Key", "X-Http-Method-Override", "X-Original-Url"} {
			r.Header[name] = []string{"forged"}
			r.Header[http.CanonicalHeaderKey(name)] = []string{"forged"}
		}
		r.Header["Connection"] = []string{"X-Identity-Role, X-Identity-Org-Id", "X-Forwarded-Prefix"}
		if a := v.ask(r); a.status != 200 {
			w.Fatalf("%d %s", a.status, a.body)
		}
		got := ui.last()
		for name, values := range got.Header {
			if slices.Contains(values, "forged") || strings.Contains(name, "_") || name == "Connection" {
				w.Errorf("%s: %q", name, values)
			}
		}
		if got.Header.Get("X-Identity-Role") != "viewer" || got.Header.Get("X-Identity-Org-Id") != "org-meadow" || got.Header.Get("X-Forwarded-Prefix") != "/console/"+source {
			w.Errorf("%v", got.Header)
		}
	})
}

// TestViewersChangeNothing, since the sales agent may not look at roles.
func TestViewersChangeNothing(t *testing.T) {
	inConsole(t, setup{}, func(w *world, ui *adminUI) {
		v := w.inside(wallKey, launchOf, forCustomer(customer)...)
		for _, method := range []string{"GET", "HEAD"} {
			if a := v.send(method, meadowPages, ""); a.status != 200 || ui.last().Header.Get("X-Identity-Role") != "viewer" {
				w.Errorf("%s: %d", method, a.status)
			}
		}
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			v.send(method, meadowPages+"/save", "", "Origin", "https://gateway.example").failed(w, 403, method)
		}
		v.send("GET", meadowPages+"/live", "", "Origin", "https://gateway.example", "Connection", "Upgrade", "Upgrade", "websocket").failed(w, 403, "a websocket")
		if ui.last() != nil {
			w.Error("the sales agent was asked")
		}
	})
}

// TestConsoleCookies are of one source and one key: no other source takes one, and it ends with its key.
func TestConsoleCookies(t *testing.T) {
	inConsole(t, setup{}, func(w *world, ui *adminUI) {
		v := w.inside(writeKey, launchOf)
		text := v.cookie(meadowPages)
		if v.cookie(brookPages) != "" || v.cookie("/ops") != "" {
			w.Error("the cookie goes elsewhere")
		}
		parts := strings.Split(text, ".")
		_, operators := w.signedIn(writeKey).session()
		link := w.link(writeKey, launchOf, "")
		for about, c := range map[string]struct{ path, cookie string }{
			"for another source":       {brookPages, "__Secure-esagate-console=" + text},
			"with another customer":    {meadowPages, "__Secure-esagate-console=4712." + parts[1] + "." + parts[2]},
			"with another row":         {brookPages, "__Secure-esagate-console=4711." + parts[1] + "1." + parts[2]},
			"without a row":            {meadowPages, "__Secure-esagate-console=4711." + parts[2]},
			"a session of the wall's":  {meadowPages, "__Secure-esagate-console=4711." + parts[1] + "." + operators},
			"the wall's cookie":        {meadowPages, "__Host-esagate=" + operators},
			"a token of a link":        {meadowPages, "__Secure-esagate-console=4711." + parts[1] + "." + link[len(link)-43:]},
			"two of them":              {meadowPages, "__Secure-esagate-console=" + text + "; __Secure-esagate-console=" + text},
			"by the name over http":    {meadowPages, "esagate-console=" + text},
			"of a source that is none": {"/console/nobody/tenant/" + tenant, "__Secure-esagate-console=" + text},
			"nothing":                  {meadowPages, ""},
			"rubbish":                  {meadowPages, "__Secure-esagate-console=4711.1." + strings.Repeat("A", 100)},
		} {
			a := w.visitor("https://gateway.example").send("GET", c.path, "", "Cookie", c.cookie)
			if a.failed(w, 401, about); ui.last() != nil {
				w.Errorf("%s: the sales agent was asked", about)
			}
		}
		for about, a := range map[string]answer{
			"an API key":             w.visitor("https://gateway.example").send("GET", meadowPages, "", "Authorization", "Bearer "+writeKey),
			"a page of another site": v.send("GET", meadowPages, "", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"),
		} {
			a.failed(w, 401, about)
		}
		if a := v.send("GET", "/ops", "", "Cookie", "__Host-esagate="+parts[2]); a.status != 303 {
			w.Errorf("the wall takes it: %d", a.status)
		}
		if a := v.send("GET", meadowPages, "", "Sec-Fetch-Site", "cross-site"); a.status != 200 {
			w.Errorf("in a frame of another site: %d", a.status)
		}
		for range 3 { // it goes on while it is used
			w.pass(50 * time.Minute)
			if a := v.send("GET", "/console/"+source+"/static/app.js", ""); a.status != 200 || a.header.Get("Set-Cookie") != "" {
				w.Errorf("a file, which caches share: %d, Set-Cookie: %q", a.status, a.header.Get("Set-Cookie"))
			}
			if a := v.send("GET", meadowPages, ""); a.status != 200 || a.header.Get("Set-Cookie") == "" {
				w.Errorf("after a while: %d, Set-Cookie: %q", a.status, a.header.Get("Set-Cookie"))
			}
		}
		idle := w.inside(writeKey, launchOf)
		w.pass(time.Hour)
		idle.send("GET", meadowPages, "").failed(w, 401, "after an hour")

		v = w.inside(writeKey, launchOf)
		w.callers.SetKeys([]auth.Key{{Name: "other", CustomerID: stranger, Write: true, SHA256: sha256.Sum256([]byte(writeKey))}})
		v.send("GET", meadowPages, "").failed(w, 401, "when the key is another's")
		w.callers.SetKeys(nil)
		ui.last()
		v.send("GET", meadowPages, "").failed(w, 401, "when the key is revoked")
		if ui.last() != nil || v.cookie(meadowPages) != "" {
			w.Error("the cookie stays")
		}
	})
}

// TestConsoleKnowsItsPages: what changes something, and a websocket, comes from a page of the same origin.
func TestConsoleKnowsItsPages(t *testing.T) {
	inConsole(t, setup{origins: []string{"https://app.example"}}, func(w *world, ui *adminUI) {
		v := w.inside(writeKey, launchOf)
		for about, pairs := range map[string][]string{
			"another site":           {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
			"an allowed origin":      {"Sec-Fetch-Site", "cross-site", "Origin", "https://app.example"},
			"a site of the domain":   {"Sec-Fetch-Site", "same-site", "Origin", "https://evil.gateway.example"},
			"another origin alone":   {"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
			"a frame without one":    {"Sec-Fetch-Site", "", "Origin", "null"},
			"nothing said":           {"Sec-Fetch-Site", "", "Origin", ""},
			"the own host, in clear": {"Sec-Fetch-Site", "", "Origin", "http://gateway.example"},
		} {
			v.send("POST", meadowPages+"/save", "", pairs...).failed(w, 403, about)
			v.send("GET", meadowPages+"/live", "", append(pairs, "Connection", "Upgrade", "Upgrade", "websocket")...).failed(w, 403, "a websocket of "+about)
		}
		if ui.last() != nil {
			w.Error("the sales agent was asked")
		}
	})
}

// TestConsoleOfItsOwnHost: the admin UI is there alone, and nothing else is.
func TestConsoleOfItsOwnHost(t *testing.T) {
	inConsole(t, setup{consoleURL: "https://console.example", origins: []string{"https://app.example"}}, func(w *world, ui *adminUI) {
		link := w.link(writeKey, launchOf, "")
		if !strings.HasPrefix(link, "https://console.example/launch/") {
			w.Fatalf("the link is %s", link)
		}
		path := strings.TrimPrefix(link, "https://console.example")
		w.visitor("https://gateway.example").send("GET", path, "").failed(w, 404, "a link at the gateway's host")
		v := w.visitor("https://console.example")
		if a := v.open(link); a.status != 303 {
			w.Fatalf("%d %s", a.status, a.body)
		}
		if a := v.send("GET", meadowPages, ""); a.status != 200 || ui.last().Header.Get("X-Forwarded-Host") != "console.example" {
			w.Errorf("%d %s", a.status, a.body)
		}
		if a := v.send("POST", meadowPages, "", "Origin", "https://console.example"); a.status != 200 {
			w.Errorf("a form: %d %s", a.status, a.body)
		}
		v.send("POST", meadowPages, "", "Sec-Fetch-Site", "", "Origin", "https://gateway.example").failed(w, 403, "a form of the gateway's own host")
		ui.last()
		cookie := "__Secure-esagate-console=" + v.cookie(meadowPages)
		w.visitor("https://gateway.example").send("GET", meadowPages, "", "Cookie", cookie).failed(w, 404, "the page at the gateway's host")
		for _, path := range []string{"/", "/ops", "/ops/sign-in", "/docs", "/openapi.yaml", "/healthz", "/metrics", statusOf, launchOf, "/favicon.ico", "/oauth/callback", "/nothing"} {
			for _, method := range []string{"GET", "POST"} {
				if a := v.send(method, path, "", "Authorization", "Bearer "+writeKey); a.status != 404 || strings.Contains(string(a.body), "/ops") {
					w.Errorf("%s %s at the console's host: %d %s", method, path, a.status, a.body)
				}
			}
		}
		if ui.last() != nil {
			w.Error("the sales agent was asked")
		}
		if a := w.get(statusOf); a.status != 200 {
			w.Errorf("the API at its own host: %d", a.status)
		}
	})
}

// TestConsoleFailures are pages of the gateway with the request's id, whatever the sales agent does.
func TestConsoleFailures(t *testing.T) {
	inConsole(t, setup{origins: []string{"https://app.example"}}, func(w *world, ui *adminUI) {
		v := w.inside(writeKey, launchOf)
		for about, c := range map[string]struct {
			answer http.HandlerFunc
			status int
		}{
			"a redirect elsewhere": {func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "https://evil.example/CANARY")
				w.WriteHeader(302)
			}, 503},
			"to another tenant": {func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "/tenant/"+brookTenant)
				w.WriteHeader(303)
			}, 503},
			"to the metadata": {func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "http://169.254.169.254/")
				w.WriteHeader(307)
			}, 503},
			"to sign in": {func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "/login?next=CANARY")
				w.WriteHeader(302)
			}, 503},
			"by a script": {func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Hx-Redirect", "//evil.example/CANARY")
				w.WriteHeader(200)
			}, 503},
			"it lets nobody in": {func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Www-Authenticate", "Basic")
				http.Error(w, "CANARY", http.StatusUnauthorized)
			}, 503},
			"a proxy does not": {func(w http.ResponseWriter, r *http.Request) { http.Error(w, "CANARY", http.StatusProxyAuthRequired) }, 503},
		} {
			ui.answers(c.answer)
			a := v.send("GET", meadowPages+"/x", "")
			a.failed(w, c.status, about)
			if a.header.Get("Retry-After") == "" || a.header.Get("Location") != "" || a.header.Get("Hx-Redirect") != "" || a.header.Get("Www-Authenticate") != "" {
				w.Errorf("%s: %v", about, a.header)
			}
			policies := a.header["Content-Security-Policy"]
			if len(policies) != 2 || !strings.HasPrefix(policies[0], "default-src 'none'") || policies[1] != "frame-ancestors 'self' https://app.example" {
				w.Errorf("%s: %q", about, policies)
			}
		}
		ui.answers(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "its own page", 500) })
		if a := v.send("GET", meadowPages+"/x", ""); a.status != 500 || string(a.body) != "its own page\n" {
			w.Errorf("the sales agent's own failure: %d %s", a.status, a.body)
		}
	})
}

// TestConsoleStreams: what the admin UI streams comes as it comes, a websocket passes both ways, and both end with the
// key whose link was opened.
func TestConsoleStreams(t *testing.T) {
	const post, pages = "evening post", "/console/evening%20post/tenant/" + brookTenant // an id that paths have escaped
	s := setup{sources: []registry.ConfigSource{{CustomerID: customer, SourceID: post, Name: "Evening Post", TenantID: brookTenant, AdServer: &registry.AdServer{Type: "mock"}}}}
	servedAs(t, s, func(w *world, l *pipes, _ func(), _ <-chan error) {
		w.agent.SetTenant(upstreamtest.Tenant{ID: brookTenant, ExternalOrgID: "org-brook", Active: true, Status: upstreamtest.Healthy()})
		w.identify(post)
		head := func(key, page, headers string) string {
			w.Helper()
			return "GET " + pages + page + " HTTP/1.1\r\nHost: gateway.example\r\nOrigin: https://gateway.example\r\nSec-Fetch-Site: same-origin\r\n" +
				"Cookie: __Secure-esagate-console=" + w.inside(key, sourcesPath+"/evening%20post/launch").cookie("/console/evening%20post/") + "\r\n" + headers + "\r\n"
		}
		const upgrade = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-Websocket-Version: 13\r\nSec-Websocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		revoked := map[string]*passage{
			"a stream": w.begin(l, head(writeKey, "/events", "Accept: text/event-stream\r\n")), "a websocket": w.begin(l, head(writeKey, "/live", upgrade)),
		}
		good := w.begin(l, head(readKey, "/events", ""))
		if ws, events := revoked["a websocket"], revoked["a stream"]; ws.StatusCode != 101 || ws.Header.Get("Sec-Websocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" ||
			events.StatusCode != 200 || events.Header.Get("Content-Type") != "text/event-stream" {
			w.Fatalf("%d %v, %d %v", ws.StatusCode, ws.Header, events.StatusCode, events.Header)
		}
		_, err := revoked["a websocket"].Conn.Write([]byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'}) // a masked frame, which comes back
		w.must(err)
		w.pass(time.Minute)
		for about, p := range revoked {
			if at, _ := p.over(); !at.IsZero() {
				w.Errorf("%s has ended", about)
			}
		}
		w.callers.SetKeys([]auth.Key{{Name: "reader", CustomerID: customer, Identity: registry.Identity{PrincipalID: "prin_pelican"}, SHA256: sha256.Sum256([]byte(readKey))}})
		w.pass(10 * time.Second)
		for about, p := range revoked {
			if at, _ := p.over(); at.IsZero() {
				w.Errorf("%s goes on without its key", about)
			}
			p.leave()
		}
		if got := revoked["a websocket"].got; !strings.Contains(got, "\x81\x02hi") || !strings.Contains(got, `"products"`) {
			w.Errorf("the websocket says %q", got)
		}
		if got := revoked["a stream"].got; !strings.Contains(got, `data: {"products"`) {
			w.Errorf("the stream says %q", got)
		}
		if at, _ := good.over(); !at.IsZero() {
			w.Error("that of a good key has ended")
		}
		good.leave()
	})
}

// TestConsoleIsNoPartOfTheAPI: its rows are not among the routes that are published.
func TestConsoleIsNoPartOfTheAPI(t *testing.T) {
	for _, route := range slices.Concat(gateway.Routes(), gateway.Pages()) {
		if strings.HasPrefix(route.Path, "/console/") || strings.HasPrefix(route.Path, "/launch/") {
			t.Error(route.Path)
		}
	}
}
