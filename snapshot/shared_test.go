package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"esagate/snapshot"
)

func TestAnyNumberOfReadersCostOneFetch(t *testing.T) {
	run(t, limits, func(f *fixture) {
		f.u.set(after(time.Second, now("one")))
		var collapsed, served atomic.Int64
		for range 200 {
			go func() {
				r, err := f.get("k")
				if err == nil && r.Doc.name == "one" {
					served.Add(1)
				}
				if r.Collapsed {
					collapsed.Add(1)
				}
			}()
		}
		f.pass(time.Second)
		f.wantCalls(1)
		if served.Load() != 200 || collapsed.Load() != 199 {
			f.Errorf("served %d, collapsed %d; want 200 and 199", served.Load(), collapsed.Load())
		}
	})
}

func TestCloseEndsFetches(t *testing.T) {
	run(t, limits, func(f *fixture) {
		f.read(want{name: "first", state: snapshot.Miss})
		f.u.set(hangs)
		f.pass(time.Minute)
		f.read(want{name: "first", state: snapshot.Stale, age: time.Minute})
		begun := time.Now()
		f.c.Close()
		if took := time.Since(begun); took != 0 {
			f.Errorf("Close took %s", took)
		}
		f.pass(time.Minute)
		f.read(want{name: "first", state: snapshot.Stale, age: 2 * time.Minute, failed: true})
		if _, err := f.get("new"); !errors.Is(err, snapshot.ErrClosed) {
			f.Errorf("a key without a copy gave %v after Close", err)
		}
	})
}

func TestKeysAreBounded(t *testing.T) {
	small := limits
	small.Entries, small.Fresh = 3, time.Hour
	run(t, small, func(f *fixture) {
		for i := range 50 {
			if _, err := f.get(fmt.Sprint("k", i)); err != nil {
				f.Fatal(err)
			}
			if _, err := f.get("k0"); err != nil { // in use: stays
				f.Fatal(err)
			}
			f.pass(time.Second)
		}
		if n := f.c.Len(); n > 3 {
			f.Errorf("%d keys kept, want 3 at most", n)
		}
		f.wantCalls(50) // k0 was fetched once
	})
}

func TestAKeyBeingFetchedOutlivesItsEviction(t *testing.T) {
	small := limits
	small.Entries = 1
	run(t, small, func(f *fixture) {
		f.u.set(after(time.Second, now("slow")))
		go func() { _, _ = f.get("k") }()
		synctest.Wait()
		f.u.set(now("quick"))
		if _, err := f.get("other"); err != nil { // takes the only place
			f.Fatal(err)
		}
		f.pass(300 * time.Millisecond)
		f.read(want{name: "slow", state: snapshot.Miss, took: 700 * time.Millisecond})
		f.wantCalls(2)
		if n := f.c.Len(); n != 1 {
			f.Errorf("%d keys kept, want 1", n)
		}
	})
}

// Whatever upstream's processes answer, in whatever order writes expire the
// key: no reader sees time step back, and one fetch runs at a time.
func TestNeverAnOlderDocumentAfterANewerOne(t *testing.T) {
	type step struct {
		skew, delay, pause time.Duration
		fail, expire       bool
	}
	steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
		return step{
			skew:   time.Duration(rapid.IntRange(-8, 2).Draw(rt, "skew")) * time.Second,
			delay:  time.Duration(rapid.IntRange(0, 4000).Draw(rt, "delay")) * time.Millisecond,
			pause:  time.Duration(rapid.IntRange(0, 30).Draw(rt, "pause")) * time.Second,
			fail:   rapid.IntRange(0, 4).Draw(rt, "fail") == 0,
			expire: rapid.IntRange(0, 3).Draw(rt, "expire") == 0,
		}
	}), 1, 40)
	rapid.Check(t, func(rt *rapid.T) {
		plan := steps.Draw(rt, "steps")
		wrong := ""
		run(t, limits, func(f *fixture) {
			var last time.Time
			for _, s := range plan {
				f.u.set(after(s.delay, func(context.Context, snapshot.Demand) (*doc, error) {
					if s.fail {
						return nil, errDown
					}
					return &doc{at: time.Now().Add(s.skew)}, nil
				}))
				f.pass(s.pause)
				if s.expire {
					f.c.Expire("k")
				}
				r, err := f.get("k")
				if err == nil && r.Doc.at.Before(last) {
					wrong = fmt.Sprintf("%s served after %s", r.Doc.at, last)
				}
				if err == nil {
					last = r.Doc.at
				}
			}
			if f.u.overlapped.Load() {
				wrong = "two fetches ran at once"
			}
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// TestJitter: copies that were received together stop being fresh one after another, within a
// share of Fresh.
func TestJitter(t *testing.T) {
	jittered := limits
	jittered.Jitter = 0.1
	run(t, jittered, func(f *fixture) {
		const keys = 100
		for i := range keys {
			if r, err := f.get(fmt.Sprint(i)); err != nil || r.Fresh < limits.Fresh*9/10 || r.Fresh > limits.Fresh*11/10 {
				f.Fatalf("%+v, %v", r, err)
			}
		}
		stale := func() (n int) {
			for i := range keys {
				if r, _ := f.c.Peek(fmt.Sprint(i)); r.State == snapshot.Stale {
					n++
				}
			}
			return n
		}
		f.pass(limits.Fresh * 9 / 10)
		if n := stale(); n != 0 {
			f.Errorf("%d are stale too early", n)
		}
		f.pass(limits.Fresh / 10)
		if n := stale(); n < keys/10 || n > keys*9/10 {
			f.Errorf("%d of %d are stale at once", n, keys)
		}
		f.pass(limits.Fresh/10 + time.Millisecond)
		if n := stale(); n != keys {
			f.Errorf("%d are stale in the end", n)
		}
	})
}
