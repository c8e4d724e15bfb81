package agentauth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/agentauth"
	"esagate/registry"
)

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
						if got, err := w.token(a); err != nil || got != first {
							w.Errorf("the good token is not given: %v", err)
						}
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

// TestGrantVoidInTheBackground: who came first has a token of the last seconds, and
// who comes after knows.
func TestGrantVoidInTheBackground(t *testing.T) {
	inWorld(t, func(w *world) {
		w.connect()
		first := w.held().AccessToken
		time.Sleep(time.Hour - 30*time.Second)
		w.as.revoke()
		if got, err := w.token(w.agents); err != nil || got != first {
			w.Errorf("the good token is not given: %v", err)
		}
		synctest.Wait()
		_, err := w.token(w.agents)
		if w.want(err, agentauth.ReasonConsentDue); w.held() != nil {
			w.Error("what is void is still there")
		}
	})
}

// broken is a registry that panics while it is asked for a lease.
type broken struct {
	registry.Store
	left *atomic.Int32
}

type brokenCustomer struct {
	registry.CustomerStore
	left *atomic.Int32
}

func (b broken) Customer(id int64) registry.CustomerStore {
	return brokenCustomer{b.Store.Customer(id), b.left}
}

func (b brokenCustomer) LeaseRefresh(ctx context.Context, id, credential string, until time.Time) (bool, error) {
	if b.left.Add(-1) >= 0 {
		panic("CANARY-panic " + credential)
	}
	return b.CustomerStore.LeaseRefresh(ctx, id, credential, until)
}

// TestPanicInARefresh ends that refresh, and not the process.
func TestPanicInARefresh(t *testing.T) {
	inWorld(t, func(w *world) {
		w.connect()
		time.Sleep(2 * time.Hour)
		var left atomic.Int32
		left.Store(1)
		a := w.over(broken{w.store, &left})
		_, err := w.token(a)
		var e *agentauth.Error
		if w.want(err, agentauth.ReasonAnswer); !errors.As(err, &e) || e.RetryAfter <= 0 {
			w.Fatalf("%v", err)
		}
		if !strings.Contains(w.logs.String(), "background work panicked") {
			w.Error("nothing is logged")
		}
		w.keyed()
		time.Sleep(e.RetryAfter)
		if _, err := w.token(a); err != nil {
			w.Errorf("afterwards: %v", err)
		}
		a.Close(w.Context()) // nothing is left running
	})
}
