package agentauth_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/agentauth"
	"esagate/registry"
)

// slow lets the server take its time over a refresh.
func (w *world) slow(d time.Duration) {
	w.replies(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		time.Sleep(d)
		_ = w.as.oauth.HandleTokenRequest(rw, r)
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
		_, err = w.token(w.agents)
		w.want(err, agentauth.ReasonAway)
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
		"is refused":    answer(400, "application/json", `{"error":"invalid_grant"}`),
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

// shaky is a registry some of whose calls fail.
type shaky struct {
	registry.Store
	take, read, end, lease, replace atomic.Int32 // how many more of each fail
}

type shakyCustomer struct {
	registry.CustomerStore
	of *shaky
}

var errShaky = errors.New("registry: the disk is full")

func fails(n *atomic.Int32) bool { return n.Add(-1) >= 0 }

func (s *shaky) Customer(id int64) registry.CustomerStore {
	return shakyCustomer{s.Store.Customer(id), s}
}

func (s *shaky) TakeConsent(ctx context.Context, state [32]byte) (*registry.TakenConsent, error) {
	if fails(&s.take) {
		return nil, errShaky
	}
	return s.Store.TakeConsent(ctx, state)
}

func (c shakyCustomer) Credential(ctx context.Context, id string) (*registry.Credential, string, error) {
	if fails(&c.of.read) {
		return nil, "", errShaky
	}
	return c.CustomerStore.Credential(ctx, id)
}

func (c shakyCustomer) EndConsent(ctx context.Context, id string, consent registry.Consent, t registry.OAuthCredential) (*registry.Source, error) {
	if fails(&c.of.end) {
		return nil, errShaky
	}
	return c.CustomerStore.EndConsent(ctx, id, consent, t)
}

func (c shakyCustomer) LeaseRefresh(ctx context.Context, id, credential string, until time.Time) (bool, error) {
	if fails(&c.of.lease) {
		return false, errShaky
	}
	return c.CustomerStore.LeaseRefresh(ctx, id, credential, until)
}

func (c shakyCustomer) ReplaceCredential(ctx context.Context, id, credential string, next *registry.Credential) (*registry.Source, error) {
	if fails(&c.of.replace) {
		return nil, errShaky
	}
	return c.CustomerStore.ReplaceCredential(ctx, id, credential, next)
}

func TestStoreFails(t *testing.T) {
	inWorld(t, func(w *world) {
		store := &shaky{Store: w.store}
		a := w.over(store)
		defer a.Close(context.Background())

		w.as.doc = serverDoc.with("registration_endpoint", nil)
		store.read.Store(1)
		_, err := a.Begin(w.Context(), w.source)
		w.want(err, agentauth.ReasonStore)
		w.as.doc = serverDoc
		back := w.browse(w.begin())
		store.take.Store(1)
		w.want(a.Finish(w.Context(), back), agentauth.ReasonStore)
		w.must(a.Finish(w.Context(), back)) // the state was not used up
		back = w.browse(w.begin())
		store.end.Store(100)
		begun := time.Now()
		w.want(a.Finish(w.Context(), back), agentauth.ReasonStore)
		if took := time.Since(begun); took != 15*time.Second {
			w.Errorf("it took %v", took)
		}
		// What a code brought is not lost for a moment's failure.
		store.end.Store(3)
		w.must(a.Finish(w.Context(), w.browse(w.begin())))
		if store.end.Load() >= 0 || w.as.count("authorization_code") != 3 {
			w.Errorf("%d token requests", w.as.count("authorization_code"))
		}

		store.read.Store(1)
		_, err = w.token(a)
		w.want(err, agentauth.ReasonStore)
		time.Sleep(2 * time.Hour)
		store.lease.Store(1)
		_, err = w.token(a)
		w.want(err, agentauth.ReasonStore)

		// A refresh token that was rotated is not lost for a moment's failure.
		store.replace.Store(3)
		got, err := w.token(a)
		if w.must(err); got != w.held().AccessToken {
			w.Error("the new tokens are not stored")
		}
		// When it goes on, readers have the token all the same.
		time.Sleep(2 * time.Hour)
		store.replace.Store(100)
		if got, err := w.token(a); err != nil || got == w.held().AccessToken {
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
		_, err := w.token(w.agents)
		w.want(err, agentauth.ReasonBusy)
	})
}

func TestCloseCutsShort(t *testing.T) {
	inWorld(t, func(w *world) {
		w.connect()
		time.Sleep(2 * time.Hour)
		w.replies(http.HandlerFunc(hang))
		var reader sync.WaitGroup
		reader.Go(func() {
			_, err := w.token(w.agents)
			w.want(err, agentauth.ReasonAway)
		})
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
