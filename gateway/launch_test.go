package gateway_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"esagate/api"
	"esagate/gateway"
	"esagate/internal/auth"
	"esagate/internal/ratelimit"
	"esagate/registry"
	"esagate/upstream/upstreamtest"
)

const (
	brook       = "brook-daily"
	brookTenant = "tnt_brook"
	launchOf    = "/api/v2/storefront/inventory-sources/" + source + "/launch"
	meadowPages = "/console/" + source + "/tenant/" + tenant
	brookPages  = "/console/" + brook + "/tenant/" + brookTenant
	adminBase   = "http://admin.internal/base"
)

// isLaunch reports whether a route makes links: it is a POST, and no write (contract 13.1).
func isLaunch(r gateway.Route) bool { return strings.HasSuffix(r.Path, "/launch") }

// adminUI is a sales agent's admin UI that remembers what it was asked. It checks no tenancy at all.
type adminUI struct {
	mu     sync.Mutex
	asked  []*http.Request
	answer http.HandlerFunc // nil: a page
}

// ServeHTTP implements http.Handler.
func (a *adminUI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.asked = append(a.asked, r)
	answer := a.answer
	a.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html")
	_, _ = fmt.Fprintf(w, "<p>page %s", r.URL.Path)
}

// last gives the last request; nil: there was none since it was called.
func (a *adminUI) last() *http.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.asked) == 0 {
		return nil
	}
	r := a.asked[len(a.asked)-1]
	a.asked = nil
	return r
}

func (a *adminUI) answers(h http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = h
}

// inConsole runs a test in a world with two sources of the customer that have a tenant each.
func inConsole(t *testing.T, s setup, body func(w *world, ui *adminUI)) {
	t.Helper()
	ui := &adminUI{}
	s.adminUI = ui
	s.sources = append(s.sources, registry.ConfigSource{CustomerID: customer, SourceID: brook, Name: "Brook Daily", TenantID: brookTenant,
		AdServer: &registry.AdServer{Type: "mock"}})
	inWorld(t, s, func(w *world) {
		w.agent.SetTenant(upstreamtest.Tenant{ID: brookTenant, ExternalOrgID: "org-brook", Active: true, Status: upstreamtest.Healthy()})
		w.identify(source, brook)
		body(w, ui)
	})
}

// identify has the gateway learn of which organizations the tenants of sources are.
func (w *world) identify(sources ...string) {
	w.Helper()
	for _, id := range sources {
		src, err := w.directory.ManagedSource(context.Background(), customer, id)
		w.must(err)
		w.must(w.lifecycle.Check(context.Background(), src))
	}
}

// link asks for a launch link.
func (w *world) link(key, path, body string, pairs ...string) string {
	w.Helper()
	return decode[api.Launch](w, w.writeAs(key, "POST", path, body, pairs...), 200).URL
}

// failed wants a page that says what went wrong, with the request's id.
func (a answer) failed(t testing.TB, status int, about string) {
	t.Helper()
	if a.status != status || !strings.Contains(string(a.body), "Request "+a.header.Get("X-Request-Id")) {
		t.Errorf("%s: %d, want %d: %s", about, a.status, status, a.body)
	}
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("%s: Cache-Control %q", about, got)
	}
}

