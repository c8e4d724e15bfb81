package agentauth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/agentauth"
)

// slow lets the server take its time over a refresh.
func (w *world) slow(d time.Duration) {
	w.replies(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		time.Sleep(d)
		w.as.token(rw, r)
	}))
}

// TestOneRefreshForAll: readers of two replicas cause one refresh, and all get what
// it brings.
func TestOneRefreshForAll(t *testing.T) {
	inWorld(t, func(w *world) {
		w.connect()
		time.Sleep(2 * time.Hour)
		w.slow(3 * time.Second)
		other := w.replica()
		defer other.Close(context.Background())
		got := make([]string, 40)
		var all sync.WaitGroup
		for i := range got {
			all.Go(func() {
				token, err := w.token([]*agentauth.Agents{w.agents, other}[i%2])
				if err != nil {
					w.Error(err)
				}
				got[i] = token
			})
		}
		all.Wait()
		for _, token := range got {
			if token != w.held().AccessToken {
				w.Fatal("a reader got another token than the one that is stored")
			}
		}
		if n := w.as.count("refresh_token"); n != 1 {
			w.Errorf("%d refreshes", n)
		}
	})
}

// TestNobodyWaitsForAGoodToken: while a token is good for some seconds, no reader of
// any replica waits for another, however the refresh goes.
func TestNobodyWaitsForAGoodToken(t *testing.T) {
	for name, reply := range map[string]http.Handler{
		"server away": answer(503, "text/plain", "CANARY"), "server hangs": http.HandlerFunc(hang),
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.connect()
				first := w.held().AccessToken
				time.Sleep(time.Hour - 45*time.Second)
				w.replies(reply)
				other := w.replica()
				defer other.Close(context.Background())
				begun := time.Now()
				for range 5 {
					for _, a := range []*agentauth.Agents{w.agents, other} {
						w.tokenIs(a, first)
					}
				}
				if took := time.Since(begun); took != 0 {
					w.Errorf("readers waited %v", took)
				}
				if synctest.Wait(); w.as.count("refresh_token") != 1 {
					w.Errorf("%d refreshes", w.as.count("refresh_token"))
				}
			})
		})
	}
}

// TestPanicInARefresh ends that refresh, and not the process.
func TestPanicInARefresh(t *testing.T) {
	inWorld(t, func(w *world) {
		w.connect()
		time.Sleep(2 * time.Hour)
		a := w.over(&faulty{Store: w.store, fails: map[string]int{"LeaseRefresh": 1}, panic: true})
		_, err := w.token(a)
		e, _ := errors.AsType[*agentauth.Error](err)
		if w.want(err, agentauth.ReasonAnswer); e == nil || e.RetryAfter <= 0 {
			w.Fatalf("%v", err)
		}
		if !strings.Contains(w.logs.String(), "background work panicked") {
			w.Error("nothing is logged")
		}
		w.tokenFails(a, agentauth.ReasonAnswer)
		time.Sleep(e.RetryAfter)
		if _, err := w.token(a); err != nil {
			w.Errorf("afterwards: %v", err)
		}
		a.Close(w.Context()) // nothing is left running
	})
}

// TestPanicInARefreshNobodyWaitsFor is remembered as well: readers who have a good token
// meanwhile do not repeat it.
func TestPanicInARefreshNobodyWaitsFor(t *testing.T) {
	inWorld(t, func(w *world) {
		w.connect()
		first := w.held().AccessToken
		time.Sleep(time.Hour - 45*time.Second)
		store := &faulty{Store: w.store, fails: map[string]int{"LeaseRefresh": 100}, panic: true}
		a := w.over(store)
		defer a.Close(context.Background())
		for range 5 {
			w.tokenIs(a, first)
			synctest.Wait()
		}
		if n := 100 - store.fails["LeaseRefresh"]; n != 1 {
			w.Errorf("%d refreshes panicked", n)
		}
	})
}

// TestLostReplica: one that took the lease and fell over holds the others up until
// the lease ends, and not much longer. Their readers do not all wait for that.
func TestLostReplica(t *testing.T) {
	inWorld(t, func(w *world) {
		w.connect()
		time.Sleep(2 * time.Hour)
		store := w.store.Customer(customer)
		_, id, err := store.Credential(w.Context(), sourceID)
		w.must(err)
		mine, err := store.LeaseRefresh(w.Context(), sourceID, id, time.Now().Add(15*time.Second))
		if err != nil || !mine {
			w.Fatal("no lease", err)
		}
		begun := time.Now()
		w.tokenFails(w.agents, agentauth.ReasonAway)
		if waited := time.Since(begun); waited != 10*time.Second || w.as.count("refresh_token") > 0 {
			w.Errorf("waited %v; %d refreshes", waited, w.as.count("refresh_token"))
		}
		for range 3 {
			_, err = w.token(w.agents)
			var e *agentauth.Error
			if w.want(err, agentauth.ReasonAway); !errors.As(err, &e) || e.RetryAfter != 5*time.Second || time.Since(begun) != 10*time.Second {
				w.Errorf("after %v, with %v", time.Since(begun), err)
			}
		}
		time.Sleep(5 * time.Second)
		if _, err := w.token(w.agents); err != nil || time.Since(begun) > 16*time.Second {
			w.Errorf("after %v: %v", time.Since(begun), err)
		}
	})
}

