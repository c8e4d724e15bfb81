package sqlstore_test

import (
	"context"
	"errors"
	"os"
	osexec "os/exec"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3/lock"

	"esagate/internal/pgtest"
	"esagate/registry"
	"esagate/registry/sqlstore"
)

// TestPostgresOutage: while the server is away every call ends with an error, by the
// caller's deadline at the latest; when it is back the same Store goes on.
func TestPostgresOutage(t *testing.T) {
	c := pgtest.Own(t)
	databaseURL, err := c.NewDatabase(t.Context())
	must(t)(err)
	s := open(t, databaseURL)
	made, err := s.Adopt(t.Context(), entry())
	must(t)(err)
	customer, observed := s.Customer(31), time.Unix(1_900_000_000, 0).UTC()
	calls := map[string]func(ctx context.Context) error{
		"ping": s.Ping,
		"read": func(ctx context.Context) error { _, err := customer.Source(ctx, "radio"); return err },
		"write": func(ctx context.Context) error {
			observed = observed.Add(time.Second)
			_, err := customer.ObserveInventorySync(ctx, made.Managed.Connection.ID, registry.InventorySync{Status: registry.SyncRunning, ObservedAt: observed})
			return err
		},
	}
	for name, outage := range map[string]struct {
		away, back func() error
		hangs      bool
	}{
		"stopped": {c.Down, func() error { return c.Up(t.Context()) }, false},
		"crashed": {c.Crash, func() error { return c.Up(t.Context()) }, false},
		"hanging": {c.Pause, c.Resume, true},
	} {
		t.Run(name, func(t *testing.T) {
			must(t)(outage.away())
			for call, f := range calls {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				err := f(ctx) // a call that does not end fails the test by its own time limit
				cancel()
				if err == nil || errors.Is(err, registry.ErrNotFound) || outage.hangs && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %v", call, err)
				}
			}
			must(t)(outage.back())
			for call, f := range calls {
				// Broken connections are found one by one, as they are used.
				var err error
				for range 10 {
					if err = f(t.Context()); err == nil {
						break
					}
				}
				if err != nil {
					t.Errorf("%s does not work again: %v", call, err)
				}
			}
		})
	}
	got, err := customer.Source(t.Context(), "radio")
	if err != nil || !got.Connection.InventorySync.ObservedAt.Equal(observed) {
		t.Errorf("%+v, %v: the last write that was answered is not there", got, err)
	}
}

// childURL tells the test program to be one of many processes (see TestMain).
const childURL = "ESAGATE_TEST_CHILD_URL"

// child opens a database, adopts an entry and goes.
func child(databaseURL string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := sqlstore.Open(ctx, databaseURL)
	if err != nil {
		return err
	}
	_, err = s.Adopt(ctx, entry())
	return errors.Join(err, s.Close())
}

// TestProcesses has many processes open one new database at once.
func TestProcesses(t *testing.T) {
	for name, database := range sqlstore.WithPooler {
		t.Run(name, func(t *testing.T) {
			databaseURL := database(t)
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() {
					cmd := osexec.CommandContext(t.Context(), os.Args[0])
					cmd.Env = append(os.Environ(), childURL+"="+databaseURL)
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Errorf("%v: %s", err, out)
					}
				})
			}
			wg.Wait()
			s := open(t, databaseURL)
			if _, total, err := s.Customer(31).ManagedSources(t.Context(), 0, 10); err != nil || total != 1 {
				t.Errorf("%d sources, %v", total, err)
			}
		})
	}
}

func TestMigrate(t *testing.T) {
	for name, database := range sqlstore.WithPooler {
		t.Run(name, func(t *testing.T) {
			databaseURL := database(t)
			from, newest, err := sqlstore.Migrate(t.Context(), databaseURL)
			if err != nil || from != 0 || newest < 2 {
				t.Fatalf("from %d to %d, %v", from, newest, err)
			}
			if from, to, err := sqlstore.Migrate(t.Context(), databaseURL); err != nil || from != newest || to != newest {
				t.Fatalf("again: from %d to %d, %v", from, to, err)
			}
			s := open(t, databaseURL)
			must(t)(s.Adopt(t.Context(), entry()))
		})
	}
}

// TestPostgresMigrationLock holds the lock of a process that migrates.
func TestPostgresMigrationLock(t *testing.T) {
	databaseURL := pgtest.Database(t)
	conn, err := pgx.Connect(t.Context(), databaseURL)
	must(t)(err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	locked := func(function string) {
		t.Helper()
		must(t)(conn.Exec(t.Context(), `SELECT `+function+`($1)`, lock.DefaultLockID))
	}
	locked("pg_advisory_lock")
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if from, to, err := sqlstore.Migrate(ctx, databaseURL); !errors.Is(err, context.DeadlineExceeded) || to != from {
		t.Fatalf("from %d to %d, %v, while somebody else migrates", from, to, err)
	}
	locked("pg_advisory_unlock")
	must(t)(sqlstore.Migrate(t.Context(), databaseURL))
	locked("pg_advisory_lock") // nothing is left to do, so no replica waits for it
	open(t, databaseURL).Close()
}

// TestPostgresWithoutRights: a user that may not make tables can serve, once one
// that may has made them.
func TestPostgresWithoutRights(t *testing.T) {
	c := pgtest.Shared(t)
	databaseURL := pgtest.Database(t)
	must(t)(sqlstore.Migrate(t.Context(), databaseURL))
	execute := func(texts ...string) {
		for _, text := range texts {
			must(t)(c.Exec(context.WithoutCancel(t.Context()), databaseURL, text))
		}
	}
	execute(`CREATE ROLE server LOGIN PASSWORD 'only-rows'`, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO server`)
	t.Cleanup(func() { execute(`DROP OWNED BY server`, `DROP ROLE server`) })
	s := open(t, withUser(t, databaseURL, "server", "only-rows"))
	must(t)(s.Adopt(t.Context(), entry()))
}

func TestOpenRefusesNewerSchema(t *testing.T) {
	for name, database := range sqlstore.Databases {
		t.Run(name, func(t *testing.T) {
			databaseURL := database(t)
			open(t, databaseURL).Close()
			alter(t, databaseURL, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)`)
			refuses(t, databaseURL, "newer version")
		})
	}
}
