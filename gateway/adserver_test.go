package gateway_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"esagate/api"
	"esagate/gateway"
	"esagate/internal/operations"
	"esagate/registry"
	"esagate/upstream/upstreamtest"
)

// adServerOf is below the connection of the world's source.
const adServerOf = esaPath + "/1000"

// adServerPath fills in a row's path.
func adServerPath(o *operations.Operation) string {
	return strings.NewReplacer("{esaId}", "1000", "{signalId}", "kv_weather", "{productId}", "meadow_mpu",
		"{mappingId}", "7", "{mediaBuyId}", "mb_17").Replace(o.Path)
}

// What the table names letter for letter is no id, whatever the method.
func TestPathsBesideIDs(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		for path, allow := range map[string]string{
			"/signals/candidates":           "GET, HEAD",
			"/signals/adapter-capabilities": "GET, HEAD",
			"/signals":                      "GET, HEAD, POST",
			"/signals/kv_weather":           "DELETE, GET, HEAD, PUT",
			"/products:validate":            "POST",
			"/products/meadow_mpu":          "DELETE, GET, HEAD, PATCH, PUT",
			"/products":                     "GET, HEAD, POST",
			"/gam/advertisers":              "GET, HEAD",
			"/gam/advertisers/ensure":       "POST",
			"/gam/default-advertiser":       "PUT",
			"/default-advertiser":           "PUT",
			"/axe-keys":                     "PUT",
			"/sandbox-account":              "GET, HEAD",
			"/sandbox-account/ensure":       "POST",
		} {
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY"} {
				if strings.Contains(", "+allow+",", ", "+method+",") {
					continue
				}
				a := w.write(method, adServerOf+path, "")
				if a.status != 405 || a.header.Get("Allow") != allow {
					w.Errorf("%s %s: %d, Allow %q", method, path, a.status, a.header.Get("Allow"))
				}
			}
		}
		for _, path := range []string{"/product", "/products:check", "/signals/kv_weather/more", "/products/", "/media-buys/mb_17/notes"} {
			w.write("GET", adServerOf+path, "").failure(t, 404, "NOT_FOUND")
		}
		if n := w.agent.Calls(""); n != 0 {
			w.Errorf("the sales agent was called %d times", n)
		}
	})
}

func TestAdServerOperationsAreInTheRouteTable(t *testing.T) {
	routes := map[string]gateway.Route{}
	for _, route := range gateway.Routes() {
		routes[route.Operation] = route
	}
	if n := len(operations.Table()); n < 34 {
		t.Errorf("there are %d alone", n)
	}
	for _, o := range operations.Table() {
		if route := routes[o.ID]; route.Method != o.Method || route.Path != o.Path {
			t.Errorf("%s is at %s %s", o.ID, route.Method, route.Path)
		}
	}
}

// all calls f with every row of the table, those of a method alone where one is given.
func (w *world) all(method string, f func(t testing.TB, o *operations.Operation)) {
	for _, o := range operations.Table() {
		if samples[o.ID].status == 0 {
			w.Fatalf("there is no sample of %s", o.ID)
		}
		if method == "" || o.Method == method {
			w.named(o.ID, func(t testing.TB) { f(t, o) })
		}
	}
}

func TestReadsOfAdServers(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		inWorld(t, setup{envelope: envelope}, func(w *world) {
			w.all("GET", func(t testing.TB, o *operations.Operation) {
				path := samples[o.ID].path(o)
				a := w.operate(o, "", "Accept-Encoding", "identity")
				tag := a.header.Get("Etag")
				if a.status != 200 || tag == "" || a.header.Get("Age") != "0" || a.header.Get("Cache-Status") == "" ||
					a.header.Get("Cache-Control") != "private, no-cache" || !strings.Contains(a.header.Get("Vary"), "Esagate-Customer") {
					t.Fatalf("%d %v %s", a.status, a.header, a.body)
				}
				if a := w.operate(o, "", "If-None-Match", tag); a.status != 304 || len(a.body) > 0 {
					t.Errorf("with its tag: %d %s", a.status, a.body)
				}
				w.operate(o, "", "If-Match", `"old"`).failure(t, 412, "PRECONDITION_FAILED")
				if a := w.operate(o, "", "Accept-Encoding", "gzip"); a.status != 200 || a.header.Get("Content-Encoding") != "gzip" {
					t.Errorf("%d, coded as %q", a.status, a.header.Get("Content-Encoding"))
				}
				w.agent.Script(tenant, samples[o.ID].faults("")...)
				head := w.do("HEAD", path, "Authorization", "Bearer "+readKey)
				if head.status != 200 || head.header.Get("Etag") != tag || len(head.body) > 0 {
					t.Errorf("HEAD: %d %v %s", head.status, head.header, head.body)
				}
			})
		})
	}
}

func TestWritesToAdServers(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		inWorld(t, setup{envelope: envelope}, func(w *world) {
			w.all("", func(t testing.TB, o *operations.Operation) {
				if o.Method == "GET" {
					return
				}
				a, s := w.operate(o, ""), samples[o.ID]
				if a.status != s.status || a.header.Get("Cache-Control") != "no-store" || (a.status == 204) != (len(a.body) == 0) {
					t.Errorf("%d %v %s", a.status, a.header, a.body)
				}
				w.agent.Script(tenant)
			})
		})
	}
}

// refusal is an answer as far as the order of refusals goes.
func (a answer) refusal(t testing.TB) string {
	t.Helper()
	if a.status < 400 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	e := decode[api.ErrorBody](t, a, a.status).Error
	words := []string{strconv.Itoa(a.status)}
	if e.Details != nil {
		for _, issue := range e.Details.Issues {
			words = append(words, issue.Path)
		}
		if e.Details.Reason != "" {
			words = append(words, e.Details.Reason)
		}
	}
	return strings.Join(words, " ")
}

