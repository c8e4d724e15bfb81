package main

import (
	"context"
	"fmt"
	"os"

	"esagate/internal/vault"
	"esagate/registry/sqlstore"
)

type keyRotateCommand struct {
	Prepare bool `help:"With several replicas: add a new key that only reads, to be promoted once all have it." xor:"step"`
	Promote bool `help:"With several replicas: let the prepared key encrypt." xor:"step"`
	Rewrite bool `help:"Encrypt every stored secret anew, with the key that encrypts now." xor:"step"`
	Drop    bool `help:"Rewrite, then leave out all keys but the one that encrypts." xor:"step"`
	configFlag
}

// Run takes one step of a rotation. A new keyset alone goes to the standard
// output; what to do with it, to the standard error.
func (c *keyRotateCommand) Run(ctx context.Context) error {
	cfg, _, err := load(c.Config)
	if err != nil {
		return err
	}
	if c.Rewrite || c.Drop {
		if err := rewrite(ctx, c.Config); err != nil || c.Rewrite {
			return err
		}
	}
	step, next := vault.Rotate, "Set this as store.encryption_key and restart. Then: esagate key rotate --rewrite"
	switch {
	case c.Prepare:
		step, next = vault.Prepare, "Set this as store.encryption_key on every replica and restart them. Then: esagate key rotate --promote"
	case c.Promote:
		step, next = vault.Promote, "Set this as store.encryption_key on every replica and restart them. Then: esagate key rotate --rewrite"
	case c.Drop:
		step, next = vault.Drop, "Set this as store.encryption_key and restart: what the keys left out encrypted can't be read any more."
	}
	v, err := vault.New(cfg.Store.EncryptionKey.Reveal())
	if err != nil {
		return err
	}
	keyset, err := v.Rotated(step)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, next)
	fmt.Println(string(keyset))
	return nil
}

// rewrite encrypts all stored secrets with the primary key.
func rewrite(ctx context.Context, file string) error {
	return withStore(ctx, file, func(store *sqlstore.Store) error {
		n, err := store.RewriteSecrets(ctx)
		fmt.Fprintf(os.Stderr, "%d stored secrets were encrypted anew.\n", n)
		if err != nil {
			return fmt.Errorf("not all could be, and no key must be dropped before that has succeeded: %w", err)
		}
		return nil
	})
}
