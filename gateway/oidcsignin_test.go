package gateway_test

import (
	"html"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"esagate/internal/auth"
	"esagate/internal/ratelimit"
)

const flowCookie = "__Host-esagate-sign-in"

// toIssuer begins to sign in, and gives the address at the issuer.
func (b *browser) toIssuer(next string) string {
	b.Helper()
	a := b.open("/ops/sign-in/oidc?next=" + url.QueryEscape(next))
	if a.status != http.StatusSeeOther || b.cookies[flowCookie] == "" {
		b.Fatalf("%d %s", a.status, a.body)
	}
	return a.header.Get("Location")
}

// back opens an address that the issuer has sent the browser to: no cookie comes along that is SameSite=Strict.
func (b *browser) back(address string) answer {
	b.Helper()
	kept := maps.Clone(b.cookies)
	delete(b.cookies, "__Host-esagate")
	a := b.open(strings.TrimPrefix(address, "https://gateway.example"), "Sec-Fetch-Site", "cross-site")
	if b.cookies["__Host-esagate"] == "" && kept["__Host-esagate"] != "" {
		b.cookies["__Host-esagate"] = kept["__Host-esagate"]
	}
	return a
}

// leadsTo gives the address to which a page leads at once.
func (a answer) leadsTo() string {
	_, rest, _ := strings.Cut(string(a.body), `<meta http-equiv="refresh" content="0; url=`)
	address, _, _ := strings.Cut(rest, `"`)
	return html.UnescapeString(address)
}

// secretsKept looks for what has passed between the gateway and the issuer, in answers, logs and metrics.
func (w *world) secretsKept(i *issuer) {
	w.Helper()
	said := w.seen.String() + w.logs.String() + string(w.get("/metrics").body)
	for _, secret := range i.told {
		if secret != "" && strings.Contains(said, secret) {
			w.Errorf("%s has got out", secret)
		}
	}
}

func TestSigningInAtTheIssuer(t *testing.T) {
	i := newIssuer(t)
	inWorld(t, i.world(), func(w *world) {
		defer w.secretsKept(i)
		b := w.browser()
		page := string(b.open("/ops/sign-in?next=%2Fops%3Fq%3Da").body)
		link := strings.Index(page, `href="https://gateway.example/ops/sign-in/oidc?next=%2fops%3fq%3da"`)
		if form := strings.Index(page, "<form"); link < 0 || form < link || !strings.Contains(page, "Sign in with your organisation") {
			w.Errorf("the page for signing in: %s", page)
		}
		a := b.open("/ops/sign-in/oidc?next=%2Fops%3Fq%3Da")
		cookie := a.header.Get("Set-Cookie")
		if !strings.HasPrefix(cookie, flowCookie+"=") || !strings.HasSuffix(cookie, "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax") || len(cookie) > 500 {
			w.Errorf("the cookie %s", cookie)
		}
		if a.status != 303 || a.header.Get("Cache-Control") != "no-store" {
			w.Errorf("%d %v", a.status, a.header)
		}
		i.claims = jwt.MapClaims{"scope": "openid write"}
		w.pass(9 * time.Minute)
		callback := i.consent(a.header.Get("Location"))
		if head := b.send(b.request("HEAD", strings.TrimPrefix(callback, "https://gateway.example"), "")); head.status != 200 || len(head.header["Set-Cookie"]) > 0 {
			w.Errorf("HEAD: %d %v", head.status, head.header)
		}
		a = b.back(callback)
		if a.status != 200 || a.leadsTo() != "/ops?q=a" || a.header.Get("Location") != "" || a.header.Get("Refresh") != "" {
			w.Fatalf("%d to %q: %s", a.status, a.leadsTo(), a.body)
		}
		if cookies := a.header["Set-Cookie"]; len(cookies) != 2 || !strings.HasPrefix(cookies[0], "__Host-esagate=") ||
			!strings.HasSuffix(cookies[0], "; Path=/; HttpOnly; Secure; SameSite=Strict") || cookies[1] != flowCookie+"=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax" {
			w.Errorf("cookies %q", cookies)
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "strict-origin", "X-Frame-Options": "DENY"} {
			if got := a.header.Get(name); got != want {
				w.Errorf("%s: %q", name, got)
			}
		}
		for path, want := range map[string]int{"/ops?q=a": 200, pageOf: 200, "/ops/sources/4712/" + source: 404} {
			if a := b.open(path); a.status != want {
				w.Errorf("%s: %d", path, a.status)
			}
		}
		if a := b.submit(pageOf+"/refresh", ""); a.status != 200 {
			w.Errorf("with write access: %d %s", a.status, a.body)
		}
		if !strings.Contains(w.logs.String(), `"somebody has signed in"`) || !strings.Contains(w.logs.String(), `"key_name":"token-`) {
			w.Error("the log does not say that somebody has signed in")
		}
	})
}

