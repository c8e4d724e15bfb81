package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"esagate/internal/pgtest"
	"esagate/registry"
)

// expiredKey leaves an idempotency key that has had its time.
func expiredKey(t *testing.T, s *Store) {
	t.Helper()
	must(t)(s.writing(t.Context(), 5, func(in scope) error {
		_, err := in.exec(t.Context(), insertOnce, "old", []byte("x"), nullTime(s.instant().Add(-2*registry.IdempotencyKept)))
		return err
	}))
}

// TestSweepAfterAWrite: what has had its time goes when others of its kind come, some
// rows at a time, and nothing else.
func TestSweepAfterAWrite(t *testing.T) {
	const consentKept, launchKept = 10 * time.Minute, time.Minute
	for table, kept := range map[string]time.Duration{"idempotency": registry.IdempotencyKept, "consents": consentKept, "launches": launchKept} {
		t.Run(table, func(t *testing.T) {
			now := time.Date(2032, 1, 2, 3, 4, 5, 0, time.UTC)
			s := fileStore(t, newKey(t), WithClock(func() time.Time { return now }))
			create := func(i int) {
				t.Helper()
				c, id := s.Customer(int64(i%7)), fmt.Sprint("agent", i)
				if table == "launches" {
					made, err := s.Adopt(t.Context(), registry.ConfigSource{CustomerID: int64(i % 7), SourceID: id, Name: "N"})
					must(t)(err)
					must(t)(c.KeepLaunch(t.Context(), id, [32]byte{byte(i), byte(i >> 8), 1},
						registry.Launch{SourceRow: made.Managed.ID, ExpiresAt: now.Add(launchKept)}))
					return
				}
				var once *registry.IdempotencyRecord
				if table == "idempotency" {
					once = &registry.IdempotencyRecord{Key: id}
				}
				made, err := c.CreateSource(t.Context(), registry.NewSource{SourceID: id, AgentID: func() string { return id }}, once)
				if must(t)(err); once == nil {
					must(t)(c.BeginConsent(t.Context(), id, [32]byte{byte(i), byte(i >> 8), 1}, registry.Consent{
						SourceRow: made.Source.ID, AuthVersion: 1, Verifier: "v", ExpiresAt: now.Add(consentKept)}))
				}
			}
			const n = sweepRows + 5
			for i := range n {
				create(i)
			}
			now = now.Add(kept - time.Microsecond)
			for i, want := range []int64{n + 1, n + 2 - sweepRows, 3} {
				create(n + i)
				now = now.Add(time.Microsecond)
				if got := countRows(t, s, table); got != want {
					t.Fatalf("after %d more: %d rows, want %d", i+1, got, want)
				}
			}
		})
	}
}

// TestSweepAndTheLock: a sweep after a write does not wait for another sweep; one that is
// the caller's own does.
func TestSweepAndTheLock(t *testing.T) {
	url := pgtest.Database(t)
	s, other := opened(t, url), opened(t, url)
	expiredKey(t, s)
	done := make(chan error, 1)
	must(t)(other.writing(t.Context(), 0, func(in scope) error {
		if err := lockBulk(t.Context(), in, other.lock); err != nil {
			return err
		}
		patient, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := s.remove(patient, expiredOnce, s.tryLock); err != nil || countRows(t, s, "idempotency") != 1 {
			return fmt.Errorf("it waited: %w", err)
		}
		hurried, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if _, err := s.Sweep(hurried); !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("it did not wait: %w", err)
		}
		go func() {
			_, err := s.Sweep(t.Context())
			done <- err
		}()
		return nil
	}))
	if must(t)(<-done); countRows(t, s, "idempotency") != 0 {
		t.Fatal("the key is still there")
	}
	expiredKey(t, s)
	must(t)(s.remove(t.Context(), expiredOnce, s.tryLock))
	if countRows(t, s, "idempotency") != 0 {
		t.Fatal("the key is still there, though no transaction has the lock")
	}
}

// TestSweepEnds: a sweep that can't get to write ends by itself, on a context without
// a deadline: here it would wait for the transaction that it is called in.
func TestSweepEnds(t *testing.T) {
	writers := map[string]int{"sqlite": 1, "postgres": postgresWriters}
	for name, database := range Databases {
		t.Run(name, func(t *testing.T) {
			s := opened(t, database(t))
			expiredKey(t, s)
			var hold func(left int) error
			hold = func(left int) error {
				if left == 0 {
					s.sweep(context.WithoutCancel(t.Context()), expiredOnce)
					return nil
				}
				return s.writing(t.Context(), 5, func(scope) error { return hold(left - 1) })
			}
			must(t)(hold(writers[name]))
			if n := countRows(t, s, "idempotency"); n != 1 {
				t.Fatalf("%d keys", n)
			}
		})
	}
}

