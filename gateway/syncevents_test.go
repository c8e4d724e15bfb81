package gateway_test

import (
	"fmt"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"esagate/upstream/upstreamtest"
)

func TestSyncEventsByWebhook(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		_, c := w.connected("harbour") // subscribed when it became active
		w.pass(time.Second)
		subs := w.agent.Subscriptions(*c.TenantID)
		if len(subs) != 1 || subs[0].URL != "https://gateway.example/webhooks/esa-sync" {
			w.Fatalf("%+v", subs)
		}
		at := "/api/v2/storefront/inventory-sources/harbour"
		if s := w.get(at + "/status").snapshot(t); s.Webhooks.Last24h.Delivered != 0 || s.Webhooks.Last24h.SuccessRate != 1 {
			w.Errorf("%+v", s.Webhooks)
		}
		w.pass(6 * time.Second) // the sales agent keeps a status for five
		w.agent.FinishRun(*c.TenantID, "inventory", 17)
		w.must(w.agent.Drain(w.Context()))
		sync := w.connection(w.get(at+"/esa"), 200).InventorySync
		if sync == nil || sync.Status != "success" || sync.ItemCount == nil || *sync.ItemCount != 17 {
			w.Errorf("%+v", sync)
		}
		s := w.get(at + "/status").snapshot(t)
		if s.Webhooks.Last24h.Delivered != 1 || s.Syncs["inventory"].Status != "success" {
			w.Errorf("%+v %+v", s.Webhooks, s.Syncs["inventory"])
		}
		for _, task := range s.SetupTasks.Items {
			if task.ID == "sync_webhook_subscribed" && !task.IsComplete {
				w.Error("subscribed, and the task is open")
			}
		}
		// A subscription that could not be ended is ended before the source is deleted.
		w.agent.Script(*c.TenantID, upstreamtest.Fault{Only: upstreamtest.RouteDeleteWebhook, Status: 500})
		w.write("POST", at+"/deactivate", "")
		w.pass(time.Second)
		if subs := w.agent.Subscriptions(*c.TenantID); !subs[0].Active {
			w.Fatal("the subscription ended in spite of the fault")
		}
		if a := w.write("DELETE", at, ""); a.status != 204 {
			w.Errorf("%d %s", a.status, a.body)
		}
		if subs := w.agent.Subscriptions(*c.TenantID); subs[0].Active {
			w.Error("a deleted source is subscribed")
		}
	})
}

// A run that ended before the subscription was made is never announced: the status is looked at once, though
// nobody reads it.
func TestARunBeforeTheSubscriptionIsSeen(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.agent.SetSlow(time.Second) // so that the run ends before the subscription is made
		_, c := w.connected("harbour")
		w.agent.FinishRun(*c.TenantID, "inventory", 17)
		if n := len(w.agent.Subscriptions(*c.TenantID)); n != 0 {
			w.Fatalf("%d subscriptions already", n)
		}
		w.pass(20 * time.Second)
		if n := w.agent.Calls(*c.TenantID); n != 1 || len(w.agent.Subscriptions(*c.TenantID)) != 1 {
			w.Errorf("%d status calls", n)
		}
		sync := w.connection(w.get("/api/v2/storefront/inventory-sources/harbour/esa"), 200).InventorySync
		if sync == nil || sync.Status != "success" || sync.ItemCount == nil || *sync.ItemCount != 17 {
			w.Errorf("%+v", sync)
		}
	})
}

