package sqlstore

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esagate/internal/pgtest"
	"esagate/registry"
)

// BenchmarkOverview measures what an overview reads of a customer with 2,000 and 20,000 managed
// sources, beside as many of others, each with five audit entries, a standing and three states. See docs/benchmarks.md.
func BenchmarkOverview(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		dir := b.TempDir()
		measureOverviews(b, func(n int) string { return "sqlite://" + filepath.Join(dir, fmt.Sprint(n, ".db")) })
	})
	b.Run("postgres", func(b *testing.B) {
		c := pgtest.Own(b, pgtest.Durable())
		measureOverviews(b, func(int) string {
			url, err := c.NewDatabase(b.Context())
			must(b)(err)
			return url
		})
	})
}

func measureOverviews(b *testing.B, newURL func(n int) string) {
	for _, n := range []int{2000, 20_000} {
		if testing.Short() && n > 2000 {
			continue
		}
		s, err := Open(b.Context(), newURL(n), newKey(b))
		must(b)(err)
		defer s.Close()
		fillOverview(b, s, n)
		for name, read := range map[string]func() (int, error){
			"overview": func() (int, error) { rows, err := s.Customer(self).Overview(b.Context()); return len(rows), err },
			"states": func() (int, error) {
				states, err := s.Customer(self).StateChanges(b.Context(), overviewTime.Add(-24*time.Hour))
				return len(states) / 3 * 2, err
			},
			"all": func() (int, error) { rows, err := s.All().Overview(b.Context()); return len(rows) / 2, err },
		} {
			b.Run(fmt.Sprint(n, "/", name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if rows, err := read(); err != nil || rows != n {
						b.Fatal(rows, err)
					}
				}
			})
		}
	}
}

var overviewTime = time.Date(2032, 1, 2, 3, 4, 5, 0, time.UTC)

// fillOverview makes n sources of self and as many of others, one by turns, from one that is made as in life.
func fillOverview(b *testing.B, s *Store, n int) {
	ctx := b.Context()
	made, err := s.Adopt(ctx, registry.ConfigSource{CustomerID: model, SourceID: "m", Name: "Evening video", TenantID: "tnt_evening_video_",
		AdServer: &registry.AdServer{Type: "google_ad_manager", NetworkCode: "99887766"}, ServiceAccountEmail: "ads@project.example.com",
		Labels: map[string]string{"region": "north"}})
	must(b)(err)
	count := int64(5321)
	must(b)(s.Customer(model).ObserveInventorySync(ctx, made.Managed.Connection.ID, registry.InventorySync{Status: registry.SyncSuccess,
		LastRunAt: overviewTime, CompletedAt: overviewTime, ItemCount: &count, ObservedAt: overviewTime}))
	must(b)(s.KeepStandings(ctx, []registry.Standing{{CustomerID: model, ESAID: made.Managed.Connection.ID, State: "blocked", Issue: "NO_ACTIVE_PRODUCTS",
		Since: overviewTime, Version: 2, DocumentAt: overviewTime, ReceivedAt: overviewTime, Facts: []byte(strings.Repeat(`{"name":"facts"}`, 40))}}, overviewTime))
	w := &benchWorld{store: s, own: n, foreign: n}
	customer := fmt.Sprintf(`CASE WHEN n %% 2 = 0 THEN %d ELSE %d + n %% %d END`, self, stranger, strangers)
	id, esaID := fmt.Sprintf(`%d + n`, firstID), fmt.Sprintf(`%d + n`, firstESAID)
	numbers := fmt.Sprintf(`WITH RECURSIVE numbers (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < %d),
		few (k) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT k + 1 FROM few WHERE k < %%d) SELECT `, 2*n)
	must(b)(s.writing(ctx, self, func(in scope) error {
		for _, t := range []struct {
			table   string
			changed map[string]string
		}{
			{"esa_ids", map[string]string{"id": esaID}},
			{"sources", map[string]string{"id": id, "customer_id": customer, "source_id": `'source-' || n`, "name": `p.name || ' ' || n`}},
			{"connections", map[string]string{"id": esaID, "source": id, "customer_id": customer, "tenant_id": `p.tenant_id || n`}},
			{"standings", map[string]string{"connection": esaID, "customer_id": customer}},
		} {
			rows, err := in.on.QueryContext(ctx, `SELECT * FROM `+t.table+` LIMIT 0`)
			must(b)(err)
			columns, err := rows.Columns()
			must(b)(err)
			must(b)(rows.Close())
			values := make([]string, len(columns))
			for i, column := range columns {
				if values[i] = t.changed[column]; values[i] == "" {
					values[i] = "p." + column
				}
			}
			must(b)(in.exec(ctx, global(`INSERT INTO `+t.table+` (`+strings.Join(columns, ", ")+`) `+fmt.Sprintf(numbers, 1)+
				strings.Join(values, ", ")+` FROM numbers CROSS JOIN (SELECT * FROM `+t.table+` LIMIT 1) p ORDER BY n`)))
		}
		day := `'2032-01-0' || k || 'T03:04:05.000000Z'`
		must(b)(in.exec(ctx, global(`INSERT INTO audit (customer_id, id, at, actor, operation, source_id, esa_id, outcome, status) `+fmt.Sprintf(numbers, 5)+
			customer+`, k || '-' || (n + 1000000), `+day+`, 'robot', 'setAdServer', 'source-' || n, `+esaID+`, CASE WHEN k < 4 THEN 'succeeded' ELSE 'failed' END, 200
			FROM few CROSS JOIN numbers`)))
		must(b)(in.exec(ctx, global(`INSERT INTO state_changes (customer_id, connection, at, ended_at, state) `+fmt.Sprintf(numbers, 3)+
			customer+`, `+esaID+`, `+day+`, CASE WHEN k < 3 THEN '2032-01-0' || (k + 1) || 'T03:04:05.000000Z' END, 'live' FROM few CROSS JOIN numbers`)))
		must(b)(in.exec(ctx, global(fmt.Sprintf(`DELETE FROM connections WHERE customer_id = %d`, model))))
		return nil
	}))
	w.settle(ctx, b)
}
