package upstreamtest_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	ut "esagate/upstream/upstreamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	key     = "test-key"
	secret  = "quay-secret-0123456789-0123456789-ab"
	gamBody = `{"type":"google_ad_manager","network_code":"82640","service_account_email":"ops@ads.example",` +
		`"service_account_key_json":"key-CANARY-1"}`
	fwBody = `{"type":"freewheel","username":"ops@ads.example","password":"pw-CANARY-2"}`
	ssBody = `{"type":"springserve","email":"ops@ads.example","password":"pw-CANARY-3"}`
)

var start = time.Date(2026, 7, 4, 10, 0, 0, 250_000_000, time.UTC)

// gam is a tenant on Google Ad Manager.
func gam(id string, s ut.Status) ut.Tenant {
	return ut.Tenant{
		ID: id, Name: "Name of " + id, ExternalOrgID: "org-" + id, Active: true, Status: s,
		AdServer: ut.AdServer{
			Type: "google_ad_manager", NetworkCode: "777", ServiceAccountEmail: "sa@agent.example", Configured: true,
		},
	}
}

// world is an agent whose clock stands at now, unless the options name another clock.
type world struct {
	*ut.Agent
	t   *testing.T
	now time.Time

	accept, contentType string // of the calls; "": none, JSON
}

// newWorld makes an agent with one tenant, tnt_a.
func newWorld(t *testing.T, opts ut.Options, status ut.Status) *world {
	t.Helper()
	w := &world{t: t, now: start}
	opts.APIKey = key
	if opts.Now == nil {
		opts.Now = func() time.Time { return w.now }
	}
	w.Agent = ut.New(opts)
	t.Cleanup(w.Close)
	w.SetTenant(gam("tnt_a", status))
	return w
}

// send makes a call of a path below ut.BasePath, without a network.
func (w *world) send(method, path, text, key string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, ut.BasePath+path, strings.NewReader(text))
	r.Header.Set("Content-Type", cmp.Or(w.contentType, "application/json"))
	if key != "" {
		r.Header.Set(ut.KeyHeader, key)
	}
	if w.accept != "" {
		r.Header.Set("Accept", w.accept)
	}
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, r)
	return answer
}

// want makes a call, checks the status and returns the body.
func (w *world) want(status int, method, path, text string) string {
	w.t.Helper()
	a := w.send(method, path, text, key)
	if a.Code != status {
		w.t.Fatalf("%s %s: %d, want %d: %s", method, path, a.Code, status, a.Body)
	}
	return a.Body.String()
}

func provisionBody(org, adapter string) string {
	return `{"name":"Quay News","external_org_id":"` + org + `","external_source":"pier",` +
		`"contact_email":"ops@quay.example","adapter":` + adapter + `}`
}

// pipe serves the agent to a bubble. The function calls a path below ut.BasePath and returns the
// status (0: no whole answer), the body as far as it came, and the time that it took.
func (w *world) pipe() (*ut.Server, func(ctx context.Context, method, path, text string) (int, string, time.Duration)) {
	server, dial := w.Pipe()
	transport := &http.Transport{DialContext: dial, DisableKeepAlives: true}
	w.t.Cleanup(func() {
		transport.CloseIdleConnections()
		w.Close()
		_ = server.Close()
	})
	return server, func(ctx context.Context, method, path, text string) (int, string, time.Duration) {
		began := time.Now()
		r, err := http.NewRequestWithContext(ctx, method, server.URL()+ut.BasePath+path, strings.NewReader(text))
		must(w.t, err)
		r.Header.Set(ut.KeyHeader, key)
		r.Header.Set("Content-Type", "application/json")
		res, err := transport.RoundTrip(r)
		if err != nil {
			return 0, "", time.Since(began)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			res.StatusCode = 0
		}
		return res.StatusCode, string(body), time.Since(began)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// strict decodes JSON that has no field which the target lacks.
func strict[T any](t *testing.T, text []byte) (v T) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	must(t, d.Decode(&v))
	return v
}

// has reports each part that a text lacks.
func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("no %s in %s", p, text)
		}
	}
}
