package auth_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/auth"
)

func TestConfigKeys(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.store.is(true, false, 0)
		if c := r.good("config-read-" + canary); *c != (auth.Caller{Name: "kiosk", CustomerID: 31}) {
			t.Errorf("got %+v", *c)
		}
		if c := r.good("config-write-" + canary); *c != (auth.Caller{Name: "harbour", CustomerID: 32, Write: true}) {
			t.Errorf("got %+v", *c)
		}
		for _, wrong := range []string{"", " ", "config-read-", "Config-read-" + canary, "config-read-" + canary + " ",
			"kiosk", strings.Repeat("k", 8<<10), strings.Repeat("k", 8<<10+1)} {
			r.bad(wrong, auth.Unknown)
		}
	})
}

func TestNewKeyWorksAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		took(t, "a fresh key", 0, func() {
			clear := r.store.make(7, true)
			if c := r.good(clear); *c != (auth.Caller{Name: "made-7", CustomerID: 107, Write: true}) {
				t.Errorf("got %+v", *c)
			}
		})
		// A second one within the spacing waits for the next look.
		took(t, "the next", 250*time.Millisecond, func() { r.good(r.store.make(8, false)) })
		// One that was made while a look was under way, too.
		time.Sleep(time.Second)
		r.store.is(false, false, 20*time.Millisecond)
		go func() { _, _ = r.Authenticate(context.Background(), "guess") }()
		synctest.Wait()
		took(t, "one made during a look", 290*time.Millisecond, func() { r.good(r.store.make(9, false)) }) // two reads at 20 ms
	})
}

func TestRevokedKeyStopsWorking(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		clear, stays := r.store.make(7, true), r.store.make(8, true)
		r.good(clear)
		r.store.revoke(7)
		r.good(stays)
		time.Sleep(2*time.Second + time.Millisecond)
		r.bad(clear, auth.Unknown)
		r.good(stays)
	})
}

// TestRevokedAfterAPanic: a poll that panicked is not the last.
func TestRevokedAfterAPanic(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		clear := r.store.make(7, true)
		r.good(clear)
		r.store.panics()
		time.Sleep(2*time.Second + time.Millisecond)
		if !strings.Contains(r.log.String(), "panicked") {
			t.Fatal("no poll panicked")
		}
		r.store.revoke(7)
		time.Sleep(3 * time.Second)
		r.bad(clear, auth.Unknown)
	})
}

func TestPollIsCheap(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.good(r.store.make(1, false))
		r.store.count("GoodKeys")
		r.store.count("KeyGeneration")
		time.Sleep(20*time.Second + time.Millisecond)
		if polls, reads := r.store.count("KeyGeneration"), r.store.count("GoodKeys"); polls != 10 || reads != 0 {
			t.Errorf("%d polls and %d reads of all keys in 20 s", polls, reads)
		}
	})
}

// TestGuessesPutNoLoadOnTheStore: however many strangers guess, the store is looked
// at four times a second.
func TestGuessesPutNoLoadOnTheStore(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.store.count("KeyGeneration")
		ctx, stop := context.WithCancel(t.Context())
		var strangers sync.WaitGroup
		for i := range 1200 { // more than may wait
			strangers.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					_, _ = r.Authenticate(ctx, fmt.Sprint("guess-", i, n))
					time.Sleep(10 * time.Millisecond)
				}
			})
		}
		time.Sleep(5 * time.Second)
		stop()
		strangers.Wait()
		if n := r.store.count("KeyGeneration"); n < 19 || n > 21 {
			t.Errorf("%d looks at the store in 5 s", n)
		}
		r.good(r.store.make(3, false))
	})
}

func TestStoreAway(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		clear := r.store.make(7, true)
		r.good(clear)
		time.Sleep(time.Second)
		r.store.is(true, false, 0)
		fresh := r.store.make(8, true)
		r.bad(fresh, auth.Unknown)
		if r.StoreAvailable() {
			t.Error("available")
		}
		time.Sleep(time.Hour + time.Second/2) // between two polls
		r.good(clear)
		r.store.count("KeyGeneration")
		took(t, "100 guesses while it is away", 0, func() {
			for range 100 {
				r.bad("guess", auth.Unknown)
			}
		})
		if n := r.store.count("KeyGeneration"); n != 0 {
			t.Errorf("guesses reached the store %d times", n)
		}
		if again := r.unavailable(auth.KeyPrefix + "made-a-moment-ago"); again <= 0 {
			t.Errorf("a key that can't be judged: come again in %v", again)
		}
		r.store.is(false, false, 0)
		time.Sleep(2*time.Second + time.Millisecond)
		r.good(fresh)
		r.bad(auth.KeyPrefix+"of-nobody", auth.Unknown)
		if !r.StoreAvailable() {
			t.Error("its return was not seen")
		}
		if log := r.log.String(); strings.Count(log, "can't be read") != 1 || strings.Count(log, "can be read again") != 1 {
			t.Errorf("logged:\n%s", log)
		}
	})
}

