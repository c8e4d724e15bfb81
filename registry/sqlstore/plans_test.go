package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esagate/registry"
)

func fileStore(t *testing.T, opts ...Option) *Store {
	t.Helper()
	s, err := Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "registry.db"), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestSQLitePlans: what a customer is given is found through the customer's own rows
// of an index, or by a row's id.
func TestSQLitePlans(t *testing.T) {
	s := fileStore(t)
	for name, text := range map[string]string{
		"get": selectAnyBySourceID.text, "get by row": selectAnyByRow.text, "list": selectAnyPage.text, "count": countSources.text,
		"lock": lockSource.text, "credentials": selectCredential.text, "lease": leaseCredential.text, "idempotency": selectOnce.text,
		"slug": countSourceID.text, "slugs": selectSlugs.text, "agent id": countAgentID.text, "consent": takeConsent.text,
		"void": deleteConsents.text, "erase": deleteCredential.text, "managed": selectManagedBySourceID.text, "managed by id": selectManagedByID.text,
		"managed list": selectManagedPage.text, "managed count": countManaged.text, "update": updateAgent.text, "version": raiseVersion.text,
		"expired consents": expiredConsents.probe.text, "expired keys": expiredOnce.probe.text,
		"sweep consents": expiredConsents.remove.text, "sweep keys": expiredOnce.remove.text,
		"subscription": selectSubscription.text, "subscribe": updateSubscription.text, "unsubscribe": deleteSubscription.text,
		"tenant": selectTarget.text, "event": selectEvent.text, "announce": announce.text, "news": selectNews.text,
		"audit": selectAudit.text, "audit of a source": selectAuditOf.text, "end of an entry": finishAudit.text,
		"expired events": expiredEvents.probe.text, "expired entries": expiredAudit.probe.text,
		"sweep events": expiredEvents.remove.text, "sweep entries": expiredAudit.remove.text,
		"settings": selectSettings.text, "forget settings": deleteSettings.text, "change": updateConnection.text,
		"renew": renewOnce.text, "forget": forgetOnce.text, "delete settings": deletions[2].text, "delete subscription": deletions[3].text,
		"delete events":    deletions[4].text,
		"upkeep unsettled": upkeepUnsettled.text, "upkeep stale": upkeepStale.text,
		"upkeep subscribe": upkeepSubscribe.text, "upkeep unsubscribe": upkeepUnsubscribe.text,
	} {
		t.Run(name, func(t *testing.T) {
			args := make([]any, 0, slugsInOrder)
			for n := 1; strings.Contains(text, fmt.Sprintf("$%d", n)); n++ {
				args = append(args, 200) // SQLite looks at a LIMIT that is bound
			}
			rows, err := s.read.QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+text, args...)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			steps := 0
			for rows.Next() {
				var id, parent, unused int
				var step string
				if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
					t.Fatal(err)
				}
				steps++
				search := strings.HasPrefix(step, "SEARCH ") && strings.Contains(step, "USING ") &&
					// A condition on the index's first column, and none of them is of one value for all.
					(strings.Contains(step, "(customer_id=?") || strings.Contains(step, "(customer_id>? AND customer_id<?)") || strings.Contains(step, "(source=?") || strings.Contains(step, "(rowid=?") ||
						strings.Contains(step, "(id=?") || strings.Contains(step, "(agent_id=?") || strings.Contains(step, "(state_hash=?") || strings.Contains(step, "(connection=?") ||
						strings.Contains(step, "(expires_at<?") || strings.Contains(step, "(begun_at<?") ||
						strings.Contains(step, "(tenant_id=?") || strings.Contains(step, "(received_at<?") || strings.Contains(step, "(at<?"))
				page := step == "SCAN p" || step == "CO-ROUTINE p" || step == "MATERIALIZE p"
				part := strings.HasPrefix(step, "LIST SUBQUERY") || strings.HasPrefix(step, "SCALAR SUBQUERY") || strings.HasPrefix(step, "CORRELATED SCALAR SUBQUERY")
				upkeep := strings.HasPrefix(name, "upkeep") // is a page of all customers': from an id on
				walk := upkeep && strings.HasPrefix(step, "SEARCH c USING INDEX ") && strings.HasSuffix(step, "(id>?)") &&
					(name != "upkeep unsettled" || strings.Contains(step, "connections_unsettled"))
				sort := strings.HasPrefix(step, "USE TEMP B-TREE FOR ORDER BY") && (name == "list" || name == "managed list")
				if list := name == "list" || name == "managed list"; list && steps > 1 && strings.HasPrefix(step, "SEARCH ") && !strings.HasPrefix(step, "SEARCH sources USING") &&
					!strings.HasPrefix(step, "SEARCH connections USING") &&
					(strings.HasSuffix(step, "(customer_id=?)") || strings.Contains(step, "AUTOMATIC")) {
					t.Errorf("reads all rows of the customer: %s", step)
				}
				if !search && !page && !part && !sort && !walk {
					t.Errorf("reads more than it is asked for: %s", step)
				}
			}
			if err := rows.Err(); err != nil || steps == 0 {
				t.Fatal(steps, err)
			}
		})
	}
}