// TestSessionsEndWithTheirToken, also where it is renewed again and again; and may do no more than it.
func TestSessionsEndWithTheirToken(t *testing.T) {
	i := newIssuer(t)
	inWorld(t, i.world(), func(w *world) {
		defer w.secretsKept(i)
		b := w.browser()
		end := time.Now().Add(2 * time.Hour)
		i.claims = jwt.MapClaims{"exp": end.Unix()}
		if a := b.back(i.consent(b.toIssuer(pageOf))); a.leadsTo() != pageOf {
			w.Fatalf("%d %s", a.status, a.body)
		}
		if a := b.submit(pageOf+"/refresh", ""); a.status != 403 {
			w.Errorf("a token that may read has written: %d", a.status)
		}
		for ; time.Until(end) > 0; w.pass(10 * time.Minute) {
			if a := b.open(pageOf); a.status != 200 {
				w.Fatalf("%s before the end: %d", time.Until(end), a.status)
			}
		}
		a := b.open(pageOf)
		if a.status != 303 || a.header.Get("Location") != "/ops/sign-in?next="+url.QueryEscape(pageOf) || len(b.cookies) != 0 {
			w.Fatalf("after the end: %d to %s", a.status, a.header.Get("Location"))
		}
		i.claims = nil
		if a := b.back(i.consent(b.toIssuer(pageOf))); a.leadsTo() != pageOf || b.open(pageOf).status != 200 {
			w.Errorf("again: %d %s", a.status, a.body)
		}
	})
}

