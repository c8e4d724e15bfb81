package upstreamtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ut "esagate/upstream/upstreamtest"
)

// Two calls at once that look before they write both find nothing.
func TestChecksBeforeItWrites(t *testing.T) {
	for path, c := range map[string]struct{ body, list string }{
		"/tenants/tnt_a/gam/advertisers:ensure": {`{"name":"New here"}`, "/tenants/tnt_a/gam/advertisers?q=new%20here"},
		"/tenants/tnt_a/accounts":               {`{"operator":"a.example","brand":{"domain":"New here"},"billing":"agent"}`, "/tenants/tnt_a/accounts"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, ut.Options{Now: time.Now, ProbeTakes: time.Second}, ut.Healthy())
			codes := make(chan int, 2)
			for range cap(codes) {
				go func() { codes <- w.send("POST", path, c.body, key).Code }()
			}
			if a, b := <-codes, <-codes; a != 201 || b != 201 {
				t.Errorf("%s: %d and %d", path, a, b)
			}
			if code := w.send("POST", path, c.body, key).Code; code != 200 {
				t.Errorf("%s, then: %d", path, code)
			}
			if list := w.want(200, "GET", c.list, ""); strings.Count(list, `":"New here"`) != 2 {
				t.Errorf("%s: %s", path, list)
			}
		})
	}
}

// What callers have made outlasts a scene, but for the advertiser that a source waits for as it begins.
func TestScenesKeepCatalogs(t *testing.T) {
	w := newWorld(t, ut.Options{CacheFor: -1}, ut.Healthy())
	const alder = "/tenants/tnt_alder"
	open := func() bool {
		return strings.Contains(w.want(200, "GET", alder+"/status", ""), `"blocker_count":1`)
	}
	w.play("start")
	if !open() {
		t.Error("no blocker is open")
	}
	w.want(200, "PATCH", alder, `{"default_gam_advertiser_id":"7"}`)
	w.want(201, "POST", alder+"/accounts", `{"operator":"a.example","brand":{"domain":"mine.example"},"billing":"agent"}`)
	if open() {
		t.Error("the blocker is still open")
	}
	w.play("recovery")
	if body := w.want(200, "GET", alder, ""); !strings.Contains(body, `"default_gam_advertiser_id":"7"`) {
		t.Errorf("after a scene: %s", body)
	}
	w.play("start")
	if !open() {
		t.Error("all began anew, and no blocker is open")
	}
	if body := w.want(200, "GET", alder+"/accounts", ""); !strings.Contains(body, "mine.example") {
		t.Errorf("what was made: %s", body)
	}
}

// A shelf is bounded, in documents and in bytes.
func TestShelvesAreBounded(t *testing.T) {
	w := newWorld(t, ut.Options{}, ut.Healthy())
	wide := strings.Repeat("x", 300_000)
	for name, most := range map[string]int{"": 1000, wide: 13} {
		w.SetTenant(gam("tnt_a", ut.Healthy()))
		made := 0
		for made <= most {
			a := w.send("POST", "/tenants/tnt_a/signals", fmt.Sprintf(
				`{"signal_id":"s%d","name":"S","value_type":"binary","description":%q,"adapter_config":{"kind":"audience_segment","segment_id":"4"}}`, made, name), key)
			if a.Code != 201 {
				break
			}
			made++
		}
		if made != most {
			t.Errorf("%d signals of %d bytes", made, len(name))
		}
	}
}

// A write can be done and its answer lost, or neither.
func TestAnswersOfWritesAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, ut.Options{Now: time.Now}, ut.Healthy())
		_, do := w.pipe()
		for i, c := range []struct {
			fault ut.Fault
			code  int
			done  bool
		}{
			{ut.Fault{}, 201, true},
			{ut.Fault{Status: 500}, 500, false},
			{ut.Fault{After: true, Status: 500}, 500, true},
			{ut.Fault{After: true, Status: 502}, 502, true},
			{ut.Fault{Drop: true}, 0, false},
			{ut.Fault{After: true, Drop: true}, 0, true},
			{ut.Fault{CutShort: true}, 0, true},
			{ut.Fault{After: true, Status: 201}, 201, true},
			{ut.Fault{Hang: true}, 0, false},
			{ut.Fault{After: true, Hang: true}, 0, true},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			c.fault.Only = ut.RouteSaveAccount
			w.Script("tnt_a", c.fault)
			domain := fmt.Sprintf("d%d.example", i)
			code, _, _ := do(ctx, "POST", "/tenants/tnt_a/accounts", `{"operator":"a.example","brand":{"domain":"`+domain+`"},"billing":"agent"}`)
			_, list, _ := do(t.Context(), "GET", "/tenants/tnt_a/accounts", "")
			if done := strings.Contains(list, domain); code != c.code || done != c.done {
				t.Errorf("%d: %d, done %t: %+v", i, code, done, c.fault)
			}
			cancel()
		}
	})
}

// Whatever is asked for, the agent answers and goes on.
func FuzzOperations(f *testing.F) {
	for _, s := range []struct{ path, body string }{
		{"POST /signals", `{"signal_id":"a","name":"A","value_type":"numeric","range":{"min":1e9,"max":"2"},"adapter_config":{"type":"composed","criteria":[{}]}}`},
		{"PUT /wholesale-products/x", `{"name":"a","inventory":{"execution":{"adapter":"google_ad_manager","selectors":[null]}},"format_options":[[]]}`},
		{"POST /buyer-advertiser-mappings", `{"operator_domain":"a","brand_house":null,"gam_advertiser_id":"1"}`},
		{"POST /accounts", `{"operator":"a","brand":{"domain":{}},"billing":"agent","name":null}`},
		{"POST /gam/advertisers:ensure", `{"name":"a","dry_run":true}`},
		{"PATCH ", `{"name":null,"default_gam_advertiser_id":"7"}`},
		{"GET /gam/advertisers?cursor=eyJvZmZzZXQiOiAtMX0=&limit=-1", ""},
		{"GET /media-buys?cursor=W10=&from_date=2026-02-30", ""},
		{"GET /inventory/selectors?selector_type=ad_unit&cursor=99999999", ""},
		{"GET /recent-buyers?days=-1&limit=x", ""},
	} {
		f.Add(s.path, s.body)
	}
	a := ut.New(ut.Options{})
	defer a.Close()
	tenant := gam("tnt_a", ut.NewerBuild())
	tenant.Stocked = true
	a.SetTenant(tenant)
	f.Fuzz(func(t *testing.T, call, body string) {
		method, path, _ := strings.Cut(call, " ")
		r, err := http.NewRequest(method, "http://agent"+ut.BasePath+"/tenants/tnt_a"+path, strings.NewReader(body))
		if err != nil {
			return
		}
		r.Header.Set(ut.KeyHeader, key)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		if a.ServeHTTP(w, r); w.Code < 400 && w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %d %s", call, w.Code, w.Body)
		}
	})
}
