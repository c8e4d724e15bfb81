package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"esagate/registry"
)

var (
	selectSnapshot = scoped(`SELECT n.tenant_id, n.epoch, n.document_at, n.received_at, n.document
		FROM snapshots n JOIN connections c ON c.id = n.connection AND c.tenant_id = n.tenant_id
		WHERE n.customer_id = $1 AND n.connection = $2`)
	deleteSnapshot = scoped(`DELETE FROM snapshots WHERE customer_id = $1 AND connection = $2`)
	// lockTenant keeps a connection, and its tenant, until the transaction ends.
	lockTenant   = scoped(`SELECT id FROM connections WHERE customer_id = $1 AND id = $2 AND tenant_id = $3`)
	keepSnapshot = scoped(`INSERT INTO snapshots (customer_id, connection, tenant_id, epoch, document_at, received_at, document)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (connection) DO UPDATE SET tenant_id = excluded.tenant_id, epoch = excluded.epoch,
			document_at = excluded.document_at, received_at = excluded.received_at, document = excluded.document
		WHERE snapshots.document_at <= excluded.document_at OR snapshots.received_at < $8 OR snapshots.tenant_id <> excluded.tenant_id`)
)

// Snapshot returns what KeepSnapshots kept of a connection.
func (c customerStore) Snapshot(ctx context.Context, esaID int64) (*registry.Snapshot, error) {
	n := &registry.Snapshot{CustomerID: c.customer, ESAID: esaID}
	err := c.store.reading(c.customer).queryRow(ctx, selectSnapshot, esaID).Scan(
		&n.TenantID, &n.Epoch, instantColumn{&n.At}, instantColumn{&n.ReceivedAt}, &n.Document)
	if err != nil {
		return nil, failed("read a snapshot", found(err))
	}
	return n, nil
}

// ForgetSnapshot deletes what KeepSnapshots kept of a connection.
func (c customerStore) ForgetSnapshot(ctx context.Context, esaID int64) error {
	return failed("forget a snapshot", c.store.writing(ctx, c.customer, func(in scope) error {
		_, err := in.exec(ctx, deleteSnapshot, esaID)
		return err
	}))
}

// KeepSnapshots keeps snapshots in place of older ones.
func (s *Store) KeepSnapshots(ctx context.Context, batch []registry.Snapshot, lapsed time.Time) error {
	if len(batch) > registry.MaxPage {
		return registry.ErrInvalid
	}
	for i := range batch {
		if n := &batch[i]; len(n.Document) > registry.MaxSnapshot || !storable(n.TenantID, string(n.Document)) {
			return registry.ErrInvalid
		}
	}
	// In one order, so that two of them can't wait for each other.
	batch = slices.SortedFunc(slices.Values(batch), func(a, b registry.Snapshot) int { return cmp.Compare(a.ESAID, b.ESAID) })
	return failed("keep snapshots", s.writing(ctx, 0, func(in scope) error {
		for i := range batch {
			n := &batch[i]
			in.customer = n.CustomerID
			_, err := in.number(ctx, lockTenant.ending(s.lock), n.ESAID, n.TenantID)
			if errors.Is(found(err), registry.ErrNotFound) {
				continue
			}
			if err == nil {
				_, err = in.exec(ctx, keepSnapshot, n.ESAID, n.TenantID, n.Epoch, orEpoch(n.At), orEpoch(n.ReceivedAt), string(n.Document), orEpoch(lapsed))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// orEpoch writes a time where there has to be one.
func orEpoch(t time.Time) string {
	if t = registry.Instant(t); t.IsZero() {
		t = time.Unix(0, 0).UTC()
	}
	return t.Format(timeLayout)
}
