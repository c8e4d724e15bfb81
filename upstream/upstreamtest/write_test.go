package upstreamtest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	ut "esagate/upstream/upstreamtest"
)

const (
	gamBody = `{"type":"google_ad_manager","network_code":"82640","service_account_email":"ops@ads.example","service_account_key_json":"key-CANARY-1"}`
	fwBody  = `{"type":"freewheel","username":"ops@ads.example","password":"pw-CANARY-2"}`
)

// ask sends a request with a body. A dropped one gives nil.
func ask(t *testing.T, a http.Handler, method, path, text string) (res *http.Response) {
	t.Helper()
	r := httptest.NewRequest(method, ut.BasePath+path, strings.NewReader(text))
	r.Header.Set(ut.KeyHeader, key)
	w := httptest.NewRecorder()
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			res = nil
		default:
			panic(p)
		}
	}()
	a.ServeHTTP(w, r)
	return w.Result()
}

// want asks and holds the status; it gives the body.
func want(t *testing.T, a http.Handler, status int, method, path, text string) string {
	t.Helper()
	res := ask(t, a, method, path, text)
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
