package auth_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"esagate/internal/auth"
	"esagate/internal/fault"
	"esagate/internal/vault"
)

// begin begins a session of a credential's owner.
func (r *rig) begin(credential string) string {
	r.t.Helper()
	text, err := r.NewSession(r.good(credential), credential)
	if err != nil || text == "" || strings.Contains(text, canary) {
		r.t.Fatalf("%v: the session %q", err, text)
	}
	return text
}

// judge gives whose a session is now.
func (r *rig) judge(text string) (*auth.Caller, error) {
	s, err := r.OpenSession(text)
	if err != nil {
		return nil, err
	}
	return r.AuthenticateSession(r.t.Context(), s)
}

// of expects a session to be somebody's.
func (r *rig) of(text, name string) {
	r.t.Helper()
	if c, err := r.judge(text); err != nil || c.Name != name {
		r.t.Errorf("%+v, %v, want the session of %s", c, err, name)
	}
}

// over expects a session to be refused for a reason; what names the case.
func (r *rig) over(text string, reason auth.Reason, what ...string) {
	r.t.Helper()
	c, err := r.judge(text)
	if c != nil || !isRefusal(err) || auth.ReasonOf(err) != reason {
		r.t.Errorf("%q: %+v, %v, want %s", what, c, err, reason)
	}
}

// renew gives the session that goes on from one; empty: it need not.
func (r *rig) renew(text string) string {
	r.t.Helper()
	s, err := r.OpenSession(text)
	if err != nil {
		r.t.Fatal(err)
	}
	renewed, err := r.RenewSession(s)
	if err != nil {
		r.t.Fatal(err)
	}
	return renewed
}

func TestSessionsEndWithTheirKey(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		stored, other := r.begin(r.store.make(7, true)), r.begin(r.store.make(8, false))
		kept := r.begin("config-read-" + canary)
		r.of(stored, "made-7")
		r.of(other, "made-8")
		r.of(kept, "kiosk")
		r.store.operate(8)
		r.store.revoke(7)
		time.Sleep(2*time.Second + time.Millisecond)
		r.over(stored, auth.Unknown)
		if c, err := r.judge(other); err != nil || !c.Operator { // what a key may do now
			t.Errorf("%+v, %v", c, err)
		}
		r.SetKeys(nil)
		r.over(kept, auth.Unknown)
	})
}

func TestSessionsOfKeysThatCannotBeJudged(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		known, kept := r.begin(r.store.make(7, true)), r.begin("config-read-"+canary)
		made := r.store.makeAs(9, true, auth.KeyPrefix+canary)
		fresh := r.begin(made)
		r.store.revoke(9)
		time.Sleep(2*time.Second + time.Millisecond)
		r.store.is(true, false, 0)
		time.Sleep(2*time.Second + time.Millisecond)
		r.of(known, "made-7")
		r.SetKeys(nil)
		r.over(kept, auth.Unknown)
		if _, err := r.judge(fresh); !fault.Is(err, fault.Unavailable) || isRefusal(err) {
			t.Errorf("a stored key that may have come back: %v", err)
		}
		r.store.is(false, false, 0)
		r.store.makeAs(9, true, auth.KeyPrefix+canary) // by another replica, a moment ago
		time.Sleep(2*time.Second + time.Millisecond)
		r.of(fresh, "made-9")
	})
}

func TestSessionsAreRenewedWithinAnHour(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		text := r.begin("config-read-" + canary)
		time.Sleep(5*time.Minute - time.Second)
		if renewed := r.renew(text); renewed != "" {
			t.Error("renewed before five minutes")
		}
		time.Sleep(time.Second)
		renewed := r.renew(text)
		r.of(renewed, "kiosk")
		time.Sleep(55*time.Minute - time.Second)
		r.of(text, "kiosk")
		time.Sleep(time.Second)
		r.over(text, auth.Expired, "after an hour")
		r.of(renewed, "kiosk")
		time.Sleep(5 * time.Minute)
		r.over(renewed, auth.Expired, "an hour after it was renewed")
	})
}

func TestSessionsOfTokensEndWithTheToken(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		token := r.idp.token(claim("exp", at(time.Now().Add(2*time.Hour))))
		want := *r.good(token)
		text := r.begin(token)
		if c, err := r.judge(text); err != nil || *c != want || !c.Token {
			t.Errorf("%+v, %v, want %+v", c, err, want)
		}
		time.Sleep(59 * time.Minute)
		text = r.renew(text)
		time.Sleep(59 * time.Minute)
		text = r.renew(text)
		r.of(text, want.Name)
		time.Sleep(2 * time.Minute)
		r.over(text, auth.Expired, "renewed past the token's end")
	})
}

// sealedBy gives a session that another replica, or gateway, with a key for sessions has begun.
func (r *rig) sealedBy(key, credential string) string {
	r.t.Helper()
	other := newRigWith(r.t, r.idp, &http.Client{Transport: r.idp}, key)
	defer other.Close(ctx())
	return other.begin(credential)
}

