package sqlstore

import (
	"context"
	"time"

	"esagate/registry"
)

// overviewOf is a query for managed sources by connection id, with how they stand and the last
// write to them; all of them, or those for which more holds.
//
// CROSS JOIN has SQLite begin with the connections, whose order is the answer's. Each row's last
// write is looked up, newest first, which costs a third of what reading the rows does: no write has to keep
// it elsewhere, and what older replicas recorded counts. It is one of this row: the sourceId may
// have been another's before, whose entries have another esaId, or none and an earlier time.
func overviewOf(more string) string {
	return `SELECT c.customer_id, n.state, n.issue, n.since, n.version, n.document_at, n.received_at, n.facts, w.actor, w.operator, w.at, ` + managedColumns + `
	FROM connections c CROSS JOIN sources s
	LEFT JOIN standings n ON n.customer_id = c.customer_id AND n.connection = c.id
	LEFT JOIN audit w ON w.customer_id = c.customer_id AND w.id = (SELECT a.id FROM audit a WHERE a.customer_id = c.customer_id
		AND a.source_id = s.source_id AND a.outcome = 'succeeded' AND (a.esa_id = c.id OR a.esa_id IS NULL AND a.at >= s.created_at)
		ORDER BY a.id DESC LIMIT 1)
	WHERE s.customer_id = c.customer_id AND s.id = c.source` + more + ` ORDER BY c.id`
}

// refusedOf is a query for the sources whose agents refuse their credentials; all of them, or those for which more
// holds. With other credentials than those that were refused nothing was.
func refusedOf(more, limit string) string {
	return `SELECT s.customer_id, ` + anyColumns + ` FROM sources s
	LEFT JOIN connections c ON c.customer_id = s.customer_id AND c.source = s.id
	LEFT JOIN credentials r ON r.customer_id = s.customer_id AND r.source = s.id
	WHERE s.refused_at IS NOT NULL AND s.status = 'ACTIVE' AND s.refused_id = COALESCE(r.id, '')` + more + ` ORDER BY s.id LIMIT ` + limit
}

const stateColumns = `h.customer_id, h.connection, h.state, h.issue, h.at`

var (
	selectOverview    = scoped(overviewOf(` AND c.customer_id = $1 AND s.customer_id = $1`))
	selectAllOverview = global(overviewOf(``))
	// A state ended at the time at which the next began.
	selectStates = scoped(`SELECT ` + stateColumns + ` FROM state_changes h
		WHERE h.customer_id = $1 AND (h.ended_at IS NULL OR h.ended_at > $2) ORDER BY h.connection, h.at`)
	selectAllStates = global(`SELECT ` + stateColumns + ` FROM state_changes h
		WHERE h.ended_at IS NULL OR h.ended_at > $1 ORDER BY h.connection, h.at`)

	selectRefused    = scoped(refusedOf(` AND s.customer_id = $1`, `$2`))
	selectAllRefused = global(refusedOf(``, `$1`))
)

// allCustomers is a Store's overviews of all customers.
type allCustomers struct{ store *Store }

// All returns overviews of all customers' sources.
func (s *Store) All() registry.OverviewStore { return allCustomers{s} }

// Overview lists all managed sources with how they stand.
func (c customerStore) Overview(ctx context.Context) ([]registry.SourceStanding, error) {
	return overview(ctx, c.store.reading(c.customer), selectOverview)
}

// Overview is that of a customer, over all.
func (a allCustomers) Overview(ctx context.Context) ([]registry.SourceStanding, error) {
	return overview(ctx, a.store.reading(0), selectAllOverview)
}

func overview(ctx context.Context, in scope, st anyStatement) ([]registry.SourceStanding, error) {
	all, err := query(ctx, in, st, func(r row) (registry.SourceStanding, error) {
		var n registry.Standing
		src, err := scanSource(r, &n.CustomerID, &n.CustomerID, orZero(&n.State), orZero(&n.Issue), instantColumn{&n.Since}, orZero(&n.Version),
			instantColumn{&n.DocumentAt}, instantColumn{&n.ReceivedAt}, &n.Facts, orZero(&n.ChangedBy), orZero(&n.ByOperator), instantColumn{&n.ChangedAt})
		if err != nil {
			return registry.SourceStanding{}, err
		}
		n.ESAID = src.Connection.ID
		return registry.SourceStanding{Source: src, Standing: n}, nil
	})
	return all, failed("read an overview", err)
}

// StateChanges lists the states that sources were in at a time or since.
func (c customerStore) StateChanges(ctx context.Context, since time.Time) ([]registry.StateChange, error) {
	return stateChanges(ctx, c.store.reading(c.customer), selectStates, since)
}

// StateChanges is that of a customer, over all.
func (a allCustomers) StateChanges(ctx context.Context, since time.Time) ([]registry.StateChange, error) {
	return stateChanges(ctx, a.store.reading(0), selectAllStates, since)
}

func stateChanges(ctx context.Context, in scope, st anyStatement, since time.Time) ([]registry.StateChange, error) {
	all, err := query(ctx, in, st, func(r row) (h registry.StateChange, err error) {
		err = r.Scan(&h.CustomerID, &h.ESAID, &h.State, orZero(&h.Issue), instantColumn{&h.At})
		return h, err
	}, orEpoch(since))
	return all, failed("read states", err)
}

// RefusedAgents lists the sources whose agents refuse their credentials.
func (c customerStore) RefusedAgents(ctx context.Context) ([]*registry.Source, error) {
	return refusedAgents(ctx, c.store.reading(c.customer), selectRefused)
}

// RefusedAgents is that of a customer, over all.
func (a allCustomers) RefusedAgents(ctx context.Context) ([]*registry.Source, error) {
	return refusedAgents(ctx, a.store.reading(0), selectAllRefused)
}

func refusedAgents(ctx context.Context, in scope, st anyStatement) ([]*registry.Source, error) {
	all, err := query(ctx, in, st, func(r row) (*registry.Source, error) {
		var customer int64
		return scanSource(r, &customer, &customer)
	}, registry.MaxPage)
	return all, failed("read refused agents", err)
}
