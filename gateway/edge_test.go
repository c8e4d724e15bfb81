package gateway_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"esagate/api/apitest"
	"esagate/gateway"
)

func TestRouteTableEqualsTheContract(t *testing.T) {
	var table, spec []string
	for _, r := range gateway.Routes() {
		table = append(table, r.Method+" "+r.Path)
	}
	for _, o := range apitest.Operations() {
		spec = append(spec, o.Method+" "+o.Path)
	}
	slices.Sort(table)
	slices.Sort(spec)
	if !slices.Equal(table, spec) {
		t.Errorf("routes:\n%s\ncontract:\n%s", strings.Join(table, "\n"), strings.Join(spec, "\n"))
	}
}

func TestAuthentication(t *testing.T) {
	tests := map[string]struct {
		headers []string
		path    string
		status  int
		code    string
	}{
		"no key":                   {nil, statusOf, 401, "UNAUTHORIZED"},
		"a wrong key":              {[]string{"Authorization", "Bearer nobody"}, statusOf, 401, "UNAUTHORIZED"},
		"another scheme":           {[]string{"Authorization", "Basic " + readKey}, statusOf, 401, "UNAUTHORIZED"},
		"two keys":                 {[]string{"Authorization", "Bearer " + readKey, "Authorization", "Bearer " + writeKey}, statusOf, 401, "UNAUTHORIZED"},
		"a wrong bearer, good key": {[]string{"Authorization", "Bearer nobody", "X-Scope3-Api-Key", readKey}, statusOf, 401, "UNAUTHORIZED"},
		"a key in the query":       {nil, statusOf + "?api_key=" + readKey, 401, "UNAUTHORIZED"},
		"read key":                 {[]string{"Authorization", "Bearer " + readKey}, statusOf, 200, ""},
		"write key":                {[]string{"authorization", "bearer " + writeKey}, statusOf, 200, ""},
		"a proxy's own scheme":     {[]string{"Authorization", "Basic abc", "X-Scope3-Api-Key", readKey}, statusOf, 200, ""},
		"key header":               {[]string{"X-Scope3-Api-Key", readKey}, statusOf, 200, ""},
		"another customer":         {[]string{"Authorization", "Bearer " + otherKey}, statusOf, 404, "NOT_FOUND"},
		"another customer's esa":   {[]string{"Authorization", "Bearer " + otherKey}, esaOf, 404, "NOT_FOUND"},
		"no key, unknown path":     {nil, "/api/v2/nothing", 401, "UNAUTHORIZED"},
		"unknown path":             {[]string{"Authorization", "Bearer " + readKey}, "/api/v2/nothing", 404, "NOT_FOUND"},
		"no source":                {[]string{"Authorization", "Bearer " + readKey}, "/api/v2/storefront/inventory-sources/nobody/status", 404, "NOT_FOUND"},
	}
	inWorld(t, setup{}, func(w *world) {
		for name, test := range tests {
			w.named(name, func(t testing.TB) {
				a := w.do("GET", test.path, test.headers...)
				if test.status == 200 {
					a.snapshot(t)
					return
				}
				a.failure(t, test.status, test.code)
				if got := a.header.Get("WWW-Authenticate"); (got != "") != (test.status == 401) {
					t.Errorf("WWW-Authenticate: %q", got)
				}
			})
		}
		for _, secret := range []string{readKey, writeKey, otherKey} {
			if strings.Contains(w.logs.String(), secret) {
				w.Error("a key stands in the log")
			}
		}
	})
}

