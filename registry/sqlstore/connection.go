package sqlstore

import (
	"context"
	"time"

	"esagate/registry"
)

// ChangeConnection changes a connection as decide says.
func (c customerStore) ChangeConnection(ctx context.Context, esaID int64,
	decide func(*registry.Source) (*registry.Connection, error)) (*registry.Source, error) {
	return c.change(ctx, esaID, func(_ scope, rec *record, _ time.Time) (effect, error) { return rec.decided(decide) })
}

// ChangeAudited is ChangeConnection, and records a change of the status.
func (c customerStore) ChangeAudited(ctx context.Context, esaID int64, e registry.AuditEntry,
	decide func(*registry.Source) (*registry.Connection, error)) (*registry.Source, error) {
	return c.change(ctx, esaID, func(in scope, rec *record, now time.Time) (effect, error) {
		was := rec.Connection.Provisioning
		did, err := rec.decided(decide)
		if err != nil || rec.Connection.Provisioning == was {
			return did, err
		}
		e.SourceID, e.ESAID = rec.SourceID, rec.Connection.ID
		_, err = in.insertAudit(ctx, now, e, registry.AuditSucceeded)
		return did, err
	})
}

// decided changes a record as decide says.
func (rec *record) decided(decide func(*registry.Source) (*registry.Connection, error)) (effect, error) {
	next, err := decide(rec.Clone())
	switch {
	case err != nil:
		return nothing, decisionError{err}
	case next == nil:
		return nothing, nil
	}
	return rec.become(*next)
}

// become sets a record to the connection that was decided on, in the form that is kept,
// but for what is not a decision's to change. An e-mail that comes so is not the
// config's (see followEmail).
func (rec *record) become(next registry.Connection) (effect, error) {
	was := *rec.Connection
	next.ID, next.CustomerID, next.CreatedAt, next.UpdatedAt = was.ID, was.CustomerID, was.CreatedAt, was.UpdatedAt
	next.InventorySync, next.Version = was.InventorySync, was.Version
	for _, text := range []*string{
		&next.ExternalOrgID, &next.MCPURL, &next.A2AURL, &next.ServiceAccountEmail, &next.LastError, &next.LastErrorCode, &next.LastTestTime,
	} {
		*text = registry.Text(*text)
	}
	next.AdServerSavedAt, next.LastTestedAt = registry.Instant(next.AdServerSavedAt), registry.Instant(next.LastTestedAt)
	next.ProvisionedAt, next.DeactivatedAt = registry.Instant(next.ProvisionedAt), registry.Instant(next.DeactivatedAt)
	next.UnsettledSince = registry.Instant(next.UnsettledSince)
	operation, ok := keptOperation(next.Operation)
	if !ok || !knownStatus(next.Provisioning) || next.TenantID != "" && !registry.StorableID(next.TenantID) {
		return nothing, registry.ErrInvalid
	}
	next.Operation = operation
	if next.AdServer != nil {
		var err error
		if next.AdServer, err = keptAdServer(*next.AdServer); err != nil {
			return nothing, registry.ErrInvalid // JSON has no word for one of its numbers
		}
	}
	changed, visible := was.Changed(&next)
	if !changed {
		return nothing, nil
	}
	if next.ServiceAccountEmail != was.ServiceAccountEmail {
		rec.emailLearned = next.ServiceAccountEmail != ""
	}
	*rec.Connection = next
	if visible {
		return seen, nil
	}
	return noted, nil
}

// keptOperation returns a copy in the form that is kept; false for one without a kind or
// an id, which would not be read back as it was. Nil is none.
func keptOperation(o *registry.Operation) (*registry.Operation, bool) {
	if o == nil {
		return nil, true
	}
	kept := *o
	kept.Begun, kept.Until = registry.Instant(o.Begun), registry.Instant(o.Until)
	return &kept, o.Kind != "" && o.ID != "" && storable(string(o.Kind), o.ID)
}

func knownStatus(p registry.ProvisioningStatus) bool {
	switch p {
	case registry.StatusPending, registry.StatusProvisioning, registry.StatusActive, registry.StatusFailed, registry.StatusDeactivated:
		return true
	}
	return false
}
