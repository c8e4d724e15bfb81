package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"esagate/internal/config"
	"esagate/internal/vault"
	"esagate/registry/sqlstore"
)

// openStore opens the registry's database, and gives what decrypts its secrets too. A wrong
// encryption key is reported here, before any request.
func openStore(ctx context.Context, cfg *config.Config) (*sqlstore.Store, *vault.Vault, error) {
	v, err := vault.New(cfg.Store.EncryptionKey.Reveal())
	if err != nil {
		return nil, nil, fmt.Errorf("store: %w", err)
	}
	if err := folderThere(cfg); err != nil {
		return nil, nil, err
	}
	store, err := sqlstore.Open(ctx, cfg.Store.URL.Reveal(), sqlstore.WithVault(v), sqlstore.WithAuditKept(cfg.Store.AuditRetention))
	return store, v, err
}

// withStore reads a config and works with its store.
func withStore(ctx context.Context, file string, work func(*sqlstore.Store) error) error {
	cfg, _, err := load(file)
	if err != nil {
		return err
	}
	store, _, err := openStore(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(work(store), store.Close())
}

type migrateCommand struct{ configFlag }

// Run brings the database's tables up to date.
func (c *migrateCommand) Run(ctx context.Context) error {
	cfg, _, err := load(c.Config)
	if err != nil {
		return err
	}
	if err := folderThere(cfg); err != nil {
		return err
	}
	from, to, err := sqlstore.Migrate(ctx, cfg.Store.URL.Reveal())
	switch {
	case err != nil:
		return fmt.Errorf("store: %w", err)
	case from == to:
		fmt.Fprintf(os.Stdout, "%s: up to date at version %d\n", cfg.Store.Describe(), to)
	default:
		fmt.Fprintf(os.Stdout, "%s: from version %d to %d\n", cfg.Store.Describe(), from, to)
	}
	return nil
}
