package sqlstore

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"esagate/internal/pgtest"
)

// TestPostgresSessions: what durability and isolation rest on is set on every
// connection, whatever the database has been given as a default.
func TestPostgresSessions(t *testing.T) {
	databaseURL := pgtest.Database(t)
	for _, setting := range []string{`synchronous_commit = off`, `default_transaction_isolation = serializable`} {
		if err := pgtest.Shared(t).Exec(t.Context(), databaseURL, `ALTER ROLE CURRENT_USER IN DATABASE `+databaseOf(t, databaseURL)+` SET `+setting); err != nil {
			t.Fatal(err)
		}
	}
	s := postgres(t, databaseURL)
	for pool, on := range map[string]runner{"read": s.read, "write": s.write} {
		for setting, want := range map[string]string{"synchronous_commit": "on", "idle_in_transaction_session_timeout": "1min", "application_name": "esagate",
			"default_transaction_read_only": "off"} { // a pooler can give a reader's connection to a writer

			if got := show(t, on, setting); got != want {
				t.Errorf("%s pool: %s is %q, want %q", pool, setting, got, want)
			}
		}
	}
	if err := s.writing(t.Context(), 1, func(in scope) error {
		if got := show(t, in.on, "transaction_isolation"); got != "read committed" {
			t.Errorf("a transaction is %q", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for pool, stats := range map[string]int{"read": s.read.Stats().MaxOpenConnections, "write": s.write.Stats().MaxOpenConnections} {
		if stats < 1 || stats > 10 {
			t.Errorf("%s pool: %d connections", pool, stats)
		}
	}
}

func databaseOf(t *testing.T, databaseURL string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

func show(t *testing.T, on runner, setting string) (got string) {
	t.Helper()
	if err := on.QueryRowContext(t.Context(), "SHOW "+setting).Scan(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestPostgresSettingsOfTheURL: what the URL says goes before what we would set.
func TestPostgresSettingsOfTheURL(t *testing.T) {
	s := postgres(t, pgtest.Database(t)+"&application_name=gateway-2&search_path=public&connect_timeout=7")
	if got := show(t, s.write, "application_name"); got != "gateway-2" {
		t.Errorf("application_name is %q", got)
	}
	cfg, err := postgresConfig("postgres://h/d?connect_timeout=7")
	if err != nil || cfg.ConnectTimeout.Seconds() != 7 {
		t.Errorf("connect_timeout: %+v, %v", cfg, err)
	}
	for _, text := range []string{"postgres://h/d", "postgres://h/d?connect_timeout=0"} {
		if cfg, err := postgresConfig(text); err != nil || cfg.ConnectTimeout != connectTimeout {
			t.Errorf("%s: %+v, %v", text, cfg, err)
		}
	}
}

func TestPostgresNeedsUTF8(t *testing.T) {
	c := pgtest.Shared(t)
	if err := c.Exec(t.Context(), c.URL("postgres"), `CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.DropDatabase(context.WithoutCancel(t.Context()), c.URL("narrow")) })
	s, err := Open(t.Context(), c.URL("narrow"))
	if err == nil {
		s.Close()
		t.Fatal("opened a database that can't keep every text")
	}
	if !strings.Contains(err.Error(), "UTF8") {
		t.Errorf("%v", err)
	}
}

// TestPostgresPlans: what a customer is given is found through the customer's own
// index, however many rows others have, also once the server plans without knowing
// the customer.
func TestPostgresPlans(t *testing.T) {
	s := postgres(t, pgtest.Database(t))
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
		`INSERT INTO idempotency (customer_id, name, fingerprint, source, begun_at) SELECT s.customer_id, 'key-' || s.id, 'x', s.id, s.created_at FROM sources s`,
	}
	if err := s.writing(t.Context(), 5, func(in scope) error {
		for _, text := range fill {
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
		st   statement
		args string
	}{
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
		"end of an entry":   {finishAudit, `5, 'entry-10001-1', 'o', 200, 'c', 's', 1`},
	} {
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			t.Run(name+" "+mode, func(t *testing.T) {
				do(`SET plan_cache_mode = ` + mode)
				do(`PREPARE it AS ` + test.st.text)
				defer do(`DEALLOCATE it`)
				plan := explain(t, conn, `EXPLAIN EXECUTE it(`+test.args+`)`)
				if strings.Contains(plan, "Seq Scan") {
					t.Errorf("a table is read whole:\n%s", plan)
				}
				// Every index is entered by the customer, or by the row's own id.
				lines := strings.Split(plan, "\n")
				for i, line := range lines[:len(lines)-1] {
					_, condition, entered := strings.Cut(lines[i+1], "Index Cond: ")
					if strings.Contains(line, "Index") && strings.Contains(line, "Scan") &&
						!(entered && (strings.Contains(condition, "customer_id = ") || strings.Contains(condition, "customer_id >= ") || strings.Contains(condition, "(id = ") || strings.Contains(condition, "source = ") || strings.Contains(condition, "connection = "))) {
						t.Errorf("an index is read along:\n%s", plan)
					}
				}
			})
		}
	}
}

func explain(t *testing.T, on runner, text string) string {
	t.Helper()
	rows, err := on.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(line + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
