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

// sealedTable is a table with a column of sealed values, which is gone through in
// the order of its key.
type sealedTable struct {
	first []any           // a key before all others
	page  globalStatement // the rows after a key
	scan  func(row) (sealedRow, error)
	save  globalStatement // $1 is the sealed value, then comes the key
}

type sealedRow struct {
	key      []any
	identity []byte
	sealed   []byte
}

var sealedTables = []sealedTable{
	sourceTable("credentials", "id", ""),
	sourceTable("consents", "state_hash", []byte{0}), // shorter than any hash
	connectionTable("kept_settings"),
	onceTable("sealed", "idempotency", `sealed IS NOT NULL`),
	// A fingerprint is longer than its hash if it is sealed.
	onceTable("fingerprint", printIdentity, `length(fingerprint) > 32`),
	connectionTable("subscriptions"),
	{
		first: []any{""},
		page:  pageOf(`SELECT name, sealed FROM vault_check WHERE name > $1 ORDER BY name`),
		save:  globalStatement{`UPDATE vault_check SET sealed = $1 WHERE name = $2`},
		scan: func(r row) (sealedRow, error) {
			var (
				name   string
				sealed []byte
			)
			err := r.Scan(&name, &sealed)
			return sealedRow{[]any{name}, identity("vault_check", 0, 0, name), sealed}, err
		},
	},
}

// sourceTable is a table of sealed values of sources, each with a key of its own.
func sourceTable[K string | []byte](table, key string, first K) sealedTable {
	return sealedTable{
		first: []any{first},
		page:  pageOf(fmt.Sprintf(`SELECT %[2]s, customer_id, source, sealed FROM %[1]s WHERE %[2]s > $1 ORDER BY %[2]s`, table, key)),
		save:  globalStatement{fmt.Sprintf(`UPDATE %s SET sealed = $1 WHERE %s = $2`, table, key)},
		scan: func(r row) (sealedRow, error) {
			var (
				k                K
				customer, source int64
				sealed           []byte
			)
			err := r.Scan(&k, &customer, &source, &sealed)
			return sealedRow{[]any{k}, identity(table, customer, source, string(k)), sealed}, err
		},
	}
}

// connectionTable is a table of one sealed value a connection.
func connectionTable(table string) sealedTable {
	return sealedTable{
		first: []any{int64(0)}, // ids begin at 1
		page:  pageOf(`SELECT connection, customer_id, sealed FROM ` + table + ` WHERE connection > $1 ORDER BY connection`),
		save:  globalStatement{`UPDATE ` + table + ` SET sealed = $1 WHERE connection = $2`},
		scan: func(r row) (sealedRow, error) {
			var (
				esaID, customer int64
				sealed          []byte
			)
			err := r.Scan(&esaID, &customer, &sealed)
			return sealedRow{[]any{esaID}, identity(table, customer, esaID, ""), sealed}, err
		},
	}
}

// onceTable is one of the two sealed columns of the idempotency keys.
func onceTable(column, of, which string) sealedTable {
	return sealedTable{
		first: []any{int64(math.MinInt64), ""},
		page: pageOf(`SELECT customer_id, name, ` + column + ` FROM idempotency
			WHERE (customer_id, name) > ($1, $2) AND ` + which + ` ORDER BY customer_id, name`),
		save: globalStatement{`UPDATE idempotency SET ` + column + ` = $1 WHERE customer_id = $2 AND name = $3`},
		scan: func(r row) (sealedRow, error) {
			var (
				customer int64
				name     string
				sealed   []byte
			)
			err := r.Scan(&customer, &name, &sealed)
			return sealedRow{[]any{customer, name}, identity(of, customer, 0, name), sealed}, err
		},
	}
}

func pageOf(text string) globalStatement {
	return globalStatement{fmt.Sprintf(`%s LIMIT %d`, text, rewriteRows)}
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
		n, err := s.rewriteAll(ctx)
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
func (s *Store) rewriteAll(ctx context.Context) (int, error) {
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
	rows, err := sealedPage(ctx, in, table, after)
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
		if _, err := in.globalExec(ctx, table.save, append([]any{sealed}, row.key...)...); err != nil {
			return rewritten{}, err
		}
		page.rows++
	}
	if len(rows) == rewriteRows {
		page.last = rows[len(rows)-1].key
	}
	return page, nil
}

// sealedPage reads and locks a page; a transaction can't write while it reads rows.
func sealedPage(ctx context.Context, in scope, table sealedTable, after []any) ([]sealedRow, error) {
	rows, err := in.globalRows(ctx, globalStatement{table.page.text + in.store.lock}, after...)
	return collect(rows, err, table.scan)
}
