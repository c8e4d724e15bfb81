package auth_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"esagate/internal/auth"
)

// TestChanged: who waits for a change of the keys sees each, and finds the new ones in force.
func TestChanged(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		made := r.store.make(1, true)
		time.Sleep(3 * time.Second)
		changed := r.Changed()
		expect := func(what string, want bool) {
			t.Helper()
			select {
			case <-changed:
				if !want {
					t.Errorf("%s: told of a change", what)
				}
			default:
				if want {
					t.Errorf("%s: not told", what)
				}
			}
			changed = r.Changed()
		}
		r.good(r.idp.token())
		r.bad("no such key", auth.Unknown)
		time.Sleep(time.Hour)
		expect("nothing", false)
		r.store.revoke(1)
		<-changed
		r.bad(made, auth.Unknown)
		expect("a key is revoked", true)
		r.store.make(2, false)
		time.Sleep(3 * time.Second)
		expect("a key is made", true)
		r.SetKeys([]auth.Key{{Name: "kiosk", CustomerID: 33, SHA256: sha256.Sum256([]byte("config-read-" + canary))}})
		expect("the config", true)
		expect("nothing more", false)
		if c := r.good("config-read-" + canary); c.CustomerID != 33 || c.Token || !r.good(r.idp.token()).Token {
			t.Errorf("%+v", c)
		}
	})
}