// sweptWorld has more old events and audit entries than one sweep takes, of several
// connections and customers, and some that are younger by a microsecond.
var sweptWorld = []string{
	`INSERT INTO esa_ids (id) WITH RECURSIVE numbers (n) AS
		(SELECT CAST(3001 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < 3077) SELECT n FROM numbers`,
	`INSERT INTO webhook_events (customer_id, connection, event_id, received_at, delivered)
		SELECT c.customer_id, c.id, 'event-' || n.id, ` + sweptTime + `, n.id % 2 = 0 FROM connections c CROSS JOIN esa_ids n`,
	`INSERT INTO audit (customer_id, id, at, actor, operation, outcome)
		SELECT 5 + n.id % 2, 'audit-' || n.id || '-' || c.id, ` + sweptTime + `, '', '', 'begun' FROM connections c CROSS JOIN esa_ids n`,
}

const sweptTime = `CASE WHEN n.id % 10 = 0 THEN '2032-01-02T03:04:05.000001Z' ELSE '2032-01-02T03:04:05.000000Z' END`

// TestSweepBounds: each call takes sweepRows of each kind at most, and says whether there
// may be more.
func TestSweepBounds(t *testing.T) {
	var now time.Time
	for name, database := range Databases {
		t.Run(name, func(t *testing.T) {
			s := opened(t, database(t), WithClock(func() time.Time { return now }))
			now = time.Date(2032, 1, 2, 3, 4, 5, 0, time.UTC)
			for i := range 3 {
				must(t)(s.Adopt(t.Context(), registry.ConfigSource{CustomerID: int64(5 + i%2), SourceID: string(rune('a' + i)), Name: "N", ESAID: int64(2001 + i)}))
			}
			execute(t, s, sweptWorld...)
			const all, young = 3 * 80, 3 * 7 // 3010, 3020 … 3070
			for _, step := range []struct {
				pass          time.Duration
				events, audit int64
				more          bool
			}{
				{registry.EventsKept - time.Microsecond, all, all, false},
				{time.Microsecond, all - sweepRows, all, true},
				{0, all - 2*sweepRows, all, true},
				{0, young, all, false},
				{time.Microsecond, 0, all, false},
				{registry.AuditKept - registry.EventsKept - 2*time.Microsecond, 0, all, false},
				{time.Microsecond, 0, all - sweepRows, true},
				{0, 0, all - 2*sweepRows, true},
				{0, 0, young, false},
				{time.Microsecond, 0, 0, false},
				{time.Hour, 0, 0, false},
			} {
				now = now.Add(step.pass)
				more, err := s.Sweep(t.Context())
				if err != nil || more != step.more {
					t.Fatalf("%+v: more %t, %v", step, more, err)
				}
				if events, audit := countRows(t, s, "webhook_events"), countRows(t, s, "audit"); events != step.events || audit != step.audit {
					t.Fatalf("%d events, %d entries, want %+v", events, audit, step)
				}
			}
		})
	}
}

// TestAuditIDs: text order is the order in time, in one width, and no two are one.
func TestAuditIDs(t *testing.T) {
	var last string
	for _, at := range []time.Time{time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(0, 1000), time.Unix(1, 0), time.Date(2031, 5, 17, 0, 0, 0, 0, time.UTC),
		time.Date(2031, 5, 17, 0, 0, 0, 1000, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)} {
		id := auditID(at)
		if id <= last || !isAuditID(id) || id >= newestAudit || id == auditID(at) {
			t.Errorf("%v: %q after %q", at, id, last)
		}
		last = id
	}
}

// TestMadeUpStates: a state, or the token of a launch, that was never given out costs no transaction.
// Here it would wait for the one that it is looked for in.
func TestMadeUpStates(t *testing.T) {
	s := fileStore(t)
	if err := s.writing(t.Context(), 5, func(scope) error {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := s.TakeLaunch(ctx, [32]byte{1}); !errors.Is(err, registry.ErrNotFound) {
			return err
		}
		_, err := s.TakeConsent(ctx, [32]byte{1})
		return err
	}); !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("%v, want ErrNotFound", err)
	}
}