func TestBadPathsAndQueries(t *testing.T) {
	sources := "/api/v2/storefront/inventory-sources/"
	tests := map[string]struct {
		path   string
		status int
		field  string
	}{
		"empty id":                  {sources + "/status", 404, ""},
		"10 kB id":                  {sources + strings.Repeat("a", 10_000) + "/status", 400, "sourceId"},
		"256 characters":            {sources + strings.Repeat("%C3%BC", 256) + "/status", 400, "sourceId"},
		"255 characters":            {sources + strings.Repeat("%C3%BC", 255) + "/status", 404, ""},
		"encoded slash":             {sources + "a%2Fb/status", 400, "sourceId"},
		"dot dot":                   {sources + "../status", 400, "sourceId"},
		"not UTF-8":                 {sources + "%ff%fe/status", 400, "sourceId"},
		"esaId of letters":          {"/api/v2/storefront/esa/abc", 400, "esaId"},
		"esaId too large":           {"/api/v2/storefront/esa/9223372036854775808/status", 400, "esaId"},
		"esaId of nobody":           {"/api/v2/storefront/esa/9223372036854775807", 404, ""},
		"limit 0":                   {statusOf + "?syncHistoryLimit=0", 400, "query.syncHistoryLimit"},
		"limit 11":                  {statusOf + "?syncHistoryLimit=11", 400, "query.syncHistoryLimit"},
		"history neither":           {statusOf + "?includeSyncHistory=yes", 400, "query.includeSyncHistory"},
		"twice":                     {statusOf + "?syncHistoryLimit=5&syncHistoryLimit=5", 400, "query.syncHistoryLimit"},
		"unknown parameter":         {statusOf + "?verbose=1", 400, "query"},
		"broken query":              {statusOf + "?a=%zz", 400, "query"},
		"history true":              {statusOf + "?includeSyncHistory=true&syncHistoryLimit=10", 200, ""},
		"take 201":                  {"/api/v2/storefront/esa?take=201", 400, "query.take"},
		"skip -1":                   {"/api/v2/storefront/esa?skip=-1", 400, "query.skip"},
		"trailing slash":            {statusOf + "/", 404, ""},
		"all wrong":                 {statusOf + "?includeSyncHistory=1&syncHistoryLimit=99", 400, "query.includeSyncHistory"},
		"query on a public address": {"/healthz?x=1", 200, ""},
	}
	inWorld(t, setup{}, func(w *world) {
		for name, test := range tests {
			w.named(name, func(t testing.TB) {
				a := w.get(test.path)
				switch test.status {
				case 200:
					if a.status != 200 {
						t.Errorf("status %d: %s", a.status, a.body)
					}
				case 404:
					a.failure(t, 404, "NOT_FOUND")
				default:
					e := a.failure(t, test.status, "VALIDATION_ERROR")
					if e.Field != test.field || e.Details.Issues[0].Path != test.field {
						t.Errorf("field %q, issues %+v; want %s", e.Field, e.Details.Issues, test.field)
					}
				}
			})
		}
		if e := w.get(tests["all wrong"].path).failure(w, 400, "VALIDATION_ERROR"); len(e.Details.Issues) != 2 {
			w.Errorf("issues: %+v, want both", e.Details.Issues)
		}
	})
}

func TestMethodsBodiesAndHeaders(t *testing.T) {
	auth := []string{"Authorization", "Bearer " + writeKey}
	inWorld(t, setup{}, func(w *world) {
		a := w.do("POST", statusOf, auth...)
		a.failure(w, 405, "METHOD_NOT_ALLOWED")
		if got := a.header.Get("Allow"); got != "GET, HEAD" {
			w.Errorf("Allow: %q", got)
		}
		w.do("DELETE", "/metrics").failure(w, 405, "METHOD_NOT_ALLOWED")
		w.do("DELETE", statusOf).failure(w, 401, "UNAUTHORIZED")

		body := func(length int, headers ...string) answer {
			return w.send(request("GET", statusOf, readKey, strings.Repeat(" ", length), headers...))
		}
		body(2<<20, "Content-Type", "application/json").failure(w, 413, "BAD_REQUEST")
		body(10, "Content-Type", "text/xml").failure(w, 415, "BAD_REQUEST")
		body(10).failure(w, 415, "BAD_REQUEST")
		body(10, "Content-Type", "application/json", "Content-Type", "text/xml").failure(w, 415, "BAD_REQUEST")
		body(10, "Content-Type", "application/json", "Content-Encoding", "gzip").failure(w, 415, "BAD_REQUEST")
		if a := body(10, "Content-Type", "application/json; charset=utf-8"); a.status != 200 {
			w.Errorf("a body of a GET: %d", a.status)
		}
		if a := body(0, "Content-Type", "text/xml"); a.status != 200 {
			w.Errorf("a type without a body: %d", a.status)
		}
		w.get(statusOf, "X-Padding", strings.Repeat("x", 40_000)).failure(w, 431, "BAD_REQUEST")

		if a := w.get(statusOf, "X-Request-Id", "caller-7.a_B"); a.header.Get("X-Request-Id") != "caller-7.a_B" {
			w.Errorf("a caller's request id is not kept: %v", a.header)
		}
		if a := w.get(statusOf, "X-Request-Id", "two words\t"+strings.Repeat("x", 80)); len(a.header.Get("X-Request-Id")) != 32 {
			w.Errorf("a bad request id is kept: %v", a.header)
		}
	})
}

// chunked makes a request whose content has no announced length, and no type.
func chunked(method, path, content string) *http.Request {
	r := request(method, path, writeKey, content)
	r.ContentLength = -1
	r.Header.Del("Content-Type")
	return r
}

