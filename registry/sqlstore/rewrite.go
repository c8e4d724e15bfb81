package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"math"

	"esagate/registry"
)

// rewriteRows is how many rows are gone through in one transaction, rewritePasses how
// often all tables are.
const (
	rewriteRows   = 100
	rewritePasses = 5
)

// errOlderKey: each pass found rows again that the one before can't have left.
var errOlderKey = errors.New("other processes go on writing under an older key: restart them with the new one, and rewrite again")

// sealedTable is a table with a column of sealed values, which is gone through in the
// order of its key.
type sealedTable struct {
	name, column, key string
	first             []any  // a key before all others
	which             string // the rows with a sealed value, in SQL
	identity          string // what identities begin with
	place             string // the customer, source and name in an identity, in SQL
}

var (
	sealedTables = []sealedTable{
		{"credentials", "sealed", "id", []any{""}, always, "credentials", `customer_id, source, id`},
		{"consents", "sealed", "state_hash", []any{[]byte{0}}, always, "consents", `customer_id, source, state_hash`}, // it is shorter than any hash
		{"launches", "sealed", "token_hash", []any{[]byte{0}}, always, "launches", `customer_id, source, token_hash`},
		{"kept_settings", "sealed", "connection", []any{0}, always, "kept_settings", ofConnection},
		{"idempotency", "sealed", onceKey, beforeOnce, `sealed IS NOT NULL`, "idempotency", ofOnce},
		// A fingerprint is longer than its hash if it is sealed.
		{"idempotency", "fingerprint", onceKey, beforeOnce, `length(fingerprint) > 32`, printIdentity, ofOnce},
		{"subscriptions", "sealed", "connection", []any{0}, always, "subscriptions", ofConnection},
		{"vault_check", "sealed", "name", []any{""}, always, "vault_check", `0, 0, name`},
	}
	beforeOnce = []any{math.MinInt64, ""}
)

const (
	always       = `TRUE`
	ofConnection = `customer_id, connection, ''`
	onceKey      = `customer_id, name`
	ofOnce       = `customer_id, 0, name`
)

// page selects the rows after a key.
func (t sealedTable) page() globalStatement {
	return global(fmt.Sprintf(`SELECT %[1]s, %[2]s, %[3]s FROM %[4]s WHERE (%[3]s) > (%[5]s) AND %[6]s ORDER BY %[3]s LIMIT %[7]d`,
		t.column, t.place, t.key, t.name, placeholders(1, len(t.first)), t.which, rewriteRows))
}

// save takes the sealed value, and then the key.
func (t sealedTable) save() globalStatement {
	return global(fmt.Sprintf(`UPDATE %s SET %s = $1 WHERE (%s) = (%s)`, t.name, t.column, t.key, placeholders(2, len(t.first))))
}

type sealedRow struct {
	sealed, identity []byte
	key              []any
}

func (t sealedTable) scan(r row) (sealedRow, error) {
	var (
		customer, source int64
		name             string
		sealed           []byte
	)
	key := make([]any, len(t.first))
	dest := []any{&sealed, &customer, &source, &name}
	for i := range key {
		dest = append(dest, &key[i])
	}
	err := r.Scan(dest...)
	return sealedRow{sealed, identity(t.identity, customer, source, name), key}, err
}

// RewriteSecrets encrypts what is not under the primary key anew; the note of which
// key the database is written with counts as one. A row that can't be opened is left
// as it is, and is ErrSecret when all others are done. Others may write under an older
// key behind it: it is done when it has gone through all without finding any.
func (s *Store) RewriteSecrets(ctx context.Context) (int, error) {
	if s.vault == nil {
		return 0, failed("rewrite secrets", errNoVault)
	}
	done := 0
	for range rewritePasses {
		n, err := rewriteAll(ctx, s)
		done += n
		if err != nil && !errors.Is(err, registry.ErrSecret) {
			return done, err
		}
		if n == 0 {
			return done, err
		}
	}
	return done, failed("rewrite secrets", errOlderKey)
}

// rewriteAll goes through all tables once.
func rewriteAll(ctx context.Context, s *Store) (int, error) {
	done, shut := 0, false
	for _, table := range sealedTables {
		for after := table.first; after != nil; {
			page, err := write(ctx, s, 0, "rewrite secrets", func(in scope) (rewritten, error) {
				return rewritePage(ctx, in, table, after)
			})
			if err != nil {
				return done, err
			}
			done, shut, after = done+page.rows, shut || page.shut, page.last
		}
	}
	if shut {
		return done, registry.ErrSecret
	}
	return done, nil
}

// rewritten is what became of a page: how many rows were rewritten, whether any could
// not be opened, and the last key, nil if no page follows.
type rewritten struct {
	rows int
	shut bool
	last []any
}

func rewritePage(ctx context.Context, in scope, table sealedTable, after []any) (rewritten, error) {
	if err := lockBulk(ctx, in, in.store.lock); err != nil {
		return rewritten{}, err
	}
	// The page is read before anything is written: a transaction can't write in between.
	rows, err := query(ctx, in, table.page().ending(in.store.lock), table.scan, after...)
	if err != nil {
		return rewritten{}, err
	}
	var page rewritten
	for _, row := range rows {
		if in.store.vault.Current(row.sealed) {
			continue
		}
		plain, err := in.store.unseal(row.sealed, row.identity)
		if err != nil {
			page.shut = true
			continue
		}
		sealed, err := in.store.seal(plain, row.identity)
		if err != nil {
			return rewritten{}, err
		}
		if _, err := in.exec(ctx, table.save(), append([]any{sealed}, row.key...)...); err != nil {
			return rewritten{}, err
		}
		page.rows++
	}
	if len(rows) == rewriteRows {
		page.last = rows[len(rows)-1].key
	}
	return page, nil
}
