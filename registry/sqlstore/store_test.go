package sqlstore_test

import (
	"path/filepath"
	"testing"

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

func TestFile(t *testing.T) {
	registrytest.Run(t, func(t *testing.T) registry.Store {
		return open(t, "sqlite://"+filepath.Join(t.TempDir(), "registry.db"))
	})
}

func TestMemory(t *testing.T) {
	registrytest.Run(t, func(t *testing.T) registry.Store { return open(t, "sqlite://:memory:") })
}

func TestReopen(t *testing.T) {
	registrytest.RunReopen(t, func(t *testing.T) func(t *testing.T) registry.Store {
		url := "sqlite://" + filepath.Join(t.TempDir(), "registry.db")
		return func(t *testing.T) registry.Store { return open(t, url) }
	})
}