func TestSignInsAtTheIssuerThatFail(t *testing.T) {
	i := newIssuer(t)
	set := func(name, value string) func(*browser, url.Values) {
		return func(_ *browser, q url.Values) { q.Set(name, value) }
	}
	claims := func(c jwt.MapClaims) func(*browser, url.Values) {
		return func(*browser, url.Values) { i.claims = c }
	}
	inWorld(t, i.world(), func(w *world) {
		defer w.secretsKept(i)
		for name, c := range map[string]struct {
			change func(b *browser, back url.Values)
			status int
			says   string
		}{
			"another browser's answer (login CSRF)": {func(_ *browser, q url.Values) {
				theirs, _ := url.Parse(i.consent(w.browser().toIssuer("/ops")))
				maps.Copy(q, theirs.Query())
			}, 400, "begun in another browser"},
			"the same, without a sign-in of one's own": {func(b *browser, _ url.Values) { clear(b.cookies) }, 400, "begun in another browser"},
			"another browser's code": {func(_ *browser, q url.Values) {
				theirs, _ := url.Parse(i.consent(w.browser().toIssuer("/ops")))
				q["code"] = theirs.Query()["code"]
			}, 400, "used before"},
			"a session for a sign-in": {func(b *browser, _ url.Values) {
				_, b.cookies[flowCookie] = w.signedIn(readKey).session()
			}, 400, "run out"},
			"a made-up state":      {set("state", "CANARY"), 400, "Sign in again"},
			"another issuer":       {set("iss", "https://issuer.example.attacker.example"), 400, "Another issuer has answered"},
			"eleven minutes":       {func(*browser, url.Values) { w.pass(11 * time.Minute) }, 400, "run out"},
			"a huge query":         {set("x", strings.Repeat("x", 9000)), 400, "too long"},
			"a query that is none": {func(b *browser, _ url.Values) { b.host = "gateway.example" }, 400, "be read"},
			"denied": {func(_ *browser, q url.Values) {
				q.Del("code")
				q.Set("error", "access_denied")
				q.Set("error_description", "<b>CANARY</b>")
			}, 403, "did not let you in"},
			"an error of no standard": {func(_ *browser, q url.Values) { q.Del("code"); q.Set("error", "<b>CANARY</b>") }, 503, "did not accept this gateway"},
			"the issuer is away":      {func(*browser, url.Values) { i.away = true }, 503, "at the moment"},
			"a token for others":      {claims(jwt.MapClaims{"aud": "CANARY"}), 403, "meant for another audience"},
			"no customer":             {claims(jwt.MapClaims{"customer": nil}), 403, "its claim customer, which names your customer account, is missing"},
			"a customer that is none": {claims(jwt.MapClaims{"customer": "CANARY"}), 403, "its claim customer"},
			"no access":               {claims(jwt.MapClaims{"scope": "CANARY"}), 403, "its claim scope says neither read nor write"},
			"a token that has ended":  {claims(jwt.MapClaims{"exp": 1}), 403, "has ended"},
			"an operator's wish":      {claims(jwt.MapClaims{"customer": 0, "scope": "operator write"}), 403, "its claim customer"},
		} {
			w.named(name, func(t testing.TB) {
				i.claims, i.away = nil, false
				b := w.browser()
				callback, _ := url.Parse(i.consent(b.toIssuer("/ops?q=keep")))
				query := callback.Query()
				c.change(b, query)
				raw := query.Encode()
				if c.says == "be read" {
					raw += ";%zz"
				}
				a := b.back("/ops/callback?" + raw)
				if a.status != c.status || !strings.Contains(html.UnescapeString(string(a.body)), c.says) {
					t.Errorf("%d %s", a.status, a.body)
				}
				if len(b.cookies) != 0 {
					t.Errorf("cookies stay: %v", b.cookies)
				}
				if a.leadsTo() != "" || !strings.Contains(string(a.body), `action="/ops/sign-in"`) || a.header.Get("Referrer-Policy") != "strict-origin" {
					t.Errorf("no page for signing in: %s", a.body)
				}
				if (a.status == 503) != (a.header.Get("Retry-After") != "") {
					t.Errorf("Retry-After: %q", a.header.Get("Retry-After"))
				}
			})
		}
		log := w.logs.String()
		for _, reason := range []string{"invalid_grant", "access_denied", "wrong_audience", "bad_claims", "state_unknown", "issuer_mismatch"} {
			if !strings.Contains(log, reason) {
				t.Errorf("the log does not say %s", reason)
			}
		}
		if page := string(w.get("/metrics").body); !strings.Contains(page, `reason="wrong_audience"`) || !strings.Contains(page, `http_route="/ops/callback"`) {
			t.Error("failed sign-ins are not counted")
		}
	})
}

// TestAnAnswerIsGoodOnce: what a browser has used up is of no use to who has seen it, cookie and all.
func TestAnAnswerIsGoodOnce(t *testing.T) {
	i := newIssuer(t)
	inWorld(t, i.world(), func(w *world) {
		b := w.browser()
		callback := i.consent(b.toIssuer("/ops"))
		stolen := maps.Clone(b.cookies)
		b.back(callback)
		if a := b.back(callback); a.status != 400 || !strings.Contains(string(a.body), "used before") {
			w.Errorf("reloaded: %d %s", a.status, a.body)
		}
		if b.open("/ops").status != 200 {
			w.Error("reloading ends the session")
		}
		thief := w.browser()
		thief.cookies = stolen
		if a := thief.back(callback); a.status != 400 || len(thief.cookies) != 0 {
			w.Errorf("replayed: %d, %v", a.status, thief.cookies)
		}
		// Two cookies of one name: one is of another site of the domain, if browsers let it.
		r := b.request("GET", strings.TrimPrefix(i.consent(b.toIssuer("/ops")), "https://gateway.example"), "")
		r.Header.Add("Cookie", flowCookie+"="+stolen[flowCookie])
		if a := b.send(r); a.status != 400 {
			w.Errorf("two cookies: %d", a.status)
		}
	})
}

