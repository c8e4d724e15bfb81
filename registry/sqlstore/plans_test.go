package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"esagate/internal/pgtest"
)

// What a step of SQLite's plan may be, in general and in some statements.
var (
	// A condition on the index's first column, and none of them is of one value for all.
	entersIndex = regexp.MustCompile(`^SEARCH .*USING .*\(((customer_id|source|rowid|id|agent_id|state_hash|token_hash|connection|tenant_id)=\?|` +
		`customer_id>\? AND customer_id<\?|(expires_at|begun_at|received_at|ended_at|at)<\?)`)
	partOfPlan  = regexp.MustCompile(`^(SCAN|CO-ROUTINE|MATERIALIZE) p$|^(LIST|SCALAR|CORRELATED SCALAR) SUBQUERY`)
	sortsPage   = regexp.MustCompile(`^USE TEMP B-TREE FOR ORDER BY`)
	readsWhole  = regexp.MustCompile(`^SEARCH .*(\(customer_id=\?\)$|AUTOMATIC)`)
	findsPage   = regexp.MustCompile(`^SEARCH (sources|connections) USING`)
	walksPage   = regexp.MustCompile(`^SEARCH c USING INDEX .*\(id>\?\)$`)
	findsWrite  = regexp.MustCompile(`^SEARCH a USING (COVERING )?INDEX audit_succeeded `)
	followsFeed = regexp.MustCompile(`^(CO-ROUTINE|SCAN) n$|^SEARCH (changes USING COVERING INDEX changes_written$|g USING INDEX changes_written \(written>\?\))`)
	walksLittle = regexp.MustCompile(`^SEARCH c USING INDEX connections_unsettled .*\(id>\?\)$`)
)

// TestSQLitePlans: what a customer is given is found through the customer's own rows
// of an index, or by a row's id.
func TestSQLitePlans(t *testing.T) {
	s := fileStore(t)
	plan := regexp.MustCompile(`\$\d+`)
	for name, st := range map[string]anyStatement{
		"get": selectAnyBySourceID, "get by row": selectAnyByRow, "list": selectAnyPage, "count": countSources,
		"lock": lockSource, "credentials": selectCredential, "lease": leaseCredential, "idempotency": selectOnce,
		"slug": countSourceID, "slugs": selectSlugs, "agent id": countAgentID, "consent": takeConsent,
		"void": deleteConsents, "erase": deleteCredential, "managed": selectManagedBySourceID, "managed by id": selectManagedByID,
		"managed list": selectManagedPage, "managed count": countManaged, "update": updateAgent, "version": raiseVersion,
		"expired consents": expiredConsents.probe, "expired keys": expiredOnce.probe,
		"sweep consents": expiredConsents.remove, "sweep keys": expiredOnce.remove,
		"subscription": selectSubscription, "subscribe": updateSubscription, "unsubscribe": deleteSubscription,
		"tenant": selectTarget, "event": selectEvent, "announce": announce, "news": selectNews,
		"audit": selectAudit, "audit of a source": selectAuditOf, "end of an entry": finishAudit,
		"refused entry": takeBegun, "snapshot": selectSnapshot, "forget a snapshot": deleteSnapshot, "tenant of": lockTenant,
		"expired events": expiredEvents.probe, "expired entries": expiredAudit.probe,
		"sweep events": expiredEvents.remove, "sweep entries": expiredAudit.remove,
		"settings": selectSettings, "forget settings": deleteSettings, "change": updateConnection,
		"renew": renewOnce, "forget": forgetOnce, "delete launches": deletions[2], "delete settings": deletions[3], "delete subscription": deletions[4],
		"delete events": deletions[5], "launch": takeLaunch, "launches": countLaunches,
		"expired launches": expiredLaunches.probe, "sweep launches": expiredLaunches.remove, "refuse": markRefused, "upkeep unsettled": upkeepUnsettled, "upkeep stale": upkeepStale,
		"overview": selectOverview, "refused agents": selectRefused, "states": selectStates, "standing": selectStanding, "lock connection": lockConnection,
		"later states": dropLaterStates, "end of states": endStates, "more states": dropMoreStates,
		"expired states": expiredStates.probe, "sweep states": expiredStates.remove,
		"changes": selectChanges[goose.DialectSQLite3], "changed": selectChanged, "upkeep subscribe": upkeepSubscribe, "upkeep unsubscribe": upkeepUnsubscribe,
	} {
		t.Run(name, func(t *testing.T) {
			text, _ := st.bind(0, nil)
			args := map[string]bool{}
			for _, arg := range plan.FindAllString(text, -1) {
				args[arg] = true
			}
			bound := make([]any, len(args))
			for i := range bound {
				bound[i] = 200 // SQLite looks at a LIMIT that is bound
			}
			steps, err := query(t.Context(), scope{on: s.read, store: s}, global(`EXPLAIN QUERY PLAN `+text), func(r row) (step string, err error) {
				var unused int
				err = r.Scan(&unused, &unused, &unused, &step)
				return step, err
			}, bound...)
			if must(t)(err); len(steps) == 0 {
				t.Fatal("no plan")
			}
			for i, step := range steps {
				allowed := entersIndex.MatchString(step) || partOfPlan.MatchString(step)
				switch name {
				case "list", "managed list":
					allowed = allowed || sortsPage.MatchString(step)
					if i > 0 && readsWhole.MatchString(step) && !findsPage.MatchString(step) {
						t.Errorf("reads all rows of the customer: %s", step)
					}
				case "overview":
					if strings.HasPrefix(step, "SEARCH a ") && !findsWrite.MatchString(step) || sortsPage.MatchString(step) {
						t.Errorf("reads writes that failed, or sorts: %s", step)
					}
				case "upkeep unsettled": // a page of all customers': from an id on
					allowed = allowed || walksLittle.MatchString(step)
				case "changes":
					allowed = followsFeed.MatchString(step) || sortsPage.MatchString(step)
				case "upkeep stale", "upkeep subscribe", "upkeep unsubscribe":
					allowed = allowed || walksPage.MatchString(step)
				}
				if !allowed {
					t.Errorf("reads more than it is asked for: %s", step)
				}
			}
		})
	}
}

