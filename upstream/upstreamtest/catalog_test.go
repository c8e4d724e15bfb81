package upstreamtest_test

import (
	"fmt"
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
