package registry

import (
	"context"
	"errors"
	"strconv"

	"esagate/internal/fault"
)

const (
	noSubscription = "There is no webhook subscription of this source."
	noTenant       = "There is no connection of this tenant."
)

// WebhookTarget tells who deliveries for a tenant are for, as Store does. Nothing of it
// is remembered: a secret that was replaced is not believed again.
func (d *Directory) WebhookTarget(ctx context.Context, tenantID string) (*WebhookTarget, error) {
	return readAlone(ctx, d, noTenant, func(ctx context.Context) (*WebhookTarget, error) {
		return d.store.WebhookTarget(ctx, tenantID)
	})
}

// Subscription gives a connection's subscription as CustomerStore does, and like
// WebhookTarget from the store alone. Internal over ErrSecret.
func (d *Directory) Subscription(ctx context.Context, customer, esaID int64) (*Subscription, error) {
	return readAlone(ctx, d, noSubscription, func(ctx context.Context) (*Subscription, error) {
		return d.store.Customer(customer).Subscription(ctx, esaID)
	})
}

// ChangeSubscription changes a connection's subscription as CustomerStore does. An
// error of decide is given as it is.
func (d *Directory) ChangeSubscription(ctx context.Context, customer, esaID int64, decide func(*Subscription) (*Subscription, error)) (*Subscription, error) {
	var s *Subscription
	key := d.keyOfESA(customer, esaID)
	_, err := d.changeBy(ctx, key, managedFault, func(ctx context.Context, c CustomerStore) (err error) {
		s, err = c.ChangeSubscription(ctx, esaID, func(was *Subscription) (*Subscription, error) {
			next, err := decide(was)
			return next, refuse(err)
		})
		return err
	})
	d.news.wrote(esaKey{customer, esaID}, d.shelf.now())
	if err != nil {
		return nil, err
	}
	d.memory.doubt(key) // the connection can have a new Version, which was not given
	d.shelf.doubt(customer)
	return s, nil
}

// RecordEvent takes in a delivery as CustomerStore does. Internal over ErrInvalid: its
// ID is to be looked at before.
func (d *Directory) RecordEvent(ctx context.Context, customer, esaID int64, e Event) (duplicate bool, m *Source, err error) {
	began, err := d.changeBy(ctx, d.keyOfESA(customer, esaID), managedFault, func(ctx context.Context, c CustomerStore) (err error) {
		duplicate, m, err = c.RecordEvent(ctx, esaID, e)
		return err
	})
	d.news.wrote(esaKey{customer, esaID}, d.shelf.now())
	if err != nil {
		return false, nil, err
	}
	d.changed(m, began)
	return duplicate, d.memory.latest(m), nil
}

// readAlone makes a read that is shared with nobody and remembered nowhere; none says
// that there is nothing to read.
func readAlone[T any](ctx context.Context, d *Directory, none string, read func(context.Context) (T, error)) (T, error) {
	name := "alone/" + strconv.FormatInt(d.shelf.now().tick, 10)
	answer, err := d.await(ctx, false, name, func(ctx context.Context) (any, error) { return read(ctx) })
	if err != nil {
		var zero T
		return zero, newsFault(err, none)
	}
	return answer.(T), nil
}

// newsFault is sourceFault with other words for what is not there.
func newsFault(err error, none string) error {
	if errors.Is(err, ErrNotFound) {
		return fault.Wrap(fault.NotFound, none, err)
	}
	return sourceFault(err)
}