type planned struct {
	st   anyStatement
	args string
}

// eachPlan has PostgreSQL plan statements over many rows, knowing the arguments and not.
func eachPlan(t *testing.T, s *Store, fill []string, tests map[string]planned, check func(t *testing.T, name string, plan []string)) {
	t.Helper()
	execute(t, s, fill...)
	conn, err := s.write.Conn(t.Context())
	must(t)(err)
	defer conn.Close()
	do := func(text string) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	do(`ANALYZE`)
	for name, test := range tests {
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			t.Run(name+" "+mode, func(t *testing.T) {
				do(`SET plan_cache_mode = ` + mode)
				text, _ := test.st.bind(0, nil)
				do(`PREPARE it AS ` + text)
				defer do(`DEALLOCATE it`)
				plan := lines(t, s, conn, `EXPLAIN EXECUTE it(`+test.args+`)`)
				if strings.Contains(strings.Join(plan, "\n"), "Seq Scan") {
					t.Errorf("a table is read whole:\n%s", strings.Join(plan, "\n"))
				}
				check(t, name, plan)
			})
		}
	}
}

// TestPostgresPlans: what a customer is given is found through the customer's own
// index, however many rows others have, also once the server plans without knowing
// the customer.
func TestPostgresPlans(t *testing.T) {
	s := opened(t, pgtest.Database(t))
	fill := []string{
		`INSERT INTO esa_ids (id) SELECT 100000 + n FROM generate_series(1, 15050) n`,
		`INSERT INTO sources (id, customer_id, source_id, name, name_from_api, execution_type, labels, created_at, updated_at)
			SELECT n, CASE WHEN n > 10050 THEN 6 WHEN n > 10000 THEN 5 ELSE 1000 + n % 40 END, 'source-' || n, 'Name', TRUE, 'MANAGED_SALES_AGENT', '{}',
			'2030-01-01T00:00:00.000000Z', '2030-01-01T00:00:00.000000Z' FROM generate_series(1, 15050) n`,
		`INSERT INTO connections (id, customer_id, source, provisioning_status, tenant_id, email_learned, last_test_passed, created_at, updated_at, version)
			SELECT 100000 + s.id, s.customer_id, s.id, 'active', 'tenant-' || s.id, FALSE, FALSE, s.created_at, s.updated_at, 1 FROM sources s`,
		`INSERT INTO credentials (id, customer_id, source, sealed, created_at)
			SELECT 'credential-' || s.id, s.customer_id, s.id, 'x', s.created_at FROM sources s`,
		`INSERT INTO subscriptions (customer_id, connection, webhook_id, sealed, url, dead) SELECT c.customer_id, c.id, 'w', 'x', '', FALSE FROM connections c`,
		`INSERT INTO webhook_events (customer_id, connection, event_id, received_at, delivered)
			SELECT c.customer_id, c.id, 'event-' || n, '2030-01-0' || n || 'T00:00:00.000000Z', n % 2 = 0 FROM connections c CROSS JOIN generate_series(1, 4) n`,
		`INSERT INTO audit (customer_id, id, at, actor, operation, source_id, outcome)
			SELECT s.customer_id, 'entry-' || s.id || '-' || n, s.created_at, 'a', 'o', CASE WHEN n = 1 THEN s.source_id END, 'begun' FROM sources s CROSS JOIN generate_series(1, 3) n`,
		`INSERT INTO standings (customer_id, connection, state, since, version, received_at) SELECT c.customer_id, c.id, 'live', c.created_at, 1, c.created_at FROM connections c`,
		`INSERT INTO state_changes (customer_id, connection, at, ended_at, state)
			SELECT c.customer_id, c.id, '2030-01-0' || n || 'T00:00:00.000000Z', CASE WHEN n < 4 THEN '2030-01-0' || n + 1 || 'T00:00:00.000000Z' END, 'live' FROM connections c CROSS JOIN generate_series(1, 4) n`,
		`INSERT INTO idempotency (customer_id, name, fingerprint, source, begun_at) SELECT s.customer_id, 'key-' || s.id, 'x', s.id, s.created_at FROM sources s`,
	}
	// Every index is entered by the customer, or by the row's own id.
	scan := regexp.MustCompile(`Index.*Scan`)
	entered := regexp.MustCompile(`Index Cond: .*(customer_id >?= |\(id = |source = |connection = )`)
	eachPlan(t, s, fill, map[string]planned{
		"get":               {selectAnyBySourceID, `5, 'source-10001'`},
		"get by row":        {selectAnyByRow, `5, 10001`},
		"list":              {selectAnyPage, `5, 200, 0`},
		"list further on":   {selectAnyPage, `5, 20, 20`},
		"list of many":      {selectAnyPage, `6, 20, 0`},
		"count":             {countSources, `5`},
		"lock":              {lockSource.ending(s.lock), `5, 'source-10001'`},
		"credentials":       {selectCredential, `5, 'source-10001'`},
		"idempotency":       {selectOnce, `5, 'key-10001'`},
		"managed":           {selectManagedBySourceID, `5, 'source-10001'`},
		"managed by id":     {selectManagedByID, `5, 110001`},
		"managed, to write": {selectManagedByID.ending(s.lock), `5, 110001`},
		"managed list":      {selectManagedPage, `5, 200, 0`},
		"managed of many":   {selectManagedPage, `6, 20, 0`},
		"managed count":     {countManaged, `5`},
		"subscription":      {selectSubscription, `5, 110001`},
		"event":             {selectEvent, `5, 110001, 'event-2'`},
		"announce":          {announce, `5, 110001, '2030-01-01T00:00:00.000000Z'`},
		"news":              {selectNews, `5, 110001, '2030-01-02T00:00:00.000000Z', '2030-01-01T00:00:00.000000Z'`},
		"audit":             {selectAudit, `5, 'f', 20`},
		"audit of many":     {selectAudit, `6, 'entry-12000', 20`},
		"audit of a source": {selectAuditOf, `6, 'f', 20, 'source-11000'`},
		"overview":          {selectOverview, `5`},
		"states":            {selectStates, `5, '2030-01-03T00:00:00.000000Z'`},
		"standing":          {selectStanding, `5, 110001`},
		"later states":      {dropLaterStates, `5, 110001, '2030-01-03T00:00:00.000000Z'`},
		"end of states":     {endStates, `5, 110001, '2030-01-03T00:00:00.000000Z'`},
		"more states":       {dropMoreStates, `5, 110001, 2`},
		"refused entry":     {takeBegun, `5, 'entry-10001-1', 's', 1`},
		"end of an entry":   {finishAudit, `5, 'entry-10001-1', 'o', 200, 'c', 's', 1`},
	}, func(t *testing.T, name string, plan []string) {
		if text := strings.Join(plan, "\n"); name == "overview" && !strings.Contains(text, "using audit_succeeded on audit a") {
			t.Errorf("reads writes that failed:\n%s", text)
		}
		for i, line := range plan {
			if scan.MatchString(line) && (i+1 == len(plan) || !entered.MatchString(plan[i+1])) {
				t.Errorf("an index is read along:\n%s", strings.Join(plan, "\n"))
			}
		}
	})
}

