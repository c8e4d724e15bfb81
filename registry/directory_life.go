package registry

import "context"

const noSettings = "There are no kept settings of this source."

// CreateManaged makes a managed source with its connection as CustomerStore does.
// Conflicts as CreateSource.
func (d *Directory) CreateManaged(ctx context.Context, customer int64, s NewManaged, once *Once) (Creation, error) {
	return d.create(ctx, customer, func(ctx context.Context, c CustomerStore) (Creation, error) {
		return c.CreateManaged(ctx, s, once)
	})
}

// BeginOnce claims an idempotency key for a request that makes no source, as
// CustomerStore does. Conflicts as CreateSource.
func (d *Directory) BeginOnce(ctx context.Context, customer int64, once Once) (Creation, error) {
	var begun Creation
	_, err := d.change(ctx, sourceKey{customer: customer}, func(ctx context.Context, c CustomerStore) (err error) {
		begun, err = c.BeginOnce(ctx, once)
		return err
	})
	if err != nil {
		return Creation{}, err
	}
	return begun, nil
}

// ForgetOnce takes note that a request without a kept answer came to nothing.
func (d *Directory) ForgetOnce(ctx context.Context, customer int64, key string) error {
	_, err := d.change(ctx, sourceKey{customer: customer}, func(ctx context.Context, c CustomerStore) error {
		return c.ForgetOnce(ctx, key)
	})
	return err
}

// ChangeConnection changes a connection as CustomerStore does. An error of decide is
// given as it is. Conflict over ErrTenantTaken.
func (d *Directory) ChangeConnection(ctx context.Context, customer, esaID int64, decide func(*Source) (*Connection, error)) (*Source, error) {
	var m *Source
	began, err := d.changeBy(ctx, d.keyOfESA(customer, esaID), managedFault, func(ctx context.Context, c CustomerStore) (err error) {
		m, err = c.ChangeConnection(ctx, esaID, func(was *Source) (*Connection, error) {
			next, err := decide(was)
			return next, refuse(err)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return d.changedManaged(m, began), nil
}

// changedManaged is changed for a managed source, and gives the newest copy, which is
// one for all who read it.
func (d *Directory) changedManaged(m *Source, began moment) *Source {
	d.graves.seen(m)
	newest := d.memory.put(m, began.at)
	d.shelf.changed(newest, newest, began)
	return newest
}

// KeepSettings keeps the ad-server settings that are to be put back; nil forgets them.
func (d *Directory) KeepSettings(ctx context.Context, customer, esaID int64, settings []byte) error {
	_, err := d.changeBy(ctx, d.keyOfESA(customer, esaID), managedFault, func(ctx context.Context, c CustomerStore) error {
		return c.KeepSettings(ctx, esaID, settings)
	})
	return err
}

// Settings gives what KeepSettings kept, from the store alone: NotFound without.
func (d *Directory) Settings(ctx context.Context, customer, esaID int64) ([]byte, error) {
	return readAlone(ctx, d, noSettings, func(ctx context.Context) ([]byte, error) {
		return d.store.Customer(customer).Settings(ctx, esaID)
	})
}

// keyOfESA gives the sourceId of a connection where it is in memory; without one a
// write has nothing there to put right.
func (d *Directory) keyOfESA(customer, esaID int64) sourceKey {
	if e := d.memory.byESAID(customer, esaID); e != nil {
		return e.source
	}
	return sourceKey{customer: customer}
}