func TestStoreHangs(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		clear := r.store.make(7, true)
		r.good(clear)
		time.Sleep(time.Second)
		r.store.is(false, true, 0)
		took(t, "a known key", 0, func() { r.good(clear) })
		took(t, "a guess", 300*time.Millisecond, func() { r.bad("guess", auth.Unknown) })
		took(t, "the next", 0, func() { r.bad("guess", auth.Unknown) })
		r.store.is(false, false, 0)
		time.Sleep(5 * time.Second)
		took(t, "a fresh key afterwards", 0, func() { r.good(r.store.make(8, false)) })
	})
}

// TestWaitersAreBounded: when a thousand wait, the next caller does not.
func TestWaitersAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.store.is(false, true, 0)
		for range 1000 {
			go func() { _, _ = r.Authenticate(context.Background(), "guess") }()
		}
		synctest.Wait()
		took(t, "one guess more", 0, func() { r.bad("guess", auth.Unknown) })
	})
}

func TestCallerGoneIsNotRefused(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.store.is(false, true, 0)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := r.Authenticate(ctx, "guess"); auth.ReasonOf(err) != auth.Unknown || ctx.Err() == nil || isRefusal(err) {
			t.Errorf("got %v", err)
		}
		if !r.StoreAvailable() {
			t.Error("a caller that left says nothing of the store")
		}
	})
}

func TestLastUseIsWrittenInBatches(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		clear := make([]string, 1300)
		for i := range clear {
			clear[i] = r.store.make(int64(i+1), false)
		}
		hour := time.Now().Truncate(time.Hour)
		time.Sleep(10 * time.Second) // they are known
		for range 3 {
			for _, key := range clear {
				r.good(key)
			}
		}
		if n := r.store.count("TouchKeys"); n != 0 {
			t.Fatalf("%d writes on the request path", n)
		}
		time.Sleep(75 * time.Second)
		if r.store.count("TouchKeys"); !slices.Equal(r.store.batches, []int{500, 500, 300}) {
			t.Errorf("batches %v", r.store.batches)
		}
		if at := r.store.lastUse(1300); !at.Equal(hour) {
			t.Errorf("last use %v, want %v", at, hour)
		}
		// Nothing more within the hour, also where the keys were read again.
		r.store.make(2000, false)
		time.Sleep(10 * time.Second)
		r.good(clear[4])
		time.Sleep(10 * time.Minute)
		if n := r.store.count("TouchKeys"); n != 0 {
			t.Errorf("%d writes for a use in the same hour", n)
		}
		time.Sleep(time.Hour)
		r.good(clear[4])
		time.Sleep(75 * time.Second)
		if at := r.store.lastUse(5); !at.Equal(hour.Add(time.Hour)) || r.store.count("TouchKeys") != 1 {
			t.Errorf("last use %v, want an hour later, in one write", at)
		}
	})
}

func TestLastUseSurvivesOutageAndClose(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		clear, once := r.store.make(7, false), r.store.make(8, false)
		r.good(clear)
		r.good(once)
		earlier := time.Now().Truncate(time.Hour)
		r.store.is(true, false, 0)
		time.Sleep(90*time.Minute + time.Second)
		r.good(clear) // in another hour, while the first is still to be written
		later := time.Now().Truncate(time.Hour)
		if n := strings.Count(r.log.String(), "recording the last use"); n != 1 {
			t.Errorf("logged %d times", n)
		}
		r.store.is(false, false, 0)
		r.Close(ctx())
		if at := r.store.lastUse(7); !at.Equal(later) {
			t.Errorf("after Close %v, want %v", at, later)
		}
		if at := r.store.lastUse(8); !at.Equal(earlier) {
			t.Errorf("of the other %v, want %v", at, earlier)
		}
		r.Close(ctx()) // again: nothing
		if n := len(r.store.batches); n != 1 {
			t.Errorf("%d writes", n)
		}
		took(t, "after the end, a known key", 0, func() { r.good(clear) })
		took(t, "after the end, a guess", 0, func() { r.bad("guess", auth.Unknown) })
	})
}

// TestNewerUseOutlivesFailedWrite: a key is used in the next hour while the write of
// its use in this one hangs.
func TestNewerUseOutlivesFailedWrite(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		clear := r.store.make(7, false)
		time.Sleep(59*time.Minute + 30*time.Second)
		r.good(clear)
		r.store.is(false, true, 0)
		time.Sleep(75 * time.Second)
		r.good(clear)
		newer := time.Now().Truncate(time.Hour)
		time.Sleep(10 * time.Second)
		r.store.is(false, false, 0)
		time.Sleep(75 * time.Second)
		if at := r.store.lastUse(7); !at.Equal(newer) {
			t.Errorf("last use %v, want %v", at, newer)
		}
	})
}

func TestCloseDoesNotHang(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.good(r.store.make(7, false))
		r.store.is(false, true, 0)
		time.Sleep(3 * time.Second) // a poll is under way
		took(t, "Close", 2*time.Second, func() { r.Close(ctx()) })
		if strings.Contains(r.log.String(), "can't be read") {
			t.Errorf("the end is no outage:\n%s", r.log)
		}
	})
}
