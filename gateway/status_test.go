package gateway_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"esagate/transform"
	"esagate/upstream/upstreamtest"
)

func TestStatusOfAHealthySource(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		a := w.get(statusOf)
		s := a.snapshot(w)
		if !s.Operational.IsLive || len(s.Operational.Issues) > 0 || !s.Adapter.Connected {
			w.Errorf("a healthy source is not shown live: %s", a.body)
		}
		if s.Webhooks == nil || s.Webhooks.Last24h.SuccessRate != 1 {
			w.Errorf("webhooks: %+v", s.Webhooks)
		}
		want := map[string]string{
			"Cache-Control": "private, no-cache", "Age": "0", "Cache-Status": "esagate; fwd=miss; stored",
			"Content-Type": "application/json", "X-Content-Type-Options": "nosniff",
			"Strict-Transport-Security": "max-age=31536000", "Vary": "Accept-Encoding, Authorization, X-Scope3-Api-Key, Esagate-Customer",
		}
		for name, value := range want {
			if got := a.header.Get(name); got != value {
				w.Errorf("%s: %q, want %q", name, got, value)
			}
		}
		w.pass(2 * time.Second)
		again := w.get(statusOf)
		if again.header.Get("Age") != "2" || again.header.Get("Cache-Status") != "esagate; hit" || again.header.Get("Etag") != a.header.Get("Etag") {
			w.Errorf("a second read has headers %v", again.header)
		}
		byID := w.get(esaPath + "/" + w.connectionID(esaOf) + "/status")
		if n := w.agent.Calls(tenant); n != 1 {
			w.Errorf("%d upstream calls for three reads", n)
		}
		if !bytes.Equal(a.body, byID.body) || byID.header.Get("Cache-Status") != "esagate; hit" {
			w.Errorf("the two addresses of one source differ: %v", byID.header)
		}
		w.pass(2 * time.Minute) // a reader waits, and gets a newer document
		if late := w.get(statusOf); late.header.Get("Cache-Status") != "esagate; fwd=stale; stored" || late.header.Get("Age") != "0" {
			w.Errorf("a read past stale_while_revalidate has headers %v", late.header)
		}
	})
}

func TestConditionalAndCompressedReads(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		plain := w.get(statusOf)
		zipped := w.get(statusOf, "Accept-Encoding", "br, gzip;q=0.8")
		if zipped.header.Get("Content-Encoding") != "gzip" || zipped.header.Get("Etag") == plain.header.Get("Etag") {
			w.Errorf("compressed: %v", zipped.header)
		}
		z, err := gzip.NewReader(bytes.NewReader(zipped.body))
		w.must(err)
		unzipped, err := io.ReadAll(z)
		w.must(err)
		if !bytes.Equal(unzipped, plain.body) {
			w.Error("the compressed answer is another document")
		}
		tag, zipTag := plain.header.Get("Etag"), zipped.header.Get("Etag")
		for _, test := range []struct{ accept, given, unchanged string }{ // unchanged: the tag of the 304; "": a 200
			{"identity", tag, tag},
			{"identity", "W/" + tag, tag},
			{"identity", "*", tag},
			{"identity", `"a, b",, ` + tag, tag},
			{"identity", zipTag + "," + tag, tag},
			{"identity", zipTag, ""}, // the two forms are two representations, of which a cache may hold one
			{"identity", `"other"`, ""},
			{"identity", `"a, *, b"`, ""}, // one tag, in which the commas and the star are text
			{"identity", `"unended, ` + tag[1:], ""},
			{"identity", tag[1:], ""},
			{"identity", tag + "x", ""},
			{"identity", "", ""},
			{"gzip", tag, ""},
			{"gzip", zipTag, zipTag},
			{"gzip", "W/" + zipTag, zipTag},
			{"gzip", tag + " , " + zipTag, zipTag},
			{"gzip", "*", zipTag},
		} {
			a := w.get(statusOf, "Accept-Encoding", test.accept, "If-None-Match", `"older"`, "If-None-Match", test.given)
			want, wantTag := http.StatusNotModified, test.unchanged
			if wantTag == "" {
				want, wantTag = http.StatusOK, map[string]string{"identity": tag, "gzip": zipTag}[test.accept]
			}
			if a.status != want || a.header.Get("Etag") != wantTag || (len(a.body) == 0) != (want == http.StatusNotModified) {
				w.Errorf("%s, If-None-Match: %s: %d with the tag %s", test.accept, test.given, a.status, a.header.Get("Etag"))
			}
		}
		for _, refused := range []string{"gzip;q=0", "identity", "*;q=0", "gzip;q=nonsense"} {
			if a := w.get(statusOf, "Accept-Encoding", refused); a.header.Get("Content-Encoding") != "" {
				w.Errorf("compressed although %q", refused)
			}
		}
		head := w.do("HEAD", statusOf, "X-Scope3-Api-Key", readKey)
		if head.status != http.StatusOK || len(head.body) > 0 || head.header.Get("Content-Length") != plain.header.Get("Content-Length") {
			w.Errorf("HEAD: %d %v", head.status, head.header)
		}
	})
}

