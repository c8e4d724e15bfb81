package sqlstore

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"esagate/registry"
)

const keyColumns = `k.id, k.customer_id, k.name, k.may_write, k.role, k.email, k.principal_id, k.sha256, k.created_at, k.revoked_at, k.last_used_at`

// Keys are the operator's: none of this is narrowed to a customer.
var (
	insertKey = global(`INSERT INTO api_keys (id, customer_id, name, may_write, sha256, created_at, role, email, principal_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`)
	countKeyName = global(`SELECT COUNT(*) FROM api_keys WHERE customer_id = $1 AND name = $2 AND revoked_at IS NULL`)
	selectKeys   = global(`SELECT ` + keyColumns + ` FROM api_keys k ORDER BY k.id`)
	selectKey    = global(`SELECT ` + keyColumns + ` FROM api_keys k WHERE k.id = $1`)
	// One statement, so that the keys are those of the generation; it always gives a
	// row, which without keys is the generation alone.
	selectGood = global(`SELECT q.last_value, ` + keyColumns + ` FROM sequences q LEFT JOIN api_keys k ON k.revoked_at IS NULL
		WHERE q.name = '` + keyGeneration + `' ORDER BY k.id`)
	selectGeneration = global(`SELECT last_value FROM sequences WHERE name = '` + keyGeneration + `'`)
	revokeKey        = global(`UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL`)
	touchKey         = global(`UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)`)
)

// keyGeneration is the sequence that grows with every change of the set of good keys.
const keyGeneration = "api_key_generation"

// usePrecision is how coarsely it is kept when a key was last used.
const usePrecision = time.Hour

// scanKey reads keyColumns after what stands before them. All of a key may be NULL:
// its id is 0 then.
func scanKey(r row, before ...any) (registry.APIKey, error) {
	var (
		key registry.APIKey
		sum []byte
	)
	err := r.Scan(append(before, orZero(&key.ID), orZero(&key.CustomerID), orZero(&key.Name), orZero(&key.Write),
		orZero(&key.Identity.Role), orZero(&key.Identity.Email), orZero(&key.Identity.PrincipalID), &sum,
		instantColumn{&key.CreatedAt}, instantColumn{&key.RevokedAt}, instantColumn{&key.LastUsedAt})...)
	if err != nil {
		return registry.APIKey{}, found(err)
	}
	if key.ID != 0 && copy(key.SHA256[:], sum) != len(key.SHA256) {
		return registry.APIKey{}, errors.New("a hash column holds no hash")
	}
	return key, nil
}

// apiKeys is what a Store keeps of keys.
type apiKeys struct{ store *Store }

// APIKeys returns the keys of all customers.
func (s *Store) APIKeys() registry.KeyStore { return apiKeys{s} }

// CreateKey keeps a new key.
func (a apiKeys) CreateKey(ctx context.Context, key registry.APIKey) (registry.APIKey, error) {
	if id := key.Identity; !registry.StorableID(key.Name) || !storable(id.Role, id.Email, id.PrincipalID) {
		return registry.APIKey{}, registry.ErrInvalid
	}
	return write(ctx, a.store, 0, "create an API key", func(in scope) (registry.APIKey, error) {
		return createKey(ctx, in, key)
	})
}

func createKey(ctx context.Context, in scope, key registry.APIKey) (registry.APIKey, error) {
	// The sequences first, in the order that all take them: keys are made one by one.
	id, err := in.number(ctx, nextID, "api_key")
	if err != nil {
		return registry.APIKey{}, err
	}
	if _, err := in.number(ctx, nextID, keyGeneration); err != nil {
		return registry.APIKey{}, err
	}
	made, err := in.exec(ctx, insertKey, id, key.CustomerID, key.Name, key.Write, key.SHA256[:], nullTime(in.store.instant()),
		nullText(key.Identity.Role), nullText(key.Identity.Email), nullText(key.Identity.PrincipalID))
	if err != nil {
		return registry.APIKey{}, err
	}
	if made == 1 {
		return scanKey(in.queryRow(ctx, selectKey, id))
	}
	named, err := in.number(ctx, countKeyName, key.CustomerID, key.Name)
	switch {
	case err != nil:
		return registry.APIKey{}, err
	case named > 0:
		return registry.APIKey{}, registry.ErrNameTaken
	}
	return registry.APIKey{}, errors.New("the key itself is known already, revoked or not")
}

// Keys lists the keys by id.
func (a apiKeys) Keys(ctx context.Context) ([]registry.APIKey, error) {
	return a.keys(ctx, selectKeys)
}

// GoodKeys returns the keys that are not revoked and the generation of that set.
func (a apiKeys) GoodKeys(ctx context.Context) (keys []registry.APIKey, generation int64, err error) {
	keys, err = a.keys(ctx, selectGood, &generation)
	return keys, generation, err
}

func (a apiKeys) keys(ctx context.Context, st globalStatement, before ...any) ([]registry.APIKey, error) {
	keys, err := query(ctx, a.store.reading(0), st, func(r row) (registry.APIKey, error) { return scanKey(r, before...) })
	none := func(key registry.APIKey) bool { return key.ID == 0 }
	return slices.DeleteFunc(keys, none), failed("read API keys", err)
}

// KeyGeneration returns the generation alone.
func (a apiKeys) KeyGeneration(ctx context.Context) (int64, error) {
	generation, err := a.store.reading(0).number(ctx, selectGeneration)
	return generation, failed("read the generation of API keys", err)
}

// RevokeKey revokes a key for good.
func (a apiKeys) RevokeKey(ctx context.Context, id int64) (registry.APIKey, error) {
	return write(ctx, a.store, 0, "revoke an API key", func(in scope) (registry.APIKey, error) {
		// The generation is locked before the key's row, as in createKey: a key of the
		// same name that is being made is waited for.
		if _, err := in.number(ctx, selectGeneration.ending(a.store.lock)); err != nil {
			return registry.APIKey{}, err
		}
		revoked, err := in.exec(ctx, revokeKey, id, nullTime(a.store.instant()))
		if err == nil && revoked > 0 {
			_, err = in.number(ctx, nextID, keyGeneration)
		}
		if err != nil {
			return registry.APIKey{}, err
		}
		return scanKey(in.queryRow(ctx, selectKey, id))
	})
}

// TouchKeys records when keys were last used. Rows are changed in one order, so that
// two that do this can't wait for each other.
func (a apiKeys) TouchKeys(ctx context.Context, used map[int64]time.Time) error {
	if len(used) == 0 {
		return nil
	}
	return failed("record the use of API keys", a.store.writing(ctx, 0, func(in scope) error {
		for _, id := range slices.Sorted(maps.Keys(used)) {
			at := nullTime(used[id].Truncate(usePrecision))
			if !at.Valid {
				continue
			}
			if _, err := in.exec(ctx, touchKey, id, at); err != nil {
				return err
			}
		}
		return nil
	}))
}
