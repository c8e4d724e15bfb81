package registry

import (
	"context"
	"strconv"
)

// listing is one page as it was read.
type listing struct {
	page  []*Source
	total int
}

// ManagedSources lists a customer's managed sources as CustomerStore does: from the
// store, and while that is away as the same page was last seen. A page that was
// never seen is then an error.
func (d *Directory) ManagedSources(ctx context.Context, customer int64, skip, take int) ([]*Source, int, error) {
	key := newListKey(customer, skip, take)
	_, _, seen := d.shelf.managedPage(key)
	var answer any
	err := errAway
	if !seen || !d.away.Load() {
		answer, err = d.await(ctx, seen, d.shelf.flight("list", customer, key.String()), func(ctx context.Context) (any, error) {
			began := d.shelf.now()
			page, total, err := d.store.Customer(customer).ManagedSources(ctx, key.skip, key.take)
			if err != nil {
				return nil, err
			}
			l := listing{make([]*Source, len(page)), total}
			for i, m := range page { // one copy of each, whichever way it is read
				l.page[i] = d.memory.put(m, began.at)
			}
			d.shelf.setManaged(key, l.page, total, began)
			return l, nil
		})
	}
	if err == nil {
		l := answer.(listing)
		return d.newest(l.page), l.total, nil
	}
	if page, total, seen := d.shelf.managedPage(key); seen {
		return d.newest(page), total, nil
	}
	return nil, 0, storeFault(err)
}

// newest gives a page with the newest copies of its sources, without those that are
// gone: a list never shows an older version than a read of one source does.
func (d *Directory) newest(rows []*Source) []*Source {
	page := make([]*Source, 0, len(rows))
	for _, m := range rows {
		if !d.graves.holds(m.ID) {
			page = append(page, d.memory.latest(m))
		}
	}
	return page
}

func (k listKey) String() string { return strconv.Itoa(k.skip) + "/" + strconv.Itoa(k.take) }
