package operations_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/internal/operations"
	"esagate/registry"
)

const (
	newMapping = `{"operatorDomain":"brightbuy.example","gamAdvertiserId":"990017"}`
	mappingDoc = `{"id":"map_3","operator_domain":"brightbuy.example","gam_advertiser_id":"990017","created_at":"2026-09-01T04:00:00Z","updated_at":"2026-09-02T04:00:00Z"}`
	productDoc = `{"wholesale_product_id":"lb","product_id":"lb","name":"LB","inventory":{"execution":{"adapter":"google_ad_manager","selectors":[]}}}`
	productPut = `{"name":"LB","inventory":{"execution":{"adapter":"google_ad_manager","selectors":[{"selector_type":"ad_unit","external_id":"1"}]}}}`
)

// TestWritesOfAConnectionAreMadeOneAtATime: others wait, those of other connections, reads and trials do not.
func TestWritesOfAConnectionAreMadeOneAtATime(t *testing.T) {
	inWorld(t, func(w *world) {
		w.answersBy(func(r *http.Request) (int, string) {
			if strings.HasSuffix(r.URL.Path, ":ensure") {
				return 200, `{"advertiser":{"id":"1","name":"a","status":"active"},"created":false,"dry_run":true}`
			}
			if r.Method == http.MethodGet {
				return 200, `{"mappings":[]}`
			}
			return 201, mappingDoc
		})
		w.takes(2*time.Second, false)
		var mu sync.Mutex
		ended := map[string]time.Duration{}
		begun := time.Now()
		var all sync.WaitGroup
		begin := func(name, operation, source, body string) {
			all.Go(func() {
				_, _, err := w.do(operation, w.request(source, "", body))
				mu.Lock()
				defer mu.Unlock()
				if ended[name] = time.Since(begun); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
			synctest.Wait()
		}
		for i := range 3 {
			begin(fmt.Sprint(i), "createEsaBuyerAdvertiserMapping", "coast", newMapping)
		}
		begin("other", "createEsaBuyerAdvertiserMapping", "isle", newMapping)
		begin("read", "listEsaBuyerAdvertiserMappings", "coast", "")
		begin("trial", "ensureEsaGamAdvertiser", "coast", `{"name":"a","dryRun":true}`)
		all.Wait()
		if got := fmt.Sprint(ended); got != "map[0:2s 1:4s 2:6s other:2s read:2s trial:2s]" {
			t.Error(got)
		}
	})
}

func TestAWriteWaitsNoLongerThanItMay(t *testing.T) {
	inWorld(t, func(w *world) {
		w.answers(201, productDoc)
		w.takes(70*time.Second, false) // the ad server is slow
		go func() {
			if code, _, err := w.do("createEsaProduct", w.request("coast", "", productPut)); code != 201 {
				t.Errorf("the slow one: %v", err)
			}
		}()
		synctest.Wait()
		begun := time.Now()
		_, _, err := w.do("deleteEsaSignal", w.request("coast", "", "", "signalId", "kv_tide"))
		if f := fault.As(err); told(err) != "409" || time.Since(begun) != 10*time.Second || f.RetryAfter != 10*time.Second {
			t.Errorf("%s after %s: %v", told(err), time.Since(begun), err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		w.wantCalls(1)
	})
}

// TestNoWriteWhileTheConnectionIsChanged: as it is when the turn has come.
func TestNoWriteWhileTheConnectionIsChanged(t *testing.T) {
	inWorld(t, func(w *world) {
		w.change("coast", func(c *registry.Connection) {
			c.Operation = &registry.Operation{Kind: registry.OperationConfigure, ID: "x", Begun: time.Now(), Until: time.Now().Add(3 * time.Second)}
		})
		_, _, err := w.do("deleteEsaSignal", w.request("coast", "", "", "signalId", "kv_tide"))
		if told(err) != "409" || fault.As(err).RetryAfter != 3*time.Second {
			t.Errorf("%v", err)
		}
		w.wantCalls(0)
		time.Sleep(3 * time.Second)
		w.takes(time.Second, false)
		go func() { _, _, _ = w.do("deleteEsaSignal", w.request("coast", "", "", "signalId", "kv_tide")) }()
		synctest.Wait()
		late := w.request("coast", "", "", "signalId", "kv_tide")
		w.change("coast", func(c *registry.Connection) { c.Provisioning = registry.StatusDeactivated })
		if _, _, err = w.do("deleteEsaSignal", late); told(err) != "404 SOURCE_DEACTIVATED" {
			t.Errorf("%v", err)
		}
		w.wantCalls(1)
	})
}

// TestWhatAWriteMakesOld: what is kept of its connection and, where its row says so, the status of its source, whenever it
// may have arrived.
func TestWhatAWriteMakesOld(t *testing.T) {
	for _, c := range []struct {
		name            string
		operation, body string
		vars            []string
		code            int
		document        string
		takes           time.Duration
		away            bool
		err             string
		kept, expires   bool
	}{
		{name: "done", operation: "createEsaBuyerAdvertiserMapping", body: newMapping, code: 201, document: mappingDoc, expires: true},
		{name: "refused", operation: "createEsaBuyerAdvertiserMapping", body: newMapping, code: 409, document: `{"error":"other_conflict"}`, err: "409", expires: true},
		{name: "failed", operation: "createEsaBuyerAdvertiserMapping", body: newMapping, code: 500, document: `{"error":"internal"}`, err: "503 UPSTREAM_ERROR", expires: true},
		{name: "not readable", operation: "createEsaBuyerAdvertiserMapping", body: newMapping, code: 201, document: `{"id":`, err: "503 UPSTREAM_INVALID_RESPONSE", expires: true},
		{name: "too late", operation: "createEsaBuyerAdvertiserMapping", body: newMapping, code: 201, document: mappingDoc, takes: time.Minute, err: "503 UPSTREAM_TIMEOUT", expires: true},
		{name: "not reached", operation: "createEsaBuyerAdvertiserMapping", body: newMapping, away: true, err: "503 UPSTREAM_UNREACHABLE", kept: true},
		{name: "not admitted", operation: "createEsaBuyerAdvertiserMapping", body: `{}`, err: "400 operatorDomain: operatorDomain is required. gamAdvertiserId: gamAdvertiserId is required.", kept: true},
		{name: "tried", operation: "ensureEsaGamAdvertiser", body: `{"name":"a","dryRun":true}`, code: 500, document: `{}`, err: "503 UPSTREAM_ERROR", kept: true},
		{name: "a signal", operation: "deleteEsaSignal", vars: []string{"signalId", "kv_tide"}, code: 200, document: `{}`},
		{name: "a product", operation: "deleteEsaProduct", vars: []string{"productId", "lb"}, code: 200, document: `{}`, expires: true},
	} {
		inWorld(t, func(w *world) {
			kept := func() int {
				w.answersBy(func(r *http.Request) (int, string) {
					if strings.HasSuffix(r.URL.Path, "/wholesale-products") {
						return 200, empty["listEsaProducts"]
					}
					return 200, empty["listEsaSignals"]
				})
				w.takes(0, false)
				w.calls()
				w.read("listEsaSignals", "coast", "")
				w.read("listEsaProducts", "coast", "")
				w.read("listEsaSignals", "isle", "")
				return 3 - len(w.calls())
			}
			kept()
			epoch := w.source("coast").Connection.Epoch
			w.answers(c.code, c.document)
			w.takes(c.takes, c.away)
			if _, _, err := w.do(c.operation, w.request("coast", "", c.body, c.vars...)); told(err) != c.err {
				t.Errorf("%s: %s", c.name, told(err))
			}
			if expired := w.source("coast").Connection.Epoch > epoch; expired != c.expires {
				t.Errorf("%s: the status is old: %t", c.name, expired)
			}
			want := 1 // of the other connection
			if c.takes > 0 {
				want = 0 // more time has passed
			}
			if c.kept {
				want = 3
			}
			if got := kept(); got != want {
				t.Errorf("%s: %d answers were kept, want %d", c.name, got, want)
			}
		})
	}
}

// TestAReadIsNotAnsweredByOneFromBeforeAWrite: nor by one that was under way.
func TestAReadIsNotAnsweredByOneFromBeforeAWrite(t *testing.T) {
	inWorld(t, func(w *world) {
		w.answers(200, empty["listEsaSignals"])
		w.takes(2*time.Second, false)
		go func() { _, _, _ = w.do("listEsaSignals", w.request("coast", "", "")) }()
		synctest.Wait()
		w.takes(time.Second, false)
		_, _, err := w.do("deleteEsaSignal", w.request("coast", "", "", "signalId", "kv_tide"))
		w.must(err)
		w.calls()
		if a := w.read("listEsaSignals", "coast", ""); a.Collapsed {
			t.Errorf("%+v", a)
		}
		w.wantCalls(1)
		_, _, err = w.do("deleteEsaSignal", w.request("coast", "", "", "signalId", "kv_tide"))
		w.must(err)
		w.takes(0, true) // what was kept before the write is nothing to fall back on
		if _, _, err := w.do("listEsaSignals", w.request("coast", "", "")); told(err) != "503 UPSTREAM_UNREACHABLE" {
			t.Errorf("%v", err)
		}
		time.Sleep(time.Minute)
	})
}

// TestAStatusIsOldWithoutTheStore: at once here, and in other replicas when the store is back.
func TestAStatusIsOldWithoutTheStore(t *testing.T) {
	inWorld(t, func(w *world) {
		status := func() {
			w.answers(200, `{"adapter":{"type":"google_ad_manager","connected":true},"fetched_at":"`+time.Now().UTC().Format(time.RFC3339)+`"}`)
			_, err := w.status.Get(w.Context(), w.source("coast"), 0)
			w.must(err)
		}
		status()
		r := w.request("coast", "", newMapping)
		w.must(w.store.Close())
		w.answers(201, mappingDoc)
		if code, _, err := w.do("createEsaBuyerAdvertiserMapping", r); code != 201 {
			t.Errorf("%d, %v", code, err)
		}
		w.calls()
		status()
		w.wantCalls(1)
	})
}

func TestAWriteGoesOnWithoutItsCaller(t *testing.T) {
	inWorld(t, func(w *world) {
		w.answers(201, mappingDoc)
		w.takes(5*time.Second, false)
		epoch := w.source("coast").Connection.Epoch
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		defer cancel()
		_, _, err := w.service.Write(ctx, find(t, "createEsaBuyerAdvertiserMapping"), w.request("coast", "", newMapping))
		if told(err) != "503" || !operations.Undecided(err) {
			t.Errorf("%v", err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if w.source("coast").Connection.Epoch == epoch {
			t.Error("the write was not made, or did not make the status old")
		}
	})
}

func TestClose(t *testing.T) {
	inWorld(t, func(w *world) {
		w.answers(201, mappingDoc)
		w.takes(5*time.Second, false)
		written := make(chan int, 1)
		go func() {
			code, _, _ := w.do("createEsaBuyerAdvertiserMapping", w.request("coast", "", newMapping))
			written <- code
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(w.Context(), 10*time.Second)
		defer cancel()
		begun := time.Now()
		w.service.Close(ctx)
		if code := <-written; code != 201 || time.Since(begun) != 5*time.Second {
			t.Errorf("%d after %s", code, time.Since(begun))
		}
		for _, operation := range []string{"createEsaBuyerAdvertiserMapping", "listEsaSignalCandidates"} {
			if _, _, err := w.do(operation, w.request("coast", "", newMapping)); told(err) != "503" {
				t.Errorf("%s after the end: %v", operation, err)
			}
		}
	})
	inWorld(t, func(w *world) { // which can't wait
		w.takes(time.Hour, false)
		go func() {
			_, _, err := w.do("createEsaProduct", w.request("coast", "", productPut))
			if !fault.Is(err, fault.Unavailable) {
				t.Errorf("%v", err)
			}
		}()
		synctest.Wait()
		epoch := w.source("coast").Connection.Epoch
		ctx, cancel := context.WithTimeout(w.Context(), 2*time.Second)
		defer cancel()
		begun := time.Now()
		w.service.Close(ctx)
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("it took %s", took)
		}
		if w.source("coast").Connection.Epoch == epoch {
			t.Error("the write may have arrived, and the status is not old")
		}
	})
}

// TestPreconditions: they are checked against what the sales agent has when the turn of the write has come, in the bytes
// that a GET answers with.
func TestPreconditions(t *testing.T) {
	inWorld(t, func(w *world) {
		name := "High tide"
		w.answersBy(func(r *http.Request) (int, string) {
			if r.Method == http.MethodDelete {
				name = "Low tide"
			}
			return 200, `{"signal_id":"kv_tide","name":"` + name + `","value_type":"binary"}`
		})
		seen := w.read("getEsaSignal", "coast", "", "signalId", "kv_tide").Body.ETag[0]
		unmet := fault.New(fault.PreconditionFailed, "It has changed.")
		r := w.request("coast", "", "", "signalId", "kv_tide")
		r.If = func(current *api.Body) error {
			if current.ETag[0] != seen {
				return unmet
			}
			return nil
		}
		w.takes(time.Second, false)
		var all sync.WaitGroup
		results := make([]string, 2)
		for i := range results {
			all.Go(func() {
				code, _, err := w.do("deleteEsaSignal", r)
				results[i] = fmt.Sprintf("%d %s", code, told(err))
			})
			synctest.Wait()
		}
		all.Wait()
		if got := fmt.Sprint(results); got != "[204  0 412]" {
			t.Error(got)
		}
		w.answers(404, `{"error":"signal_mapping_not_found"}`)
		w.calls()
		if _, _, err := w.do("deleteEsaSignal", r); err == nil {
			t.Error("nothing was there, and it was deleted")
		}
		w.wantCalls(1)
	})
}
