package registry

import (
	"context"
	"errors"

	"esagate/internal/fault"
)

const (
	noSettings     = "There are no kept settings of this source."
	noSubscription = "There is no webhook subscription of this source."
	noTenant       = "There is no connection of this tenant."
	noAuditEntry   = "There is no audit entry with this id."
	badCursor      = "The cursor is not one that was given out here."
)

// ClaimIdempotencyKey claims an idempotency key for a request that makes no source, as
// CustomerStore does. Conflicts as CreateSource.
func (d *Directory) ClaimIdempotencyKey(ctx context.Context, customer int64, once IdempotencyRecord) (Creation, error) {
	begun, _, err := write(ctx, d, ofSource(customer, ""), func(ctx context.Context, c CustomerStore) (Creation, error) {
		return c.ClaimIdempotencyKey(ctx, once)
	})
	return begun, err
}

// KeepAnswer keeps the answer of a create whose [IdempotencyRecord] gave none.
func (d *Directory) KeepAnswer(ctx context.Context, customer int64, key string, answer []byte) error {
	return writeOnly(ctx, d, ofSource(customer, ""), func(ctx context.Context, c CustomerStore) error {
		return c.KeepAnswer(ctx, key, answer)
	})
}

// ReleaseIdempotencyKey takes note that a request without a kept answer came to nothing.
func (d *Directory) ReleaseIdempotencyKey(ctx context.Context, customer int64, key string) error {
	return writeOnly(ctx, d, ofSource(customer, ""), func(ctx context.Context, c CustomerStore) error {
		return c.ReleaseIdempotencyKey(ctx, key)
	})
}

// KeepSettings keeps the ad-server settings that are to be put back; nil forgets them.
func (d *Directory) KeepSettings(ctx context.Context, customer, esaID int64, settings []byte) error {
	return writeOnly(ctx, d, ofConnection(d, customer, esaID), func(ctx context.Context, c CustomerStore) error {
		return c.KeepSettings(ctx, esaID, settings)
	})
}

// Settings returns what KeepSettings kept, from the store alone: NotFound without.
func (d *Directory) Settings(ctx context.Context, customer, esaID int64) ([]byte, error) {
	return readUncached(ctx, d, noSettings, func(ctx context.Context) ([]byte, error) {
		return d.store.Customer(customer).Settings(ctx, esaID)
	})
}

// WebhookTarget tells who deliveries for a tenant are for, as Store does. Nothing of it
// is cached, so that a replaced secret is not accepted again.
func (d *Directory) WebhookTarget(ctx context.Context, tenantID string) (*WebhookTarget, error) {
	return readUncached(ctx, d, noTenant, func(ctx context.Context) (*WebhookTarget, error) {
		return d.store.WebhookTarget(ctx, tenantID)
	})
}

// Subscription returns a connection's subscription as CustomerStore does, and like
// WebhookTarget from the store alone. Internal over ErrSecret.
func (d *Directory) Subscription(ctx context.Context, customer, esaID int64) (*Subscription, error) {
	return readUncached(ctx, d, noSubscription, func(ctx context.Context) (*Subscription, error) {
		return d.store.Customer(customer).Subscription(ctx, esaID)
	})
}

// ChangeSubscription changes a connection's subscription as CustomerStore does.
func (d *Directory) ChangeSubscription(ctx context.Context, customer, esaID int64,
	decide func(*Subscription) (*Subscription, error)) (*Subscription, error) {
	t := ofConnection(d, customer, esaID)
	sub, _, err := write(ctx, d, t, func(ctx context.Context, c CustomerStore) (*Subscription, error) {
		return c.ChangeSubscription(ctx, esaID, deciding(decide))
	})
	d.counts.Expire(esaKey(customer, esaID))
	d.sources.Expire(sourceKey(customer, t.sourceID)) // the connection may have a new Version, which was not returned
	return sub, err
}

// RecordEvent takes in a delivery as CustomerStore does. Internal over ErrInvalid: its
// ID is to be checked before.
func (d *Directory) RecordEvent(ctx context.Context, customer, esaID int64, e Event) (duplicate bool, src *Source, err error) {
	src, err = writeSource(ctx, d, ofConnection(d, customer, esaID), func(ctx context.Context, c CustomerStore) (src *Source, err error) {
		duplicate, src, err = c.RecordEvent(ctx, esaID, e)
		return src, err
	})
	d.counts.Expire(esaKey(customer, esaID))
	return duplicate, src, err
}

// DeliveryCounts counts a connection's deliveries as CustomerStore does: from memory while
// that is fresh, and as it was last known while the store is away or slow.
func (d *Directory) DeliveryCounts(ctx context.Context, customer, esaID int64) (DeliveryCounts, error) {
	doc, err := get(ctx, d, d.counts, esaKey(customer, esaID), 0, false, func(ctx context.Context) (plain[DeliveryCounts], error) {
		counts, err := d.store.Customer(customer).DeliveryCounts(ctx, esaID)
		return plain[DeliveryCounts]{counts}, err
	})
	if err != nil {
		return DeliveryCounts{}, storeFault(err, noManaged)
	}
	return doc.is, nil
}

func auditOf(customer int64) target { return target{customer: customer, none: noAuditEntry} }

// BeginAudit records that a write begins, as CustomerStore does: what can't be recorded
// could not be written either.
func (d *Directory) BeginAudit(ctx context.Context, customer int64, e AuditEntry) (string, error) {
	id, _, err := write(ctx, d, auditOf(customer), func(ctx context.Context, c CustomerStore) (string, error) {
		return c.BeginAudit(ctx, e)
	})
	if err != nil {
		e := fault.As(err)
		if e.Kind == fault.Unavailable {
			e.Message = unreachable // what was to be recorded has not been begun
		}
		return "", e
	}
	return id, nil
}

// FinishAudit records what became of a write, as CustomerStore does.
func (d *Directory) FinishAudit(ctx context.Context, customer int64, id string, result AuditResult) error {
	return writeOnly(ctx, d, auditOf(customer), func(ctx context.Context, c CustomerStore) error {
		return c.FinishAudit(ctx, id, result)
	})
}

// Audit returns a page of entries as CustomerStore does; from the store alone. BadRequest
// over ErrInvalid: the query holds what no Store returned.
func (d *Directory) Audit(ctx context.Context, customer int64, q AuditQuery) (page []AuditEntry, more bool, err error) {
	page, err = readUncached(ctx, d, noAuditEntry, func(ctx context.Context) (page []AuditEntry, err error) {
		page, more, err = d.store.Customer(customer).Audit(ctx, q)
		return page, err
	})
	if errors.Is(err, ErrInvalid) {
		err = fault.Wrap(fault.BadRequest, badCursor, err)
	}
	return page, more, err
}