func TestContentOfUnknownLengthMayBeNone(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		for _, route := range gateway.Routes() {
			path := strings.NewReplacer("{sourceId}", "nobody", "{esaId}", "9", "{capability}", "reporting").Replace(route.Path)
			if route.Operation != "followEvents" { // its answer does not end
				none := w.send(request(route.Method, path, writeKey, ""))
				if a := w.send(chunked(route.Method, path, "")); a.status != none.status {
					w.Errorf("%s %s: %d, and %d with a length of 0", route.Method, path, a.status, none.status)
				}
			}
			w.send(chunked(route.Method, path, "{}")).failure(w, 415, "BAD_REQUEST")
			w.send(chunked(route.Method, path, strings.Repeat(" ", 2<<20))).failure(w, 415, "BAD_REQUEST")
		}
		made := sourcesPath + "/" + w.create().SourceID
		for _, test := range []struct {
			method, path string
			status       int
		}{
			{"GET", statusOf, 200}, {"HEAD", statusOf, 200}, {"POST", sourcesPath + "/" + source + "/refresh", 200}, {"DELETE", made, 204},
		} {
			if a := w.send(chunked(test.method, test.path, "")); a.status != test.status {
				w.Errorf("%s %s: %d %s", test.method, test.path, a.status, a.body)
			}
		}
	})
}

func TestPanicIsAnAnswer(t *testing.T) {
	panics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("CANARY of a panic") })
	inWorld(t, setup{metrics: panics}, func(w *world) {
		a := w.do("GET", "/metrics")
		a.failure(w, 500, "INTERNAL_ERROR")
		if bytes.Contains(a.body, []byte("CANARY")) || a.header.Get("X-Request-Id") == "" {
			w.Errorf("answer: %v %s", a.header, a.body)
		}
		if line := lineWith(w.logs.String(), "a handler panicked"); !strings.Contains(line, `"kind":"value"`) {
			w.Errorf("the panic in the log: %s", line)
		}
		if b := w.get(statusOf); b.status != 200 {
			w.Errorf("after a panic: %d", b.status)
		}
	})
}

// Requests without a key are not kept in memory.
func TestRefusedRequestsLeaveNothingInMemory(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		heap := func() uint64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		before := heap()
		for i := range 500 {
			r := httptest.NewRequest("GET", fmt.Sprintf("/api/v2/storefront/esa/%d?%s", i+1, strings.Repeat("x", 60_000)), nil)
			w.gateway.ServeHTTP(httptest.NewRecorder(), r)
		}
		if grown := int64(heap()) - int64(before); grown > 5<<20 {
			w.Errorf("500 refused requests of 60 kB left %d bytes behind", grown)
		}
	})
}

// TestOnlyOneGathersMetrics, and those that wait do so for five seconds.
func TestOnlyOneGathersMetrics(t *testing.T) {
	var gathering atomic.Int32
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if gathering.Add(1) > 1 {
			t.Error("two gather at once")
		}
		time.Sleep(8 * time.Second)
		gathering.Add(-1)
		w.Header().Set("Content-Type", "text/plain")
	})
	inWorld(t, setup{metrics: slow}, func(w *world) {
		var scrapes sync.WaitGroup
		for range 8 {
			scrapes.Go(func() { w.unchecked("/metrics") })
		}
		synctest.Wait()
		begun := time.Now()
		w.do("GET", "/metrics").failure(w, 503, "SERVICE_UNAVAILABLE")
		if took := time.Since(begun); took != 5*time.Second {
			w.Errorf("refused after %s", took)
		}
		scrapes.Wait()
		if a := w.do("GET", "/metrics"); a.status != 200 {
			w.Errorf("%d %s", a.status, a.body)
		}
	})
}

func TestFailuresAreLoggedWithinLimits(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.agent.SetDown(true)
		w.get(statusOf).failure(w, 503, "SERVICE_UNAVAILABLE")
		line := lineWith(w.logs.String(), `"msg":"request could not be served"`)
		for _, part := range []string{`"level":"WARN"`, `"source_id":"` + source + `"`, `"status":503`, `"reason":"UPSTREAM_`, `"key_name":"reader"`, `"request_id":"`} {
			if !strings.Contains(line, part) {
				w.Errorf("no %s in %s", part, line)
			}
		}
		w.do("GET", statusOf)
		if line := lineWith(w.logs.String(), `"status":401`); !strings.Contains(line, `"level":"DEBUG"`) {
			w.Errorf("a client's mistake: %s", line)
		}
		for range 200 {
			w.unchecked(statusOf)
		}
		if n := strings.Count(w.logs.String(), "request could not be served"); n != 50 {
			w.Errorf("%d lines for 201 failures at one moment, want the burst of 50", n)
		}
		w.pass(time.Second)
		w.unchecked(statusOf)
		w.unchecked(statusOf)
		if logs := w.logs.String(); strings.Count(logs, `"dropped":`) != 1 || !strings.Contains(logs, `"dropped":151`) {
			w.Error("the number of dropped lines is not logged once")
		}
	})
}

