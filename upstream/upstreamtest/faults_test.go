package upstreamtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	ut "esagate/upstream/upstreamtest"
)

func TestWhatFaultsAnswer(t *testing.T) {
	const problem = `^{"error":"CODE","message":"[^"]+","details":{"request_id":"req-0017","debug_token":"CANARY-debug-token"}}\n$`
	problemOf := func(code string) string { return strings.Replace(problem, "CODE", code, 1) }
	const list = `^\[{"type":"value_error","loc":\["springserve","email"\],.*"password":"CANARY-password"}}\]\n$`
	const page = "^<!doctype html>\n<html><head><title>CODE"
	for name, c := range map[string]struct {
		fault  ut.Fault
		status int
		header string // "name: value" of one
		body   string // a pattern
	}{
		"500":                {ut.Fault{Status: 500}, 500, "Content-Type: application/json", problemOf("internal_server_error")},
		"503":                {ut.Fault{Status: 503}, 503, "Content-Type: application/json", `^{"error":"service_unavailable"}\n$`},
		"422":                {ut.Fault{Status: 422}, 422, "Content-Type: application/json", list},
		"502":                {ut.Fault{Status: 502}, 502, "Content-Type: text/html; charset=utf-8", strings.Replace(page, "CODE", "502 Bad", 1)},
		"code and message":   {ut.Fault{Status: 403, Code: "no_way", Message: "No."}, 403, "", `^{"error":"no_way","message":"No\."`},
		"503 as a problem":   {ut.Fault{Status: 503, Shape: ut.ShapeProblem}, 503, "", problemOf("service_unavailable")},
		"500 as a page":      {ut.Fault{Status: 500, Shape: ut.ShapeHTML}, 500, "", strings.Replace(page, "CODE", "500 Int", 1)},
		"400 as a list":      {ut.Fault{Status: 400, Shape: ut.ShapeList}, 400, "", list},
		"an unnamed status":  {ut.Fault{Status: 599}, 599, "", problemOf("status_599")},
		"retry-after":        {ut.Fault{Status: 429, RetryAfter: "7"}, 429, "Retry-After: 7", problemOf("too_many_requests")},
		"a body":             {ut.Fault{Body: "null"}, 200, "Content-Type: application/json", "^null$"},
		"body and status":    {ut.Fault{Body: "gone", Status: 410, ContentType: "text/plain"}, 410, "Content-Type: text/plain", "^gone$"},
		"content type alone": {ut.Fault{ContentType: "text/html"}, 200, "Content-Type: text/html", `^{"adapter":`},
		"empty":              {ut.Fault{Status: 204}, 204, "Content-Length: ", "^$"},
		"a redirect":         {ut.Fault{Redirect: "https://elsewhere.example/"}, 302, "Location: https://elsewhere.example/", "^<p>"},
		"dated": {ut.Fault{FetchedAt: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)}, 200, "",
			`"fetched_at":"2099-01-01T00:00:00Z"`},
	} {
		w := newWorld(t, ut.Options{}, ut.Healthy())
		w.Fault("tnt_a", c.fault)
		a := w.send("GET", "/tenants/tnt_a/status", "", key)
		if header, value, _ := strings.Cut(c.header, ": "); a.Code != c.status || a.Header().Get(header) != value ||
			!regexp.MustCompile(c.body).MatchString(a.Body.String()) {
			t.Errorf("%s: %d %v %s", name, a.Code, a.Header(), a.Body)
		}
		if wrong := w.send("GET", "/tenants/tnt_a/status", "", "wrong"); c.fault.Status != 0 && wrong.Code != c.status {
			t.Errorf("%s: %d: a fault stands before the key check", name, wrong.Code)
		}
		w.Fault("tnt_a", ut.Fault{})
		if got := w.status().FetchedAt; got != "2026-07-04T10:00:00.250000Z" {
			t.Errorf("%s: cleared, fetched_at %s", name, got)
		}
	}
}