func TestOutage(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		first := w.get(statusOf).snapshot(w)
		w.agent.SetDown(true)
		w.pass(30 * time.Second)
		a := w.get(statusOf)                                                                                                                                          // served at once, the refresh fails behind it
		if a.took != 0 || a.header.Get("Age") != "30" || !slices.Contains([]string{"esagate; hit; ttl=-25", "esagate; hit; ttl=-26"}, a.header.Get("Cache-Status")) { // fresh for 4.5 to 5.5 s
			w.Errorf("stale read: %s %v", a.took, a.header)
		}
		w.pass(5 * time.Second)
		s := w.get(statusOf).snapshot(w)
		if !slices.Contains(s.issues(), "STATUS_STALE") || !s.FetchedAt.Equal(first.FetchedAt) || !s.Operational.DiscoveryDegraded {
			w.Errorf("after a failed refresh: %+v", s.Operational)
		}
		w.pass(10 * time.Minute)
		if a := w.get(statusOf); a.took > 300*time.Millisecond || a.status != http.StatusOK {
			w.Errorf("an old copy: %d after %s", a.status, a.took)
		}
		w.pass(5 * time.Minute)
		a = w.get(statusOf)
		e := a.failure(w, http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE")
		if e.Details.Reason == "" || a.header.Get("Retry-After") == "" || a.took > 3*time.Second {
			w.Errorf("past the limit: %+v %v after %s", e, a.header, a.took)
		}
		w.agent.SetDown(false)
		w.pass(2 * time.Minute) // the breaker's own probe finds it well
		if s := w.get(statusOf).snapshot(w); slices.Contains(s.issues(), "STATUS_STALE") || !s.FetchedAt.After(first.FetchedAt) {
			w.Errorf("after the outage: %+v", s.Operational)
		}
	})
}

func TestHangingUpstream(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.get(statusOf)
		w.agent.Fault(tenant, upstreamtest.Fault{Hang: true})
		w.pass(30 * time.Second)
		if a := w.get(statusOf); a.took != 0 || a.status != http.StatusOK {
			w.Errorf("within stale_while_revalidate: %d after %s", a.status, a.took)
		}
		w.pass(2 * time.Minute)
		if a := w.get(statusOf); a.took > 300*time.Millisecond || a.status != http.StatusOK {
			w.Errorf("after it: %d after %s", a.status, a.took)
		}
	})
}

// Package upstream tests which failure has which reason.
func TestFailuresOfUpstreamWithoutACopy(t *testing.T) {
	tests := map[string]struct {
		fault  upstreamtest.Fault
		reason string
	}{
		"connection dropped": {upstreamtest.Fault{Drop: true}, "UPSTREAM_UNREACHABLE"},
		"hangs":              {upstreamtest.Fault{Hang: true}, "UPSTREAM_TIMEOUT"},
		"500":                {upstreamtest.Fault{Status: 500}, "UPSTREAM_ERROR"},
		"429":                {upstreamtest.Fault{Status: 429, RetryAfter: "30"}, "UPSTREAM_ERROR"},
		"401":                {upstreamtest.Fault{Status: 401}, "UPSTREAM_UNAUTHORIZED"},
		"an empty object":    {upstreamtest.Fault{Body: "{}"}, "UPSTREAM_INVALID_RESPONSE"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inWorld(t, setup{}, func(w *world) {
				w.agent.Fault(tenant, test.fault)
				a := w.get(statusOf)
				e := a.failure(w, http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE")
				if e.Details == nil || e.Details.Reason != test.reason {
					w.Errorf("details %+v, want reason %s", e.Details, test.reason)
				}
				if a.header.Get("Retry-After") == "" || a.took > 3*time.Second {
					w.Errorf("Retry-After %q after %s", a.header.Get("Retry-After"), a.took)
				}
				if b := w.get("/healthz"); b.status != http.StatusOK {
					w.Errorf("/healthz: %d", b.status)
				}
			})
		})
	}
}

