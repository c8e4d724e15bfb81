package agentauth_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/agentauth"
)

// together does something many times at once, and counts the reasons.
func (w *world) together(n int, do func(i int) error) map[agentauth.Reason]int {
	var (
		mu  sync.Mutex
		all sync.WaitGroup
	)
	reasons := map[agentauth.Reason]int{}
	for i := range n {
		all.Go(func() {
			reason := w.saw(do(i))
			mu.Lock()
			defer mu.Unlock()
			reasons[reason]++
		})
	}
	all.Wait()
	return reasons
}

// TestShares: a customer with slow agents or servers has some asked at once, is told so
// without waiting, and takes nothing from others.
func TestShares(t *testing.T) {
	for name, tt := range map[string]struct {
		each int
		do   func(w *world, store *boundless, customer, i int) error
	}{
		"consents that begin": {4, func(w *world, _ *boundless, customer, _ int) error {
			s := *w.source
			s.CustomerID = int64(customer)
			_, err := w.agents.Begin(context.Background(), &s)
			return err
		}},
		"consents that end": {4, func(w *world, store *boundless, customer, _ int) error {
			store.taker.Store(int64(customer))
			return w.end(url.Values{"state": {strings.Repeat("A", 43)}, "code": {"CANARY-code"}})
		}},
		"refreshes": {16, func(w *world, _ *boundless, customer, i int) error { return tokenOf(w.agents, customer, i) }},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.web.hosts[agentHost] = http.HandlerFunc(hang)
				w.replies(http.HandlerFunc(hang))
				store := &boundless{}
				w.agents = w.over(store)
				ask := func(n, customer, first int) map[agentauth.Reason]int {
					return w.together(n, func(i int) error { return tt.do(w, store, customer, first+i) })
				}
				var slow sync.WaitGroup
				slow.Go(func() {
					if got := ask(tt.each+6, 1, 0); got[agentauth.ReasonAway] != tt.each || got[agentauth.ReasonBusy] != 6 {
						w.Errorf("%v", got)
					}
				})
				synctest.Wait()
				begun := time.Now()
				if w.want(tt.do(w, store, 1, 100), agentauth.ReasonBusy); time.Since(begun) != 0 {
					w.Errorf("it waited %v", time.Since(begun))
				}
				if got := ask(tt.each, 2, 0); got[agentauth.ReasonAway] != tt.each {
					w.Errorf("another customer: %v", got)
				}
				slow.Wait()
				if got := ask(tt.each, 1, 200); got[agentauth.ReasonAway] != tt.each {
					w.Errorf("afterwards: %v", got)
				}
			})
		})
	}
}

// TestStatesThatAreNone cost the store nothing.
func TestStatesThatAreNone(t *testing.T) {
	inWorld(t, func(w *world) {
		store := &boundless{}
		a := w.over(store)
		defer a.Close(context.Background())
		good := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\xfb", 32)))
		for _, state := range []string{
			"", good[1:], good + "A", strings.Repeat("A", 42) + "=", strings.Repeat("A", 42) + "B", // the last one has bits that are none
			strings.Repeat("A", 42) + "\n", good + "\n", strings.Repeat("+", 43), strings.Repeat("/", 43), strings.Repeat("\x00", 43), strings.Repeat("ü", 21) + "A",
		} {
			w.want(a.Finish(w.Context(), url.Values{"state": {state}, "code": {"c"}}), agentauth.ReasonUnknownState)
		}
		if n := store.taken.Load(); n != 0 {
			w.Errorf("the store was asked %d times", n)
		}
		if err := a.Finish(w.Context(), url.Values{"state": {good}}); w.saw(err) == agentauth.ReasonUnknownState || store.taken.Load() != 1 {
			w.Errorf("a good one: %v", err)
		}
	})
}

// TestRefreshesAreBounded: of many customers, no more than 256 at once, and failures that are only
// remembered take no other's place.
func TestRefreshesAreBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.over(&boundless{})
		defer a.Close(context.Background())
		w.replies(http.HandlerFunc(hang))
		if got := w.together(300, func(i int) error { return tokenOf(a, i/10, i) }); got[agentauth.ReasonAway] != 256 || got[agentauth.ReasonBusy] != 44 {
			w.Errorf("%v", got)
		}
		w.replies(answer(503, "text/plain", ""))
		for i := range 300 {
			w.want(tokenOf(a, 2, i), agentauth.ReasonAway)
		}
	})
}

// tokenOf asks for the token of a customer's source.
func tokenOf(a *agentauth.Agents, customer, source int) error {
	_, err := tokenFor(a, int64(customer), fmt.Sprint("s", source), endpoint)
	return err
}
