package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"esagate/internal/operations"
	"esagate/upstream/upstreamtest"
)

// asks counts the requests of the world's tenant that f leads to at the sales agent.
func (w *world) asks(f func()) int {
	w.Helper()
	before := w.agent.Calls(tenant)
	f()
	return w.agent.Calls(tenant) - before
}

func TestRepetitionsOfWritesToAdServers(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		inWorld(t, setup{envelope: envelope}, func(w *world) {
			w.all("POST", func(t testing.TB, o *operations.Operation) {
				s, once := samples[o.ID], []string{"Idempotency-Key", o.ID}
				w.agent.Script(tenant, upstreamtest.Fault{Status: 400, Shape: upstreamtest.ShapeProblem})
				if a := w.write("POST", s.path(o), s.body, once...); a.status != 400 && a.status != s.status {
					t.Errorf("refused by the sales agent: %d %s", a.status, a.body)
				}
				first := w.operate(o, "", once...)
				if first.status != s.status {
					t.Errorf("what was refused is done: %d %s", first.status, first.body)
				}
				again := answer{}
				if n := w.asks(func() { again = w.write("POST", s.path(o), s.body, once...) }); n != 0 {
					t.Errorf("a repetition makes %d calls", n)
				}
				if again.status != first.status || string(again.body) != string(first.body) || again.header.Get("Content-Type") != first.header.Get("Content-Type") {
					t.Errorf("%d %s, then %d %s", first.status, first.body, again.status, again.body)
				}
				w.write("POST", s.path(o), strings.Replace(s.body+" ", "{", "{ ", 1), once...).failure(t, 409, "CONFLICT")
				w.write("POST", s.path(o), s.body, "Idempotency-Key", "two words").failure(t, 400, "VALIDATION_ERROR")
				w.agent.Script(tenant)
			})
			const signals = adServerOf + "/signals"
			w.write("POST", signals+"?dry_run=true", signalBody, "Idempotency-Key", "createEsaSignal").failure(t, 409, "CONFLICT")
		})
	}
}

// Of what may have been done a repetition makes no second one, and what surely was not is done.
func TestRepetitionsOfWritesOfUnknownOutcome(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		var makes []*operations.Operation
		w.all("POST", func(_ testing.TB, o *operations.Operation) {
			if !o.Trial && len(samples[o.ID].says) > 0 && o.ID != "ensureEsaGamCustomTargetingKeys" {
				makes = append(makes, o)
			}
		})
		losses := []upstreamtest.Fault{{Status: 500}, {Status: 201, Body: "<html>", ContentType: "text/html"}, {Drop: true}}
		each := func(f func(t testing.TB, o *operations.Operation, lost upstreamtest.Fault, write func() answer)) {
			for _, o := range makes {
				for i, lost := range losses {
					s, key := samples[o.ID], fmt.Sprint(o.ID, "-", i)
					w.named(key, func(t testing.TB) {
						f(t, o, lost, func() answer { return w.write("POST", s.path(o), s.body, "Idempotency-Key", key) })
					})
				}
				w.pass(time.Minute) // breakers let calls through again
			}
		}
		each(func(t testing.TB, o *operations.Operation, lost upstreamtest.Fault, write func() answer) {
			faults := []upstreamtest.Fault{lost}
			if o.ID == "ensureEsaSandboxAccount" { // it looks first
				faults = []upstreamtest.Fault{{Body: `{"accounts":[],"count":0}`}, lost}
			}
			w.agent.Script(tenant, faults...)
			write().failure(t, 503, "SERVICE_UNAVAILABLE")
		})
		for range 2 {
			each(func(t testing.TB, _ *operations.Operation, _ upstreamtest.Fault, write func() answer) {
				if n := w.asks(func() { write().failure(t, 409, "CONFLICT") }); n != 0 {
					t.Errorf("a repetition makes %d calls", n)
				}
			})
			w.pass(3 * time.Hour)
		}
		w.pass(18 * time.Hour)
		each(func(t testing.TB, o *operations.Operation, _ upstreamtest.Fault, write func() answer) {
			w.agent.Script(tenant, samples[o.ID].faults("")...)
			if a := write(); a.status != samples[o.ID].status {
				t.Errorf("a day later: %d %s", a.status, a.body)
			}
		})
	})
}

