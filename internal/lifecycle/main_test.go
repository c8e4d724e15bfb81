package lifecycle_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"esagate/internal/vault"
	"esagate/registry/registrytest"
	"esagate/registry/sqlstore"
)

// empty is a registry without rows: to copy it is faster than to make it.
var empty []byte

func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("25") // a story takes long
	}
	if err := makeEmpty(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

func makeEmpty() error {
	folder, err := os.MkdirTemp("", "lifecycle")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	secrets, err := vault.New(registrytest.Key)
	if err != nil {
		return err
	}
	path := filepath.Join(folder, "registry.db")
	store, err := sqlstore.Open(context.Background(), "sqlite://"+path, sqlstore.WithVault(secrets))
	if err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	empty, err = os.ReadFile(path)
	return err
}