// TestPostgresUpkeepPlans: a page of background work is found from an id on, and reads no
// table whole, however many connections there are.
func TestPostgresUpkeepPlans(t *testing.T) {
	fill := []string{
		`INSERT INTO esa_ids (id) SELECT 100000 + n FROM generate_series(1, 20000) n`,
		`INSERT INTO sources (id, customer_id, source_id, name, name_from_api, execution_type, labels, created_at, updated_at)
			SELECT n, 1000 + n % 40, 'source-' || n, 'Name', TRUE, 'MANAGED_SALES_AGENT', '{}', '', '' FROM generate_series(1, 20000) n`,
		`INSERT INTO connections (id, customer_id, source, provisioning_status, tenant_id, email_learned, last_test_passed, created_at, updated_at, version,
			sync_observed_at, operation_kind)
			SELECT 100000 + s.id, s.customer_id, s.id, CASE WHEN s.id % 50 = 0 THEN 'deactivated' ELSE 'active' END, 'tenant-' || s.id, FALSE, FALSE, '', '', 1,
			'2030-01-01T00:00:00.' || lpad(s.id::text, 6, '0') || 'Z', CASE WHEN s.id % 4000 = 0 THEN 'provision' END FROM sources s`,
		`INSERT INTO subscriptions (connection, customer_id, webhook_id, sealed, url, dead)
			SELECT c.id, c.customer_id, 'wh', 'x', 'https://gateway.example.net', c.id % 100 = 0 FROM connections c WHERE c.id % 10 <> 0`,
		`INSERT INTO asked_tenants (connection, customer_id, tenant_id, asked_at)
			SELECT c.id, c.customer_id, c.tenant_id, '2030-01-01T00:00:00.000000Z' FROM connections c WHERE c.id % 10 <> 0`,
	}
	eachPlan(t, opened(t, pgtest.Database(t)), fill, map[string]planned{
		"unsettled":   {upkeepUnsettled, `0, 200`},
		"stale":       {upkeepStale, `100000, 200, '2030-01-01T00:00:00.000500Z'`},
		"subscribe":   {upkeepSubscribe, `100000, 200, '2030-01-01T00:00:00.000000Z', 'https://gateway.example.net'`},
		"unsubscribe": {upkeepUnsubscribe, `100000, 200, '2030-01-01T00:00:00.000000Z'`},
		"tenants":     {upkeepTenants, `100000, 200, '2030-01-01T00:00:00.000000Z', '2031-01-01T00:00:00.000000Z'`},
	}, func(t *testing.T, name string, plan []string) {
		walked := "connections_pkey"
		if name == "unsettled" {
			walked = "connections_unsettled"
		}
		text := strings.Join(plan, "\n")
		walks := regexp.MustCompile(`using ` + walked + ` on connections c .*\n.*Index Cond: \(id > `)
		if strings.Contains(text, "Sort") || !walks.MatchString(text) {
			t.Errorf("more is read than a page:\n%s", text)
		}
	})
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
	for _, n := range []int{0, 1, 2, 49, 50, 51, 99, 100, 101, 102, 200, 777, 10_000} {
		execute(t, s, `DELETE FROM sources`,
			fmt.Sprintf(`INSERT INTO sources (id, customer_id, source_id, name, name_from_api, execution_type, labels, created_at, updated_at)
			WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %d)
			SELECT n, 5, CASE WHEN n = 1 THEN 'news' ELSE 'news-' || n END, '', TRUE, 'AGENT', '{}', '', '' FROM numbers WHERE n <= %[1]d`, n))
		count := &counting{runner: s.read}
		got, err := freeSlug(t.Context(), scope{on: count, customer: 5, store: s}, "news")
		if want := suffixed("news", n+1); err != nil || got != want {
			t.Errorf("after %d: %q, %v, want %q", n, got, err, want)
		}
		if count.n > 30 {
			t.Errorf("after %d: %d statements", n, count.n)
		}
	}
}
