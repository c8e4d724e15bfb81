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
		time.Sleep(time.Minute)
		r.good(old)
		r.idp.count()
		r.idp.publish(public("k2", p384()))
		took(t, "a token of a key that is new", 0, func() { r.good(next) })
		if n := r.idp.count(); n != 1 {
			t.Errorf("%d fetches", n)
		}
		// The old key is gone; what was verified with it lasts a minute at most.
		r.good(old)
		time.Sleep(time.Minute)
		r.bad(old, auth.Unknown)
		r.good(next)
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
		bubbleWith(t, func(*idp) {}, func(t *testing.T, r *rig) {
			r.good(r.idp.token())
			time.Sleep(30 * time.Second)
			if n := r.idp.count(); n != 1 {
				t.Errorf("%d fetches", n)
			}
		})
	}
	bubbleWith(t, func(p *idp) { p.delay = time.Second / 2 }, func(t *testing.T, r *rig) {
		time.Sleep(time.Second / 4) // the fetch is under way
		took(t, "a token during the fetch", 3*time.Second/4, func() { r.good(r.idp.token()) })
	})
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
			bubbleWith(t, change, func(t *testing.T, r *rig) {
				text, began := r.idp.token(), time.Now()
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
				if n, took := r.idp.count(), time.Since(began); n > 1+int(took/(10*time.Second)) {
					t.Errorf("%d fetches in %v", n, took)
				}
				r.idp.set(func() { r.idp.away, r.idp.hangs, r.idp.status = false, false, 0 })
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

// TestIssuerRecoversByItself: no request is needed. Each fetch is reported, for metrics.
func TestIssuerRecoversByItself(t *testing.T) {
	bubbleWith(t, func(p *idp) { p.away = true }, func(t *testing.T, r *rig) {
		time.Sleep(time.Hour)
		n := r.idp.count()
		if n < 58 || n > 63 { // after 10, 20, 40 seconds, then each minute
			t.Errorf("%d tries in an hour", n)
		}
		r.idp.set(func() { r.idp.away = false })
		time.Sleep(time.Minute + time.Second)
		took(t, "the first token", 0, func() { r.good(r.idp.token()) })
		for range n {
			if <-r.fetched {
				t.Error("a failed fetch is told as a good one")
			}
		}
		if !<-r.fetched {
			t.Error("a good fetch is told as a failed one")
		}
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

// TestSlowIssuer: a caller waits for a fetch two seconds at most, and not beyond
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

// TestNamelessKeyIsReplacedAfterAFetch: a bad signature within the spacing has the keys
// fetched at its end.
func TestNamelessKeyIsReplacedAfterAFetch(t *testing.T) {
	bubbleWith(t, func(p *idp) { p.publish(public("", p256())) }, func(t *testing.T, r *rig) {
		synctest.Wait()
		r.idp.publish(public("", p256Other()))
		text := r.idp.token(header("kid", ""), signed("ES256", p256Other()))
		time.Sleep(3 * time.Second)
		r.bad(text, auth.BadSignature)
		time.Sleep(7 * time.Second)
		synctest.Wait()
		r.good(text)
	})
}