// TestWhereSigningInLeads: to the operators' pages, whatever next says.
func TestWhereSigningInLeads(t *testing.T) {
	i := newIssuer(t)
	inWorld(t, i.world(), func(w *world) {
		for next, want := range map[string]string{
			"": "/ops", "/ops?state=down&q=a+b": "/ops?state=down&q=a+b", pageOf: pageOf,
			"https://attacker.example/ops": "/ops", "//attacker.example/ops": "/ops", `/\attacker.example`: "/ops", "/ops/../../x": "/ops",
			"javascript:alert(1)": "/ops", "/api/v2/storefront/overview": "/ops", "/ops/callback?code=x": "/ops", "/ops/sign-in/oidc": "/ops",
			"/ops?x=0;url=https://attacker.example": "/ops?x=0;url=https://attacker.example", "/ops?\r\nSet-Cookie: a=b": "/ops",
			"/ops?" + strings.Repeat("x", 3000): "/ops",
		} {
			b := w.browser()
			if a := b.back(i.consent(b.toIssuer(next))); a.leadsTo() != want {
				w.Errorf("%q leads to %q: %d", next, a.leadsTo(), a.status)
			}
		}
	})
}

// TestWrongAnswersCount with wrong keys of the same address; sign-ins that succeed do not.
func TestWrongAnswersCount(t *testing.T) {
	i := newIssuer(t)
	s := i.world()
	s.limits.WrongKeys = ratelimit.Limit{Rate: 0.1, Burst: 3}
	inWorld(t, s, func(w *world) {
		for range 5 {
			b := w.browser()
			if a := b.back(i.consent(b.toIssuer("/ops"))); a.status != 200 {
				w.Fatalf("%d %s", a.status, a.body)
			}
		}
		b := w.browser()
		for range 3 {
			if a := b.open("/ops/callback?state=x&code=y"); a.status != 400 {
				w.Errorf("%d", a.status)
			}
		}
		callback := i.consent(b.toIssuer("/ops"))
		asked := len(i.told)
		a := b.back(callback)
		if a.status != 429 || a.header.Get("Retry-After") == "" || len(i.told) != asked {
			w.Errorf("%d, asking %v", a.status, i.told[asked:])
		}
		w.pass(10 * time.Second)
		if a := b.back(callback); a.status != 200 {
			w.Errorf("when the time is over: %d %s", a.status, a.body)
		}
	})
}

// TestWithoutSigningInAtTheIssuer: where there is no issuer, or only tokens of one are taken.
func TestWithoutSigningInAtTheIssuer(t *testing.T) {
	i := newIssuer(t)
	for _, oidc := range []*auth.OIDC{nil, i.config(nil)} {
		inWorld(t, setup{outside: i, oidc: oidc}, func(w *world) {
			b := w.browser()
			for path, want := range map[string]int{"/ops/sign-in/oidc": 404, "/ops/callback?state=x&code=y": 404, "/ops/sign-in": 200} {
				if a := b.open(path); a.status != want || strings.Contains(string(a.body), "organisation") || len(b.cookies) != 0 {
					w.Errorf("%s: %d %s", path, a.status, a.body)
				}
			}
		})
	}
}

func TestIssuerAwayWhenSigningInBegins(t *testing.T) {
	i := newIssuer(t)
	s := i.world()
	s.outside = http.NotFoundHandler()
	inWorld(t, s, func(w *world) {
		b := w.browser()
		a := b.open("/ops/sign-in/oidc?next=%2Fops%3Fq%3Da")
		if a.status != 503 || a.header.Get("Retry-After") == "" || len(b.cookies) != 0 ||
			!strings.Contains(string(a.body), `action="/ops/sign-in"`) || !strings.Contains(string(a.body), `value="/ops?q=a"`) {
			w.Errorf("%d %s", a.status, a.body)
		}
	})
}