func TestLaunch(t *testing.T) {
	inConsole(t, setup{origins: []string{"https://app.example"}}, func(w *world, ui *adminUI) {
		link := w.link(writeKey, launchOf, `{"path": "/products?page=2", "more": 1}`)
		token, ok := strings.CutPrefix(link, "https://gateway.example/launch/")
		if !ok || len(token) != 43 {
			w.Fatalf("the link is %s", link)
		}
		v := w.visitor("https://gateway.example")
		for about, pairs := range map[string][]string{"prefetch": {"Sec-Purpose", "prefetch;prerender"}, "an older prefetch": {"Purpose", "prefetch"}} {
			if a := v.send("GET", "/launch/"+token, "", pairs...); a.status < 300 || len(a.header["Set-Cookie"]) > 0 {
				w.Errorf("%s: %d", about, a.status)
			}
		}
		if a := v.send("HEAD", "/launch/"+token, ""); a.status != 200 || len(a.header["Set-Cookie"]) > 0 {
			w.Errorf("HEAD: %d", a.status)
		}
		a := v.open(link)
		if a.status != 303 || a.header.Get("Location") != meadowPages+"/products?page=2&embedded=1" ||
			a.header.Get("Referrer-Policy") != "no-referrer" || a.header.Get("Cache-Control") != "no-store" {
			w.Errorf("%d, %v", a.status, a.header)
		}
		cookie := a.header.Get("Set-Cookie")
		if !strings.HasPrefix(cookie, "__Secure-esagate-console=4711.") || !strings.HasSuffix(cookie, "; Path=/console/"+source+"/; HttpOnly; Secure; SameSite=None; Partitioned") {
			w.Errorf("Set-Cookie: %s", cookie)
		}
		v.send("GET", a.header.Get("Location"), "")
		if r := ui.last(); r == nil || r.URL.String() != adminBase+"/tenant/"+tenant+"/products?page=2&embedded=1" {
			w.Errorf("it leads to %v", r)
		}
		for about, other := range map[string]*visitor{"again": v, "in another browser": w.visitor("https://gateway.example")} {
			a := other.open(link)
			if a.failed(w, 404, about); len(a.header["Set-Cookie"]) > 0 {
				w.Errorf("%s: %v", about, a.header)
			}
		}
		late := w.link(writeKey, launchOf, "")
		w.pass(60 * time.Second)
		w.visitor("https://gateway.example").open(late).failed(w, 404, "after a minute")
		soon := w.link(writeKey, launchOf, "{}")
		w.pass(59 * time.Second)
		if a := w.visitor("https://gateway.example").open(soon); a.status != 303 || a.header.Get("Location") != meadowPages+"?embedded=1" {
			w.Errorf("after 59 s: %d to %s", a.status, a.header.Get("Location"))
		}
		if all := w.logs.String(); strings.Contains(all, token) || strings.Contains(all, strings.SplitN(cookie, ".", 3)[2][:40]) {
			w.Error("a token or a session stands in the log")
		}
	})
}

// TestLaunchOnReplicas: a link works at each replica, and at one of them.
func TestLaunchOnReplicas(t *testing.T) {
	inConsole(t, setup{}, func(w *world, _ *adminUI) {
		other := w.replica()
		defer other.stop()
		link := w.link(writeKey, launchOf, "")
		v := other.visitor("https://gateway.example")
		if a := v.open(link); a.status != 303 {
			w.Fatalf("at another replica: %d %s", a.status, a.body)
		}
		w.visitor("https://gateway.example").open(link).failed(w, 404, "at the first replica, after that")
		v.world = w
		if a := v.send("GET", meadowPages, ""); a.status != 200 {
			w.Errorf("the cookie of another replica: %d", a.status)
		}
		link = w.link(writeKey, launchOf, "")
		var opened sync.WaitGroup
		status := make([]int, 8)
		for i := range status {
			opened.Go(func() { status[i] = []*world{w, other}[i%2].visitor("https://gateway.example").open(link).status })
		}
		opened.Wait()
		if strings.Count(fmt.Sprint(status), "303") != 1 || strings.Count(fmt.Sprint(status), "404") != 7 {
			w.Errorf("all at once: %v", status)
		}
	})
}

// TestLaunchIsAudited also for a key that may only read, and is nothing else of a write.
func TestLaunchIsAudited(t *testing.T) {
	inConsole(t, setup{limits: ratelimit.Limits{Writes: ratelimit.Limit{Rate: 0.001, Burst: 1}}}, func(w *world, _ *adminUI) {
		connection := decode[struct{ ID string }](w, w.get(esaOf), 200)
		paths := []string{launchOf, "/api/v2/storefront/esa/" + connection.ID + "/launch"}
		for _, path := range paths {
			for _, key := range []string{readKey, writeKey} {
				w.link(key, path, "", "If-Match", `"x"`, "Idempotency-Key", "same")
			}
			w.writeAs(readKey, "POST", path, `{"path": "//evil.example"}`).failure(w, 400, "VALIDATION_ERROR")
		}
		w.link(deskKey, launchOf, "", forCustomer(customer)...)
		var page struct {
			Entries []struct{ Actor, Operation, SourceID, Outcome string }
		}
		w.must(json.Unmarshal(w.send(request("GET", "/audit", deskKey, "", forCustomer(customer)...)).body, &page))
		var got []string
		for _, e := range page.Entries {
			got = append(got, fmt.Sprint(e.Actor, " ", e.Operation, " ", e.SourceID, " ", e.Outcome))
		}
		want := "desk launchInventorySourceEsa meadow-daily succeeded|" +
			"reader mintEsaLaunchUrl meadow-daily refused|writer mintEsaLaunchUrl meadow-daily succeeded|reader mintEsaLaunchUrl meadow-daily succeeded|" +
			"reader launchInventorySourceEsa meadow-daily refused|writer launchInventorySourceEsa meadow-daily succeeded|reader launchInventorySourceEsa meadow-daily succeeded"
		if strings.Join(got, "|") != want {
			w.Errorf("the audit: %s", strings.Join(got, "\n"))
		}
	})
}

