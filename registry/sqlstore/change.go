package sqlstore

import (
	"context"
	"fmt"
	"time"

	"esagate/registry"
)

// updateConnection writes every column that a change of a connection can touch.
var updateConnection = scoped(`UPDATE connections SET
	external_org_id = $3, provisioning_status = $4, deactivated_at = $5, ad_server = $6, service_account_email = $7,
	email_learned = $8, last_error = $9, last_error_code = $10, last_tested_at = $11, last_test_passed = $12,
	updated_at = $13, sync_status = $14, sync_last_run_at = $15, sync_completed_at = $16, sync_item_count = $17,
	sync_error = $18, sync_updated_at = $19, sync_observed_at = $20, version = $21,
	tenant_id = $22, mcp_url = $23, a2a_url = $24, ad_server_saved_at = $25, provisioned_at = $26,
	operation_kind = $27, operation_id = $28, operation_begun_at = $29, operation_until = $30, unsettled_since = $31, epoch = $32,
	last_test_time = $33
	WHERE customer_id = $1 AND id = $2`)

// save writes a record that was read and locked in the same transaction. ErrTenantTaken
// when another connection has its tenant; what else is unique never changes.
func (s scope) save(ctx context.Context, rec *record) error {
	c := rec.Connection
	adServer, err := encodeAdServer(c.AdServer)
	if err != nil {
		return err
	}
	sync := registry.InventorySync{}
	if c.InventorySync != nil {
		sync = *c.InventorySync
	}
	operation := registry.Operation{}
	if c.Operation != nil {
		operation = *c.Operation
	}
	changed, err := s.exec(ctx, updateConnection, c.ID,
		nullText(c.ExternalOrgID), string(c.Provisioning), nullTime(c.DeactivatedAt), adServer, nullText(c.ServiceAccountEmail),
		rec.emailLearned, nullText(c.LastError), nullText(c.LastErrorCode), nullTime(c.LastTestedAt), c.LastTestPassed,
		nullTime(c.UpdatedAt), nullText(sync.Status), nullTime(sync.LastRunAt), nullTime(sync.CompletedAt), sync.ItemCount,
		nullText(sync.Error), nullTime(sync.UpdatedAt), nullTime(sync.ObservedAt), c.Version,
		nullText(c.TenantID), nullText(c.MCPURL), nullText(c.A2AURL), nullTime(c.AdServerSavedAt), nullTime(c.ProvisionedAt),
		nullText(operation.Kind), nullText(operation.ID), nullTime(operation.Begun), nullTime(operation.Until),
		nullTime(c.UnsettledSince), c.Epoch, nullText(c.LastTestTime))
	if notUnique(err) {
		return registry.ErrTenantTaken
	}
	if err == nil && changed != 1 {
		return fmt.Errorf("update connection: %d rows changed", changed)
	}
	return err
}

// locked reads a record that the transaction is about to change: no other
// transaction changes it before this one ends.
func locked(ctx context.Context, in scope, st statement, id any) (*record, error) {
	return scanRecord(in.queryRow(ctx, st.ending(in.store.lock), id), &in.customer)
}

// effect is what a change did to a record.
type effect uint8

const (
	nothing effect = iota // the record stays as it is
	unseen                // it changed where no replica follows it: no new version
	noted                 // it has a new version, by which replicas follow it
	seen                  // a reader could see it: a new version and a new UpdatedAt
)

// change reads a connection, lets f change it in memory, and writes it, in one
// transaction: writers come one after the other, each on what the last one left.
func (c customerStore) change(ctx context.Context, esaID int64,
	f func(in scope, rec *record, now time.Time) (effect, error)) (*registry.Source, error) {
	return write(ctx, c.store, c.customer, "change a connection", func(in scope) (*registry.Source, error) {
		rec, err := locked(ctx, in, selectManagedByID, esaID)
		if err != nil {
			return nil, err
		}
		now := c.store.instant()
		did, err := f(in, rec, now)
		if err != nil || did == nothing {
			return &rec.Source, err
		}
		if did != unseen {
			rec.Connection.Version++
		}
		if did == seen {
			rec.Connection.UpdatedAt = now
		}
		return &rec.Source, in.save(ctx, rec)
	})
}

// ObserveInventorySync records a signal if it is newer than the last one.
func (c customerStore) ObserveInventorySync(ctx context.Context, esaID int64,
	signal registry.InventorySync) (*registry.Source, error) {
	signal = signal.Kept()
	return c.change(ctx, esaID, func(_ scope, rec *record, _ time.Time) (effect, error) { return rec.observe(signal), nil })
}

// observe records a signal in the form that is kept.
func (rec *record) observe(signal registry.InventorySync) effect {
	last := rec.Connection.InventorySync
	state := signal.Following(last)
	switch {
	case state.ObservedAt.IsZero(), last != nil && !state.ObservedAt.After(last.ObservedAt):
		return nothing
	case last.SameState(&state):
		last.ObservedAt = state.ObservedAt
		return unseen
	}
	rec.Connection.InventorySync = &state
	return noted
}