func TestTenantNotFound(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.get(statusOf)
		w.agent.RemoveTenant(tenant)
		w.pass(2 * time.Minute)
		for range 3 {
			e := w.get(statusOf).failure(w, http.StatusNotFound, "NOT_FOUND")
			if e.Details == nil || e.Details.Reason != "TENANT_NOT_FOUND" {
				w.Errorf("details: %+v", e.Details)
			}
		}
		if n := w.agent.Calls(tenant); n != 2 {
			w.Errorf("%d calls, want 2: the answer is remembered", n)
		}
	})
}

func TestSourceWithoutATenant(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		path := "/api/v2/storefront/inventory-sources/" + unplanned + "/status"
		a := w.get(path)
		s := a.snapshot(w)
		if s.Adapter.Type != "none" || s.Adapter.Connected || s.Syncs["inventory"].Status != "never_run" || s.Operational.IsLive {
			w.Errorf("empty snapshot: %s", a.body)
		}
		if s.SetupTasks.BlockerCount == 0 || !s.FetchedAt.Equal(time.Now()) {
			w.Errorf("tasks %+v at %s", s.SetupTasks, s.FetchedAt)
		}
		w.pass(3 * time.Second)
		if b := w.get(path); !bytes.Equal(a.body, b.body) || b.header.Get("Age") != "3" {
			w.Errorf("made anew for a later reader: %v", b.header)
		}
		w.pass(10 * time.Second)
		if b := w.get(path).snapshot(w); !b.FetchedAt.Equal(time.Now()) {
			w.Errorf("fetchedAt %s is old", b.FetchedAt)
		}
		if n := w.agent.Calls(""); n != 0 {
			w.Errorf("%d upstream calls", n)
		}
	})
}

func TestFetchedAtNeverStepsBack(t *testing.T) {
	inWorld(t, setup{agent: upstreamtest.Options{Processes: 3}}, func(w *world) {
		var last time.Time
		for range 60 {
			s := w.get(statusOf).snapshot(w)
			if s.FetchedAt.Before(last) {
				w.Fatalf("fetchedAt %s after %s", s.FetchedAt, last)
			}
			last = s.FetchedAt
			w.pass(4 * time.Second)
		}
	})
}

// Package transform tests the tasks, and what an expression can say.
func TestOperatorsTasks(t *testing.T) {
	no := false
	tasks := []transform.TaskDefinition{
		{ID: "ready", CompleteWhen: `!("payout" in source.labels) && snapshot.products.activeCount > 0 && ` +
			`connection.inventorySync.status == "success"`},
		{ID: "broken", CompleteWhen: `snapshot.nothing.here`},
		{ID: "sync_webhook_subscribed", Enabled: &no},
	}
	inWorld(t, setup{tasks: tasks}, func(w *world) {
		got := map[string]bool{}
		for _, i := range w.get(statusOf).snapshot(w).SetupTasks.Items {
			got[i.ID] = i.IsComplete
		}
		want := map[string]bool{"ready": true, "broken": false, "source_provisioned": true}
		for id, complete := range want {
			if is, ok := got[id]; !ok || is != complete {
				w.Errorf("task %s: there %t, complete %t; want complete %t", id, ok, is, complete)
			}
		}
		if _, ok := got["sync_webhook_subscribed"]; ok {
			w.Error("a task that is switched off is shown")
		}
		if m := w.do("GET", "/metrics"); !bytes.Contains(m.body, []byte(`esagate_tasks_evaluation_errors_total{`)) {
			w.Error("the evaluation error is not counted")
		}
	})
}

func (w *world) connectionID(path string) string {
	w.Helper()
	var c struct{ ID string }
	w.must(json.Unmarshal(w.get(path).body, &c))
	synctest.Wait()
	return c.ID
}
