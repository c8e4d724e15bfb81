package agentauth_test

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"esagate/internal/agentauth"
)

// TestCallback bends the answer that a browser brings, and the server behind it.
func TestCallback(t *testing.T) {
	set := func(kv ...string) func(url.Values) {
		return func(q url.Values) {
			for i := 0; i < len(kv); i += 2 {
				q[kv[i]] = strings.Split(kv[i+1], "|")
			}
		}
	}
	failed := func(code string) func(url.Values) {
		return func(q url.Values) {
			q.Del("code")
			q.Set("error", code)
			q.Set("error_description", "CANARY-description")
		}
	}
	carries := says("authorization_response_iss_parameter_supported", true)
	table := map[string]struct {
		before  func(*world)
		between func(*world) // the browser's visit and its return
		query   func(url.Values)
		reason  agentauth.Reason // "": connected
		code    string
		alive   bool // the consent can still be ended
	}{
		"as it comes":              {query: set()},
		"with other parameters":    {query: set("session_state", "a|b", "scope", "read")},
		"with the issuer":          {query: set("iss", issuer)},
		"issuer, as announced":     {before: carries, query: set("iss", issuer)},
		"no state":                 {query: func(q url.Values) { q.Del("state") }, reason: agentauth.ReasonUnknownState, alive: true},
		"two states":               {query: func(q url.Values) { q["state"] = append(q["state"], q["state"]...) }, reason: agentauth.ReasonUnknownState, alive: true},
		"short state":              {query: func(q url.Values) { q.Set("state", q.Get("state")[1:]) }, reason: agentauth.ReasonUnknownState, alive: true},
		"another state":            {query: set("state", strings.Repeat("A", 43)), reason: agentauth.ReasonUnknownState, alive: true},
		"no code":                  {query: func(q url.Values) { q.Del("code") }, reason: agentauth.ReasonRefused, code: "other"},
		"two codes":                {query: set("code", "a|b"), reason: agentauth.ReasonRefused, code: "other"},
		"endless code":             {query: set("code", strings.Repeat("x", 4097)), reason: agentauth.ReasonRefused, code: "other"},
		"code with a line":         {query: set("code", "a\nb"), reason: agentauth.ReasonRefused, code: "other"},
		"an unknown code":          {query: set("code", "CANARY-code"), reason: agentauth.ReasonRefused, code: "invalid_grant"},
		"two issuers":              {query: set("iss", issuer+"|"+issuer), reason: agentauth.ReasonRefused, code: "other"},
		"another issuer":           {query: set("iss", "https://bank.example"), reason: agentauth.ReasonMismatch},
		"empty issuer":             {query: set("iss", ""), reason: agentauth.ReasonMismatch},
		"no issuer, though due":    {before: carries, query: set(), reason: agentauth.ReasonMismatch},
		"denied":                   {query: failed("access_denied"), reason: agentauth.ReasonDenied, code: "access_denied"},
		"denied, with a code":      {query: set("error", "access_denied"), reason: agentauth.ReasonDenied, code: "access_denied"},
		"denied by another":        {query: set("error", "access_denied", "iss", "https://bank.example"), reason: agentauth.ReasonMismatch},
		"scope refused":            {query: failed("invalid_scope"), reason: agentauth.ReasonRefused, code: "invalid_scope"},
		"server ill":               {query: failed("server_error"), reason: agentauth.ReasonAway, code: "server_error"},
		"an error of no name":      {query: failed("CANARY-code"), reason: agentauth.ReasonRefused, code: "other"},
		"an empty error":           {query: failed(""), reason: agentauth.ReasonRefused, code: "other"},
		"two errors":               {query: set("error", "access_denied|server_error"), reason: agentauth.ReasonRefused, code: "other"},
		"source deleted":           {query: set(), between: (*world).delete, reason: agentauth.ReasonUnknownState},
		"source moved":             {query: set(), between: (*world).move, reason: agentauth.ReasonUnknownState},
		"ten minutes later":        {query: set(), between: func(*world) { time.Sleep(10 * time.Minute) }, reason: agentauth.ReasonUnknownState},
		"just in time":             {query: set(), between: func(*world) { time.Sleep(10*time.Minute - time.Second) }},
		"begun again":              {query: set(), between: func(w *world) { w.begin() }, reason: agentauth.ReasonUnknownState},
		"denied by the server":     {query: set(), before: func(w *world) { w.as.denies = "access_denied" }, reason: agentauth.ReasonDenied, code: "access_denied"},
		"deleted at the same time": {query: set(), before: whileAsking((*world).delete), reason: agentauth.ReasonChanged},
		"moved at the same time":   {query: set(), before: whileAsking((*world).move), reason: agentauth.ReasonChanged},
	}
	inWorld(t, func(w *world) {
		for name, tt := range table {
			w.next(name)
			if tt.before != nil {
				tt.before(w)
			}
			answer := w.browse(w.begin())
			if tt.between != nil {
				tt.between(w)
			}
			bent := maps.Clone(answer)
			tt.query(bent)
			err := w.end(bent)
			if tt.reason == "" {
				w.must(err)
				if w.held() == nil {
					w.Error("no tokens are stored")
				}
			} else {
				w.want(err, tt.reason)
				if e, _ := err.(*agentauth.Error); e == nil || e.Code != tt.code {
					w.Errorf("the code is %+v, want %q", err, tt.code)
				}
				if w.held() != nil {
					w.Error("tokens are stored")
				}
				if tt.reason == agentauth.ReasonMismatch && w.as.count("authorization_code") > 0 {
					w.Error("the code was given away")
				}
			}
			if again := w.end(answer); tt.alive != (again == nil) {
				w.Errorf("the state is good once more: %v, want %v", again == nil, tt.alive)
			}
			w.keyed()
		}
	})
}

