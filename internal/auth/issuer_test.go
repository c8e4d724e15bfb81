package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/auth"
)

func TestRotation(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		old, next := r.idp.token(), r.idp.token(signed("ES384", p384()), header("kid", `"k2"`))
		r.good(old)
		r.idp.count()
		time.Sleep(time.Minute + time.Second)
		r.idp.publish(public("k1", p256()), public("k2", p384()))
		took(t, "a token of a key that is new", 0, func() { r.good(next) })
		if n := r.idp.count(); n != 1 {
			t.Errorf("%d fetches", n)
		}
		// The old key goes; what was verified with it lasts a minute at most.
		r.good(old)
		r.idp.publish(public("k2", p384()))
		time.Sleep(52 * time.Minute)
		r.bad(old, auth.Unknown)
		r.good(next)
	})
}

// TestVanishedKeyWithinAMinute: the key is gone from memory, and its token is in
// the cache of verified ones.
func TestVanishedKeyWithinAMinute(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		text := r.idp.token()
		time.Sleep(time.Minute)
		r.good(text)
		r.idp.publish(public("k2", p384()))
		r.good(r.idp.token(signed("ES384", p384()), header("kid", `"k2"`)))
		r.good(text)
		time.Sleep(time.Minute)
		r.bad(text, auth.Unknown)
	})
}

// TestCachedTokenEnds: a verified token is not taken beyond its own end.
func TestCachedTokenEnds(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		text := r.idp.token(claim("exp", at(time.Now().Add(20*time.Second))))
		r.good(text)
		time.Sleep(79 * time.Second)
		r.good(text)
		time.Sleep(time.Second)
		r.bad(text, auth.Expired)
	})
}

// TestFirstTokenSharesFirstFetch: whether it comes before the fetch begins or after.
func TestFirstTokenSharesFirstFetch(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			defer r.Close(ctx())
			r.good(r.idp.token())
			time.Sleep(30 * time.Second)
			if n := r.idp.count(); n != 1 {
				t.Errorf("%d fetches", n)
			}
		})
	}
}

func TestKeysAreRenewed(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.idp.count()
		for range 24 * 12 {
			r.good(r.idp.token())
			time.Sleep(5 * time.Minute)
		}
		if n := r.idp.count(); n != 28 { // one in 50 minutes
			t.Errorf("%d fetches in a day", n)
		}
	})
}

// TestUnknownKeysStorm: tokens with made-up key ids become one fetch in 10 s.
func TestUnknownKeysStorm(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		text := make([]string, 500)
		for i := range text {
			text[i] = r.idp.token(header("kid", quoted(fmt.Sprint("guess-", i))))
		}
		r.idp.count()
		began := time.Now()
		var strangers sync.WaitGroup
		for i := range 50 {
			strangers.Go(func() {
				for n := i; time.Since(began) < time.Minute; n++ {
					_, _ = r.Authenticate(t.Context(), text[n%len(text)])
					time.Sleep(100 * time.Millisecond)
				}
			})
		}
		time.Sleep(30 * time.Second)
		took(t, "a good token meanwhile", 0, func() { r.good(r.idp.token()) })
		strangers.Wait()
		if n := r.idp.count(); n < 5 || n > 6 {
			t.Errorf("%d fetches in a minute", n)
		}
	})
}

func TestIssuerAwayAtStart(t *testing.T) {
	for name, change := range map[string]func(*idp){
		"away":        func(p *idp) { p.away = true },
		"hanging":     func(p *idp) { p.hangs = true },
		"overwhelmed": func(p *idp) { p.status = http.StatusServiceUnavailable },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newIDP()
				change(p)
				r := rigWith(t, p, &http.Client{Transport: p})
				defer r.Close(ctx())
				text, began := p.token(), time.Now()
				for range 100 {
					r.good("config-read-" + canary)
					r.good(r.store.make(1, true))
					if after := r.unavailable(text); after < time.Second || after > 10*time.Second {
						t.Fatalf("come again after %v", after)
					}
					time.Sleep(time.Second)
				}
				if r.IssuerAvailable() {
					t.Error("available")
				}
				if n, took := p.count(), time.Since(began); n > 1+int(took/(10*time.Second)) {
					t.Errorf("%d fetches in %v", n, took)
				}
				p.set(func() { p.away, p.hangs, p.status = false, false, 0 })
				time.Sleep(10*time.Second + 5*time.Second) // the last token asked for another fetch
				took(t, "a token when it is back", 0, func() { r.good(text) })
				if !r.IssuerAvailable() {
					t.Error("not available")
				}
				if n := strings.Count(r.log.String(), "can't be had"); n != 1 {
					t.Errorf("logged %d times:\n%s", n, r.log)
				}
			})
		})
	}
}

// TestIssuerRecoversByItself: nobody need ask for it.
func TestIssuerRecoversByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newIDP()
		p.away = true
		r := rigWith(t, p, &http.Client{Transport: p})
		defer r.Close(ctx())
		time.Sleep(time.Hour)
		if n := p.count(); n < 58 || n > 63 { // after 10, 20, 40 seconds, then each minute
			t.Errorf("%d tries in an hour", n)
		}
		p.set(func() { p.away = false })
		time.Sleep(time.Minute + time.Second)
		took(t, "the first token", 0, func() { r.good(p.token()) })
	})
}

func TestLastGoodKeysStandForADay(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.idp.set(func() { r.idp.away = true })
		time.Sleep(24*time.Hour - time.Second)
		r.good(r.idp.token())
		r.bad(r.idp.token(header("kid", `"k9"`)), auth.Unknown)
		time.Sleep(2 * time.Minute)
		r.unavailable(r.idp.token())
		r.good("config-read-" + canary)
	})
}

// TestSlowIssuer: who waits for a fetch waits two seconds at most, and not beyond
// its own time; once the fetch has ended its keys count.
func TestSlowIssuer(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.idp.set(func() { r.idp.hangs = true })
		time.Sleep(time.Minute)
		guess := r.idp.token(header("kid", `"k9"`))
		took(t, "an unknown key", 2*time.Second, func() { r.bad(guess, auth.Unknown) })
		took(t, "a known one meanwhile", 0, func() { r.good(r.idp.token()) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Authenticate(ctx, guess); err == nil || isRefusal(err) {
			t.Errorf("a caller that left: %v", err)
		}
		time.Sleep(3 * time.Second)
		took(t, "an unknown key after the fetch", 0, func() { r.bad(guess, auth.Unknown) })
	})
}

// TestNamelessKeyIsReplaced: where keys have no names only a bad signature tells
// that there is another.
func TestNamelessKeyIsReplaced(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		nameless := header("kid", "")
		r.idp.publish(public("", p256()))
		r.good(r.idp.token(nameless))
		r.idp.publish(public("", p256Other()))
		text := r.idp.token(nameless, signed("ES256", p256Other()))
		time.Sleep(5 * time.Minute)
		r.bad(text, auth.BadSignature)
		synctest.Wait()
		r.good(text)
	})
}
