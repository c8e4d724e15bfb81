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

// get asks the agent without a network. A dropped request gives nil.
func get(t *testing.T, a http.Handler, path string, header ...string) (res *http.Response) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set(ut.KeyHeader, key)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
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

// strict decodes JSON with no field that the target does not name.
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
	var d struct {
		FetchedAt string `json:"fetched_at"`
	}
	if err := json.Unmarshal([]byte(body(t, res)), &d); err != nil {
		t.Fatal(err)
	}
	return d.FetchedAt
}
