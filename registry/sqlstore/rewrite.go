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
	{
		first: []any{""},
		page:  pageOf(`SELECT id, customer_id, source, sealed FROM credentials WHERE id > $1 ORDER BY id`),
		save:  globalStatement{`UPDATE credentials SET sealed = $1 WHERE id = $2`},
		scan: func(r row) (sealedRow, error) {
			var (
				id               string
				customer, source int64
				sealed           []byte
			)
			err := r.Scan(&id, &customer, &source, &sealed)
			return sealedRow{[]any{id}, identity("credentials", customer, source, id), sealed}, err
		},
	},
	{
		first: []any{[]byte{0}}, // shorter than any hash
		page:  pageOf(`SELECT state_hash, customer_id, source, sealed FROM consents WHERE state_hash > $1 ORDER BY state_hash`),
		save:  globalStatement{`UPDATE consents SET sealed = $1 WHERE state_hash = $2`},
		scan: func(r row) (sealedRow, error) {
			var (
				customer, source int64
				state, sealed    []byte
			)
			err := r.Scan(&state, &customer, &source, &sealed)
			return sealedRow{[]any{state}, identity("consents", customer, source, string(state)), sealed}, err
		},
	},
	settingsTable,
	onceTable("sealed", "idempotency", `sealed IS NOT NULL`),
	// A fingerprint is longer than its hash if it is sealed.
	onceTable("fingerprint", printIdentity, `length(fingerprint) > 32`),
	sealedSubscriptions,
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
			return done, failed("rewrite secrets", err)
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
			var page rewritten
			err := s.writing(ctx, 0, func(in scope) (err error) {
				page, err = s.rewritePage(ctx, in, table, after)
				return err
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

func (s *Store) rewritePage(ctx context.Context, in scope, table sealedTable, after []any) (rewritten, error) {
	if err := s.lockBulk(ctx, in, s.lock); err != nil {
		return rewritten{}, err
	}
	rows, err := s.sealedPage(ctx, in, table, after)
	if err != nil {
		return rewritten{}, err
	}
	var page rewritten
	for _, row := range rows {
		if s.vault.Current(row.sealed) {
			continue
		}
		plain, err := s.unseal(row.sealed, row.identity)
		if err != nil {
			page.shut = true
			continue
		}
		sealed, err := s.seal(plain, row.identity)
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
func (s *Store) sealedPage(ctx context.Context, in scope, table sealedTable, after []any) ([]sealedRow, error) {
	rows, err := in.globalRows(ctx, globalStatement{table.page.text + s.lock}, after...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var page []sealedRow
	for rows.Next() {
		row, err := table.scan(rows)
		if err != nil {
			return nil, err
		}
		page = append(page, row)
	}
	return page, rows.Err()
}
