package snapshot_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"esagate/snapshot"
)

func TestRefresh(t *testing.T) {
	refresh := func(f *fixture, took time.Duration) error {
		begun := time.Now()
		err := f.c.Refresh(f.Context(), "k", 0, f.u.fetch)
		if got := time.Since(begun); got != took {
			f.Errorf("the refresh took %s, want %s", got, took)
		}
		return err
	}
	runEach(t, map[string]func(f *fixture){
		"fetches what is missing, and nothing that is fresh": func(f *fixture) {
			f.u.set(after(time.Second, now("first")))
			if err1, err2 := refresh(f, time.Second), refresh(f, 0); err1 != nil || err2 != nil {
				f.Error(err1, err2)
			}
			f.wantCalls(1)
			f.read(want{name: "first", state: snapshot.Hit})
		},
		"is not content with a stale copy": func(f *fixture) {
			f.read(want{name: "first", state: snapshot.Miss})
			f.pass(limits.Fresh + time.Second)
			f.u.set(after(time.Second, now("second")))
			if err := refresh(f, time.Second); err != nil {
				f.Error(err)
			}
			f.read(want{name: "second", state: snapshot.Hit})
		},
		"waits for a reader's fetch": func(f *fixture) {
			f.u.set(after(time.Second, now("first")))
			go func() { _, _ = f.get("k") }()
			f.pass(600 * time.Millisecond)
			if err := refresh(f, 400*time.Millisecond); err != nil {
				f.Error(err)
			}
			f.wantCalls(1)
		},
		"fetches anew after a fetch from before an expiry": func(f *fixture) {
			f.u.set(after(time.Second, now("before")))
			go func() { _, _ = f.get("k") }()
			f.pass(600 * time.Millisecond)
			f.c.Expire("k")
			f.u.set(after(time.Second, now("after")))
			if err := refresh(f, 1400*time.Millisecond); err != nil {
				f.Error(err)
			}
			f.read(want{name: "after", state: snapshot.Hit})
			f.wantCalls(2)
		},
		"shares its fetch with readers": func(f *fixture) {
			f.u.set(after(time.Second, now("first")))
			go func() { _ = f.c.Refresh(f.Context(), "k", 0, f.u.fetch) }()
			f.pass(600 * time.Millisecond)
			f.read(want{name: "first", state: snapshot.Miss, took: 400 * time.Millisecond})
			f.wantCalls(1)
		},
		"keeps to the back-off of a failure": func(f *fixture) {
			f.read(want{name: "first", state: snapshot.Miss})
			f.pass(limits.Fresh + time.Second)
			f.u.set(fails)
			var u *snapshot.UnavailableError
			if err := refresh(f, 0); !errors.Is(err, errDown) || errors.As(err, &u) {
				f.Errorf("the fetch failed with %v", err)
			}
			if err := refresh(f, 0); !errors.Is(err, errDown) || !errors.As(err, &u) || u.RetryAfter < 5*time.Second {
				f.Errorf("while it is backed off: %v", err)
			}
			f.wantCalls(2)
		},
		"takes an older document for an answer": func(f *fixture) {
			f.read(want{name: "first", state: snapshot.Miss})
			older := time.Now().Add(-time.Second)
			f.u.set(func(context.Context, snapshot.Demand) (*doc, error) { return &doc{older, "older"}, nil })
			f.pass(limits.Fresh + time.Second)
			if err1, err2 := refresh(f, 0), refresh(f, 0); err1 != nil || err2 != nil {
				f.Error(err1, err2)
			}
			f.wantCalls(2)
		},
		"gives the error of what is gone": func(f *fixture) {
			f.u.set(func(context.Context, snapshot.Demand) (*doc, error) { return nil, errGone })
			if err1, err2 := refresh(f, 0), refresh(f, 0); err1 != errGone || err2 != errGone {
				f.Error(err1, err2)
			}
			f.wantCalls(1)
		},
		"ends with its context, the fetch does not": func(f *fixture) {
			f.u.set(after(time.Second, now("first")))
			ctx, cancel := context.WithTimeout(f.Context(), 300*time.Millisecond)
			defer cancel()
			if err := f.c.Refresh(ctx, "k", 0, f.u.fetch); !errors.Is(err, context.DeadlineExceeded) {
				f.Error(err)
			}
			f.pass(time.Second)
			f.read(want{name: "first", state: snapshot.Hit, age: 300 * time.Millisecond})
		},
	})
}
