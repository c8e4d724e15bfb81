package sqlstore

import (
	"io/fs"
	"testing"
	"testing/fstest"
	"testing/synctest"

	"github.com/pressly/goose/v3"

	"esagate/registry"
)

// asReleased makes the tables of the first release, and returns the pools.
func asReleased(t *testing.T, url string) *Store {
	t.Helper()
	first, err := fs.ReadFile(migrations, "migrations/00001_registry.sql")
	must(t)(err)
	old, err := pools(url)
	must(t)(err)
	p, err := goose.NewProvider(old.dialect, old.write, fstest.MapFS{"00001_registry.sql": {Data: first}},
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	must(t)(err)
	must(t)(p.Up(t.Context()))
	return old
}

// TestMigrateBehindAnother: a process that finds its work done by another one still says
// from which version it was.
func TestMigrateBehindAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		url := NewFile(t)
		other := asReleased(t, url)
		tx, err := other.begin(t.Context())
		must(t)(err)
		done := make(chan error, 1)
		var from, to int64
		go func() {
			var err error
			from, to, err = Migrate(t.Context(), url)
			done <- err
		}()
		synctest.Wait() // it has met the lock, and pauses
		must(t)(tx.Rollback())
		_, newest, err := other.migrate(t.Context())
		must(t)(err)
		must(t)(other.Close())
		if must(t)(<-done); from != 1 || to != newest {
			t.Errorf("from %d to %d, want from 1 to %d", from, to, newest)
		}
	})
}

// TestUpgrade opens a database as the first release left it.
func TestUpgrade(t *testing.T) {
	for name, database := range Databases {
		t.Run(name, func(t *testing.T) {
			url := database(t)
			old := asReleased(t, url)
			for _, row := range []string{
				`UPDATE sequences SET last_value = 7 WHERE name = 'source'`,
				`INSERT INTO esa_ids (id) VALUES (1000)`,
				`INSERT INTO adopted (customer_id, source_id, adopted_at) VALUES (31, 'old', '2030-01-01T00:00:00.000000Z')`,
				`INSERT INTO sources (id, customer_id, source_id, name, name_from_api, execution_type, labels, created_at, updated_at)
					VALUES (7, 31, 'old', 'Old', FALSE, 'MANAGED_SALES_AGENT', '{"a":"b"}', '2030-01-01T00:00:00.000000Z', '2030-01-01T00:00:00.000000Z')`,
				`INSERT INTO connections (id, customer_id, source, provisioning_status, tenant_id, email_learned, last_test_passed, created_at, updated_at, version)
					VALUES (1000, 31, 7, 'active', 'tenant-old', FALSE, FALSE, '2030-01-01T00:00:00.000000Z', '2030-01-01T00:00:00.000000Z', 4)`,
			} {
				must(t)(old.write.ExecContext(t.Context(), row))
			}
			must(t)(old.Close())

			s := opened(t, url, newKey(t))
			got, err := s.Adopt(t.Context(), registry.ConfigSource{CustomerID: 31, SourceID: "old", Name: "Old", TenantID: "tenant-old", Labels: map[string]string{"a": "b"}})
			if err != nil || got.Outcome != registry.AdoptionUnchanged || got.Managed.Connection.Version != 4 {
				t.Fatalf("%+v, %v", got, err)
			}
			made, err := s.Customer(31).CreateSource(t.Context(), registry.NewSource{Slug: "old", AgentID: func() string { return "agent" },
				Credential: &registry.Credential{Basic: &registry.BasicCredential{Username: "u"}}}, nil)
			if err != nil || made.Source.SourceID != "old-2" || made.Source.ID != 8 {
				t.Fatalf("%+v, %v", made.Source, err)
			}
			page, _, err := s.Customer(31).Sources(t.Context(), 0, 10)
			if err != nil || len(page) != 2 || page[0].Connection == nil || page[0].Agent != nil || page[1].Agent == nil {
				t.Fatalf("%+v, %v", page, err)
			}
		})
	}
}
