package sqlstore

import (
	"os"
	"strings"
	"testing"
	"time"

	"esagate/registry"
)

// TestTheFileDoesNotGrowWithThePastOfTheAudit: rows of the audit that have had their time make room for new
// ones, some in each transaction, between which others write.
func TestTheFileDoesNotGrowWithThePastOfTheAudit(t *testing.T) {
	const kept, rows = 48 * time.Hour, 20 * sweepRows
	now := time.Date(2032, 1, 2, 3, 4, 5, 0, time.UTC)
	url := NewFile(t)
	s := opened(t, url, WithClock(func() time.Time { return now }), WithAuditKept(kept))
	var first, pages int64
	for round := range 6 {
		must(t)(s.write.ExecContext(t.Context(), `INSERT INTO audit (customer_id, id, at, actor, operation, outcome)
			WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1)
			SELECT 5, printf('%08d-%08d', $2, n), $3, 'an actor', 'createInventorySource', 'succeeded' FROM numbers`,
			rows, round, now.UTC().Format("2006-01-02T15:04:05.000000Z")))
		must(t)(s.write.QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages))
		if round == 1 {
			first = pages // the entries that the sweep's writers leave have had room by then
		}
		if round > 1 && pages > first+first/10 {
			t.Fatalf("%d pages in round %d, %d in the first", pages, round, first)
		}
		now = now.Add(kept - time.Microsecond)
		if more, err := s.Sweep(t.Context()); more || err != nil || countRows(t, s, "audit") < rows {
			t.Fatalf("%d rows are left before their time: %v", countRows(t, s, "audit"), err)
		}
		now = now.Add(time.Microsecond)
		for more := true; more; {
			left := countRows(t, s, "audit")
			var err error
			if more, err = s.Sweep(t.Context()); err != nil || left-countRows(t, s, "audit") > sweepRows {
				t.Fatalf("%d rows in one step, %v", left-countRows(t, s, "audit"), err)
			}
			must(t)(s.Customer(5).BeginAudit(t.Context(), registry.AuditEntry{Actor: "between"}))
		}
	}
	log, err := os.Stat(logOf(strings.TrimPrefix(url, "sqlite://")))
	if must(t)(err); log.Size() > 8<<20 {
		t.Errorf("a log of %d bytes", log.Size())
	}
}
