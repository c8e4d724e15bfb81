package auth_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/auth"
	"esagate/internal/fault"
)

// client is how the issuer of these tests knows the gateway.
func client(change ...func(*auth.Client)) *auth.Client {
	c := &auth.Client{ID: "ops pages", Scopes: []string{"gate:read", "mail"}, RedirectURI: redirectURI}
	for _, f := range change {
		f(c)
	}
	return c
}

// fronted runs f with an issuer that signs people in.
func fronted(t *testing.T, change func(*idp), f func(t *testing.T, r *rig)) {
	t.Helper()
	bubbleWith(t, func(p *idp) {
		p.client = client()
		change(p)
	}, func(t *testing.T, r *rig) {
		synctest.Wait() // the first fetch is over
		f(t, r)
	})
}

// toIssuer gives the address at which a browser signs in, and what it keeps.
func (r *rig) toIssuer() (address, kept string) {
	r.t.Helper()
	address, kept, err := r.BeginSignIn(r.t.Context(), "/ops?q=x")
	if err != nil {
		r.t.Fatal(err)
	}
	if strings.Contains(kept, "/ops") || len(kept) > 1000 {
		r.t.Errorf("a browser keeps %q", kept)
	}
	return address, kept
}

// TestSignIn, with each kind of client that an issuer may want.
func TestSignIn(t *testing.T) {
	confidential := func(c *auth.Client) { c.Secret = revealed(clientSecret) }
	for name, c := range map[string]struct {
		client   *auth.Client
		change   func(*idp)
		parts    url.Values // of the address
		resource string     // in the token request
	}{
		"public":                      {client: client(), change: func(*idp) {}, parts: url.Values{"scope": {"openid gate:read mail"}, "resource": nil, "audience": nil}},
		"a public client, of no word": {client: client(func(c *auth.Client) { c.Secret = revealed("") }), change: func(p *idp) { p.metadata = map[string]any{"token_endpoint_auth_methods_supported": []string{}} }},
		"secret in a header":          {client: client(confidential), change: func(p *idp) { p.secret = clientSecret }},
		"methods not told": {client: client(confidential), change: func(p *idp) {
			p.secret, p.metadata = clientSecret, map[string]any{"token_endpoint_auth_methods_supported": nil, "code_challenge_methods_supported": nil, "response_types_supported": nil}
		}},
		"secret in the body": {client: client(confidential), change: func(p *idp) {
			p.secret, p.inBody, p.metadata = clientSecret, true, map[string]any{"token_endpoint_auth_methods_supported": []string{"client_secret_post"}}
		}},
		"audience": {client: client(func(c *auth.Client) { c.AudienceParameter, c.Scopes = "audience", nil }), change: func(*idp) {},
			parts: url.Values{"audience": {audience}, "scope": {"openid"}}},
		"resource": {client: client(func(c *auth.Client) { c.AudienceParameter = "resource" }), change: func(*idp) {},
			parts: url.Values{"resource": {audience}}, resource: audience},
		"a query of its own": {client: client(), change: func(p *idp) {
			p.metadata = map[string]any{"authorization_endpoint": p.issuer + "/authorize?p=b2c_1&audience=x"}
		}, parts: url.Values{"p": {"b2c_1"}, "audience": {"x"}}},
	} {
		t.Run(name, func(t *testing.T) {
			fronted(t, func(p *idp) {
				p.client = c.client
				c.change(p)
			}, func(t *testing.T, r *rig) {
				if !r.SignsIn() {
					t.Fatal("nobody signs in")
				}
				end := time.Now().Add(20 * time.Minute)
				r.idp.gives = r.idp.token(claim("exp", at(end)), claim("scope", `"write"`))
				address, kept := r.toIssuer()
				for part, want := range c.parts {
					if got := must(url.Parse(address)).Query()[part]; fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("%s is %q, want %q", part, got, want)
					}
				}
				time.Sleep(9 * time.Minute)
				in, err := r.FinishSignIn(t.Context(), kept, r.idp.consent(t, address))
				if err != nil {
					t.Fatal(err, errors.Unwrap(err))
				}
				if in.Next != "/ops?q=x" || in.Caller.CustomerID != 77 || !in.Caller.Write || in.Caller.Operator || !in.Caller.Token {
					t.Errorf("%+v of %+v", in.Caller, in)
				}
				if got := r.idp.last.Get("resource"); got != c.resource {
					t.Errorf("the token is asked for %q", got)
				}
				s, err := r.OpenSession(in.Session)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Until(end) - time.Second)
				if c, err := r.AuthenticateSession(t.Context(), s); err != nil || *c != *in.Caller {
					t.Errorf("a second before the token ends: %+v %v", c, err)
				}
				time.Sleep(time.Second)
				if c, err := r.AuthenticateSession(t.Context(), s); auth.ReasonOf(err) != auth.Expired {
					t.Errorf("when the token has ended: %+v %v", c, err)
				}
			})
		})
	}
}

