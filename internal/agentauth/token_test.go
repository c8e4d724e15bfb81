package agentauth_test

import (
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

func TestRefreshOutcomes(t *testing.T) {
	table := map[string]struct {
		reply  http.Handler
		reason agentauth.Reason // "": a token
		erased bool
	}{
		"not rotated":     {reply: answer(200, js, `{"access_token":"CANARY-next","token_type":"Bearer","expires_in":3600}`)},
		"grant void":      {reply: refusal("invalid_grant"), reason: agentauth.ReasonConsentDue, erased: true},
		"client void":     {reply: answer(401, js, `{"error":"invalid_client"}`), reason: agentauth.ReasonConsentDue, erased: true},
		"client barred":   {reply: refusal("unauthorized_client"), reason: agentauth.ReasonConsentDue, erased: true},
		"refused":         {reply: refusal("invalid_target"), reason: agentauth.ReasonRefused},
		"refused in HTML": {reply: answer(403, "text/html", `<a href="/x?y&error=invalid_grant&z=">`), reason: agentauth.ReasonRefused},
		"refused oddly":   {reply: refusal("CANARY-code"), reason: agentauth.ReasonRefused},
		"away, it says":   {reply: answer(503, js, `{"error":"invalid_grant"}`), reason: agentauth.ReasonAway},
		"away":            {reply: answer(502, "text/html", "CANARY"), reason: agentauth.ReasonAway},
		"hangs":           {reply: http.HandlerFunc(hang), reason: agentauth.ReasonAway},
		"garbage":         {reply: answer(200, js, "CANARY"), reason: agentauth.ReasonAnswer},
		"another type":    {reply: answer(200, js, `{"access_token":"CANARY-next","token_type":"mac"}`), reason: agentauth.ReasonAnswer},
		"sends elsewhere": {reply: http.RedirectHandler("https://"+agentHost+"/steal", http.StatusTemporaryRedirect), reason: agentauth.ReasonRefused},
	}
	inWorld(t, func(w *world) {
		for name, tt := range table {
			w.next(name)
			w.connect()
			w.change(false, func(a *registry.Agent) { a.Status = registry.SourceActive })
			before := *w.held()
			time.Sleep(2 * time.Hour)
			w.replies(tt.reply)
			got, err := w.token(w.agents)
			if tt.reason == "" {
				w.must(err)
				if after := w.held(); got != "CANARY-next" || after.AccessToken != got || after.RefreshToken != before.RefreshToken {
					w.Error("the new token is not stored beside the old refresh token")
				}
				continue
			}
			w.want(err, tt.reason)
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
		}
	})
}

// TestOutage: a server that is away is asked once a lease, no caller waits in between,
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
			if !errors.As(err, &e) || !strings.HasSuffix(e.Error(), " is away") || e.RetryAfter <= 0 || e.RetryAfter > 20*time.Second {
				w.Errorf("%v; try again after %v", err, e.RetryAfter)
			}
			if time.Since(begun) > 0 {
				w.Error("the reader waited")
			}
			time.Sleep(time.Second)
		}
		if n := w.as.count("refresh_token"); n != 1 {
			w.Errorf("%d requests in 20 s", n)
		}
		if logs := w.logs.String(); !strings.Contains(logs, `"reason":"away"`) {
			w.Errorf("the log does not say why, in a word: %s", logs)
		}
		delete(w.as.override, "/token")
		if _, err := w.token(w.agents); err != nil {
			w.Errorf("after the outage: %v", err)
		}
	})
}

// TestTokensOfOtherKinds: without a refresh token one is given to its end, and without
// an expiry for good.
func TestTokensOfOtherKinds(t *testing.T) {
	for name, more := range map[string]string{"no refresh token": `"expires_in":3600`, "no expiry": `"refresh_token":"CANARY-r"`} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				back := w.browse(w.begin())
				w.replies(answer(200, "application/json", `{"access_token":"CANARY-a","token_type":"Bearer",`+more+`}`))
				w.must(w.end(back))
				time.Sleep(time.Hour - time.Second)
				w.tokenIs(w.agents, "CANARY-a")
				time.Sleep(time.Second)
				if name == "no expiry" {
					w.tokenIs(w.agents, "CANARY-a")
				} else {
					w.tokenFails(w.agents, agentauth.ReasonConsentDue)
				}
				if w.as.count("refresh_token") > 0 {
					w.Error("the server was asked")
				}
			})
		})
	}
}

func TestTokenOfNobody(t *testing.T) {
	inWorld(t, func(w *world) {
		w.connect()
		w.create("fresh", endpoint)
		for source, of := range map[string]int64{sourceID: customer + 1, "nothing": customer, "fresh": customer} {
			_, err := tokenFor(w.agents, of, source, endpoint)
			w.want(err, agentauth.ReasonConsentDue)
		}
		_, err := w.store.Customer(customer).UpdateSource(w.Context(), sourceID, func(s *registry.Source) (registry.SourceChange, error) {
			next := *s.Agent
			next.Authentication = registry.AuthAPIKey
			return registry.SourceChange{Agent: &next, Credential: &registry.Credential{Token: &registry.TokenCredential{Scheme: "bearer", Token: "CANARY"}}}, nil
		})
		w.must(err)
		w.tokenFails(w.agents, agentauth.ReasonConsentDue)
	})
}

func TestAuthorizationIsNotPrinted(t *testing.T) {
	token := agentauth.Authorization{Header: http.Header{"Authorization": {"Bearer CANARY"}}, CredentialID: "CANARY"}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %q", token, token, token, token, token), token.LogValue().String()} {
		if strings.Contains(text, "CANARY") {
			t.Errorf("printed: %s", text)
		}
	}
}
