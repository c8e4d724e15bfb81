package upstreamtest_test

import (
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

const key = "test-key"

var start = time.Date(2026, 7, 4, 10, 0, 0, 250_000_000, time.UTC)

func fixed() time.Time { return start }

// gam is a tenant on Google Ad Manager.
func gam(id string, s ut.Status) ut.Tenant {
	return ut.Tenant{
		ID: id, Name: "Name of " + id, ExternalOrgID: "org-" + id, Active: true, Status: s,
		AdServer: ut.AdServer{Type: "google_ad_manager", NetworkCode: "777", ServiceAccountEmail: "sa@agent.example", Configured: true},
	}
}

// get calls the agent without a network. A dropped request returns nil.
func get(t *testing.T, a http.Handler, path string, header ...string) *http.Response {
	t.Helper()
	return send(a, httptest.NewRequest(http.MethodGet, path, nil), header...)
}

func send(a http.Handler, r *http.Request, header ...string) (res *http.Response) {
	r.Header.Set(ut.KeyHeader, key)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	defer func() {
		if v := recover(); v == http.ErrAbortHandler {
			res = nil
		} else if v != nil {
			panic(v)
		}
	}()
	a.ServeHTTP(w, r)
	return w.Result()
}

func statusPath(id string) string { return ut.BasePath + "/tenants/" + id + "/status" }

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	if res == nil {
		t.Fatal("the request was dropped")
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// strict decodes JSON that has no field which the target lacks.
func strict[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// fetchedAt reads a status answer's fetched_at.
func fetchedAt(t *testing.T, res *http.Response) string {
	t.Helper()
	return decode[struct {
		FetchedAt string `json:"fetched_at"`
	}](t, body(t, res)).FetchedAt
}

const (
	gamBody = `{"type":"google_ad_manager","network_code":"82640","service_account_email":"ops@ads.example","service_account_key_json":"key-CANARY-1"}`
	fwBody  = `{"type":"freewheel","username":"ops@ads.example","password":"pw-CANARY-2"}`
)

// want makes a call, checks the status and returns the body.
func want(t *testing.T, a http.Handler, status int, method, path, text string) string {
	t.Helper()
	res := send(a, httptest.NewRequest(method, ut.BasePath+path, strings.NewReader(text)))
	got := body(t, res)
	if res.StatusCode != status {
		t.Fatalf("%s %s: %d, want %d: %s", method, path, res.StatusCode, status, got)
	}
	return got
}

// provisionBody is a request to provision; org is its external_org_id.
func provisionBody(org, adapter string) string {
	return `{"name":"Quay News","external_org_id":"` + org + `","external_source":"pier","contact_email":"ops@quay.example","adapter":` + adapter + `}`
}

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

type made struct {
	TenantID string `json:"tenant_id"`
}

// provision makes a tenant and gives its id.
func provision(t *testing.T, a http.Handler, org, adapter string) string {
	t.Helper()
	return decode[made](t, want(t, a, 201, "POST", "/tenants/provision", provisionBody(org, adapter))).TenantID
}

// finding is an item of a 422.
type finding struct {
	Type  string          `json:"type"`
	Loc   []string        `json:"loc"`
	Msg   string          `json:"msg"`
	Input json.RawMessage `json:"input"`
}
