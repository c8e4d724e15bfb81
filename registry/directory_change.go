package registry

import (
	"context"
	"errors"
)

// CreateSource makes an AGENT source as CustomerStore does. Conflict when the
// sourceId is taken, when the idempotency key was used for something else, and while
// its first use is still being answered. Unavailable, here and in the other writes,
// says by its RetryAfter when to come again.
func (d *Directory) CreateSource(ctx context.Context, customer int64, s NewSource, once *Once) (Creation, error) {
	return d.create(ctx, customer, func(ctx context.Context, c CustomerStore) (Creation, error) {
		return c.CreateSource(ctx, s, once)
	})
}

// create makes a source of either kind.
func (d *Directory) create(ctx context.Context, customer int64, run func(context.Context, CustomerStore) (Creation, error)) (Creation, error) {
	var made Creation
	began, err := d.change(ctx, sourceKey{customer: customer}, func(ctx context.Context, c CustomerStore) (err error) {
		made, err = run(ctx, c)
		return err
	})
	if err != nil {
		return Creation{}, err
	}
	if made.Source != nil {
		d.remember(made.Source, began, !made.Replayed)
		d.shelf.created(made.Source, began, !made.Replayed)
	}
	return made, nil
}

// FinishOnce keeps the answer of a create whose [Once] gave none.
func (d *Directory) FinishOnce(ctx context.Context, customer int64, key string, answer []byte) error {
	_, err := d.change(ctx, sourceKey{customer: customer}, func(ctx context.Context, c CustomerStore) error {
		return c.FinishOnce(ctx, key, answer)
	})
	return err
}

// UpdateSource changes a source of either kind as CustomerStore does. An error of
// decide is given as it is.
func (d *Directory) UpdateSource(ctx context.Context, customer int64, sourceID string, decide func(*Source) (SourceChange, error)) (*Source, error) {
	var s *Source
	began, err := d.change(ctx, sourceKey{customer, sourceID}, func(ctx context.Context, c CustomerStore) (err error) {
		s, err = c.UpdateSource(ctx, sourceID, func(was *Source) (SourceChange, error) {
			change, err := decide(was)
			return change, refuse(err)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	d.changed(s, began)
	return s, nil
}

// changed puts into memory what a write that began at a moment made of a source.
func (d *Directory) changed(s *Source, began moment) {
	newest := d.remember(s, began, true)
	var m *Source
	if newest.Connection != nil {
		m = newest
	}
	d.shelf.changed(newest, m, began)
}

// DeleteSource deletes a source of either kind as CustomerStore does. An error of
// allow is given as it is.
func (d *Directory) DeleteSource(ctx context.Context, customer int64, sourceID string, allow func(*Source) error) (*Source, error) {
	var s *Source
	began, err := d.change(ctx, sourceKey{customer, sourceID}, func(ctx context.Context, c CustomerStore) (err error) {
		s, err = c.DeleteSource(ctx, sourceID, func(was *Source) error { return refuse(allow(was)) })
		return err
	})
	if err != nil {
		return nil, err
	}
	d.graves.bury(s) // first: no read that is under way puts it back
	if s.Connection != nil {
		d.memory.bury(esaKey{customer, s.Connection.ID})
	}
	d.shelf.deleted(s, began)
	return s, nil
}

// change makes a write in the store, which is the caller's own and ends with the
// caller's context. It gives when it began.
func (d *Directory) change(ctx context.Context, key sourceKey, run func(context.Context, CustomerStore) error) (moment, error) {
	return d.changeBy(ctx, key, sourceFault, run)
}

// changeBy is change with the words for the store's errors.
func (d *Directory) changeBy(ctx context.Context, key sourceKey, words func(error) error, run func(context.Context, CustomerStore) error) (moment, error) {
	bounded, cancel := context.WithTimeout(ctx, d.opts.WriteTimeout)
	defer cancel()
	if err := d.reach(bounded); err != nil {
		return moment{}, writeFault(words(err))
	}
	began := d.shelf.now()
	err := run(bounded, d.store.Customer(key.customer))
	var refused *refusal
	if errors.As(err, &refused) {
		return began, refused.reason
	}
	switch {
	case ctx.Err() != nil: // a caller that leaves says nothing of the store
	case answered(err):
		d.note(nil)
	default: // nor does a write that waited in vain for others; no writer waits for the look
		d.look(err)
	}
	switch {
	case err == nil:
		return began, nil
	case isNotFound(err):
		d.missing(key, began)
		d.shelf.forsaken(key.customer)
	case !answered(err):
		d.memory.doubt(key)
		d.shelf.doubt(key.customer)
	}
	return began, writeFault(words(err))
}

// refusal marks an error as a callback's, which says nothing of the store. It unwraps
// to nothing, so that a store does not take it for one of its own.
type refusal struct{ reason error }

func (r *refusal) Error() string { return "registry: refused by the caller" }

func refuse(err error) error {
	if err == nil {
		return nil
	}
	return &refusal{err}
}
