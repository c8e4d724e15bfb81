package sqlstore

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"

	"esagate/internal/vault"
	"esagate/registry"
)

// ErrEncryptionKey is what Open fails with when the database holds secrets of
// another encryption key.
var ErrEncryptionKey = errors.New("store: store.encryption_key is not the key that this database was written with")

// errNoVault: a Store that was opened without a vault is asked for a secret.
var errNoVault error = known{registry.ErrSecret, errors.New("store: there is no store.encryption_key, so no secret can be kept or read")}

// WithVault sets what encrypts the secrets that the Store keeps. Without one
// everything else works.
func WithVault(v *vault.Vault) Option { return func(s *Store) { s.vault = v } }

var (
	selectCheck = global(`SELECT sealed FROM vault_check WHERE name = $1`)
	insertCheck = global(`INSERT INTO vault_check (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING`)
)

// The row that says which key a database was written with. There is nothing secret
// in it.
const (
	checkName  = "encryption_key"
	checkPlain = "esagate"
)

// checkVault holds the vault to the database: the first one that opens it is noted,
// and every later one must have its key too. The row's own constraint decides
// between processes that open a new database at once.
func (s *Store) checkVault(ctx context.Context) error {
	if s.vault == nil {
		return nil
	}
	var sealed []byte
	err := s.reading(0).queryRow(ctx, selectCheck, checkName).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		err = s.writing(ctx, 0, func(in scope) error {
			first, err := s.seal([]byte(checkPlain), identity("vault_check", 0, 0, checkName))
			if err != nil {
				return err
			}
			if _, err := in.exec(ctx, insertCheck, checkName, first); err != nil {
				return err
			}
			return in.queryRow(ctx, selectCheck, checkName).Scan(&sealed)
		})
	}
	if err != nil {
		return fmt.Errorf("store: check the encryption key: %w", err)
	}
	plain, err := s.unseal(sealed, identity("vault_check", 0, 0, checkName))
	if err != nil || string(plain) != checkPlain {
		return ErrEncryptionKey
	}
	return nil
}

// identity names the one place where a sealed value belongs, so that one that was
// moved to another row can't be opened there. Only the last part has no fixed
// length, and no table's name holds a zero byte: no two places have one name.
func identity(table string, customer, source int64, name string) []byte {
	id := append([]byte(table), 0)
	id = binary.BigEndian.AppendUint64(id, uint64(customer))
	id = binary.BigEndian.AppendUint64(id, uint64(source))
	return append(id, name...)
}

// seal encrypts a value for the place that an identity names.
func (s *Store) seal(plain, identity []byte) ([]byte, error) {
	if s.vault == nil {
		return nil, errNoVault
	}
	sealed, err := s.vault.Seal(plain, identity)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed, nil
}

// unseal opens what seal gave. Why a value can't be opened is of no use to callers:
// the error is ErrSecret alone.
func (s *Store) unseal(sealed, identity []byte) ([]byte, error) {
	if s.vault == nil {
		return nil, errNoVault
	}
	plain, err := s.vault.Open(sealed, identity)
	if err != nil {
		return nil, registry.ErrSecret
	}
	return plain, nil
}
