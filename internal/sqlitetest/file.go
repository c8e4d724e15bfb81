// Package sqlitetest makes SQLite databases for tests. Nothing that serves requests may reach it.
package sqlitetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"esagate/registry/sqlstore"
)

// File makes a registry's database in a folder of the test's own and returns its path.
// Its tables are up to date and empty. They are made once in a process and copied from
// then on, because all migrations one after the other take longer than most tests.
func File(t testing.TB) string {
	t.Helper()
	content, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "registry.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var migrated = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "sqlitetest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "registry.db")
	if _, _, err := sqlstore.Migrate(context.Background(), "sqlite://"+path); err != nil {
		return nil, err
	}
	return os.ReadFile(path) // closing has folded the log into it
})
