package sqlstore

import (
	"context"

	"esagate/registry"
)

// sourceJoins brings what hangs on a source s, where there is any. Each table is
// narrowed to the customer by name, so that each is read through its own index.
const sourceJoins = ` LEFT JOIN connections c ON c.customer_id = $1 AND c.source = s.id
	LEFT JOIN credentials r ON r.customer_id = $1 AND r.source = s.id`

const selectAny = `SELECT ` + anyColumns

var (
	selectAnyBySourceID = scoped(selectAny + ` FROM sources s` + sourceJoins + ` WHERE s.customer_id = $1 AND s.source_id = $2`)
	selectAnyByRow      = scoped(selectAny + ` FROM sources s` + sourceJoins + ` WHERE s.customer_id = $1 AND s.id = $2`)
	// The page is found by the index of the customer's ids alone: rows that are skipped
	// are not read. It is a range, because of a column that equals something PostgreSQL
	// leaves the order out, and then takes the order of all customers' ids for cheaper.
	// It is joined by CROSS JOIN, whose order SQLite keeps: by its own choice it begins
	// with all rows of the customer. For PostgreSQL both are one.
	selectAnyPage = scoped(selectAny + ` FROM (SELECT id FROM sources WHERE customer_id BETWEEN $1 AND $1 ORDER BY customer_id, id LIMIT $2 OFFSET $3) p
	CROSS JOIN sources s` + sourceJoins + ` WHERE s.customer_id = $1 AND s.id = p.id ORDER BY s.id`)
	countSources = scoped(`SELECT COUNT(*) FROM sources WHERE customer_id = $1`)

	// lockSource has no outer join: PostgreSQL can't lock through one.
	lockSource = scoped(`SELECT id FROM sources WHERE customer_id = $1 AND source_id = $2`)
)

// managedRows are sources that have a connection: exactly the managed ones. Both
// tables are narrowed by name, so that each is read through its own index. The
// source comes first, because PostgreSQL locks in this order, and every writer
// locks the source before what hangs on it.
const managedRows = ` FROM sources s JOIN connections c ON c.customer_id = s.customer_id AND c.source = s.id
	WHERE s.customer_id = $1 AND c.customer_id = $1`

var (
	selectManagedBySourceID = scoped(`SELECT ` + managedColumns + managedRows + ` AND s.source_id = $2`)
	selectManagedByID       = scoped(`SELECT ` + managedColumns + managedRows + ` AND c.id = $2`)
	// The page is found as that of selectAnyPage.
	selectManagedPage = scoped(`SELECT ` + managedColumns + `
	FROM (SELECT id FROM connections WHERE customer_id BETWEEN $1 AND $1 ORDER BY customer_id, id LIMIT $2 OFFSET $3) p
	CROSS JOIN connections c CROSS JOIN sources s
	WHERE c.customer_id = $1 AND c.id = p.id AND s.customer_id = $1 AND s.id = c.source ORDER BY c.id`)
	countManaged = scoped(`SELECT COUNT(*) FROM connections WHERE customer_id = $1`)
)

// customerStore is a Store narrowed to one customer.
type customerStore struct {
	store    *Store
	customer int64
}

// Source finds a source of either kind by its sourceId.
func (c customerStore) Source(ctx context.Context, sourceID string) (*registry.Source, error) {
	if !registry.StorableID(sourceID) {
		return nil, registry.ErrNotFound
	}
	return c.read(ctx, selectAnyBySourceID, sourceID)
}

// ManagedSourceByID finds a managed source by its connection's id.
func (c customerStore) ManagedSourceByID(ctx context.Context, esaID int64) (*registry.Source, error) {
	return c.read(ctx, selectManagedByID, esaID)
}

func (c customerStore) read(ctx context.Context, st statement, id any) (*registry.Source, error) {
	src, err := c.store.reading(c.customer).source(ctx, st, id)
	return src, failed("read a source", err)
}

// Sources lists sources of both kinds by id.
func (c customerStore) Sources(ctx context.Context, skip, take int) ([]*registry.Source, int, error) {
	return c.list(ctx, countSources, selectAnyPage, skip, take)
}

// ManagedSources lists managed sources by connection id.
func (c customerStore) ManagedSources(ctx context.Context, skip, take int) ([]*registry.Source, int, error) {
	return c.list(ctx, countManaged, selectManagedPage, skip, take)
}

func (c customerStore) list(ctx context.Context, count, page statement, skip, take int) ([]*registry.Source, int, error) {
	in := c.store.reading(c.customer)
	counted, err := in.number(ctx, count)
	if err != nil {
		return nil, 0, failed("count sources", err)
	}
	total, skip, take := int(counted), max(skip, 0), min(max(take, 0), registry.MaxPage)
	list, err := query(ctx, in, page, func(r row) (*registry.Source, error) { return scanSource(r, &c.customer) }, take, skip)
	if err != nil {
		return nil, 0, failed("list sources", err)
	}
	// Rows that came between the two statements: the total never contradicts the page.
	return list, max(total, min(skip, total)+len(list)), nil
}

// source reads one source.
func (s scope) source(ctx context.Context, st statement, id any) (*registry.Source, error) {
	return scanSource(s.queryRow(ctx, st, id), &s.customer)
}

func scanSource(r row, customer *int64, before ...any) (*registry.Source, error) {
	rec, err := scanRecord(r, customer, before...)
	if err != nil {
		return nil, err
	}
	return &rec.Source, nil
}

// lockedSource reads a source that the transaction is about to change: no other
// transaction changes it, or what belongs to it, before this one ends.
func lockedSource(ctx context.Context, in scope, sourceID string) (*registry.Source, error) {
	if !registry.StorableID(sourceID) {
		return nil, registry.ErrNotFound
	}
	id, err := in.number(ctx, lockSource.ending(in.store.lock), sourceID)
	if err != nil {
		return nil, found(err)
	}
	return in.source(ctx, selectAnyByRow, id)
}

// lockedAgent is lockedSource for what only an AGENT source has; ErrNotFound for a
// managed one.
func lockedAgent(ctx context.Context, in scope, sourceID string) (*registry.Source, error) {
	src, err := lockedSource(ctx, in, sourceID)
	if err == nil && src.Agent == nil {
		return nil, registry.ErrNotFound
	}
	return src, err
}

// onAgent runs f on a locked AGENT source and gives the source as it then stands.
func (c customerStore) onAgent(ctx context.Context, what, sourceID string,
	f func(in scope, src *registry.Source) error) (*registry.Source, error) {
	return write(ctx, c.store, c.customer, what, func(in scope) (*registry.Source, error) {
		src, err := lockedAgent(ctx, in, sourceID)
		if err != nil {
			return nil, err
		}
		id := src.ID
		if err := f(in, src); err != nil {
			return nil, err
		}
		return in.source(ctx, selectAnyByRow, id)
	})
}
