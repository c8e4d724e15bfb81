package sqlstore

import (
	"strings"
	"testing"

	"esagate/internal/pgtest"
)

// TestPostgresUpkeepPlans: a page of background work is found from an id on, and reads no
// table whole, however many connections there are.
func TestPostgresUpkeepPlans(t *testing.T) {
	s := postgres(t, pgtest.Database(t))
	if err := s.writing(t.Context(), 5, func(in scope) error {
		for _, text := range []string{
			`INSERT INTO esa_ids (id) SELECT 100000 + n FROM generate_series(1, 20000) n`,
			`INSERT INTO sources (id, customer_id, source_id, name, name_from_api, execution_type, labels, created_at, updated_at)
				SELECT n, 1000 + n % 40, 'source-' || n, 'Name', TRUE, 'MANAGED_SALES_AGENT', '{}', '', '' FROM generate_series(1, 20000) n`,
			`INSERT INTO connections (id, customer_id, source, provisioning_status, tenant_id, email_learned, last_test_passed, created_at, updated_at, version,
				sync_observed_at, operation_kind)
				SELECT 100000 + s.id, s.customer_id, s.id, CASE WHEN s.id % 50 = 0 THEN 'deactivated' ELSE 'active' END, 'tenant-' || s.id, FALSE, FALSE, '', '', 1,
				'2030-01-01T00:00:00.' || lpad(s.id::text, 6, '0') || 'Z', CASE WHEN s.id % 4000 = 0 THEN 'provision' END FROM sources s`,
			`INSERT INTO subscriptions (connection, customer_id, webhook_id, sealed, url, dead)
				SELECT c.id, c.customer_id, 'wh', 'x', 'https://gateway.example.net', c.id % 100 = 0 FROM connections c WHERE c.id % 10 <> 0`,
		} {
			if _, err := in.exec(t.Context(), global(text)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	conn, err := s.write.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	do := func(text string) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	do(`ANALYZE`)
	for name, test := range map[string]struct {
		st    statement
		args  string
		enter string // the index that is walked along
	}{
		"unsettled":   {upkeepUnsettled, `0, 200`, "connections_unsettled"},
		"stale":       {upkeepStale, `100000, 200, '2030-01-01T00:00:00.000500Z'`, "connections_pkey"},
		"subscribe":   {upkeepSubscribe, `100000, 200, '2030-01-01T00:00:00.000000Z', 'https://gateway.example.net'`, "connections_pkey"},
		"unsubscribe": {upkeepUnsubscribe, `100000, 200, '2030-01-01T00:00:00.000000Z'`, "connections_pkey"},
	} {
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			t.Run(name+" "+mode, func(t *testing.T) {
				do(`SET plan_cache_mode = ` + mode)
				do(`PREPARE it AS ` + test.st.text)
				defer do(`DEALLOCATE it`)
				plan := explain(t, conn, `EXPLAIN EXECUTE it(`+test.args+`)`)
				_, scan, walks := strings.Cut(plan, "using "+test.enter+" on connections c")
				lines := strings.SplitN(scan, "\n", 3)
				if strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "Sort") || !walks || !strings.Contains(lines[1], "Index Cond: (id > ") {
					t.Errorf("more is read than a page:\n%s", plan)
				}
			})
		}
	}
}
