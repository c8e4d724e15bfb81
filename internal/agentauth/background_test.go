package agentauth_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/agentauth"
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

// TestGrantVoidInTheBackground: who came first has a token of the last seconds, and
// who comes after knows.
func TestGrantVoidInTheBackground(t *testing.T) {
	inWorld(t, func(w *world) {
		w.connect()
		first := w.held().AccessToken
		time.Sleep(time.Hour - 30*time.Second)
		w.as.revoke()
		w.tokenIs(w.agents, first)
		synctest.Wait()
		if w.tokenFails(w.agents, agentauth.ReasonConsentDue); w.held() != nil {
			w.Error("what is void is still there")
		}
	})
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