// bodiless says of methods which of a body's text to leave out.
var bodiless = map[string]string{"GET": `{"nonsense":1}`}

// Each request has every fault but those of the requests before it (contract 12.8).
func TestTheOrderOfRefusals(t *testing.T) {
	inWorld(t, setup{sources: []registry.ConfigSource{
		{CustomerID: customer, SourceID: "pier", Name: "Pier", TenantID: "tnt_pier", AdServer: &registry.AdServer{Type: "springserve"}},
		{CustomerID: customer, SourceID: "quay", Name: "Quay", TenantID: "tnt_quay", AdServer: &registry.AdServer{Type: "google_ad_manager", NetworkCode: "5"}},
	}}, func(w *world) {
		w.agent.SetTenant(upstreamtest.Tenant{ID: "tnt_quay", Active: true})
		w.write("POST", sourcesPath+"/quay/deactivate", "")
		calls := w.agent.Calls("")
		id := func(name string) string { return w.connectionID(sourcesPath + "/" + name + "/esa") }
		elsewhere, off, none := id("pier"), id("quay"), id(unplanned)
		w.all("", func(t testing.TB, o *operations.Operation) {
			ask := func(key, esaID string) string {
				path := strings.Replace(adServerPath(o), "/1000/", "/"+esaID+"/", 1) + "?nonsense=1"
				return w.writeAs(key, o.Method, path, strings.TrimPrefix(`{"nonsense":1}`, bodiless[o.Method])).refusal(t)
			}
			got := []string{ask("nobody's", "zero"), "", ask(writeKey, "zero"), ask(writeKey, "99"), ask(otherKey, "1000"), ask(writeKey, none), ask(writeKey, off),
				ask(writeKey, elsewhere)}
			want := []string{"401", "", "400 esaId", "404", "404", "409 NOT_PROVISIONED", "404 SOURCE_DEACTIVATED", "400 esaId AD_SERVER_NOT_SUPPORTED"}
			if o.Method != "GET" {
				got[1], want[1] = ask(readKey, "zero"), "403"
			}
			if o.Group != operations.Catalog {
				got[6], want[6] = "", ""
			}
			if o.Group != operations.GAM {
				got[7], want[7] = "", ""
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
			if last := ask(writeKey, "1000"); !strings.HasPrefix(last, "400 ") || !strings.Contains(last, "query") {
				t.Errorf("a query that nobody knows: %s", last)
			}
			if body := samples[o.ID].body; body != "" {
				e := w.write(o.Method, samples[o.ID].path(o), `{"nonsense":1}`).failure(t, 400, "VALIDATION_ERROR")
				if !slices.ContainsFunc(e.Details.Issues, func(i api.ErrorIssue) bool { return i.Path == "nonsense" }) {
					t.Errorf("a member that nobody knows: %+v", e.Details)
				}
				w.write(o.Method, samples[o.ID].path(o), `{"nonsense":`).failure(t, 400, "BAD_REQUEST")
			}
		})
		if n := w.agent.Calls("") - calls; n != 0 {
			w.Errorf("the sales agent was called %d times", n)
		}
	})
}

func TestIDsInPaths(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.all("", func(t testing.TB, o *operations.Operation) {
			at := strings.LastIndex(o.Path, "{")
			if strings.HasSuffix(o.Path[:at], "/esa/") {
				return
			}
			name := strings.TrimSuffix(o.Path[at+1:], "}")
			prefix := strings.Replace(o.Path[:at], "{esaId}", "1000", 1)
			for _, id := range []string{"a%2Fb", "a%5Cb", "%2e%2e", "%2E", "..", ".", "a%00", "a%0Ab", "%ff", strings.Repeat("x", 201)} {
				if got := w.write(o.Method, prefix+id, samples[o.ID].body).refusal(t); !strings.HasPrefix(got, "400 "+name) {
					t.Errorf("%s: %s", id, got)
				}
			}
			if name == "signalId" {
				for _, id := range []string{"%63andidates", "adapter%2Dcapabilities", "a%20b", "a:b", "%C3%A9"} {
					if got := w.write(o.Method, prefix+id, samples[o.ID].body).refusal(t); !strings.HasPrefix(got, "400 ") {
						t.Errorf("%s: %s", id, got)
					}
				}
			}
		})
		if n := w.agent.Calls(""); n != 0 {
			w.Errorf("the sales agent was called %d times", n)
		}
	})
}

// An operator asks for the customer that it names.
func TestAdServersForOperators(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.all("", func(t testing.TB, o *operations.Operation) {
			s := samples[o.ID]
			if got := w.writeAs(deskKey, o.Method, s.path(o), s.body).refusal(t); got != "400 header.Esagate-Customer" {
				t.Errorf("without a customer: %s", got)
			}
			if got := w.writeAs(deskKey, o.Method, s.path(o), s.body, "Esagate-Customer", strconv.Itoa(stranger)).refusal(t); got != "404" {
				t.Errorf("for another customer: %s", got)
			}
			if got := w.writeAs(writeKey, o.Method, s.path(o), s.body, "Esagate-Customer", strconv.Itoa(stranger)).refusal(t); got != "403" {
				t.Errorf("with a customer's key for another: %s", got)
			}
			w.agent.Script(tenant, s.faults("")...)
			if a := w.writeAs(deskKey, o.Method, s.path(o), s.body, "Esagate-Customer", strconv.Itoa(customer)); a.status != s.status {
				t.Errorf("for the customer: %d %s", a.status, a.body)
			}
			w.agent.Script(tenant)
		})
	})
}