// The order is: a tenant's script, its standing fault, the script of all tenants, their
// standing fault.
func TestWhichFault(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	w.SetTenant(gam("tnt_b", ut.Healthy()))
	const statusA, statusB, tenantA = "/tenants/tnt_a/status", "/tenants/tnt_b/status", "/tenants/tnt_a"
	expect := func(path string, want int, why string) {
		t.Helper()
		if got := w.send("GET", path, "", key).Code; got != want {
			t.Errorf("%s: %d, want %d: %s", path, got, want, why)
		}
	}
	w.Fault("", ut.Fault{Status: 591})
	w.Script("", ut.Fault{Status: 581}, ut.Fault{Status: 582})
	w.Fault("tnt_a", ut.Fault{Only: ut.RouteStatus, Status: 571})
	w.Script("tnt_a", ut.Fault{Only: ut.RouteTenant, Status: 561}, ut.Fault{Status: 562}, ut.Fault{})
	expect(statusA, 562, "the first of the script waits for a tenant request")
	expect(statusB, 581, "")
	expect(statusA, 200, "scripted to go well")
	expect(statusA, 571, "")
	expect(tenantA, 561, "")
	expect(tenantA, 582, "none of its own is left for this kind")
	expect(tenantA, 591, "")
	expect(statusB, 591, "")
	expect("/tenants", 591, "")
	w.Script("tnt_b", ut.Fault{Status: 551}, ut.Fault{Status: 552})
	w.Script("tnt_b", ut.Fault{Status: 553})
	w.Fault("", ut.Fault{})
	w.Fault("tnt_a", ut.Fault{})
	expect(statusB, 553, "the script before is replaced")
	expect(statusB, 200, "")
	expect(statusA, 200, "cleared")
}

// These faults show only on a real connection.
func TestOnTheWire(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	server := httptest.NewServer(w)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(f ut.Fault) ([]byte, int64, error) {
		t.Helper()
		w.Fault("tnt_a", f)
		r, err := http.NewRequest("GET", server.URL+ut.BasePath+"/tenants/tnt_a/status", nil)
		must(t, err)
		r.Header.Set(ut.KeyHeader, key)
		res, err := client.Do(r)
		if err != nil {
			return nil, 0, err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		return body, res.ContentLength, err
	}
	whole, _, err := ask(ut.Fault{})
	must(t, err)
	if b, _, err := ask(ut.Fault{Drop: true}); err == nil {
		t.Errorf("drop: answered %s", b)
	}
	b, length, err := ask(ut.Fault{CutShort: true})
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(b) != len(whole)/2 || length != int64(len(whole)) {
		t.Errorf("cut short: %d of %d bytes, %v", len(b), len(whole), err)
	}
	if b, _, err := ask(ut.Fault{Drip: time.Nanosecond}); err != nil || string(b) != string(whole) {
		t.Errorf("drip: %d of %d bytes, %v", len(b), len(whole), err)
	}
	for object, size := range map[string]int64{"": 3 << 20, "[]": 100_000} { // no object can be padded: another comes
		b, length, err := ask(ut.Fault{Size: size, Body: object})
		if err != nil || int64(len(b)) != size || !json.Valid(b) || length != -1 {
			t.Errorf("size: %d bytes, %v", len(b), err)
		}
	}
	if n := w.Calls("tnt_a"); n != 6 {
		t.Errorf("%d calls", n)
	}
}

func TestEcho(t *testing.T) {
	const keyFile = `{"type":"google_ad_manager","service_account_key_json":"{\"private_key\":\"lantern\",\"private_key_id\":\"keel\"}"}`
	const provision, config, hook = "/tenants/provision", "/tenants/tnt_a/adapter-config", "/tenants/tnt_a/webhooks"
	for body, c := range map[string]struct {
		path    string
		kind    string
		secrets []string
	}{
		`{"adapter":{"type":"freewheel","password":"hunter2","api_token":"staple"}}`: {provision, "freewheel", []string{"hunter2", "staple"}},
		`{"type":"broadstreet","api_key":"hunter2"}`:                                 {config, "broadstreet", []string{"hunter2"}},
		keyFile:                                  {config, "google_ad_manager", []string{"keel", "lantern"}},
		`{"service_account_key_json":"lantern"}`: {config, "", []string{"lantern"}},
		`{"url":"u","secret":"anchor"}`:          {hook, "", []string{"anchor"}},
		`{"type":"mock"}`:                        {config, "", nil},
		`<`:                                      {config, "", nil},
		`{"note":"hunter2"}`:                     {"/tenants/tnt_a/refresh", "", nil},
	} {
		w := newWorld(t, ut.Options{}, ut.Healthy())
		w.Fault("", ut.Fault{Status: 400, Code: "adapter_invalid_credentials", Echo: true})
		problem := w.want(400, "POST", c.path, body)
		w.Fault("", ut.Fault{Status: 422, Echo: true})
		list := w.want(422, "POST", c.path, body)
		has(t, problem, `"error":"adapter_invalid_credentials"`)
		has(t, list, `"loc"`)
		for _, s := range c.secrets {
			sentence := `"There is no login with ` + strings.Join(c.secrets, " or ") + ` here."`
			has(t, problem, `"message":`+sentence, `"error":`+sentence, `"fault_string":`+sentence)
			has(t, list, `"loc":["`+c.kind+`","`+s+`"]`, `"msg":"Value error, no login with `+s+`"`)
		}
		if c.secrets == nil && strings.Contains(problem+list, "no login") {
			t.Errorf("%s: %s, %s", body, problem, list)
		}
	}
}