// flaw is something wrong with a sign-in, and what comes of it.
type flaw struct {
	issuer func(*idp)                     // before
	answer func(r *rig, query url.Values) // how the browser comes back
	kept   func(*string)                  // what it has kept
	kind   fault.Kind
	says   string // to the person
	cause  string // in the log
	asks   bool   // the issuer is asked for a token
}

var (
	same       = func(*rig, url.Values) {}
	unasked    = func(*idp) {}
	issuerSays = func(status int, body string) func(*idp) {
		return func(p *idp) {
			p.answer = func(w http.ResponseWriter) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			}
		}
	}
	comesWith = func(name string, values ...string) func(*rig, url.Values) {
		return func(_ *rig, q url.Values) {
			q[name] = values
			if name == "error" {
				q.Del("code")
				q.Set("error_description", canary)
			}
		}
	}
)

func flaws() map[string]flaw {
	const forbidden, bad, away = fault.Forbidden, fault.BadRequest, fault.Unavailable
	gives := func(changes ...func(*draft)) func(*idp) {
		return func(p *idp) { p.gives = p.token(changes...) }
	}
	return map[string]flaw{
		// Of the browser.
		"nothing kept":             {kept: func(s *string) { *s = "" }, kind: bad, says: "run out", cause: "flow_unknown"},
		"rubbish kept":             {kept: func(s *string) { *s = canary }, kind: bad, says: "run out", cause: "flow_unknown"},
		"changed by one letter":    {kept: func(s *string) { *s = (*s)[:20] + string((*s)[20]^1) + (*s)[21:] }, kind: bad, says: "run out", cause: "flow_unknown"},
		"huge":                     {kept: func(s *string) { *s += strings.Repeat("A", 8<<10) }, kind: bad, says: "run out", cause: "flow_unknown"},
		"no state":                 {answer: func(_ *rig, q url.Values) { q.Del("state") }, kind: bad, says: "another browser", cause: "state_unknown"},
		"another state":            {answer: comesWith("state", canary), kind: bad, says: "another browser", cause: "state_unknown"},
		"two states":               {answer: func(_ *rig, q url.Values) { q.Add("state", q.Get("state")) }, kind: bad, says: "run out", cause: "answer_invalid"},
		"two codes":                {answer: func(_ *rig, q url.Values) { q.Add("code", "x") }, kind: bad, says: "run out", cause: "answer_invalid"},
		"no code":                  {answer: func(_ *rig, q url.Values) { q.Del("code") }, kind: bad, says: "run out", cause: "answer_invalid"},
		"a code with a line break": {answer: comesWith("code", "a\nb"), kind: bad, says: "run out", cause: "answer_invalid"},
		"a huge code":              {answer: comesWith("code", strings.Repeat("a", 5000)), kind: bad, says: "run out", cause: "answer_invalid"},
		"ten minutes later":        {answer: func(*rig, url.Values) { time.Sleep(10 * time.Minute) }, kind: bad, says: "run out", cause: "flow_unknown"},
		"a made-up code":           {answer: comesWith("code", "guessed"), kind: bad, says: "used before", cause: "invalid_grant", asks: true},
		"the code of another browser's sign-in": {answer: func(r *rig, q url.Values) {
			theirs, _ := r.toIssuer()
			q.Set("code", r.idp.consent(r.t, theirs).Get("code"))
		}, kind: bad, says: "used before", cause: "invalid_grant", asks: true},
		"the whole answer of another browser": {answer: func(r *rig, q url.Values) {
			theirs, _ := r.toIssuer()
			for name, values := range r.idp.consent(r.t, theirs) {
				q[name] = values
			}
		}, kind: bad, says: "another browser", cause: "state_unknown"},

		// Of who answers (RFC 9207).
		"another issuer":  {answer: comesWith("iss", "https://login.example/realms/harbour/"), kind: bad, says: "Another issuer", cause: "issuer_mismatch"},
		"two issuers":     {answer: comesWith("iss", "https://login.example/realms/harbour", "https://other.example"), kind: bad, says: "run out", cause: "answer_invalid"},
		"no issuer":       {answer: comesWith("iss", ""), kind: bad, says: "Another issuer", cause: "issuer_mismatch"},
		"promised issuer": {issuer: func(p *idp) { p.metadata = map[string]any{"authorization_response_iss_parameter_supported": true} }, kind: bad, says: "Another issuer", cause: "issuer_mismatch"},

		// What the issuer says.
		"denied":                    {answer: comesWith("error", "access_denied"), kind: forbidden, says: "did not let you in", cause: "access_denied"},
		"no session there":          {answer: comesWith("error", "login_required"), kind: forbidden, says: "did not let you in", cause: "login_required"},
		"down":                      {answer: comesWith("error", "temporarily_unavailable"), kind: away, says: "at the moment", cause: "temporarily_unavailable"},
		"a scope it lacks":          {answer: comesWith("error", "invalid_scope"), kind: away, says: "did not accept", cause: "invalid_scope"},
		"an error of its own":       {answer: comesWith("error", canary), kind: away, says: "did not accept", cause: "other"},
		"an error and a code":       {answer: func(_ *rig, q url.Values) { q.Set("error", "access_denied") }, kind: forbidden, says: "did not let you in", cause: "access_denied"},
		"a wrong secret":            {issuer: func(p *idp) { p.client.Secret, p.secret = revealed("x"+canary), clientSecret }, kind: away, says: "did not accept", cause: "invalid_client", asks: true},
		"away for tokens":           {issuer: issuerSays(502, canary), kind: away, says: "at the moment", cause: "status", asks: true},
		"too busy for tokens":       {issuer: issuerSays(429, canary), kind: away, says: "at the moment", cause: "status", asks: true},
		"elsewhere for tokens":      {issuer: func(p *idp) { p.location = "https://login.example/realms/harbour/elsewhere" }, kind: away, says: "at the moment", cause: "redirect_refused", asks: true},
		"hangs":                     {answer: func(r *rig, _ url.Values) { r.idp.set(func() { r.idp.hangs = true }) }, kind: away, says: "at the moment", cause: "unreachable", asks: true},
		"can't be reached":          {answer: func(r *rig, _ url.Values) { r.idp.set(func() { r.idp.away = true }) }, kind: away, says: "at the moment", cause: "unreachable", asks: true},
		"a page for tokens":         {issuer: issuerSays(200, "<p>"+canary), kind: away, says: "did not accept", cause: "token_answer_invalid", asks: true},
		"a forbidden page":          {issuer: issuerSays(403, "<p>"+canary), kind: away, says: "did not accept", cause: "status", asks: true},
		"no end of tokens":          {issuer: issuerSays(200, `{"access_token": "`+strings.Repeat("x", 2<<20)+`"}`), kind: away, says: "at the moment", cause: "too_large", asks: true},
		"a refusal with status 200": {issuer: issuerSays(200, `{"error": "invalid_grant"}`), kind: bad, says: "used before", cause: "invalid_grant", asks: true},
		"an id token alone":         {issuer: issuerSays(200, `{"id_token": "`+canary+`"}`), kind: away, says: "did not accept", cause: "token_answer_invalid", asks: true},
		"a token that is a number":  {issuer: issuerSays(200, `{"access_token": 7}`), kind: away, says: "did not accept", cause: "token_answer_invalid", asks: true},
		"a token of another type":   {issuer: issuerSays(200, `{"access_token": "a.b.c", "token_type": "DPoP"}`), kind: away, says: "did not accept", cause: "token_answer_invalid", asks: true},
		"two tokens":                {issuer: issuerSays(200, `{"access_token": "a.b.c", "access_token": "d.e.f"}`), kind: away, says: "did not accept", cause: "token_answer_invalid", asks: true},
		"a token that is no JWT":    {issuer: issuerSays(200, `{"access_token": "`+canary+`"}`), kind: forbidden, says: "not a signed token", cause: "unknown", asks: true},
		"an API key as token":       {issuer: issuerSays(200, `{"access_token": "config-write-`+canary+`"}`), kind: forbidden, says: "not a signed token", cause: "unknown", asks: true},
		"a huge token":              {issuer: issuerSays(200, `{"access_token": "`+strings.Repeat("e", 9000)+`"}`), kind: forbidden, says: "not a signed token", cause: "unknown", asks: true},

		// Of the token.
		"another audience":       {issuer: gives(claim("aud", `"https://other.example"`)), kind: forbidden, says: "another audience", cause: "wrong_audience", asks: true},
		"another issuer's token": {issuer: gives(claim("iss", `"https://other.example"`)), kind: forbidden, says: "not signed by the issuer", cause: "wrong_issuer", asks: true},
		"another's key":          {issuer: gives(signed("ES256", p256Other())), kind: forbidden, says: "not signed by the issuer", cause: "bad_signature", asks: true},
		"no customer":            {issuer: gives(claim(customerClaim, "")), kind: forbidden, says: "its claim " + customerClaim + ", which names your customer", cause: "bad_claims", asks: true},
		"a customer in words":    {issuer: gives(claim(customerClaim, quoted(canary))), kind: forbidden, says: "its claim " + customerClaim, cause: "bad_claims", asks: true},
		"no access":              {issuer: gives(claim("scope", quoted("openid "+canary))), kind: forbidden, says: "its claim scope says neither", cause: "bad_claims", asks: true},
		"no end":                 {issuer: gives(claim("exp", "")), kind: forbidden, says: "a claim that it needs", cause: "bad_claims", asks: true},
		"ended":                  {issuer: func(p *idp) { p.gives = p.token(claim("exp", at(time.Now().Add(-time.Hour)))) }, kind: forbidden, says: "has ended", cause: "expired", asks: true},
		"not begun":              {issuer: func(p *idp) { p.gives = p.token(claim("nbf", at(time.Now().Add(time.Hour)))) }, kind: forbidden, says: "has not begun", cause: "not_yet_valid", asks: true},
		"within the leeway alone": {issuer: func(p *idp) { p.gives = p.token(claim("exp", at(time.Now()))) },
			answer: func(*rig, url.Values) { time.Sleep(time.Second) }, kind: forbidden, says: "has ended", cause: "expired", asks: true},
	}
}

