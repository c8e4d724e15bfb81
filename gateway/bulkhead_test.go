package gateway_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"esagate/upstream/upstreamtest"
)

// Reads that get no turn among the calls of the sales agent are refused with a time to come
// again: as the customer's own excess where its own bounds kept them back, else as the sales
// agent's. No answer says that the sales agent was too slow: it has answered each call in time.
func TestReadsThatGetNoTurnAreRefused(t *testing.T) {
	refusals := func(w *world, answers []answer, status int, code string) {
		w.Helper()
		served, refused, late := 0, 0, 0
		for _, a := range answers {
			if a.status == 200 {
				served++
				continue
			}
			refused++
			after, _ := strconv.Atoi(a.header.Get("Retry-After"))
			if after < 1 || after > 60 || strings.Contains(string(a.body), "UPSTREAM_TIMEOUT") {
				w.Fatalf("%d, Retry-After %d: %s", a.status, after, a.body)
			}
			if a.status != status { // its call had just begun when its reader's time was up
				if late++; late > 4 || a.status != 503 {
					w.Fatalf("%d: %s", a.status, a.body)
				}
				continue
			}
			if !strings.Contains(string(a.body), code) {
				w.Fatalf("%d, Retry-After %d: %s", a.status, after, a.body)
			}
		}
		if served == 0 || refused == 0 {
			w.Errorf("%d served, %d refused", served, refused)
		}
	}
	t.Run("a tenant's own", func(t *testing.T) {
		inWorld(t, setup{}, func(w *world) {
			w.get(statusOf)
			w.agent.Fault(tenant, upstreamtest.Fault{Only: upstreamtest.RouteSyncHistory, Delay: 700 * time.Millisecond})
			refusals(w, w.readAll(300, func(i int) string { return fmt.Sprintf("%s?limit=%d", historyOf, i+1) }), 429, "RATE_LIMITED")
		})
	})
	t.Run("all", func(t *testing.T) {
		s, paths := many(240)
		s.agent.Workers = 8
		inWorld(t, s, func(w *world) {
			w.addTenants(s)
			w.agent.Fault("", upstreamtest.Fault{Delay: 150 * time.Millisecond})
			refusals(w, w.readAll(len(paths), func(i int) string { return paths[i] }), 503, "SERVICE_UNAVAILABLE")
		})
	})
}

// A reader without a copy who joins the fetch that polling has begun does not wait with it behind
// all readers who have come since.
func TestAPolledSourceIsNotLeftBehind(t *testing.T) {
	s, paths := many(401)
	s.agent.Workers = 8
	inWorld(t, s, func(w *world) {
		w.addTenants(s)
		w.agent.Fault("", upstreamtest.Fault{Delay: 150 * time.Millisecond}) // 53 calls a second
		var others sync.WaitGroup
		for i, path := range paths[1:] { // 100 a second
			others.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Millisecond)
				w.unchecked(path)
			})
		}
		time.Sleep(1500 * time.Millisecond)
		polled, err := w.directory.ManagedSource(w.Context(), customer, s.sources[0].SourceID)
		w.must(err)
		others.Go(func() { _ = w.status.Refresh(w.Context(), polled) })
		time.Sleep(100 * time.Millisecond)
		if a := w.unchecked(paths[0]); a.status != 200 {
			w.Errorf("%d: %s", a.status, a.body)
		}
		others.Wait()
	})
}

// readAll makes different reads at once and returns their answers.
func (w *world) readAll(n int, path func(i int) string) []answer {
	answers := make([]answer, n)
	var readers sync.WaitGroup
	for i := range answers {
		readers.Go(func() { answers[i] = w.unchecked(path(i)) })
	}
	readers.Wait()
	return answers
}
