package upstreamtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	ut "esagate/upstream/upstreamtest"
)

func TestErrorShapes(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key, Now: fixed})
	a.SetTenant(gam("tnt_a", ut.Healthy()))
	for _, c := range []struct {
		name  string
		fault ut.Fault
		html  bool
		keys  string // of the object, or of a list's first item, in order of the alphabet
		holds []string
	}{
		{"usual 500", ut.Fault{Status: 500}, false, "details error message", []string{`"internal_server_error"`, ut.Canary}},
		{"usual 503", ut.Fault{Status: 503}, false, "error", nil},
		{"usual 422", ut.Fault{Status: 422}, false, "input loc msg type", []string{`"password":"` + ut.Canary, `"loc":["springserve"`}},
		{"usual 502", ut.Fault{Status: 502}, true, "", []string{"502 Bad Gateway"}},
		{"code and message", ut.Fault{Status: 403, Code: "managed_tenant_write_blocked", Message: "No."}, false,
			"details error message", []string{`"managed_tenant_write_blocked"`, `"No."`}},
		{"503 as a problem", ut.Fault{Status: 503, Shape: ut.ShapeProblem}, false, "details error message", nil},
		{"500 as a page", ut.Fault{Status: 500, Shape: ut.ShapeHTML}, true, "", []string{"500 Internal Server Error"}},
		{"400 as a list", ut.Fault{Status: 400, Shape: ut.ShapeList}, false, "input loc msg type", nil},
		{"a status without a name", ut.Fault{Status: 599}, false, "details error message", []string{`"status_599"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a.Fault("tnt_a", c.fault)
			res := get(t, a, statusPath("tnt_a"))
			text := body(t, res)
			if res.StatusCode != c.fault.Status {
				t.Errorf("status %d", res.StatusCode)
			}
			if html := strings.HasPrefix(res.Header.Get("Content-Type"), "text/html"); html != c.html {
				t.Errorf("content type %q", res.Header.Get("Content-Type"))
			}
			for _, s := range c.holds {
				if !strings.Contains(text, s) {
					t.Errorf("%s does not hold %s", text, s)
				}
			}
			if !c.html {
				if got := topKeys(t, text); got != c.keys {
					t.Errorf("keys %q, want %q", got, c.keys)
				}
			}
		})
	}
}

// topKeys gives the fields of an object, or of a list's first item.
func topKeys(t *testing.T, text string) string {
	t.Helper()
	if strings.HasPrefix(text, "[") {
		var list []json.RawMessage
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatal(err)
		}
		text = string(list[0])
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, name := range []string{"details", "error", "input", "loc", "message", "msg", "type"} {
		if _, ok := object[name]; ok {
			names = append(names, name)
			delete(object, name)
		}
	}
	if len(object) > 0 {
		t.Errorf("unknown fields: %v", object)
	}
	return strings.Join(names, " ")
}

func TestMadeUpAnswers(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key, Now: fixed})
	a.SetTenant(gam("tnt_a", ut.Healthy()))
	a.Fault("tnt_a", ut.Fault{Status: 500})
	if res := get(t, a, statusPath("tnt_a"), ut.KeyHeader, "wrong"); res.StatusCode != 500 {
		t.Errorf("a fault stands before the key check, got %d", res.StatusCode)
	}
	future := time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		fault  ut.Fault
		status int
		header string // name=value
		begins string
	}{
		{"retry-after", ut.Fault{Status: 429, RetryAfter: "7"}, 429, "Retry-After=7", `{"error":"too_many_requests"`},
		{"body", ut.Fault{Body: "null"}, 200, "Content-Type=application/json", "null"},
		{"body and status", ut.Fault{Body: "gone", Status: 410, ContentType: "text/plain"}, 410, "Content-Type=text/plain", "gone"},
		{"content type alone", ut.Fault{ContentType: "text/html"}, 200, "Content-Type=text/html", `{"adapter":`},
		{"empty", ut.Fault{Status: 204}, 204, "Content-Length=", ""},
		{"redirect", ut.Fault{Redirect: "https://elsewhere.example/"}, 302, "Location=https://elsewhere.example/", "<p>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a.Fault("tnt_a", c.fault)
			res := get(t, a, statusPath("tnt_a"))
			if res.StatusCode != c.status {
				t.Errorf("status %d", res.StatusCode)
			}
			name, value, _ := strings.Cut(c.header, "=")
			if got := res.Header.Get(name); got != value {
				t.Errorf("%s: %q", name, got)
			}
			if text := body(t, res); !strings.HasPrefix(text, c.begins) || (c.begins == "") != (text == "") {
				t.Errorf("body %.60s", text)
			}
		})
	}
	a.Fault("tnt_a", ut.Fault{FetchedAt: future})
	if got := fetchedAt(t, get(t, a, statusPath("tnt_a"))); got != "2099-01-01T00:00:00Z" {
		t.Errorf("fetched_at %s", got)
	}
	a.Fault("tnt_a", ut.Fault{})
	if got := fetchedAt(t, get(t, a, statusPath("tnt_a"))); got != "2026-07-04T10:00:00.250000Z" {
		t.Errorf("cleared, fetched_at %s: the override reached the cache", got)
	}
}

// The order is: a tenant's script, its standing fault, the script of all tenants, their
// standing fault.
func TestWhichFault(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key, Now: fixed})
	for _, id := range []string{"tnt_a", "tnt_b"} {
		a.SetTenant(gam(id, ut.Healthy()))
	}
	a.Fault("", ut.Fault{Status: 591})
	a.Script("", ut.Fault{Status: 581}, ut.Fault{Status: 582})
	a.Fault("tnt_a", ut.Fault{Only: ut.RouteStatus, Status: 571})
	a.Script("tnt_a", ut.Fault{Only: ut.RouteTenant, Status: 561}, ut.Fault{Status: 562}, ut.Fault{})
	tenant := ut.BasePath + "/tenants/tnt_a"
	for i, c := range []struct {
		path string
		want int
	}{
		{statusPath("tnt_a"), 562}, // the first of the script waits for a tenant request
		{statusPath("tnt_b"), 581},
		{statusPath("tnt_a"), 200}, // scripted to go well
		{statusPath("tnt_a"), 571},
		{tenant, 561},
		{tenant, 582}, // none of its own is left for this kind
		{tenant, 591},
		{statusPath("tnt_b"), 591},
		{ut.BasePath + "/tenants", 591},
	} {
		if got := get(t, a, c.path).StatusCode; got != c.want {
			t.Errorf("request %d: %d, want %d", i, got, c.want)
		}
	}
	a.Script("tnt_b", ut.Fault{Status: 551}, ut.Fault{Status: 552})
	a.Script("tnt_b", ut.Fault{Status: 553})
	a.Fault("", ut.Fault{})
	a.Fault("tnt_a", ut.Fault{})
	for i, want := range []int{553, 200} {
		if got := get(t, a, statusPath("tnt_b")).StatusCode; got != want {
			t.Errorf("replaced script, request %d: %d, want %d", i, got, want)
		}
	}
	if got := get(t, a, statusPath("tnt_a")).StatusCode; got != 200 {
		t.Errorf("cleared: %d", got)
	}
}

// These faults show only on a real connection.
func TestOnTheWire(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key, Now: fixed})
	a.SetTenant(gam("tnt_a", ut.Healthy()))
	srv := httptest.NewServer(a)
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(f ut.Fault) (*http.Response, []byte, error) {
		t.Helper()
		a.Fault("tnt_a", f)
		r, err := http.NewRequest("GET", srv.URL+statusPath("tnt_a"), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(ut.KeyHeader, key)
		res, err := client.Do(r)
		if err != nil {
			return nil, nil, err
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		return res, b, err
	}
	_, whole, err := ask(ut.Fault{})
	if err != nil || !json.Valid(whole) {
		t.Fatal(err)
	}
	if res, _, err := ask(ut.Fault{Drop: true}); err == nil {
		t.Errorf("drop: answered %d", res.StatusCode)
	}
	res, b, err := ask(ut.Fault{CutShort: true})
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(b) != len(whole)/2 || res.ContentLength != int64(len(whole)) {
		t.Errorf("cut short: %d of %d bytes, %v", len(b), len(whole), err)
	}
	if _, b, err := ask(ut.Fault{Drip: time.Nanosecond}); err != nil || string(b) != string(whole) {
		t.Errorf("drip: %d of %d bytes, %v", len(b), len(whole), err)
	}
	if res, b, err := ask(ut.Fault{Size: 3 << 20}); err != nil || len(b) != 3<<20 || !json.Valid(b) || res.ContentLength != -1 {
		t.Errorf("size: %d bytes, %v", len(b), err)
	}
	if _, b, err := ask(ut.Fault{Size: 100_000, Body: "[]"}); err != nil || len(b) != 100_000 || !json.Valid(b) {
		t.Errorf("size of what is no object: %d bytes, %v", len(b), err)
	}
	if n := a.Calls("tnt_a"); n != 6 {
		t.Errorf("%d calls", n)
	}
}
