package agentauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/agentauth"
	"esagate/registry"
)

func TestTokenIsRefreshedWhenUsed(t *testing.T) {
	inWorld(t, func(w *world) {
		w.connect()
		first := *w.held()
		time.Sleep(59*time.Minute - time.Second) // 61 s are left
		if got, err := w.token(w.agents); err != nil || got != first.AccessToken || w.as.count("refresh_token") != 0 {
			w.Fatalf("a fresh token is not given as it is (%v)", err)
		}
		time.Sleep(time.Second)
		if got, err := w.token(w.agents); err != nil || got != first.AccessToken {
			w.Errorf("a token that is good still is not given meanwhile (%v)", err)
		}
		synctest.Wait()
		got, err := w.token(w.agents)
		w.must(err)
		second := *w.held()
		if got == first.AccessToken || got != second.AccessToken || second.RefreshToken == first.RefreshToken {
			w.Error("the token, or the refresh token, is not the new one")
		}
		if left := time.Until(second.ExpiresAt); left != time.Hour {
			w.Errorf("the new one is good for %v", left)
		}
		if again, err := w.token(w.agents); err != nil || again != got || w.as.count("refresh_token") != 1 {
			w.Errorf("%d refreshes (%v)", w.as.count("refresh_token"), err)
		}
		time.Sleep(time.Hour) // with the rotated one
		if got, err := w.token(w.agents); err != nil || got == second.AccessToken {
			w.Errorf("the second refresh does not work (%v)", err)
		}
	})
}

// replies bends what a token endpoint says to a refresh.
func (w *world) replies(h http.Handler) { w.as.override["/token"] = h }

func TestRefreshOutcomes(t *testing.T) {
	const js = "application/json"
	refusal := func(code string) http.Handler {
		return answer(400, js, `{"error":"`+code+`","error_description":"CANARY-why"}`)
	}
	for name, tt := range map[string]struct {
		reply  http.Handler
		reason agentauth.Reason // "": a token
		erased bool
	}{
		"not rotated":     {reply: answer(200, js, `{"access_token":"CANARY-next","token_type":"Bearer","expires_in":3600}`)},
		"grant void":      {reply: refusal("invalid_grant"), reason: agentauth.ReasonConsentDue, erased: true},
		"client void":     {reply: answer(401, js, `{"error":"invalid_client"}`), reason: agentauth.ReasonConsentDue, erased: true},
		"client barred":   {reply: refusal("unauthorized_client"), reason: agentauth.ReasonConsentDue, erased: true},
		"refused":         {reply: refusal("invalid_target"), reason: agentauth.ReasonRefused},
		"refused oddly":   {reply: refusal("CANARY-code"), reason: agentauth.ReasonRefused},
		"away, it says":   {reply: answer(503, js, `{"error":"invalid_grant"}`), reason: agentauth.ReasonAway},
		"away":            {reply: answer(502, "text/html", "CANARY"), reason: agentauth.ReasonAway},
		"hangs":           {reply: http.HandlerFunc(hang), reason: agentauth.ReasonAway},
		"garbage":         {reply: answer(200, js, "CANARY"), reason: agentauth.ReasonAnswer},
		"another type":    {reply: answer(200, js, `{"access_token":"CANARY-next","token_type":"mac"}`), reason: agentauth.ReasonAnswer},
		"sends elsewhere": {reply: http.RedirectHandler("https://"+agentHost+"/steal", http.StatusTemporaryRedirect), reason: agentauth.ReasonRefused},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.connect()
				w.activate()
				before := *w.held()
				time.Sleep(2 * time.Hour)
				w.replies(tt.reply)
				got, err := w.token(w.agents)
				if tt.reason == "" {
					w.must(err)
					if after := w.held(); got != "CANARY-next" || after.AccessToken != got || after.RefreshToken != before.RefreshToken {
						w.Error("the new token is not stored beside the old refresh token")
					}
					return
				}
				w.want(err, tt.reason)
				if w.web.times("POST "+agentHost+"/steal") > 0 {
					w.Error("the refresh token went after a redirect")
				}
				s, err := w.store.Customer(customer).Source(w.Context(), sourceID)
				w.must(err)
				held, status := w.held(), s.Agent.Status
				if tt.erased && (held != nil || status != registry.SourcePending || s.Agent.CredentialID != "") {
					w.Errorf("what is void is still there; the source is %s", status)
				}
				if !tt.erased && (held == nil || held.RefreshToken != before.RefreshToken || status != registry.SourceActive) {
					w.Errorf("what may be good is gone; the source is %s", status)
				}
				w.keyed()
			})
		})
	}
}

