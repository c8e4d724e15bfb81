package sqlstore

import (
	"context"

	"esagate/registry"
)

// customerStore is a Store narrowed to one customer.
type customerStore struct {
	store    *Store
	customer int64
}

// managedRows are sources that have a connection: exactly the managed ones. Both
// tables are narrowed by name, so that each is read through its own index. The
// source comes first, because PostgreSQL locks in this order, and every writer
// locks the source before what hangs on it.
const managedRows = ` FROM sources s JOIN connections c ON c.customer_id = s.customer_id AND c.source = s.id
	WHERE s.customer_id = $1 AND c.customer_id = $1`

const selectManaged = `SELECT ` + sourceColumns + `, ` + connectionColumns + managedRows

var (
	selectBySourceID = scoped(selectManaged + ` AND s.source_id = $2`)
	selectByID       = scoped(selectManaged + ` AND c.id = $2`)
	// The page is found as that of selectAnyPage.
	selectPage = scoped(`SELECT ` + sourceColumns + `, ` + connectionColumns + `
	FROM (SELECT id FROM connections WHERE customer_id BETWEEN $1 AND $1 ORDER BY customer_id, id LIMIT $2 OFFSET $3) p
	CROSS JOIN connections c CROSS JOIN sources s
	WHERE c.customer_id = $1 AND c.id = p.id AND s.customer_id = $1 AND s.id = c.source ORDER BY c.id`)
	countManaged = scoped(`SELECT COUNT(*) FROM connections WHERE customer_id = $1`)
)

// ManagedSource finds a managed source by its sourceId.
func (c customerStore) ManagedSource(ctx context.Context, sourceID string) (*registry.Source, error) {
	if !registry.StorableID(sourceID) {
		return nil, registry.ErrNotFound
	}
	return c.one(ctx, selectBySourceID, sourceID)
}

// ManagedSourceByID finds a managed source by its connection's id.
func (c customerStore) ManagedSourceByID(ctx context.Context, esaID int64) (*registry.Source, error) {
	return c.one(ctx, selectByID, esaID)
}

func (c customerStore) one(ctx context.Context, st scopedStatement, id any) (*registry.Source, error) {
	rec, err := scanManaged(c.store.reading(c.customer).queryRow(ctx, st, id), c.customer)
	if err != nil {
		return nil, failed("read a managed source", err)
	}
	return &rec.Source, nil
}

// ManagedSources lists managed sources by connection id.
func (c customerStore) ManagedSources(ctx context.Context, skip, take int) ([]*registry.Source, int, error) {
	in := c.store.reading(c.customer)
	var total int
	if err := in.queryRow(ctx, countManaged).Scan(&total); err != nil {
		return nil, 0, failed("count managed sources", err)
	}
	skip, take = max(skip, 0), min(max(take, 0), registry.MaxPage)
	page := make([]*registry.Source, 0, min(take, total))
	rows, err := in.query(ctx, selectPage, take, skip)
	if err != nil {
		return nil, 0, failed("list managed sources", err)
	}
	defer rows.Close()
	for rows.Next() {
		rec, err := scanManaged(rows, c.customer)
		if err != nil {
			return nil, 0, failed("list managed sources", err)
		}
		page = append(page, &rec.Source)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, failed("list managed sources", err)
	}
	// Rows that came between the two statements: the total never contradicts the page.
	return page, max(total, min(skip, total)+len(page)), nil
}
