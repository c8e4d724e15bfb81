package agentauth_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/agentauth"
	"esagate/registry"
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

// ofCustomer gives the source as another customer's. Nothing is stored of it.
func (w *world) ofCustomer(id int64) *registry.Source {
	s := *w.source
	s.CustomerID = id
	return &s
}

// TestBeginsOfOneCustomer: a customer with slow agents has four asked at once, and
// takes nothing from others.
func TestBeginsOfOneCustomer(t *testing.T) {
	inWorld(t, func(w *world) {
		w.web.hosts[agentHost] = http.HandlerFunc(hang)
		var slow sync.WaitGroup
		slow.Go(func() {
			got := w.together(10, func(int) error { _, err := w.agents.Begin(context.Background(), w.source); return err })
			if got[agentauth.ReasonAway] != 4 || got[agentauth.ReasonBusy] != 6 {
				w.Errorf("%v", got)
			}
		})
		synctest.Wait()
		begun := time.Now()
		_, err := w.agents.Begin(w.Context(), w.source)
		if w.want(err, agentauth.ReasonBusy); time.Since(begun) != 0 {
			w.Errorf("it waited %v", time.Since(begun))
		}
		w.web.mu.Lock()
		w.web.hosts[agentHost] = w.site
		w.web.mu.Unlock()
		_, err = w.agents.Begin(w.Context(), w.ofCustomer(customer+1))
		w.want(err, agentauth.ReasonChanged) // the store does not know it: that far it came
		slow.Wait()
		w.begin()
	})
}

// taker is a registry that has a consent for any state, and counts how often it is
// asked for one.
type taker struct {
	registry.Store
	asked atomic.Int32
	of    func() int64
}

func (s *taker) TakeConsent(context.Context, [32]byte) (*registry.TakenConsent, error) {
	s.asked.Add(1)
	return &registry.TakenConsent{CustomerID: s.of(), SourceID: sourceID, Consent: registry.Consent{
		ExpiresAt: time.Now().Add(time.Minute), Client: registry.OAuthClient{Issuer: issuer, TokenEndpoint: issuer + "/token", ClientID: "c", AuthMethod: "none"},
	}}, nil
}

// TestExchangesOfOneCustomer: a customer whose authorization servers are slow has
// four asked at once, and takes nothing from others.
func TestExchangesOfOneCustomer(t *testing.T) {
	inWorld(t, func(w *world) {
		w.replies(http.HandlerFunc(hang))
		var whose atomic.Int64
		whose.Store(1)
		a := w.over(&taker{Store: w.store, of: whose.Load})
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
		whose.Store(2)
		if w.want(a.Finish(w.Context(), back), agentauth.ReasonAway); time.Since(begun) != 10*time.Second {
			w.Errorf("another customer's answer came after %v", time.Since(begun))
		}
		slow.Wait()
		whose.Store(1)
		w.want(a.Finish(w.Context(), back), agentauth.ReasonAway)
	})
}

// TestStatesThatAreNone cost the store nothing.
func TestStatesThatAreNone(t *testing.T) {
	inWorld(t, func(w *world) {
		store := &taker{Store: w.store, of: func() int64 { return 1 }}
		a := w.over(store)
		defer a.Close(context.Background())
		good := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\xfb", 32)))
		for _, state := range []string{
			"", good[1:], good + "A", strings.Repeat("A", 42) + "=", strings.Repeat("A", 42) + "B", // the last one has bits that are none
			strings.Repeat("A", 42) + "\n", strings.Repeat("+", 43), strings.Repeat("/", 43), strings.Repeat("\x00", 43), strings.Repeat("ü", 21) + "A",
		} {
			w.want(a.Finish(w.Context(), url.Values{"state": {state}, "code": {"c"}}), agentauth.ReasonUnknownState)
		}
		if n := store.asked.Load(); n != 0 {
			w.Errorf("the store was asked %d times", n)
		}
		if err := a.Finish(w.Context(), url.Values{"state": {good}}); w.saw(err) == agentauth.ReasonUnknownState || store.asked.Load() != 1 {
			w.Errorf("a good one: %v", err)
		}
	})
}

// crowd is a registry in which every source has tokens that have run out.
type crowd struct {
	registry.Store
	registry.CustomerStore
}

func (c crowd) Customer(int64) registry.CustomerStore { return c }

func (crowd) Credential(_ context.Context, id string) (*registry.Credential, string, error) {
	return &registry.Credential{OAuth: &registry.OAuthCredential{
		AccessToken: "CANARY-a", RefreshToken: "CANARY-r", TokenType: "Bearer", ExpiresAt: time.Now().Add(-time.Hour),
		Client: registry.OAuthClient{TokenEndpoint: issuer + "/token"},
	}}, "credential of " + id, nil
}

func (crowd) LeaseRefresh(context.Context, string, string, time.Time) (bool, error) { return true, nil }
func (crowd) Close() error                                                          { return nil }
func (crowd) Ping(context.Context) error                                            { return nil }

// TestRefreshesAreBounded: of many customers, no more than 256 at once, and failures that are only
// remembered take nobody's place.
func TestRefreshesAreBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.over(crowd{})
		defer a.Close(context.Background())
		w.replies(http.HandlerFunc(hang))
		ask := func(i int) error {
			_, err := a.Token(context.Background(), int64(i/10), fmt.Sprint("s", i))
			return err
		}
		if got := w.together(300, ask); got[agentauth.ReasonAway] != 256 || got[agentauth.ReasonBusy] != 44 {
			w.Errorf("%v", got)
		}
		w.replies(answer(503, "text/plain", ""))
		for i := range 300 {
			if _, err := a.Token(context.Background(), 2, fmt.Sprint("s", i)); agentauth.ReasonOf(err) != agentauth.ReasonAway {
				w.Fatalf("source %d: %v", i, err)
			}
		}
	})
}

// TestRefreshesOfOneCustomer: sixteen at once, and others have theirs.
func TestRefreshesOfOneCustomer(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.over(crowd{})
		defer a.Close(context.Background())
		w.replies(http.HandlerFunc(hang))
		token := func(customer int64) func(int) error {
			return func(i int) error {
				_, err := a.Token(context.Background(), customer, fmt.Sprint("s", i))
				return err
			}
		}
		if got := w.together(40, token(1)); got[agentauth.ReasonAway] != 16 || got[agentauth.ReasonBusy] != 24 {
			w.Errorf("%v", got)
		}
		if got := w.together(32, func(i int) error { return token(int64(2 + i%2))(i) }); got[agentauth.ReasonAway] != 32 {
			w.Errorf("two others: %v", got)
		}
		time.Sleep(time.Minute)
		if got := w.together(16, func(i int) error { return token(1)(100 + i) }); got[agentauth.ReasonAway] != 16 {
			w.Errorf("afterwards: %v", got)
		}
	})
}