func TestLaunchesThatAreRefused(t *testing.T) {
	inConsole(t, setup{}, func(w *world, _ *adminUI) {
		for _, path := range []string{"https://evil.example/", "//evil.example", `/\\evil.example`, "/../tnt_brook", "/%2e%2e/x", "/a//b", "/tenant/" + brookTenant, "/console/" + brook + "/tenant/" + brookTenant,
			"/x?tenant_id=" + brookTenant, "/x?next=%252Ftenant%252F" + brookTenant, "javascript:alert(1)", "", "/" + strings.Repeat("a", 2048), "/a#b", "products"} {
			if e := w.write("POST", launchOf, `{"path": "`+path+`"}`).failure(w, 400, "VALIDATION_ERROR"); e.Field != "path" {
				w.Errorf("%q: at %q", path, e.Field)
			}
		}
		for _, body := range []string{`{"path": null}`, `{"path": 7}`, `{"path": ["/x"]}`} {
			w.write("POST", launchOf, body).failure(w, 400, "VALIDATION_ERROR")
		}
		w.write("POST", launchOf, `[]`).failure(w, 400, "BAD_REQUEST")
		w.write("POST", launchOf, `{"path": "/a", "path": "/b"}`).failure(w, 400, "BAD_REQUEST")
		w.write("POST", launchOf+"?path=/x", "").failure(w, 400, "VALIDATION_ERROR")
		w.writeAs(otherKey, "POST", launchOf, "").failure(w, 404, "NOT_FOUND")
		w.writeAs(deskKey, "POST", launchOf, "").failure(w, 400, "VALIDATION_ERROR")
		w.writeAs("", "POST", launchOf, "").failure(w, 401, "UNAUTHORIZED")
		agent := w.create()
		w.write("POST", sourcesPath+"/"+agent.SourceID+"/launch", "").failure(w, 404, "NOT_FOUND")
		e := w.write("POST", sourcesPath+"/"+unplanned+"/launch", "").failure(w, 409, "CONFLICT")
		if e.Details == nil || e.Details.Reason != "NOT_PROVISIONED" {
			w.Errorf("without a tenant: %+v", e)
		}
		v := w.inside(writeKey, launchOf)
		w.write("POST", sourcesPath+"/"+source+"/deactivate", "")
		v.send("GET", meadowPages, "").failed(w, 409, "the page of a deactivated source")
		e = w.write("POST", launchOf, "").failure(w, 409, "CONFLICT")
		if e.Details == nil || e.Details.Reason != "SOURCE_DEACTIVATED" {
			w.Errorf("deactivated: %+v", e)
		}
	})
	inWorld(t, setup{}, func(w *world) {
		w.agent.SetTenant(upstreamtest.Tenant{ID: tenant, Name: "Meadow Daily", Active: true, Status: upstreamtest.Healthy()})
		w.write("POST", launchOf, "").failure(w, 409, "CONFLICT") // the sales agent knows of no organization
	})
}

