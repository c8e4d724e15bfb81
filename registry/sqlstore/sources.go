package sqlstore

import (
	"context"

	"esagate/registry"
)

// sourceJoins brings what hangs on a source s, where there is any. Each table is
// narrowed to the customer by name, so that each is read through its own index.
const sourceJoins = ` LEFT JOIN connections c ON c.customer_id = $1 AND c.source = s.id
	LEFT JOIN credentials r ON r.customer_id = $1 AND r.source = s.id`

const selectAny = `SELECT ` + sourceColumns + `, ` + agentColumns + `, ` + connectionColumns

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

// Source finds a source of either kind by its sourceId.
func (c customerStore) Source(ctx context.Context, sourceID string) (*registry.Source, error) {
	if !registry.StorableID(sourceID) {
		return nil, registry.ErrNotFound
	}
	src, err := c.store.reading(c.customer).source(ctx, selectAnyBySourceID, sourceID)
	if err != nil {
		return nil, failed("read a source", err)
	}
	return src, nil
}

// Sources lists sources of both kinds by id.
func (c customerStore) Sources(ctx context.Context, skip, take int) ([]*registry.Source, error) {
	page, err := c.page(ctx, max(skip, 0), min(max(take, 0), registry.MaxPage))
	if err != nil {
		return nil, failed("list sources", err)
	}
	return page, nil
}

func (c customerStore) page(ctx context.Context, skip, take int) ([]*registry.Source, error) {
	rows, err := c.store.reading(c.customer).query(ctx, selectAnyPage, take, skip)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	page := make([]*registry.Source, 0, take)
	for rows.Next() {
		src, err := scanSource(rows, c.customer)
		if err != nil {
			return nil, err
		}
		page = append(page, src)
	}
	return page, rows.Err()
}

// CountSources gives how many sources there are.
func (c customerStore) CountSources(ctx context.Context) (int, error) {
	var n int
	if err := c.store.reading(c.customer).queryRow(ctx, countSources).Scan(&n); err != nil {
		return 0, failed("count sources", err)
	}
	return n, nil
}

// source reads one source.
func (s scope) source(ctx context.Context, st scopedStatement, id any) (*registry.Source, error) {
	return scanSource(s.queryRow(ctx, st, id), s.customer)
}

// lockedSource reads a source that the transaction is about to change: nobody else
// changes it, or what hangs on it, before the transaction ends.
func (s *Store) lockedSource(ctx context.Context, in scope, sourceID string) (*registry.Source, error) {
	if !registry.StorableID(sourceID) {
		return nil, registry.ErrNotFound
	}
	var id int64
	if err := in.queryRow(ctx, scopedStatement{lockSource.text + s.lock}, sourceID).Scan(&id); err != nil {
		return nil, found(err)
	}
	return in.source(ctx, selectAnyByRow, id)
}

// lockedAgent is lockedSource for what only an AGENT source has; ErrNotFound for a
// managed one.
func (s *Store) lockedAgent(ctx context.Context, in scope, sourceID string) (*registry.Source, error) {
	src, err := s.lockedSource(ctx, in, sourceID)
	if err == nil && src.Agent == nil {
		return nil, registry.ErrNotFound
	}
	return src, err
}

// onAgent runs f on a locked AGENT source and gives the source as it then stands.
func (c customerStore) onAgent(ctx context.Context, what, sourceID string, f func(in scope, src *registry.Source) error) (*registry.Source, error) {
	var after *registry.Source
	err := c.store.writing(ctx, c.customer, func(in scope) error {
		src, err := c.store.lockedAgent(ctx, in, sourceID)
		if err != nil {
			return err
		}
		if err := f(in, src); err != nil {
			return err
		}
		after, err = in.source(ctx, selectAnyByRow, src.ID)
		return err
	})
	if err != nil {
		return nil, failed(what, err)
	}
	return after, nil
}