func TestSignInsThatFail(t *testing.T) {
	for name, c := range flaws() {
		t.Run(name, func(t *testing.T) {
			if c.issuer == nil {
				c.issuer = unasked
			}
			if c.answer == nil {
				c.answer = same
			}
			fronted(t, c.issuer, func(t *testing.T, r *rig) {
				address, kept := r.toIssuer()
				back := r.idp.consent(t, address)
				c.answer(r, back)
				if c.kept != nil {
					c.kept(&kept)
				}
				in, err := r.FinishSignIn(t.Context(), kept, back)
				f := fault.As(err)
				if f == nil || in.Session != "" || in.Caller != nil {
					t.Fatalf("signed in: %+v", in)
				}
				if f.Kind != c.kind || !strings.Contains(f.Message, c.says) {
					t.Errorf("kind %d: %s", f.Kind, f.Message)
				}
				if f.Cause == nil || !strings.HasSuffix(f.Cause.Error(), c.cause) {
					t.Errorf("the cause is %v, want %s", f.Cause, c.cause)
				}
				if strings.Contains(f.Error(), canary) {
					t.Errorf("a secret in the error: %v", f)
				}
				if asked := r.idp.last != nil; asked != c.asks && c.cause != "unreachable" {
					t.Errorf("the issuer was asked for a token: %v", asked)
				}
			})
		})
	}
}