func TestRepetitionsOfWritesThatSurelyWereNotDone(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		post := func(o *operations.Operation) answer {
			return w.write("POST", samples[o.ID].path(o), samples[o.ID].body, "Idempotency-Key", o.ID)
		}
		w.agent.Fault("", upstreamtest.Fault{Status: 401})
		for limit := range 10 {
			w.get(fmt.Sprint(historyOf, "?limit=", limit+1)) // until the breaker of the key is open
		}
		calls := w.agent.Calls(tenant)
		w.all("POST", func(t testing.TB, o *operations.Operation) {
			if samples[o.ID].says != nil {
				post(o).failure(t, 503, "SERVICE_UNAVAILABLE")
			}
		})
		if n := w.agent.Calls(tenant) - calls; n > 2 { // probes
			w.Fatalf("%d calls were made", n)
		}
		w.agent.Fault("", upstreamtest.Fault{})
		w.pass(2 * time.Minute)
		w.get(statusOf)
		w.all("POST", func(t testing.TB, o *operations.Operation) {
			w.agent.Script(tenant, samples[o.ID].faults("")...)
			if a := post(o); a.status != samples[o.ID].status {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	})
}

// trials are requests of operations that change nothing, with what the sales agent says.
func trials() map[string][3]string {
	says := `{"valid":true,"issues":[]}`
	return map[string][3]string{
		"POST " + adServerOf + "/products:validate":              {productBody, says},
		"POST " + adServerOf + "/signals?dry_run=true":           {signalBody, says},
		"PUT " + adServerOf + "/signals/kv_weather?dry_run=true": {signalBody, says},
		"POST " + adServerOf + "/gam/advertisers/ensure":         {`{"name":"Brook","dryRun":true}`, `{"advertiser":{"id":"dryrun_1","name":"Brook","status":"active"},"created":false,"dry_run":true}`},
	}
}

func TestTheAuditOfAdServers(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		audited := func() (all []string) {
			type page struct {
				Entries []struct {
					Operation, Outcome string
					SourceID, ESAID    *string
					Status             int
				}
			}
			for _, e := range decode[page](t, w.writeAs(writeKey, "GET", auditPath+"?limit=200", ""), 200).Entries {
				all = append(all, fmt.Sprintf("%s %s %d %s %s", e.Operation, e.Outcome, e.Status, orNothing(e.SourceID), orNothing(e.ESAID)))
			}
			slices.Reverse(all)
			return all
		}
		for request, trial := range trials() {
			method, path, _ := strings.Cut(request, " ")
			w.agent.Script(tenant, upstreamtest.Fault{Body: trial[1]})
			if a := w.write(method, path, trial[0]); a.status != 200 {
				w.Errorf("%s: %d %s", request, a.status, a.body)
			}
			w.write(method, path, `{"dryRun":true,"name":0}`)
			w.agent.Script(tenant, upstreamtest.Fault{Status: 500})
			w.write(method, path, trial[0]).failure(t, 503, "SERVICE_UNAVAILABLE")
			w.writeAs(writeKey, method, strings.Replace(path, "/1000/", "/99/", 1), trial[0]).failure(t, 404, "NOT_FOUND")
		}
		if entries := audited(); len(entries) != 0 {
			w.Errorf("of trials: %q", entries)
		}
		var want []string
		w.all("", func(t testing.TB, o *operations.Operation) {
			w.operate(o, "")
			if o.Method == "GET" || o.Trial {
				return
			}
			outcome := fmt.Sprintf("succeeded %d", samples[o.ID].status)
			if samples[o.ID].status == 409 {
				outcome = "refused 409"
			}
			want = append(want, o.ID+" "+outcome+" "+source+" 1000")
		})
		if entries := audited(); !slices.Equal(entries, want) {
			w.Errorf("%q, want %q", entries, want)
		}
		w.write("POST", strings.Replace(adServerOf, "1000", "99", 1)+"/signals", signalBody)
		w.agent.Script(tenant, upstreamtest.Fault{Status: 500})
		w.write("DELETE", adServerOf+"/products/meadow_mpu", "")
		want = []string{"createEsaSignal refused 404  99", "deleteEsaProduct failed 503 " + source + " 1000"}
		if entries := audited(); len(entries) < 2 || !slices.Equal(entries[len(entries)-2:], want) {
			w.Errorf("%q, want %q last", entries[max(0, len(entries)-2):], want)
		}
	})
}

