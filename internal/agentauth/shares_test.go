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

// TestBeginsOfOneCustomer: a customer with slow agents has four asked at once, and
// takes nothing from others.
func TestBeginsOfOneCustomer(t *testing.T) {
	inWorld(t, func(w *world) {
		w.web.hosts[agentHost] = http.HandlerFunc(hang)
		var slow sync.WaitGroup
		slow.Go(func() {
			got := w.together(10, func(int) error { _, err := w.tryBegin(); return err })
			if got[agentauth.ReasonAway] != 4 || got[agentauth.ReasonBusy] != 6 {
				w.Errorf("%v", got)
			}
		})
		synctest.Wait()
		begun := time.Now()
		_, err := w.tryBegin()
		if w.want(err, agentauth.ReasonBusy); time.Since(begun) != 0 {
			w.Errorf("it waited %v", time.Since(begun))
		}
		w.web.mu.Lock()
		w.web.hosts[agentHost] = w.site
		w.web.mu.Unlock()
		stranger := *w.source
		stranger.CustomerID++
		_, err = w.agents.Begin(w.Context(), &stranger)
		w.want(err, agentauth.ReasonChanged) // the store does not know it: that far it came
		slow.Wait()
		w.begin()
	})
}

// TestExchangesOfOneCustomer: a customer whose authorization servers are slow has
// four asked at once, and takes nothing from others.
func TestExchangesOfOneCustomer(t *testing.T) {
	inWorld(t, func(w *world) {
		w.replies(http.HandlerFunc(hang))
		store := &boundless{}
		store.taker.Store(1)
		a := w.over(store)
		defer a.Close(context.Background())
		back := url.Values{"state": {strings.Repeat("A", 43)}, "code": {"CANARY-code"}}
		var slow sync.WaitGroup
		slow.Go(func() {
			got := w.together(10, func(int) error { return a.Finish(context.Background(), back) })
			if got[agentauth.ReasonAway] != 4 || got[agentauth.ReasonBusy] != 6 {
				w.Errorf("%v", got)
			}
		})
		synctest.Wait()
		begun := time.Now()
		if w.want(a.Finish(w.Context(), back), agentauth.ReasonBusy); time.Since(begun) != 0 {
			w.Errorf("it waited %v", time.Since(begun))
		}
		store.taker.Store(2)
		if w.want(a.Finish(w.Context(), back), agentauth.ReasonAway); time.Since(begun) != 10*time.Second {
			w.Errorf("another customer's answer came after %v", time.Since(begun))
		}
		slow.Wait()
		store.taker.Store(1)
		w.want(a.Finish(w.Context(), back), agentauth.ReasonAway)
	})
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
			strings.Repeat("A", 42) + "\n", strings.Repeat("+", 43), strings.Repeat("/", 43), strings.Repeat("\x00", 43), strings.Repeat("ü", 21) + "A",
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
// remembered take nobody's place.
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

// TestRefreshesOfOneCustomer: sixteen at once, and others have theirs.
func TestRefreshesOfOneCustomer(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.over(&boundless{})
		defer a.Close(context.Background())
		w.replies(http.HandlerFunc(hang))
		if got := w.together(40, func(i int) error { return tokenOf(a, 1, i) }); got[agentauth.ReasonAway] != 16 || got[agentauth.ReasonBusy] != 24 {
			w.Errorf("%v", got)
		}
		if got := w.together(32, func(i int) error { return tokenOf(a, 2+i%2, i) }); got[agentauth.ReasonAway] != 32 {
			w.Errorf("two others: %v", got)
		}
		time.Sleep(time.Minute)
		if got := w.together(16, func(i int) error { return tokenOf(a, 1, 100+i) }); got[agentauth.ReasonAway] != 16 {
			w.Errorf("afterwards: %v", got)
		}
	})
}

// tokenOf asks for the token of a customer's source.
func tokenOf(a *agentauth.Agents, customer, source int) error {
	_, err := a.Token(context.Background(), int64(customer), fmt.Sprint("s", source))
	return err
}
