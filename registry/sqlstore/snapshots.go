package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"esagate/registry"
)

// Snapshots are found by their tenant, which one connection has at most; only those of
// that tenant count.
const ofTenant = ` FROM connections c JOIN snapshots n ON n.connection = c.id AND n.tenant_id = c.tenant_id WHERE c.tenant_id = $1`

var (
	selectSnapshot = global(`SELECT n.epoch, n.document_at, n.received_at, n.document` + ofTenant)
	deleteSnapshot = global(`DELETE FROM snapshots WHERE connection = (SELECT c.id` + ofTenant + `)`)
	// lockTenant keeps a connection, and its tenant, until the transaction ends.
	lockTenant   = global(`SELECT customer_id, id FROM connections WHERE tenant_id = $1`)
	keepSnapshot = scoped(`INSERT INTO snapshots (customer_id, connection, tenant_id, epoch, document_at, received_at, document)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (connection) DO UPDATE SET tenant_id = excluded.tenant_id, epoch = excluded.epoch,
			document_at = excluded.document_at, received_at = excluded.received_at, document = excluded.document
		WHERE snapshots.document_at <= excluded.document_at OR snapshots.received_at < $8 OR snapshots.tenant_id <> excluded.tenant_id`)
)

// Snapshot returns what KeepSnapshots kept of a tenant.
func (s *Store) Snapshot(ctx context.Context, tenantID string) (*registry.Snapshot, error) {
	if !registry.StorableID(tenantID) {
		return nil, registry.ErrNotFound
	}
	n := &registry.Snapshot{TenantID: tenantID}
	err := s.reading(0).queryRow(ctx, selectSnapshot, tenantID).Scan(
		&n.Epoch, instantColumn{&n.At}, instantColumn{&n.ReceivedAt}, &n.Document)
	if err != nil {
		return nil, failed("read a snapshot", found(err))
	}
	return n, nil
}

// ForgetSnapshot deletes what KeepSnapshots kept of a tenant.
func (s *Store) ForgetSnapshot(ctx context.Context, tenantID string) error {
	if !registry.StorableID(tenantID) {
		return nil
	}
	return failed("forget a snapshot", s.writing(ctx, 0, func(in scope) error {
		_, err := in.exec(ctx, deleteSnapshot, tenantID)
		return err
	}))
}

// KeepSnapshots keeps snapshots in place of older ones.
func (s *Store) KeepSnapshots(ctx context.Context, batch []registry.Snapshot, lapsed time.Time) error {
	if len(batch) > registry.MaxPage {
		return registry.ErrInvalid
	}
	for i := range batch {
		if n := &batch[i]; len(n.Document) > registry.MaxSnapshot || !registry.StorableID(n.TenantID) || !registry.Storable(string(n.Document)) {
			return registry.ErrInvalid
		}
	}
	// In one order, so that two of them can't wait for each other.
	batch = slices.SortedFunc(slices.Values(batch), func(a, b registry.Snapshot) int { return cmp.Compare(a.TenantID, b.TenantID) })
	return failed("keep snapshots", s.writing(ctx, 0, func(in scope) error {
		for i := range batch {
			n := &batch[i]
			var connection int64
			err := in.queryRow(ctx, lockTenant.ending(s.lock), n.TenantID).Scan(&in.customer, &connection)
			if errors.Is(err, sql.ErrNoRows) {
				continue // nobody has it any more
			}
			if err == nil {
				_, err = in.exec(ctx, keepSnapshot, connection, n.TenantID, n.Epoch, orEpoch(n.At), orEpoch(n.ReceivedAt), string(n.Document), orEpoch(lapsed))
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
