package sqlstore

import (
	"context"
	"testing"
	"time"

	"esagate/internal/pgtest"
	"esagate/registry"
)

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

// bothStores gives a Store on each database.
func bothStores(t *testing.T, opts ...Option) map[string]*Store {
	t.Helper()
	stores := map[string]*Store{"sqlite": fileStore(t, opts...)}
	s, err := Open(t.Context(), pgtest.Database(t), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	stores["postgres"] = s
	return stores
}

func countRows(t *testing.T, s *Store, table string) (n int) {
	t.Helper()
	if err := s.reading(0).queryRow(t.Context(), global(`SELECT COUNT(*) FROM `+table)).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestSweepBounds: each call takes sweepRows of each kind at most, and says whether there
// may be more.
func TestSweepBounds(t *testing.T) {
	now := time.Date(2032, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, s := range bothStores(t, WithClock(func() time.Time { return now })) {
		t.Run(name, func(t *testing.T) {
			now := &now
			*now = time.Date(2032, 1, 2, 3, 4, 5, 0, time.UTC)
			for i := range 3 {
				if _, err := s.Adopt(t.Context(), registry.ConfigSource{CustomerID: int64(5 + i%2), SourceID: string(rune('a' + i)), Name: "N", ESAID: int64(2001 + i)}); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.writing(t.Context(), 5, func(in scope) error {
				for _, text := range sweptWorld {
					if _, err := in.exec(t.Context(), global(text)); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			const all, young = 3 * 80, 3 * 7 // 3010, 3020 … 3070
			for _, step := range []struct {
				pass          time.Duration
				events, audit int
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
				*now = now.Add(step.pass)
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

// TestSweepWaitsForTheLock: unlike what follows a write, a sweep that is one's own is
// not skipped.
func TestSweepWaitsForTheLock(t *testing.T) {
	url := pgtest.Database(t)
	s, other := postgres(t, url), postgres(t, url)
	expiredKey(t, s)
	done := make(chan error, 1)
	if err := other.writing(t.Context(), 0, func(in scope) error {
		if err := lockBulk(t.Context(), in, other.lock); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if _, err := s.Sweep(ctx); err == nil {
			t.Error("it did not wait")
		}
		go func() {
			_, err := s.Sweep(t.Context())
			done <- err
		}()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || keysLeft(t, s) != 0 {
		t.Fatalf("%d keys, %v", keysLeft(t, s), err)
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