func TestPreconditionsOfWritesToAdServers(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		inWorld(t, setup{envelope: envelope}, func(w *world) {
			byID := map[string]*operations.Operation{}
			for _, o := range operations.Table() {
				byID[o.ID] = o
			}
			w.all("", func(t testing.TB, o *operations.Operation) {
				s := samples[o.ID]
				if o.Method == "GET" || s.status == 409 {
					return
				}
				read, tag, zipped := []upstreamtest.Fault(nil), w.state(esaOf).tag, w.state(esaOf).zipTag
				if o.State != "" {
					read = samples[o.State].faults("")
					w.pass(time.Minute)
					tag = w.operate(byID[o.State], "").header.Get("Etag")
					w.pass(time.Minute)
					zipped = w.operate(byID[o.State], "", "Accept-Encoding", "gzip").header.Get("Etag")
				}
				w.pass(time.Minute)
				for _, unmet := range [][2]string{{"If-Match", `"old"`}, {"If-Match", "W/" + tag}, {"If-None-Match", "*"}, {"If-None-Match", zipped}} {
					w.agent.Script(tenant, read...)
					if n := w.asks(func() {
						w.write(o.Method, s.path(o), s.body, unmet[0], unmet[1]).failure(t, 412, "PRECONDITION_FAILED")
					}); n > len(read) {
						t.Errorf("%q: %d calls", unmet, n)
					}
				}
				for _, met := range [][2]string{{"If-Match", tag}, {"If-Match", `"x", ` + zipped}, {"If-Match", "*"}, {"If-None-Match", `"x"`}} {
					w.agent.Script(tenant, slices.Concat(read, s.faults(""))...)
					if a := w.write(o.Method, s.path(o), s.body, met[0], met[1]); a.status != s.status {
						t.Errorf("%q: %d %s", met, a.status, a.body)
					}
					w.agent.Script(tenant)
				}
				w.write(o.Method, s.path(o)+"?nonsense=1", s.body, "If-Match", `"old"`).failure(t, 400, "VALIDATION_ERROR")
			})
			for request, trial := range trials() {
				method, path, _ := strings.Cut(request, " ")
				w.agent.Script(tenant, samples["getEsaSignal"].faults("")...)
				w.write(method, path, trial[0], "If-Match", `"old"`).failure(t, 412, "PRECONDITION_FAILED")
			}
		})
	}
}

// What may have changed something makes the next read of the status ask the sales agent, whatever came of it.
func TestWritesToAdServersExpireTheStatus(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.agent.Fault(tenant, upstreamtest.Fault{})
		w.all("", func(t testing.TB, o *operations.Operation) {
			s := samples[o.ID]
			asked := func(after func()) bool {
				t.Helper()
				w.pass(time.Minute)
				w.agent.Script(tenant)
				w.get(statusOf)
				w.pass(time.Second) // a new copy has come by then
				after()
				w.agent.Script(tenant)
				return w.asks(func() { w.get(statusOf) }) > 0
			}
			expires := o.Expires && o.ID != "ensureEsaSandboxAccount" // it is there already: nothing is sent
			if got := asked(func() { w.operate(o, "") }); got != expires {
				t.Errorf("after a success the status is asked for: %v", got)
			}
			failing := s.faults("")
			if len(failing) == 0 || o.ID == "ensureEsaSandboxAccount" { // its first call is a read, which is repeated
				return
			}
			failing[len(failing)-1] = upstreamtest.Fault{Status: 500}
			if got := asked(func() { w.agent.Script(tenant, failing...); w.write(o.Method, s.path(o), s.body) }); got != expires {
				t.Errorf("after a failure the status is asked for: %v", got)
			}
			if o.Method != "GET" && asked(func() { w.write(o.Method, s.path(o)+"?nonsense=1", s.body) }) {
				t.Error("a request that was not let in expires the status")
			}
		})
		for request, trial := range trials() {
			method, path, _ := strings.Cut(request, " ")
			w.pass(time.Minute)
			w.get(statusOf)
			w.pass(time.Second)
			w.agent.Script(tenant, upstreamtest.Fault{Body: trial[1]})
			w.write(method, path, trial[0])
			if n := w.asks(func() { w.get(statusOf) }); n != 0 {
				w.Errorf("%s expires the status", request)
			}
		}
	})
}
