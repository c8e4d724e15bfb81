package upstreamtest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	ut "esagate/upstream/upstreamtest"
)

// post receives deliveries, each for a second.
type post struct {
	t    *testing.T
	hang bool // until the delivery is given up

	mu  sync.Mutex
	all []delivery
}

type delivery struct {
	ID       string          `json:"event_id"`
	Type     string          `json:"event_type"`
	Schema   string          `json:"event_schema_version"`
	Tenant   string          `json:"tenant_id"`
	Occurred string          `json:"occurred_at"`
	Attempt  int             `json:"delivery_attempt"`
	Test     bool            `json:"test"`
	Data     json.RawMessage `json:"data"`

	header http.Header
	body   []byte
}

func (p *post) deliver(r *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(r.Body)
	must(p.t, err)
	d := strict[delivery](p.t, text)
	d.header, d.body = r.Header.Clone(), text
	p.mu.Lock()
	p.all = append(p.all, d)
	p.mu.Unlock()
	if p.hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	time.Sleep(time.Second)
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, nil
}

func (p *post) seen() []delivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]delivery(nil), p.all...)
}

// inBubble runs a test of an agent in a bubble, with one subscription to the ends of runs.
func inBubble(t *testing.T, opts ut.Options, test func(t *testing.T, w *world, p *post)) {
	synctest.Test(t, func(t *testing.T) {
		p := &post{t: t}
		opts.Now, opts.Deliver = time.Now, p.deliver
		w := newWorld(t, opts, ut.Provisioned())
		w.want(201, "POST", "/tenants/tnt_a/webhooks", `{"url":"https://hook.example/a","secret":"`+secret+
			`","event_types":["sync_run.completed","sync_run.failed"],"extra_headers":{"X-Desk":"4","Authorization":"no"}}`)
		test(t, w, p)
	})
}

func TestDeliveriesOfRuns(t *testing.T) {
	inBubble(t, ut.Options{}, func(t *testing.T, w *world, p *post) {
		ended := time.Now()
		w.FinishRun("tnt_a", "inventory", 77)
		w.FailRun("tnt_a", "inventory", "")
		must(t, w.Drain(t.Context()))
		all := p.seen()
		if len(all) != 2 {
			t.Fatalf("deliveries %+v", all)
		}
		d := all[0]
		if d.Type != "sync_run.completed" || d.Schema != "1" || d.Tenant != "tnt_a" || d.Attempt != 1 ||
			d.header.Get("Content-Type") != "application/json" || d.header.Get("X-Desk") != "4" || d.header.Get("Authorization") != "" {
			t.Errorf("delivery %+v", d)
		}
		stamp := d.header.Get(ut.TimestampHeader)
		if stamp != strconv.FormatInt(ended.Unix(), 10) || d.header.Get(ut.SignatureHeader) != ut.Sign(secret, stamp, d.body) {
			t.Errorf("signed %q at %q", d.header.Get(ut.SignatureHeader), stamp)
		}
		at := ended.UTC().Format("2006-01-02T15:04:05+00:00")
		has(t, string(d.Data), `"sync_type":"inventory","adapter_type":"google_ad_manager","status":"completed","trigger":"scheduled",`+
			`"started_at":"`+at+`","completed_at":"`+at+`","item_count":null,"summary":"{\"items_processed\":77}"}`)
		if bad := all[1]; bad.Type != "sync_run.failed" || bad.ID == d.ID || d.Occurred != at || strings.Contains(string(bad.body), ut.Canary) {
			t.Errorf("failure %s", bad.body)
		}
		has(t, string(all[1].Data), `"status":"failed"`, `"error":{"message":"RateLimitError: the ad server asked for less","class":null,"category":"transient"}`)
		has(t, w.want(200, "GET", "/tenants/tnt_a/webhooks", ""), `"last_delivery_status":204,"consecutive_failures":0`)
	})
}

// On another ad server than Google Ad Manager the event counts the items.
func TestItemsOfARun(t *testing.T) {
	inBubble(t, ut.Options{}, func(t *testing.T, w *world, p *post) {
		w.want(200, "PUT", "/tenants/tnt_a/adapter-config", fwBody)
		w.FinishRun("tnt_a", "inventory", 77)
		must(t, w.Drain(t.Context()))
		has(t, string(p.seen()[0].Data), `"item_count":77,`)
	})
}

// A test of a subscription delivers an event of each type, marked as a test: beside the data, or
// within them by an older build.
func TestTestDeliveries(t *testing.T) {
	for name, c := range map[string]struct {
		status      ut.Status
		event, data string
		beside      bool
	}{
		"current": {ut.Healthy(), "sync_run.failed", `{"subject_type":"tenant","subject_id":"tnt_a"}`, true},
		"older":   {ut.OlderBuild(), "sync.failed", `{"test":true,"subject_type":"tenant","subject_id":"tnt_a"}`, false},
	} {
		inBubble(t, ut.Options{}, func(t *testing.T, w *world, p *post) {
			w.SetTenant(gam("tnt_a", c.status))
			w.want(201, "POST", "/tenants/tnt_a/webhooks",
				`{"url":"https://hook.example/","secret":"`+secret+`","event_types":["`+c.event+`"]}`)
			path := "/tenants/tnt_a/webhooks/" + w.Subscriptions("tnt_a")[0].ID + "/test"
			told := w.want(200, "POST", path, "")
			all := p.seen()
			if len(all) != 1 || all[0].Type != c.event || all[0].Test != c.beside || string(all[0].Data) != c.data {
				t.Errorf("%s: delivered %+v", name, all)
			}
			has(t, told, `{"delivered":true,"results":[{"event_type":"`+c.event+`","event_id":"`+all[0].ID+
				`","delivered":true,"response_status":204}]}`)
			w.Restart()
			has(t, w.want(409, "POST", path, ""), "webhook_secret_lost")
			w.want(404, "POST", "/tenants/tnt_a/webhooks/wh_none/test", "")
			w.want(404, "POST", "/tenants/tnt_none/webhooks/wh_none/test", "")
		})
	}
}

