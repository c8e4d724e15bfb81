package registry

import (
	"context"
	"strconv"
	"time"
)

// listing is one page as it was last read.
type listing struct {
	page  []*ManagedSource
	total int
}

type listKey struct {
	customer   int64
	skip, take int
}

// ManagedSources lists a customer's managed sources as CustomerStore does: from the
// store, and while that is away as the same page was last seen. A page that was
// never seen is then an error.
func (d *Directory) ManagedSources(ctx context.Context, customer int64, skip, take int) ([]*ManagedSource, int, error) {
	key := listKey{customer, skip, take}
	held, seen := d.lists.Get(key)
	if seen && d.away.Load() {
		return d.newest(held), held.total, nil
	}
	answer, err := d.await(ctx, seen, flightName("list", customer, strconv.Itoa(skip)+"/"+strconv.Itoa(take)), func(ctx context.Context) (any, error) {
		began := time.Now()
		page, total, err := d.store.Customer(customer).ManagedSources(ctx, skip, take)
		if err != nil {
			return nil, err
		}
		l := listing{make([]*ManagedSource, len(page)), total}
		for i, m := range page { // one copy of each, whichever way it is read
			l.page[i] = d.memory.put(m, began)
		}
		d.lists.Add(key, l)
		return l, nil
	})
	switch {
	case err == nil:
		l := answer.(listing)
		return d.newest(l), l.total, nil
	case seen:
		return d.newest(held), held.total, nil
	}
	return nil, 0, storeFault(err)
}

// newest gives a page with the newest copies of its sources: a list
// never shows an older version than a read of one source does.
func (d *Directory) newest(l listing) []*ManagedSource {
	page := make([]*ManagedSource, len(l.page))
	for i, m := range l.page {
		page[i] = d.memory.latest(m)
	}
	return page
}
