package sqlstore

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"esagate/internal/pgtest"
	"esagate/registry"
)

// expiredKey leaves an idempotency key that has had its time.
func expiredKey(t *testing.T, s *Store) {
	t.Helper()
	if err := s.writing(t.Context(), 5, func(in scope) error {
		_, err := in.exec(t.Context(), insertOnce, "old", []byte("x"), nullTime(s.instant().Add(-2*registry.IdempotencyKept)))
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func keysLeft(t *testing.T, s *Store) (n int) {
	t.Helper()
	if err := s.reading(0).queryRow(t.Context(), global(`SELECT COUNT(*) FROM idempotency`)).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestSweepPassesOverTheLock: a sweep after a write does not wait for another sweep.
func TestSweepPassesOverTheLock(t *testing.T) {
	url := pgtest.Database(t)
	s, other := postgres(t, url), postgres(t, url)
	expiredKey(t, s)
	if err := other.writing(t.Context(), 0, func(in scope) error {
		if err := lockBulk(t.Context(), in, other.lock); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err := s.remove(ctx, expiredOnce, s.tryLock)
		return err // the deadline's error, if it waits
	}); err != nil {
		t.Fatal(err)
	}
	if n := keysLeft(t, s); n != 1 {
		t.Fatalf("%d keys while another has the lock", n)
	}
	if _, err := s.remove(t.Context(), expiredOnce, s.tryLock); err != nil || keysLeft(t, s) != 0 {
		t.Fatalf("%d keys afterwards, %v", keysLeft(t, s), err)
	}
}

// TestSweepEnds: a sweep that can't get to write ends by itself, on a context without
// a deadline: here it would wait for the transaction that it is called in.
func TestSweepEnds(t *testing.T) {
	file := "sqlite://" + filepath.Join(t.TempDir(), "registry.db")
	for name, writers := range map[string]struct {
		url string
		n   int
	}{"sqlite": {file, 1}, "postgres": {pgtest.Database(t), postgresWriters}} {
		t.Run(name, func(t *testing.T) {
			s := postgres(t, writers.url)
			expiredKey(t, s)
			var hold func(left int) error
			hold = func(left int) error {
				if left == 0 {
					s.sweep(context.WithoutCancel(t.Context()), expiredOnce)
					return nil
				}
				return s.writing(t.Context(), 5, func(scope) error { return hold(left - 1) })
			}
			if err := hold(writers.n); err != nil {
				t.Fatal(err)
			}
			if n := keysLeft(t, s); n != 1 {
				t.Fatalf("%d keys", n)
			}
		})
	}
}