// An older build calls the ends of runs by older names, and knows no other.
func TestOlderEvents(t *testing.T) {
	inBubble(t, ut.Options{}, func(t *testing.T, w *world, p *post) {
		w.SetTenant(gam("tnt_a", ut.OlderBuild()))
		w.want(400, "POST", "/tenants/tnt_a/webhooks", `{"url":"https://hook.example/a","event_types":["sync_run.failed"]}`)
		w.want(201, "POST", "/tenants/tnt_a/webhooks", `{"url":"https://hook.example/a","event_types":["sync.completed","sync.failed"]}`)
		w.FinishRun("tnt_a", "inventory", 77)
		w.FailRun("tnt_a", "inventory", "")
		must(t, w.Drain(t.Context()))
		all := p.seen()
		if len(all) != 2 || all[0].Type != "sync.completed" || all[1].Type != "sync.failed" {
			t.Errorf("deliveries %+v", all)
		}
	})
}

// TestSign compares the signature with one made by another tool:
// printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac thirty-two-characters-of-secret-
func TestSign(t *testing.T) {
	const want = "sha256=95119734c67d2e3196deb8362b1623cd23772c2fdec8b64831012f6f35cc166b"
	if got := ut.Sign("thirty-two-characters-of-secret-", "1700000000", []byte(`{"a":1}`)); got != want {
		t.Errorf("signed %s", got)
	}
}

// What is queued while an agent restarts or is down is lost, and so is what happens then: for a
// subscription of before a restart for good, although it reads active.
func TestLostDeliveries(t *testing.T) {
	for name, c := range map[string]struct {
		begin, end func(w *world)
		later      int // deliveries of a run after it
	}{
		"restart": {func(w *world) { w.Restart() }, func(*world) {}, 0},
		"outage":  {func(w *world) { w.SetDown(true) }, func(w *world) { w.SetDown(false) }, 1},
	} {
		inBubble(t, ut.Options{}, func(t *testing.T, w *world, p *post) {
			w.FinishRun("tnt_a", "inventory", 1) // being delivered
			w.FinishRun("tnt_a", "inventory", 2) // queued
			synctest.Wait()
			c.begin(w)
			w.FinishRun("tnt_a", "inventory", 3)
			time.Sleep(time.Hour)
			c.end(w)
			if n := len(p.seen()); n != 1 {
				t.Errorf("%s: %d delivered", name, n)
			}
			w.FinishRun("tnt_a", "inventory", 4)
			must(t, w.Drain(t.Context()))
			if n := len(p.seen()); n != 1+c.later || !w.Subscriptions("tnt_a")[0].Active {
				t.Errorf("%s: %d delivered", name, n)
			}
			w.want(201, "POST", "/tenants/tnt_a/webhooks", `{"url":"https://hook.example/b"}`)
			w.FailRun("tnt_a", "inventory", "") // and with it the stream's health
			must(t, w.Drain(t.Context()))
			if n := len(p.seen()); n != 3+2*c.later {
				t.Errorf("%s: %d delivered, those of a new subscription among them", name, n)
			}
		})
	}
}

// Nothing is sent after Close has returned.
func TestCloseEndsDeliveries(t *testing.T) {
	inBubble(t, ut.Options{}, func(t *testing.T, w *world, p *post) {
		p.hang = true
		for range 400 { // more than the queue takes
			w.FinishRun("tnt_a", "inventory", 1)
		}
		synctest.Wait()
		waited := make(chan error, 1)
		go func() { waited <- w.Drain(context.Background()) }()
		synctest.Wait()
		began := time.Now()
		w.Close()
		if took, err := time.Since(began), <-waited; took != 0 || err == nil {
			t.Errorf("ended after %s, drained: %v", took, err)
		}
		w.FinishRun("tnt_a", "inventory", 1)
		time.Sleep(time.Hour)
		if n := len(p.seen()); n != 1 {
			t.Errorf("%d sent", n)
		}
	})
}

// The event of a run is delivered at its end, without a call that asks for it.
func TestRunsEndByThemselves(t *testing.T) {
	inBubble(t, ut.Options{RunWaits: time.Second, RunTakes: 20 * time.Second}, func(t *testing.T, w *world, p *post) {
		w.want(202, "POST", "/tenants/tnt_a/refresh", "")
		for _, c := range []struct{ wait, delivered int }{{20, 0}, {1, 1}, {10, 3}} {
			time.Sleep(time.Duration(c.wait) * time.Second)
			synctest.Wait()
			if n := len(p.seen()); n != c.delivered {
				t.Errorf("%d s later: %d deliveries, want %d", c.wait, n, c.delivered)
			}
		}
	})
}