// Package webhooks tests which deliveries are believed.
func TestBadDeliveries(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		_, c := w.connected("harbour")
		w.pass(time.Second)
		secret := w.agent.Subscriptions(*c.TenantID)[0].Secret
		body := func(edit string) string {
			return fmt.Sprintf(`{"event_id":"evt-9","event_type":"sync_run.completed","tenant_id":%q,"occurred_at":%q,"data":{"sync_type":"inventory","status":"completed"}%s}`,
				*c.TenantID, time.Now().UTC().Format(time.RFC3339), edit)
		}
		deliver := func(text, key string, at time.Time, mediaType string) answer {
			r := httptest.NewRequest("POST", "https://gateway.example/webhooks/esa-sync", strings.NewReader(text))
			r.Header.Set("Content-Type", mediaType)
			stamp := strconv.FormatInt(at.Unix(), 10)
			r.Header.Set(upstreamtest.TimestampHeader, stamp)
			if key != "" {
				r.Header.Set(upstreamtest.SignatureHeader, upstreamtest.Sign(key, stamp, []byte(text)))
			}
			return w.send(r)
		}
		now := time.Now()
		const esa = "/api/v2/storefront/inventory-sources/harbour/esa"
		before := w.connection(w.get(esa), 200).InventorySync
		deliver(body(""), "", now, "application/json").failure(t, 401, "UNAUTHORIZED")
		deliver(body(""), "another secret, long enough to be one", now, "application/json").failure(t, 401, "UNAUTHORIZED")
		deliver("<html>", secret, now, "text/html").failure(t, 415, "BAD_REQUEST")
		deliver(body(`,"pad":"`+strings.Repeat("x", 5<<20)+`"`), secret, now, "application/json").failure(t, 413, "BAD_REQUEST")
		if after := w.connection(w.get(esa), 200).InventorySync; !reflect.DeepEqual(after, before) {
			w.Errorf("bad deliveries had an effect: %+v", after)
		}
		for range 2 { // the second is the same again
			if a := deliver(body(""), secret, now, "application/json"); a.status != 204 {
				w.Errorf("%d %s", a.status, a.body)
			}
		}
		counted := func(name string, delivered, failed int) {
			const status = "/api/v2/storefront/inventory-sources/harbour/status"
			w.pass(6 * time.Second) // what failed changes nothing: the document is served while it is fresh
			w.get(status)
			w.pass(time.Second)
			if last := w.get(status).snapshot(t).Webhooks.Last24h; last.Delivered != delivered || last.Failed != failed {
				w.Errorf("%s: %+v", name, last)
			}
		}
		counted("once", 1, 0)
		// The signature is judged over the body as it came, whatever that is.
		for i, c := range []struct {
			body              string
			status            int
			delivered, failed int
		}{
			{body(`,"note":"Anzeige \ud83d"`), 204, 2, 0},
			{body(`,"summary":{"added":1,"added":1}`), 204, 3, 0},
			{body(`,"summary":{"ratio":NaN}`), 400, 3, 1},
			{"\ufeff" + body(""), 400, 3, 2},
			{body("") + "]", 400, 3, 3},
		} {
			text := strings.Replace(c.body, "evt-9", fmt.Sprint("evt-1", i), 1)
			deliver(text, "another secret, long enough to be one", now, "application/json").failure(t, 401, "UNAUTHORIZED")
			if a := deliver(text, secret, time.Now(), "application/json"); a.status != c.status {
				w.Errorf("%s: %d %s", text, a.status, a.body)
			}
			counted(text, c.delivered, c.failed)
		}
	})
}

// After a restart the sales agent delivers nothing, though the subscription reads active.
// The next run that a status shows, and that no event announced, leads to a new one.
func TestASilentSubscriptionIsReplaced(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		_, c := w.connected("harbour")
		const at = "/api/v2/storefront/inventory-sources/harbour"
		w.pass(61 * time.Minute) // at most one an hour
		w.agent.Restart()
		w.agent.FinishRun(*c.TenantID, "inventory", 5)
		w.pass(time.Minute)
		w.get(at + "/status") // too early to say
		if n := len(w.agent.Subscriptions(*c.TenantID)); n != 1 {
			w.Fatalf("%d subscriptions after a minute", n)
		}
		w.pass(2 * time.Minute)
		w.get(at + "/status")
		w.pass(10 * time.Second)
		w.get(at + "/status")
		w.pass(10 * time.Second)
		subs := w.agent.Subscriptions(*c.TenantID)
		if len(subs) != 2 || subs[0].Active || !subs[1].Active {
			w.Fatalf("%+v", subs)
		}
		w.agent.FinishRun(*c.TenantID, "inventory", 6)
		w.must(w.agent.Drain(w.Context()))
		if sync := w.connection(w.get(at+"/esa"), 200).InventorySync; sync == nil || sync.ItemCount == nil || *sync.ItemCount != 6 {
			w.Errorf("%+v", sync)
		}
	})
}

// The reconciler's refresh and any number of readers share one call of the sales agent.
// One failure costs one retry, and fails neither the readers nor the refresh.
func TestReadersAndReconcilerShareOneCall(t *testing.T) {
	for name, calls := range map[string]int{"well": 1, "one 500": 2} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, setup{}, func(w *world) {
				m, err := w.directory.ManagedSource(w.Context(), customer, source)
				w.must(err)
				w.agent.SetSlow(300 * time.Millisecond)
				if calls == 2 {
					w.agent.Script(tenant, upstreamtest.Fault{Status: 500})
				}
				var all sync.WaitGroup
				var collapsed atomic.Int64
				refresh := func() {
					if err := w.status.Refresh(w.Context(), m); err != nil {
						w.Errorf("the refresh failed: %v", err)
					}
				}
				read := func() {
					if a := w.unchecked(statusOf); a.status != 200 {
						w.Errorf("a reader got %d", a.status)
					} else if a.header.Get("Cache-Status") == "esagate; fwd=miss; collapsed" {
						collapsed.Add(1)
					}
				}
				all.Go(refresh)
				w.pass(100 * time.Millisecond)
				for range 200 {
					all.Go(read)
				}
				all.Go(refresh)
				all.Wait()
				if n := w.agent.Calls(tenant); n != calls || collapsed.Load() != 200 {
					w.Errorf("%d status calls, want %d; %d readers waited for them, want 200", n, calls, collapsed.Load())
				}
			})
		})
	}
}