func TestOnlyOwnSessionsAreOpened(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		credential := "config-write-" + canary
		text := r.begin(credential)
		r.of(r.sealedBy(sessionKey, credential), "harbour") // of another replica
		r.over(r.sealedBy(vault.Generate(), credential), auth.Malformed, "another vault's")
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for i := range raw {
			for _, bit := range []byte{1, 0x80} {
				raw[i] ^= bit
				r.over(base64.RawURLEncoding.EncodeToString(raw), auth.Malformed, "a bit changed")
				raw[i] ^= bit
			}
		}
		for _, bad := range []string{"", text + "A", text[1:], text[:len(text)-1], text + "=", " " + text, text + text, credential,
			strings.Repeat("A", 5000), base64.StdEncoding.EncodeToString(raw[:len(raw)-1])} {
			r.over(bad, auth.Malformed, bad)
		}
		for _, plain := range []string{`{}`, `null`, `{"key":"AAAA","sealed":946684800}`, `{"sealed":9999999999}`, `[]`, ``} {
			sealed, err := r.vault.Seal([]byte(plain), []byte("esagate session 1"))
			if err != nil {
				t.Fatal(err)
			}
			r.over(base64.RawURLEncoding.EncodeToString(sealed), auth.Malformed, plain)
		}
		row, err := r.vault.Seal(must(r.vault.Open(raw, []byte("esagate session 1"))), []byte("a row of the store"))
		if err != nil {
			t.Fatal(err)
		}
		r.over(base64.RawURLEncoding.EncodeToString(row), auth.Malformed, "sealed for something else")
		if plain := must(r.vault.Open(raw, []byte("esagate session 1"))); strings.Contains(string(plain), canary) {
			t.Errorf("the key stands in its session: %s", plain)
		}
	})
}

// TestSessionsGoOnWhileTheKeyIsChanged: of the steps in docs/configuration.md any replica may be one ahead.
func TestSessionsGoOnWhileTheKeyIsChanged(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		keys := []string{sessionKey}
		for i, step := range []vault.Step{vault.Prepare, vault.Promote} {
			keys = append(keys, string(must(must(vault.New(keys[i])).Rotated(step))))
		}
		for i, key := range keys {
			replica := newRigWith(t, r.idp, &http.Client{Transport: r.idp}, key)
			for _, other := range keys[max(0, i-1):min(i+2, len(keys))] {
				replica.of(r.sealedBy(other, "config-read-"+canary), "kiosk")
			}
			replica.Close(ctx())
		}
	})
}

func TestNoSessionFromTheFuture(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		for ahead, reason := range map[string]auth.Reason{`30`: "", `90`: auth.Expired} {
			plain := string(must(r.vault.Open(must(base64.RawURLEncoding.DecodeString(r.begin("config-read-"+canary))), []byte("esagate session 1"))))
			head, _, _ := strings.Cut(plain, `"sealed":`)
			d, _ := time.ParseDuration(ahead + "s")
			text := base64.RawURLEncoding.EncodeToString(must(r.vault.Seal([]byte(head+`"sealed":`+at(time.Now().Add(d))+"}"), []byte("esagate session 1"))))
			if reason == "" {
				r.of(text, "kiosk")
			} else {
				r.over(text, reason)
			}
		}
	})
}

// TestSessionsOfTokensAreBounded: a token that is good for years gives nobody a session for years.
func TestSessionsOfTokensAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		text := r.begin(r.idp.token(claim("exp", at(time.Now().AddDate(5, 0, 0)))))
		for range 15 {
			time.Sleep(48 * time.Minute)
			text = r.renew(text)
		}
		r.over(text, auth.Expired, "twelve hours after signing in")
	})
}

// TestTokenSessionsAreOfOneConfig: what a token meant under another config does not count.
func TestTokenSessionsAreOfOneConfig(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		token := r.idp.token()
		text := r.begin(token)
		good := auth.OIDC{Issuer: r.idp.issuer, Audience: audience, CustomerClaim: customerClaim, AccessClaim: "scope"}
		for what, change := range map[string]func(o *auth.OIDC){
			"nothing":      func(*auth.OIDC) {},
			"the issuer":   func(o *auth.OIDC) { o.Issuer = "https://another.example" },
			"the audience": func(o *auth.OIDC) { o.Audience += "2" },
			"the customer": func(o *auth.OIDC) { o.CustomerClaim = "other" },
			"the access":   func(o *auth.OIDC) { o.AccessClaim = "roles" },
			"all of it":    nil,
		} {
			var oidc *auth.OIDC
			if change != nil {
				oidc = new(good)
				change(oidc)
			}
			other, err := auth.New(ctx(), auth.Config{OIDC: oidc}, auth.Deps{Sealer: r.vault, HTTP: &http.Client{Transport: r.idp}})
			if err != nil {
				t.Fatal(err)
			}
			s, err := other.OpenSession(text)
			if err != nil {
				t.Fatal(err)
			}
			if c, err := other.AuthenticateSession(t.Context(), s); (what == "nothing") == (c == nil || isRefusal(err)) {
				t.Errorf("%s has changed: %+v, %v", what, c, err)
			}
			other.Close(ctx())
		}
	})
}

func TestWithoutASealerThereAreNoSessions(t *testing.T) {
	a, err := auth.New(ctx(), auth.Config{}, auth.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(ctx())
	if text, err := a.NewSession(&auth.Caller{Name: "x", CustomerID: 1}, "key"); err == nil {
		t.Errorf("the session %q", text)
	}
	if _, err := a.OpenSession("AAAA"); !isRefusal(err) {
		t.Error(err)
	}
}