func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return line
		}
	}
	return ""
}

func TestCrossOrigin(t *testing.T) {
	inWorld(t, setup{origins: []string{"https://console.example"}}, func(w *world) {
		a := w.do("OPTIONS", statusOf, "Origin", "https://console.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization")
		if a.status >= 300 || a.header.Get("Access-Control-Allow-Origin") != "https://console.example" {
			w.Errorf("preflight: %d %v", a.status, a.header)
		}
		for _, name := range []string{"if-match", "if-none-match", "if-unmodified-since", "esagate-customer"} {
			a = w.do("OPTIONS", statusOf, "Origin", "https://console.example",
				"Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", name)
			if a.header.Get("Access-Control-Allow-Headers") != name {
				w.Errorf("%s: %v", name, a.header)
			}
		}
		a = w.get(statusOf, "Origin", "https://console.example")
		exposed := a.header.Get("Access-Control-Expose-Headers")
		for _, name := range []string{"Last-Modified", "RateLimit", "RateLimit-Policy", "Retry-After"} {
			if !slices.Contains(strings.Split(exposed, ", "), http.CanonicalHeaderKey(name)) && !slices.Contains(strings.Split(exposed, ", "), name) {
				w.Errorf("%s is not exposed: %s", name, exposed)
			}
		}
		if a.header.Get("Access-Control-Allow-Origin") != "https://console.example" || !slices.Contains(a.header.Values("Vary"), "Origin") {
			w.Errorf("read: %v", a.header)
		}
		if a := w.get(statusOf, "Origin", "https://evil.example"); a.header.Get("Access-Control-Allow-Origin") != "" {
			w.Errorf("another origin: %v", a.header)
		}
	})
	inWorld(t, setup{}, func(w *world) {
		a := w.do("OPTIONS", statusOf, "Authorization", "Bearer "+readKey)
		a.failure(w, 405, "METHOD_NOT_ALLOWED")
	})
}

func TestOwnEndpoints(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		ready := func(want string) {
			w.Helper()
			if a := w.do("GET", "/readyz"); string(a.body) != want {
				w.Errorf("/readyz: %s, want %s", a.body, want)
			}
		}
		ready(`{"status":"ready","store":"ok","upstream":"unknown"}`)
		w.get(statusOf)
		ready(`{"status":"ready","store":"ok","upstream":"ok"}`)
		w.gateway.SetStopping()
		if a := w.do("GET", "/readyz"); a.status != 503 {
			w.Errorf("/readyz while stopping: %d", a.status)
		}
		if a := w.do("GET", "/openapi.yaml"); !bytes.HasPrefix(a.body, []byte("openapi: 3")) {
			w.Errorf("/openapi.yaml: %.40s", a.body)
		}
		metrics := string(w.do("GET", "/metrics").body)
		for _, series := range []string{
			`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",http_route="/api/v2/storefront/inventory-sources/{sourceId}/status"`,
			"esagate_upstream_calls_total{", "esagate_upstream_breaker_state{", `esagate_snapshot_reads_total{`, "esagate_snapshot_age_seconds_bucket{", "esagate_ready",
		} {
			if !strings.Contains(metrics, series) {
				w.Errorf("no %s in /metrics:\n%s", series, metrics)
			}
		}
		if strings.Contains(metrics, tenant) || strings.Contains(metrics, source) {
			w.Error("a metric has a label per tenant or source")
		}
	})
}

func TestTraceContextIsPassedOn(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
		w.get(statusOf, "Traceparent", fmt.Sprintf("00-%s-00f067aa0ba902b7-01", trace),
			"Tracestate", "vendor=CANARY", "Baggage", "user=CANARY")
		for _, r := range w.agent.Requests() {
			if !strings.Contains(r.Header.Get("Traceparent"), trace) || r.Header.Get("Tracestate")+r.Header.Get("Baggage") != "" {
				w.Errorf("upstream saw %v", r.Header)
			}
		}
		if len(w.agent.Requests()) == 0 {
			w.Error("upstream was not asked")
		}
	})
}
