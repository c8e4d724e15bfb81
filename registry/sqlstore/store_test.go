package sqlstore_test

import (
	"path/filepath"
	"testing"

	"esagate/internal/pgtest"
	"esagate/internal/vault"
	"esagate/registry"
	"esagate/registry/registrytest"
	"esagate/registry/sqlstore"
)

func open(t *testing.T, url string, opts ...sqlstore.Option) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), url, opts...)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return s
}

// world gives a Store as the suite wants it.
func world(t *testing.T, url string, opts registrytest.Options) registry.Store {
	t.Helper()
	return open(t, url, options(t, opts)...)
}

func options(t *testing.T, opts registrytest.Options) []sqlstore.Option {
	t.Helper()
	key := opts.Key
	if key == "" {
		key = registrytest.Key
	}
	v, err := vault.New(key)
	must(t)(err)
	all := []sqlstore.Option{sqlstore.WithVault(v)}
	if opts.Now != nil {
		all = append(all, sqlstore.WithClock(opts.Now))
	}
	return all
}

func TestFile(t *testing.T) {
	registrytest.Run(t, func(t *testing.T, opts registrytest.Options) registry.Store {
		return world(t, "sqlite://"+filepath.Join(t.TempDir(), "registry.db"), opts)
	})
}

func TestMemory(t *testing.T) {
	registrytest.RunShort(t, func(t *testing.T, opts registrytest.Options) registry.Store {
		return world(t, "sqlite://:memory:", opts)
	})
}

func TestReopen(t *testing.T) {
	registrytest.RunReopen(t, func(t *testing.T) registrytest.Opener {
		url := "sqlite://" + filepath.Join(t.TempDir(), "registry.db")
		return func(t *testing.T, opts registrytest.Options) registry.Store { return world(t, url, opts) }
	})
}

func TestPostgres(t *testing.T) {
	registrytest.Run(t, func(t *testing.T, opts registrytest.Options) registry.Store {
		return world(t, pgtest.Database(t), opts)
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
