package auth_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"esagate/internal/auth"
	"esagate/internal/fault"
	"esagate/registry"
)

// delegate gives the text of a session for a purpose, of the owner of a credential or of a session.
func (r *rig) delegate(credential, session, purpose string) string {
	r.t.Helper()
	var own *auth.Session
	caller := r.Recognize(credential)
	if session != "" {
		var err error
		if own, err = r.OpenSession(session); err != nil {
			r.t.Fatal(err)
		}
		caller, credential = r.RecognizeSession(own), ""
	} else if caller == nil {
		caller = r.good(credential)
	}
	s, err := r.Delegate(caller, credential, own)
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := r.SealFor(s, purpose)
	if err != nil {
		r.t.Fatal(err)
	}
	return text
}

// ownerFor gives whose a session for a purpose is now.
func (r *rig) ownerFor(text, purpose string) (*auth.Caller, error) {
	s, err := r.OpenFor(text, purpose)
	if err != nil {
		return nil, err
	}
	return r.AuthenticateSession(r.t.Context(), s)
}

// TestSessionsForAPurpose are good for that one, begun by a credential or by a session, and end with the credential.
func TestSessionsForAPurpose(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		made, token := r.store.make(7, true), r.idp.token(claim("exp", at(time.Now().Add(50*time.Minute))))
		time.Sleep(3 * time.Second)
		bearer := r.good(token).Name
		const purpose = "console 31 5"
		texts := map[string]string{}
		for name, credential := range map[string]string{"made-7": made, "kiosk": "config-read-" + canary, bearer: token} {
			texts[name] = r.delegate(credential, "", purpose)
			texts[name+" by a session"] = r.delegate("", r.begin(credential), purpose)
			for _, text := range []string{texts[name], texts[name+" by a session"]} {
				if c, err := r.ownerFor(text, purpose); err != nil || *c != *r.good(credential) {
					t.Errorf("%s: %+v, %v", name, c, err)
				}
				for _, other := range []string{"", "console 31 50", "console 31 ", "launch", purpose + "\x00", "\x00" + purpose} {
					if c, err := r.ownerFor(text, other); auth.ReasonOf(err) != auth.Malformed {
						t.Errorf("%s, for %q: %+v, %v", name, other, c, err)
					}
				}
				r.over(text, auth.Malformed, "as a session of the pages")
			}
			if c, err := r.ownerFor(r.begin(credential), purpose); auth.ReasonOf(err) != auth.Malformed {
				t.Errorf("a session of the pages, for a purpose: %+v, %v", c, err)
			}
		}
		over := func(when string, reason auth.Reason, name string) {
			t.Helper()
			for _, by := range []string{name, name + " by a session"} {
				if c, err := r.ownerFor(texts[by], purpose); auth.ReasonOf(err) != reason || c != nil {
					t.Errorf("%s: of %s: %+v, %v, want %s", when, by, c, err, reason)
				}
			}
		}
		r.store.revoke(7)
		time.Sleep(2*time.Second + time.Millisecond)
		over("revoked", auth.Unknown, "made-7")
		time.Sleep(51 * time.Minute)
		over("expired", auth.Expired, bearer)
		if c, err := r.ownerFor(texts["kiosk"], purpose); err != nil || c.Name != "kiosk" {
			t.Errorf("%+v, %v", c, err)
		}
		time.Sleep(10 * time.Minute)
		over("idle for an hour", auth.Expired, "kiosk")
	})
}

// TestSessionsForAPurposeAreRenewed for it, and leave the session that they were begun by as it was.
func TestSessionsForAPurposeAreRenewed(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		own, err := r.OpenSession(r.begin("config-read-" + canary))
		if err != nil {
			t.Fatal(err)
		}
		was := own.Sealed
		time.Sleep(4 * time.Minute)
		s, err := r.Delegate(r.RecognizeSession(own), "", own)
		if err != nil {
			t.Fatal(err)
		}
		text := must(r.SealFor(s, "p"))
		if own.Sealed != was {
			t.Error("the session that it was begun by goes on from now")
		}
		for _, step := range []struct {
			pass    time.Duration
			renewed bool
		}{{5*time.Minute - time.Second, false}, {time.Second, true}} {
			time.Sleep(step.pass)
			if s, err = r.OpenFor(text, "p"); err != nil {
				t.Fatal(err)
			}
			renewed := must(r.RenewFor(s, "p"))
			if (renewed != "") != step.renewed {
				t.Fatalf("after %s: %q", step.pass, renewed)
			}
			if c, err := r.ownerFor(renewed, "p"); step.renewed && (err != nil || c.Name != "kiosk") {
				t.Errorf("%+v, %v", c, err)
			}
		}
	})
}

// TestIdentitiesOfKeys are those that a key has now, in the config and in the store, also in a session.
func TestIdentitiesOfKeys(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		const kept = "config-read-" + canary
		made := r.store.make(7, true)
		time.Sleep(3 * time.Second)
		texts := map[string]string{kept: r.begin(kept), made: r.begin(made)}
		before := map[string]*auth.Caller{kept: r.good(kept), made: r.good(made)}
		now := registry.Identity{Role: "member", Email: "desk@gate.example", PrincipalID: "buyer_7"}
		r.store.identify(7, now)
		r.SetKeys([]auth.Key{{Name: "kiosk", CustomerID: before[kept].CustomerID, Identity: now, SHA256: sha256.Sum256([]byte(kept))}})
		time.Sleep(2*time.Second + time.Millisecond)
		for key, text := range texts {
			c := r.good(key)
			if c.Identity != now || *c == *before[key] || before[key].Identity != (registry.Identity{}) {
				t.Errorf("%s: %+v, was %+v", c.Name, c, before[key])
			}
			if s, err := r.judge(text); err != nil || *s != *c {
				t.Errorf("its session: %+v, %v", s, err)
			}
		}
		if c := r.good(r.idp.token()); c.Identity != (registry.Identity{}) {
			t.Errorf("a token says %+v", c.Identity)
		}
	})
}

// TestNothingIsDelegatedWithoutASealer: there are no sessions then.
func TestNothingIsDelegatedWithoutASealer(t *testing.T) {
	a := must(auth.New(ctx(), auth.Config{}, auth.Deps{}))
	defer a.Close(ctx())
	s := must(a.Delegate(&auth.Caller{Name: "x", CustomerID: 1}, "key", nil))
	if text, err := a.SealFor(s, "p"); !fault.Is(err, fault.Internal) {
		t.Errorf("%q, %v", text, err)
	}
}
