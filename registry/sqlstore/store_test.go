package sqlstore_test

import (
	"testing"

	"esagate/internal/pgtest"
	"esagate/registry"
	"esagate/registry/registrytest"
	"esagate/registry/sqlstore"
)

var newFile = sqlstore.NewFile

func open(t *testing.T, url string, opts ...sqlstore.Option) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), url, opts...)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { s.Close() }) // of no effect if the test has closed it
	return s
}

// world returns a Store as the suite wants it.
func world(t *testing.T, url string, opts registrytest.Options) registry.Store {
	t.Helper()
	all := []sqlstore.Option{withKey(t, registrytest.Key)}
	if opts.Now != nil {
		all = append(all, sqlstore.WithClock(opts.Now))
	}
	return open(t, url, all...)
}

func TestFile(t *testing.T) {
	registrytest.Run(t, func(t *testing.T, opts registrytest.Options) registry.Store {
		return world(t, newFile(t), opts)
	})
}

func TestMemory(t *testing.T) {
	registrytest.RunShort(t, func(t *testing.T, opts registrytest.Options) registry.Store {
		return world(t, "sqlite://:memory:", opts)
	})
}

func TestReopen(t *testing.T) {
	registrytest.RunReopen(t, func(t *testing.T) registrytest.Opener {
		url := newFile(t)
		return func(t *testing.T, opts registrytest.Options) registry.Store { return world(t, url, opts) }
	})
}

func TestPostgres(t *testing.T) {
	registrytest.Run(t, func(t *testing.T, opts registrytest.Options) registry.Store {
		return world(t, pgtest.Database(t), opts)
	})
}

// TestPooler runs the suite behind a PgBouncer that gives a connection for each transaction.
func TestPooler(t *testing.T) {
	registrytest.RunShort(t, func(t *testing.T, opts registrytest.Options) registry.Store {
		return world(t, pgtest.PooledDatabase(t), opts)
	})
}

func TestPostgresReopen(t *testing.T) {
	registrytest.RunReopen(t, func(t *testing.T) registrytest.Opener {
		url := pgtest.Database(t)
		return func(t *testing.T, opts registrytest.Options) registry.Store { return world(t, url, opts) }
	})
}

// must ends the test unless the last of some results is no error: must(t)(s.Call(…)).
func must(t testing.TB) func(results ...any) {
	return func(results ...any) {
		t.Helper()
		if err := results[len(results)-1]; err != nil {
			t.Fatal(err)
		}
	}
}