// TestLaunchAsksWhoseTheTenantIs where that is not known yet, and says so when the sales agent is away.
func TestLaunchAsksWhoseTheTenantIs(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.agent.SetDown(true)
		e := w.write("POST", launchOf, "").failure(w, 503, "SERVICE_UNAVAILABLE")
		if e.Details == nil || e.Details.Reason != "UPSTREAM_UNREACHABLE" {
			w.Errorf("the sales agent is away: %+v", e)
		}
		w.agent.SetDown(false)
		w.agent.SetActive(tenant, false)
		e = w.write("POST", launchOf, "").failure(w, 409, "CONFLICT")
		if e.Details == nil || e.Details.Reason != "SOURCE_DEACTIVATED" {
			w.Errorf("it was switched off there: %+v", e)
		}
	})
	inWorld(t, setup{}, func(w *world) { w.link(readKey, launchOf, "") })
}

// TestLinksThatAreNone count as wrong keys of the address.
func TestLinksThatAreNone(t *testing.T) {
	inConsole(t, setup{limits: someWrong}, func(w *world, _ *adminUI) {
		v := w.visitor("https://gateway.example")
		good := w.link(writeKey, launchOf, "")
		token := good[strings.LastIndexByte(good, '/')+1:]
		last := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", token[42])
		alias := token[:42] + string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last^1]) // the same bytes to a lenient reader
		for i, wrong := range []string{alias, strings.Repeat("A", 43), "x", token + "A"} {
			status := 404
			if i == 3 {
				status = 429
			}
			v.send("GET", "/launch/"+wrong, "").failed(w, status, wrong)
		}
		v.send("GET", "/launch/"+token, "").failed(w, 429, "the right one now")
		w.pass(10 * time.Second)
		if a := v.open(good); a.status != 303 {
			w.Errorf("the right one: %d", a.status)
		}
		for _, path := range []string{"/launch/", "/launch/" + token + "/x"} {
			if a := v.send("GET", path, ""); a.status == 303 || a.status == 200 {
				w.Errorf("%s: %d", path, a.status)
			}
		}
	})
}

// TestLinksEndWithWhatTheyAreFor: the source and its row, and the key.
func TestLinksEndWithWhatTheyAreFor(t *testing.T) {
	inConsole(t, setup{}, func(w *world, _ *adminUI) {
		v := w.visitor("https://gateway.example")
		made := auth.KeyPrefix + "made-at-run-time"
		key, err := w.store.APIKeys().CreateKey(context.Background(), registry.APIKey{Name: "made", CustomerID: customer, SHA256: sha256.Sum256([]byte(made))})
		w.must(err)
		link := w.link(made, launchOf, "")
		_, err = w.store.APIKeys().RevokeKey(context.Background(), key.ID)
		w.must(err)
		w.pass(10 * time.Second)
		if a := v.open(link); a.status == 303 || len(v.cookie(meadowPages)) > 0 {
			w.Errorf("with a revoked key: %d", a.status)
		}
		link = w.link(writeKey, "/api/v2/storefront/inventory-sources/"+brook+"/launch", "")
		w.write("POST", "/api/v2/storefront/inventory-sources/"+brook+"/deactivate", "")
		if a := w.write("DELETE", sourcesPath+"/"+brook, ""); a.status != 204 {
			w.Fatalf("%d %s", a.status, a.body)
		}
		v.open(link).failed(w, 404, "of a source that was deleted")
	})
}

// TestLaunchNeedsHTTPS, or the machine of the browser: the session would be read on the way.
func TestLaunchNeedsHTTPS(t *testing.T) {
	inConsole(t, setup{publicURL: "http://gateway.example"}, func(w *world, _ *adminUI) {
		link := w.link(writeKey, launchOf, "")
		w.visitor("http://gateway.example").open(link).failed(w, 403, "in clear")
	})
	inConsole(t, setup{publicURL: "http://localhost:8080", origins: []string{"https://app.example"}}, func(w *world, _ *adminUI) {
		v := w.visitor("http://localhost:8080")
		a := v.open(w.link(writeKey, launchOf, ""))
		if cookie := a.header.Get("Set-Cookie"); a.status != 303 || !strings.HasPrefix(cookie, "esagate-console=") || !strings.HasSuffix(cookie, "; HttpOnly; SameSite=Lax") {
			w.Errorf("%d: %s", a.status, cookie)
		}
		if a := v.send("GET", meadowPages, ""); a.status != 200 {
			w.Errorf("the page: %d", a.status)
		}
	})
}