// TestAnswersAreGoodOnce: the issuer takes a code once, and what was sealed in another way or for something else is
// nothing that a browser may keep.
func TestAnswersAreGoodOnce(t *testing.T) {
	fronted(t, func(*idp) {}, func(t *testing.T, r *rig) {
		address, kept := r.toIssuer()
		back := r.idp.consent(t, address)
		in, err := r.FinishSignIn(t.Context(), kept, back)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := r.FinishSignIn(t.Context(), kept, back); !fault.Is(err, fault.BadRequest) || again.Session != "" {
			t.Errorf("a second time: %+v %v", again, err)
		}
		if _, err := r.OpenSession(kept); err == nil {
			t.Error("a sign-in that is under way is taken for a session")
		}
		if _, err := r.FinishSignIn(t.Context(), in.Session, back); !fault.Is(err, fault.BadRequest) {
			t.Errorf("a session is taken for a sign-in that is under way: %v", err)
		}
		other, _ := r.toIssuer()
		if a, b := must(url.Parse(address)).Query(), must(url.Parse(other)).Query(); a.Get("state") == b.Get("state") || a.Get("code_challenge") == b.Get("code_challenge") {
			t.Error("two sign-ins have the same secrets")
		}
	})
}

// TestMetadataOfSigningIn: what is wrong with them keeps people from signing in, and no token from being
// taken.
func TestMetadataOfSigningIn(t *testing.T) {
	const issuer = "https://login.example/realms/harbour"
	for name, change := range map[string]map[string]any{
		"no page":                   {"authorization_endpoint": nil},
		"a page over http":          {"authorization_endpoint": "http://login.example/authorize"},
		"a page that is a script":   {"authorization_endpoint": "javascript:alert(1)"},
		"a page with a password":    {"authorization_endpoint": "https://u:" + canary + "@login.example/authorize"},
		"a page with a fragment":    {"authorization_endpoint": issuer + "/authorize#x"},
		"a page that is a number":   {"authorization_endpoint": 7},
		"a page with a state":       {"authorization_endpoint": issuer + "/authorize?state=x"},
		"a page with a client":      {"authorization_endpoint": issuer + "/authorize?client%5Fid=x"},
		"no tokens":                 {"token_endpoint": ""},
		"tokens over http":          {"token_endpoint": "http://10.0.0.1/token"},
		"no codes":                  {"response_types_supported": []string{"id_token"}},
		"PKCE in clear":             {"code_challenge_methods_supported": []string{"plain"}},
		"PKCE that can't be read":   {"code_challenge_methods_supported": map[string]any{}},
		"no secrets of this client": {"token_endpoint_auth_methods_supported": []string{"private_key_jwt"}},
	} {
		t.Run(name, func(t *testing.T) {
			fronted(t, func(p *idp) { p.client.Secret, p.metadata = revealed(clientSecret), change }, func(t *testing.T, r *rig) {
				r.good(r.idp.token())
				address, kept, err := r.BeginSignIn(t.Context(), "/ops")
				f := fault.As(err)
				if f == nil || f.Kind != fault.Unavailable || f.RetryAfter < time.Second || f.RetryAfter > 10*time.Second || address != "" || kept != "" {
					t.Errorf("%q: %v", address, f)
				}
				if !strings.Contains(r.log.String(), "nobody can sign in at the issuer") {
					t.Errorf("the log does not say so: %s", r.log)
				}
				r.idp.set(func() { r.idp.metadata = nil })
				time.Sleep(10 * time.Second)
				r.toIssuer()
			})
		})
	}
}

