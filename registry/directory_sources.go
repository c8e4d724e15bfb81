package registry

import (
	"context"
)

// Source finds a customer's source of either kind by its sourceId: in the store, so
// that a write in another process is seen at once, and in memory while that is away.
func (d *Directory) Source(ctx context.Context, customer int64, sourceID string) (*Source, error) {
	key := sourceKey{customer, sourceID}
	known := d.held(key) != nil || d.graves.holdsSource(key)
	var answer any
	err := errAway
	if !known || !d.away.Load() {
		answer, err = d.await(ctx, known, d.shelf.flight("inventory", customer, sourceID), func(ctx context.Context) (any, error) {
			began := d.shelf.now()
			s, err := d.store.Customer(customer).Source(ctx, sourceID)
			if err == nil {
				return d.remember(s, began, false), nil
			}
			if isNotFound(err) {
				d.missing(key, began)
			}
			return nil, err
		})
	}
	if err == nil {
		if s := d.latest(answer.(*Source)); !d.graves.holds(s.ID) {
			return s, nil
		}
		return nil, sourceFault(ErrNotFound)
	}
	// Not found by a read, and made here meanwhile: that is in memory too.
	if s := d.held(key); s != nil {
		return s, nil
	}
	if d.graves.holdsSource(key) {
		err = ErrNotFound
	}
	return nil, sourceFault(err)
}

// Sources lists a customer's sources of both kinds as CustomerStore does: from the
// store, and while that is away as the same page was last seen, with what was
// written and deleted here since. A page that was never seen is then an error.
func (d *Directory) Sources(ctx context.Context, customer int64, skip, take int) ([]*Source, error) {
	key := newListKey(customer, skip, take)
	_, seen := d.shelf.page(key)
	var answer any
	err := errAway
	if !seen || !d.away.Load() {
		answer, err = d.await(ctx, seen, d.shelf.flight("inventories", customer, key.String()), func(ctx context.Context) (any, error) {
			began := d.shelf.now()
			page, err := d.store.Customer(customer).Sources(ctx, key.skip, key.take)
			if err != nil {
				return nil, err
			}
			rows := make([]*Source, len(page))
			for i, s := range page {
				rows[i] = d.remember(s, began, false)
			}
			d.shelf.setPage(key, rows, began)
			return rows, nil
		})
	}
	if err == nil {
		return d.newestOf(answer.([]*Source)), nil
	}
	if rows, seen := d.shelf.page(key); seen {
		return d.newestOf(rows), nil
	}
	return nil, sourceFault(err)
}

// CountSources gives how many sources of both kinds a customer has: from the store,
// and while that is away as they were last counted, with what was made and deleted
// here since.
func (d *Directory) CountSources(ctx context.Context, customer int64) (int, error) {
	_, known := d.shelf.count(customer)
	var answer any
	err := errAway
	if !known || !d.away.Load() {
		answer, err = d.await(ctx, known, d.shelf.flight("count", customer, ""), func(ctx context.Context) (any, error) {
			began := d.shelf.now()
			n, err := d.store.Customer(customer).CountSources(ctx)
			if err != nil {
				return nil, err
			}
			d.shelf.setCount(customer, n, began)
			return n, nil
		})
	}
	if err == nil {
		return answer.(int), nil
	}
	if n, known := d.shelf.count(customer); known {
		return n, nil
	}
	return 0, sourceFault(err)
}

// remember puts what a read or a write that began at a moment gave into memory, and
// gives the newest state that is there.
func (d *Directory) remember(s *Source, began moment, wrote bool) *Source {
	if d.graves.holds(s.ID) {
		return s
	}
	d.graves.seen(s)
	if s.Connection != nil {
		return d.memory.put(s, began.at)
	}
	if e := d.memory.bySourceID(s.CustomerID, s.SourceID); e != nil {
		d.memory.drop(e, began.at) // the sourceId was a managed source's
	}
	return d.shelf.put(s, began, wrote)
}

// missing forgets a source that was not found by what began at a moment.
func (d *Directory) missing(key sourceKey, began moment) {
	d.memory.drop(d.memory.bySourceID(key.customer, key.sourceID), began.at)
	d.shelf.missing(key, began, false)
}

// held gives the copy of a source, nil where there is none. Of two rows that had the
// sourceId one after the other, the later has the larger id.
func (d *Directory) held(key sourceKey) *Source {
	s := d.shelf.agent(key)
	if e := d.memory.bySourceID(key.customer, key.sourceID); e != nil {
		if m := e.read().m; s == nil || m.ID > s.ID {
			s = m
		}
	}
	if s != nil && d.graves.holds(s.ID) {
		return nil
	}
	return s
}

// latest gives the newer of a source and what is held of it.
func (d *Directory) latest(s *Source) *Source {
	if held := d.held(keyOf(s)); held != nil && held.ID == s.ID && compare(held, s) > 0 {
		return held
	}
	return s
}

// newestOf is newest for sources of both kinds.
func (d *Directory) newestOf(rows []*Source) []*Source {
	page := make([]*Source, 0, len(rows))
	for _, s := range rows {
		if !d.graves.holds(s.ID) {
			page = append(page, d.latest(s))
		}
	}
	return page
}