// TestConsentDuringRefresh: what a new consent brought stands, whatever a refresh
// that began before brings or loses.
func TestConsentDuringRefresh(t *testing.T) {
	for name, reply := range map[string]http.Handler{
		"brings tokens": answer(200, "application/json", `{"access_token":"CANARY-late","token_type":"Bearer","refresh_token":"CANARY-r"}`),
		"is refused":    refusal("invalid_grant"),
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.connect()
				time.Sleep(2 * time.Hour)
				w.replies(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					delete(w.as.override, "/token")
					w.connect()
					reply.ServeHTTP(rw, r)
				}))
				got, err := w.token(w.agents)
				w.must(err)
				if got == "CANARY-late" || got != w.held().AccessToken {
					w.Error("the token is not the new consent's")
				}
			})
		})
	}
}

func TestStoreFails(t *testing.T) {
	inWorld(t, func(w *world) {
		store := &faulty{Store: w.store, fails: map[string]int{}}
		w.agents = w.over(store)
		w.as.doc = serverDoc.with("registration_endpoint", nil)
		store.fails["Credential"] = 1
		_, err := w.tryBegin()
		w.want(err, agentauth.ReasonStore)
		w.as.doc = serverDoc
		back := w.browse(w.begin())
		store.fails["TakeConsent"] = 1
		w.want(w.end(back), agentauth.ReasonStore)
		w.must(w.end(back)) // the state was not used up
		back = w.browse(w.begin())
		store.fails["EndConsent"] = 100
		begun := time.Now()
		w.want(w.end(back), agentauth.ReasonStore)
		if took := time.Since(begun); took != 15*time.Second {
			w.Errorf("it took %v", took)
		}
		// What a code brought is not lost for a moment's failure.
		store.fails["EndConsent"] = 3
		w.connect()
		if store.fails["EndConsent"] > 0 || w.as.count("authorization_code") != 3 {
			w.Errorf("%d token requests", w.as.count("authorization_code"))
		}

		store.fails["Credential"] = 1
		w.tokenFails(w.agents, agentauth.ReasonStore)
		time.Sleep(2 * time.Hour)
		store.fails["LeaseRefresh"] = 1
		w.tokenFails(w.agents, agentauth.ReasonStore)

		// A refresh token that was rotated is not lost for a moment's failure.
		store.fails["ReplaceCredential"] = 3
		got, err := w.token(w.agents)
		if w.must(err); got != w.held().AccessToken {
			w.Error("the new tokens are not stored")
		}
		// When it goes on, readers have the token all the same.
		time.Sleep(2 * time.Hour)
		store.fails["ReplaceCredential"] = 100
		if got, err := w.token(w.agents); err != nil || got == w.held().AccessToken {
			w.Errorf("the new token is not given: %v", err)
		}
	})
}

func TestCloseWaits(t *testing.T) {
	inWorld(t, func(w *world) {
		w.connect()
		old := w.held().AccessToken
		time.Sleep(2 * time.Hour)
		w.slow(3 * time.Second)
		var reader sync.WaitGroup
		reader.Go(func() { _, _ = w.token(w.agents) })
		synctest.Wait()
		begun := time.Now()
		w.agents.Close(context.Background())
		if time.Since(begun) != 3*time.Second || w.held().AccessToken == old {
			w.Errorf("Close took %v", time.Since(begun))
		}
		reader.Wait()
		time.Sleep(2 * time.Hour)
		w.tokenFails(w.agents, agentauth.ReasonBusy)
	})
}

func TestCloseCutsShort(t *testing.T) {
	inWorld(t, func(w *world) {
		w.connect()
		time.Sleep(2 * time.Hour)
		w.replies(http.HandlerFunc(hang))
		var reader sync.WaitGroup
		reader.Go(func() { w.tokenFails(w.agents, agentauth.ReasonAway) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		begun := time.Now()
		w.agents.Close(ctx)
		if took := time.Since(begun); took != time.Second {
			w.Errorf("Close took %v", took)
		}
		reader.Wait()
	})
}