// TestSigningInWhileTheIssuerIsAway: the page for signing in is known for a day; and from the first fetch that is good.
func TestSigningInWhileTheIssuerIsAway(t *testing.T) {
	fronted(t, func(p *idp) { p.away = true }, func(t *testing.T, r *rig) {
		_, _, err := r.BeginSignIn(t.Context(), "/ops")
		if f := fault.As(err); f == nil || f.Kind != fault.Unavailable || f.RetryAfter == 0 {
			t.Errorf("%v", err)
		}
		r.idp.set(func() { r.idp.away = false })
		time.Sleep(10 * time.Second)
		r.toIssuer()
		r.idp.set(func() { r.idp.away = true })
		time.Sleep(23 * time.Hour)
		address, kept := r.toIssuer()
		back := r.idp.consent(t, address)
		if in, err := r.FinishSignIn(t.Context(), kept, back); !fault.Is(err, fault.Unavailable) || in.Next != "/ops?q=x" {
			t.Errorf("%+v %v", in, err)
		}
		time.Sleep(time.Hour)
		if _, _, err := r.BeginSignIn(t.Context(), "/ops"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("what was known a day ago: %v", err)
		}
	})
}

// TestExchangesAtOnce: strangers can have only so many codes exchanged at the issuer at once.
func TestExchangesAtOnce(t *testing.T) {
	fronted(t, func(*idp) {}, func(t *testing.T, r *rig) {
		address, kept := r.toIssuer()
		back := r.idp.consent(t, address)
		r.idp.set(func() { r.idp.hangs = true })
		finish := func() error { _, err := r.FinishSignIn(t.Context(), kept, back); return err }
		for range 32 {
			go func() { _ = finish() }()
		}
		synctest.Wait()
		took(t, "one more", 0, func() {
			if err := finish(); !fault.Is(err, fault.Unavailable) || !strings.HasSuffix(fault.As(err).Cause.Error(), "busy") {
				t.Errorf("%v", err)
			}
		})
		took(t, "the others", 5*time.Second, func() { time.Sleep(5 * time.Second); synctest.Wait() })
		r.idp.set(func() { r.idp.hangs = false })
		address, kept = r.toIssuer()
		back = r.idp.consent(t, address)
		if err := finish(); err != nil {
			t.Error(err)
		}
	})
}

func TestWithoutAClient(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		if r.SignsIn() {
			t.Error("there is no client")
		}
	})
	a := must(auth.New(t.Context(), auth.Config{}, auth.Deps{}))
	defer a.Close(ctx())
	if a.SignsIn() {
		t.Error("there is no issuer")
	}
}