// activate makes the source ACTIVE.
func (w *world) activate() {
	_, err := w.store.Customer(customer).UpdateSource(context.Background(), sourceID, func(s *registry.Source) (registry.SourceChange, error) {
		next := *s.Agent
		next.Status = registry.SourceActive
		return registry.SourceChange{Agent: &next}, nil
	})
	w.must(err)
}

// TestOutage: a server that is away is asked once a lease, nobody waits in between,
// and when it is back all is well.
func TestOutage(t *testing.T) {
	inWorld(t, func(w *world) {
		w.connect()
		time.Sleep(2 * time.Hour)
		w.replies(answer(503, "text/plain", "CANARY"))
		for range 20 {
			begun := time.Now()
			_, err := w.token(w.agents)
			w.want(err, agentauth.ReasonAway)
			var e *agentauth.Error
			if !errors.As(err, &e) || e.RetryAfter <= 0 || e.RetryAfter > 20*time.Second {
				w.Errorf("try again after %v", e.RetryAfter)
			}
			if time.Since(begun) > 0 {
				w.Error("the reader waited")
			}
			time.Sleep(time.Second)
		}
		if n := w.as.count("refresh_token"); n != 1 {
			w.Errorf("%d requests in 20 s", n)
		}
		delete(w.as.override, "/token")
		if _, err := w.token(w.agents); err != nil {
			w.Errorf("after the outage: %v", err)
		}
	})
}

func TestTokenWithoutRefresh(t *testing.T) {
	inWorld(t, func(w *world) {
		back := w.browse(w.begin())
		w.replies(answer(200, "application/json", `{"access_token":"CANARY-a","token_type":"Bearer","expires_in":3600}`))
		w.must(w.agents.Finish(w.Context(), back))
		time.Sleep(time.Hour - time.Second)
		if got, err := w.token(w.agents); err != nil || got != "CANARY-a" {
			w.Errorf("the token is not given to its end: %v", err)
		}
		time.Sleep(time.Second)
		_, err := w.token(w.agents)
		if w.want(err, agentauth.ReasonConsentDue); w.as.count("refresh_token") > 0 {
			w.Error("the server was asked")
		}
	})
}

func TestTokenWithoutExpiry(t *testing.T) {
	inWorld(t, func(w *world) {
		back := w.browse(w.begin())
		w.replies(answer(200, "application/json", `{"access_token":"CANARY-a","token_type":"Bearer","refresh_token":"CANARY-r"}`))
		w.must(w.agents.Finish(w.Context(), back))
		time.Sleep(1000 * time.Hour)
		if got, err := w.token(w.agents); err != nil || got != "CANARY-a" {
			w.Errorf("the token is not given: %v", err)
		}
	})
}

func TestTokenOfNobody(t *testing.T) {
	inWorld(t, func(w *world) {
		w.connect()
		for name, ask := range map[string]struct {
			customer int64
			source   string
		}{
			"another customer": {customer + 1, sourceID}, "no such source": {customer, "nothing"}, "not connected": {customer, w.create("fresh", nil).SourceID},
		} {
			if _, err := w.agents.Token(w.Context(), ask.customer, ask.source); agentauth.ReasonOf(err) != agentauth.ReasonConsentDue {
				w.Errorf("%s: %v", name, err)
			}
		}
		key := w.create("keyed", nil).SourceID
		_, err := w.store.Customer(customer).UpdateSource(w.Context(), key, func(s *registry.Source) (registry.SourceChange, error) {
			next := *s.Agent
			next.Authentication = registry.AuthAPIKey
			return registry.SourceChange{Agent: &next, Credential: &registry.Credential{Token: &registry.TokenCredential{Scheme: "bearer", Token: "CANARY"}}}, nil
		})
		w.must(err)
		_, err = w.agents.Token(w.Context(), customer, key)
		w.want(err, agentauth.ReasonConsentDue)
	})
}

func TestTokenIsNotPrinted(t *testing.T) {
	token := agentauth.Token{Type: "Bearer", AccessToken: "CANARY"}
	for _, text := range []string{fmt.Sprint(token), fmt.Sprintf("%v %+v %#v %s %q", token, token, token, token, token), token.LogValue().String()} {
		if strings.Contains(text, "CANARY") {
			t.Errorf("printed: %s", text)
		}
	}
}
