package sqlstore

import (
	"context"
	"database/sql"
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
		must(t)(pgtest.Shared(t).Exec(t.Context(), databaseURL, `ALTER ROLE CURRENT_USER IN DATABASE `+databaseOf(t, databaseURL)+` SET `+setting))
	}
	s := opened(t, databaseURL)
	for pool, on := range map[string]runner{"read": s.read, "write": s.write} {
		for setting, want := range map[string]string{"synchronous_commit": "on", "idle_in_transaction_session_timeout": "1min", "application_name": "esagate",
			"default_transaction_read_only": "off"} { // a pooler can give a reader's connection to a writer

			if got := show(t, on, setting); got != want {
				t.Errorf("%s pool: %s is %q, want %q", pool, setting, got, want)
			}
		}
	}
	must(t)(s.writing(t.Context(), 1, func(in scope) error {
		if got := show(t, in.on, "transaction_isolation"); got != "read committed" {
			t.Errorf("a transaction is %q", got)
		}
		return nil
	}))
	for pool, stats := range map[string]int{"read": s.read.Stats().MaxOpenConnections, "write": s.write.Stats().MaxOpenConnections} {
		if stats < 1 || stats > 10 {
			t.Errorf("%s pool: %d connections", pool, stats)
		}
	}
}

// TestStatementsArePreparedForAServerAlone: a pooler's next connection would not know them. What the URL says takes
// precedence.
func TestStatementsArePreparedForAServerAlone(t *testing.T) {
	for name, c := range map[string]struct {
		database func(pgtest.TB) string
		mode     string
		prepares bool
	}{
		"server":         {pgtest.Database, "", true},
		"pooler":         {pgtest.PooledDatabase, "", false},
		"pooler, told":   {pgtest.PooledDatabase, "&default_query_exec_mode=cache_statement", true},
		"pooler, simple": {pgtest.PooledDatabase, "&default_query_exec_mode=simple_protocol", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := pools(c.database(t) + c.mode)
			must(t)(err)
			defer s.Close()
			for pool, db := range map[string]*sql.DB{"read": s.read, "write": s.write} {
				tx, err := db.BeginTx(t.Context(), nil) // a pooler gives one connection for it
				must(t)(err)
				var n int // by texts of its own, since the pools may be given the same connection
				must(t)(tx.QueryRowContext(t.Context(), `SELECT $1::bigint AS "`+pool+`"`, 1).Scan(&n))
				count := `SELECT COUNT(*) AS "` + pool + `" FROM pg_prepared_statements WHERE statement LIKE '%bigint%'`
				must(t)(tx.QueryRowContext(t.Context(), count).Scan(&n))
				if (n > 0) != c.prepares {
					t.Errorf("%s: %d prepared", pool, n)
				}
				must(t)(tx.Rollback())
			}
		})
	}
}

func databaseOf(t *testing.T, databaseURL string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	must(t)(err)
	return strings.TrimPrefix(u.Path, "/")
}

func show(t *testing.T, on runner, setting string) (got string) {
	t.Helper()
	must(t)(on.QueryRowContext(t.Context(), "SHOW "+setting).Scan(&got))
	return got
}

// TestPostgresSettingsOfTheURL: what the URL says goes before what we would set.
func TestPostgresSettingsOfTheURL(t *testing.T) {
	s := opened(t, pgtest.Database(t)+"&application_name=gateway-2&search_path=public&connect_timeout=7")
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
	must(t)(c.Exec(t.Context(), c.URL("postgres"), `CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`))
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