// counting counts the statements that it passes on.
type counting struct {
	runner
	n int
}

func (c *counting) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	c.n++
	return c.runner.QueryContext(ctx, query, args...)
}

func (c *counting) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	c.n++
	return c.runner.QueryRowContext(ctx, query, args...)
}

// TestSlugOfTenThousand: the search for a suffix costs a few lookups, however often a
// name was given.
func TestSlugOfTenThousand(t *testing.T) {
	s := fileStore(t)
	names := func(n int) string {
		return fmt.Sprintf(`INSERT INTO sources (id, customer_id, source_id, name, name_from_api, execution_type, labels, created_at, updated_at)
			WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %d)
			SELECT n, 5, CASE WHEN n = 1 THEN 'news' ELSE 'news-' || n END, '', TRUE, 'AGENT', '{}', '', '' FROM numbers`, n)
	}
	for _, n := range []int{0, 1, 2, 49, 50, 51, 99, 100, 101, 102, 200, 777, 10_000} {
		err := s.writing(t.Context(), 5, func(in scope) error {
			if _, err := in.exec(t.Context(), global(`DELETE FROM sources`)); err != nil {
				return err
			}
			if n > 0 {
				if _, err := in.exec(t.Context(), global(names(n))); err != nil {
					return err
				}
			}
			count := &counting{runner: in.on}
			got, err := freeSlug(t.Context(), scope{on: count, customer: 5, store: &Store{reduce: func(_ context.Context, err error) error { return err }}}, "news")
			if want := suffixed("news", n+1); err != nil || got != want {
				t.Errorf("after %d: %q, %v, want %q", n, got, err, want)
			}
			if count.n > 30 {
				t.Errorf("after %d: %d statements", n, count.n)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestSweepIsBounded: expired rows go, some with each one that comes, and no others.
func TestSweepIsBounded(t *testing.T) {
	now := time.Date(2032, 1, 2, 3, 4, 5, 0, time.UTC)
	s := fileStore(t, WithClock(func() time.Time { return now }))
	count := func() (n int) {
		t.Helper()
		if err := s.reading(0).queryRow(t.Context(), global(`SELECT COUNT(*) FROM idempotency`)).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	create := func(i int) {
		t.Helper()
		if _, err := s.Customer(int64(i%7)).CreateSource(t.Context(), registry.NewSource{Slug: "s", AgentID: func() string { return fmt.Sprint(i) }},
			&registry.IdempotencyRecord{Key: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	const n = 2*sweepRows + 50
	for i := range n {
		if i == n-10 {
			now = now.Add(time.Microsecond) // these outlive the others
		}
		create(i)
	}
	if got := count(); got != n {
		t.Fatalf("%d rows, want %d", got, n)
	}
	now = now.Add(registry.IdempotencyKept - time.Microsecond)
	for i, want := range []int{n + 1 - sweepRows, n + 2 - 2*sweepRows, 10 + 3, 10 + 4} {
		create(n + i)
		if got := count(); got != want {
			t.Fatalf("after %d more: %d rows, want %d", i+1, got, want)
		}
	}
	now = now.Add(time.Microsecond)
	create(n + 4)
	if got := count(); got != 5 {
		t.Fatalf("%d rows, want 5", got)
	}
}