// whileAsking does something while the server is asked for tokens.
func whileAsking(f func(*world)) func(*world) {
	return func(w *world) {
		w.replies(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			f(w)
			w.as.token(rw, r)
		}))
	}
}

func TestStateIsGoodOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		answer := w.browse(w.begin())
		other := w.replica()
		defer other.Close(context.Background())
		errs := make([]error, 8)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { errs[i] = []*agentauth.Agents{w.agents, other}[i%2].Finish(context.Background(), answer) })
		}
		all.Wait()
		good := 0
		for _, err := range errs {
			if err == nil {
				good++
			} else {
				w.want(err, agentauth.ReasonUnknownState)
			}
		}
		if good != 1 || w.as.count("authorization_code") != 1 {
			w.Errorf("%d of 8 succeeded, with %d token requests", good, w.as.count("authorization_code"))
		}
	})
}

// TestBeginOfAChangedSource: the consent belongs to the source as it was read.
func TestBeginOfAChangedSource(t *testing.T) {
	for name, change := range map[string]func(*world){
		"deleted": (*world).delete,
		"moved":   (*world).move,
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				change(w)
				_, err := w.tryBegin()
				w.want(err, agentauth.ReasonChanged)
			})
		})
	}
}

// TestTokenEndpoint has each answer of a token endpoint that is no good one.
func TestTokenEndpoint(t *testing.T) {
	tokens := func(access, kind, more string) http.Handler {
		return answer(200, js, `{"access_token":"`+access+`","token_type":"`+kind+`"`+more+`}`)
	}
	table := map[string]struct {
		answer http.Handler
		reason agentauth.Reason // "": connected
		expiry time.Duration    // connected: 0 is none
	}{
		"no expiry":          {answer: tokens("CANARY-a", "BEARER", "")},
		"no refresh token":   {answer: tokens("CANARY-a", "bearer", `,"expires_in":90`), expiry: 90 * time.Second},
		"expiry in quotes":   {answer: tokens("CANARY-a", "bearer", `,"expires_in":"90"`), expiry: 90 * time.Second},
		"largest token":      {answer: tokens(strings.Repeat("x", 16<<10), "bearer", "")},
		"expired already":    {answer: tokens("CANARY-a", "bearer", `,"expires_in":-1`), reason: agentauth.ReasonAnswer},
		"expiry of a word":   {answer: tokens("CANARY-a", "bearer", `,"expires_in":"soon"`), reason: agentauth.ReasonAnswer},
		"another type":       {answer: tokens("CANARY-a", "DPoP", ""), reason: agentauth.ReasonAnswer},
		"several types":      {answer: tokens("CANARY-a", "bearer mac", ""), reason: agentauth.ReasonAnswer},
		"no token":           {answer: tokens("", "bearer", ""), reason: agentauth.ReasonAnswer},
		"token too long":     {answer: tokens(strings.Repeat("x", 16<<10+1), "bearer", ""), reason: agentauth.ReasonAnswer},
		"refresh too long":   {answer: tokens("CANARY-a", "bearer", `,"refresh_token":"`+strings.Repeat("x", 16<<10+1)+`"`), reason: agentauth.ReasonAnswer},
		"token with a line":  {answer: tokens(`CANARY\nX-Evil: 1`, "bearer", ""), reason: agentauth.ReasonAnswer},
		"token with a space": {answer: tokens("CANARY a", "bearer", ""), reason: agentauth.ReasonAnswer},
		"endless":            {answer: tokens("CANARY-a", "bearer", `,"pad":"`+strings.Repeat("x", 1<<20)+`"`), reason: agentauth.ReasonAnswer},
		"garbage":            {answer: answer(200, js, "CANARY{"), reason: agentauth.ReasonAnswer},
		"HTML":               {answer: answer(200, "text/html", "<p>CANARY"), reason: agentauth.ReasonAnswer},
		"HTML with a link":   {answer: answer(200, "text/html", `<a href="/x?y&access_token=CANARY&z=">`), reason: agentauth.ReasonAnswer},
		"JSON cut short":     {answer: answer(200, js, `{"id_url":"/x?y&access_token=CANARY&z="`), reason: agentauth.ReasonAnswer},
		"an endless form":    {answer: answer(200, "", "access_token=CANARY&pad="+strings.Repeat("x", 256<<10)), reason: agentauth.ReasonAnswer},
		"nothing":            {answer: answer(204, js, ""), reason: agentauth.ReasonAnswer},
		"500":                {answer: answer(500, js, `{"error":"server_error","error_description":"CANARY"}`), reason: agentauth.ReasonAway},
		"503 in HTML":        {answer: answer(503, "text/html", "<p>CANARY"), reason: agentauth.ReasonAway},
		"429":                {answer: answer(429, "text/plain", "CANARY"), reason: agentauth.ReasonAway},
		"refused":            {answer: answer(401, js, `{"error":"invalid_client","error_description":"CANARY"}`), reason: agentauth.ReasonRefused},
		"refused with a 200": {answer: answer(200, js, `{"error":"CANARY"}`), reason: agentauth.ReasonRefused},
		"refused in HTML":    {answer: answer(403, "text/html", "<p>CANARY"), reason: agentauth.ReasonRefused},
		"redirected":         {answer: http.RedirectHandler("https://"+agentHost+"/steal", http.StatusTemporaryRedirect), reason: agentauth.ReasonRefused},
		"hangs":              {answer: http.HandlerFunc(hang), reason: agentauth.ReasonAway},
	}
	inWorld(t, func(w *world) {
		for name, tt := range table {
			w.next(name)
			back := w.browse(w.begin())
			w.replies(tt.answer)
			begun := time.Now()
			err := w.end(back)
			if took := time.Since(begun); took > 10*time.Second {
				w.Errorf("it took %v", took)
			}
			if tt.reason != "" {
				if w.want(err, tt.reason); w.held() != nil {
					w.Error("tokens are stored")
				}
				continue
			}
			w.must(err)
			held := w.held()
			if tt.expiry == 0 && !held.ExpiresAt.IsZero() || tt.expiry > 0 && time.Until(held.ExpiresAt) != tt.expiry {
				w.Errorf("it expires at %v", held.ExpiresAt)
			}
		}
	})
}

// TestFinishOutlivesItsCaller: a person who closes the page has consented all the same.
func TestFinishOutlivesItsCaller(t *testing.T) {
	inWorld(t, func(w *world) {
		back := w.browse(w.begin())
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if w.must(w.agents.Finish(ctx, back)); w.held() == nil {
			w.Error("no tokens are stored")
		}
	})
}
