package registry

import (
	"context"
	"time"
)

// observePause bounds the load that signals without news put on the store: the
// store's ObservedAt may lag behind memory's by this much.
const observePause = time.Minute

// ObserveInventorySync records a signal as CustomerStore does, but writes one that
// changes no state at most once a minute: in between, the copy alone moves ahead.
// While the store is away it fails at once: the next snapshot brings the next signal.
func (d *Directory) ObserveInventorySync(ctx context.Context, customer, esaID int64, signal InventorySync) (*Source, error) {
	signal = signal.Kept()
	if m := d.memory.observe(customer, esaID, &signal, observePause); m != nil {
		return m, nil
	}
	if d.away.Load() {
		return nil, storeFault(errAway)
	}
	return d.write(ctx, customer, esaID, func(ctx context.Context, c CustomerStore) (*Source, error) {
		return c.ObserveInventorySync(ctx, esaID, signal)
	})
}

// LearnTenant records what upstream says of a connection's tenant.
func (d *Directory) LearnTenant(ctx context.Context, customer, esaID int64, facts TenantFacts) (*Source, error) {
	return d.write(ctx, customer, esaID, func(ctx context.Context, c CustomerStore) (*Source, error) {
		return c.LearnTenant(ctx, esaID, facts)
	})
}

// LearnAdServer records upstream's ad-server view and e-mail where there is none.
func (d *Directory) LearnAdServer(ctx context.Context, customer, esaID int64, view AdServer, email string) (*Source, error) {
	return d.write(ctx, customer, esaID, func(ctx context.Context, c CustomerStore) (*Source, error) {
		return c.LearnAdServer(ctx, esaID, view, email)
	})
}

// RecordTest records the outcome of our own test of the connection.
func (d *Directory) RecordTest(ctx context.Context, customer, esaID int64, result TestResult) (*Source, error) {
	return d.write(ctx, customer, esaID, func(ctx context.Context, c CustomerStore) (*Source, error) {
		return c.RecordTest(ctx, esaID, result)
	})
}

// write makes a change in the store and then in memory. Unlike a shared read it is
// the caller's own and ends with the caller's context.
func (d *Directory) write(ctx context.Context, customer, esaID int64, change func(context.Context, CustomerStore) (*Source, error)) (*Source, error) {
	bounded, cancel := context.WithTimeout(ctx, d.opts.StoreTimeout)
	defer cancel()
	began := time.Now()
	m, err := change(bounded, d.store.Customer(customer))
	switch {
	case ctx.Err() != nil: // a caller that leaves says nothing of the store
	case answered(err):
		d.note(err)
	default:
		d.look(err)
	}
	switch e := d.memory.byESAID(customer, esaID); {
	case err == nil:
		return d.memory.put(m, began), nil
	case isNotFound(err):
		d.memory.drop(e, began)
	case !answered(err): // it may have been made
		if e != nil {
			d.memory.doubt(e.source)
		}
		d.shelf.doubt(customer)
	}
	return nil, writeFault(storeFault(err))
}
