package registry

import (
	"context"
	"fmt"
	"slices"
)

// listQuery is one page of a customer's sources.
type listQuery struct {
	customer   int64
	managed    bool // managed sources alone, by connection id; else both kinds, by id
	skip, take int
}

// listing is a page as it was read.
type listing struct {
	listQuery
	rows         []*Source
	total        int
	began, ended int64 // of the read, by the clock of the write log
}

// Sources lists a customer's sources of both kinds as CustomerStore does: from the
// store, and while that is away as the same page was last seen, with what was made,
// changed and deleted here since. A page that was never seen is then an error.
func (d *Directory) Sources(ctx context.Context, customer int64, skip, take int) ([]*Source, int, error) {
	return listPage(ctx, d, listQuery{customer, false, max(skip, 0), min(max(take, 0), MaxPage)})
}

// ManagedSources lists a customer's managed sources in the same way.
func (d *Directory) ManagedSources(ctx context.Context, customer int64, skip, take int) ([]*Source, int, error) {
	return listPage(ctx, d, listQuery{customer, true, max(skip, 0), min(max(take, 0), MaxPage)})
}

func listPage(ctx context.Context, d *Directory, q listQuery) ([]*Source, int, error) {
	l, err := get(ctx, d, d.lists, fmt.Sprint(q), d.writes.last(q.customer), true, func(ctx context.Context) (none plain[*listing], err error) {
		l := &listing{listQuery: q, began: d.writes.tick()}
		list := d.store.Customer(q.customer).Sources
		if q.managed {
			list = d.store.Customer(q.customer).ManagedSources
		}
		if l.rows, l.total, err = list(ctx, q.skip, q.take); err != nil {
			return none, err
		}
		for _, src := range l.rows {
			index(d, src)
			d.sources.Offer(sourceKey(src.CustomerID, src.SourceID), sourceDoc{src: src})
		}
		l.ended = d.writes.tick()
		return plain[*listing]{l}, nil
	})
	if err != nil {
		return nil, 0, storeFault(err, noSource)
	}
	rows, total := l.is.correct(d)
	return rows, total, nil
}

// correct returns the rows and the total of a page as they are after what was written
// here since it was read. A write that overlapped with the read, and that the rows don't
// show, is taken to be in the total.
func (l *listing) correct(d *Directory) ([]*Source, int) {
	rows, total := make([]*Source, 0, len(l.rows)), l.total
	for _, src := range l.rows {
		if newest, ok := d.Newest(src); ok {
			rows = append(rows, newest)
		}
	}
	open := len(l.rows) < l.take && (len(l.rows) > 0 || l.skip == 0) // the list ends on this page
	wrote, _ := d.writes.since(l.customer, l.began)
	for _, w := range wrote {
		if l.managed && w.src.Connection == nil {
			continue
		}
		same := func(src *Source) bool { return src.ID == w.src.ID }
		listed, i := slices.ContainsFunc(l.rows, same), slices.IndexFunc(rows, same)
		switch {
		case w.kind == deleted:
			rows = slices.DeleteFunc(rows, same)
			if !listed && w.began > l.ended {
				total--
			}
		case i >= 0:
			if (sourceDoc{src: rows[i]}).Older(sourceDoc{src: w.src}) {
				rows[i] = w.src
			}
		case w.kind == created && !listed:
			if newest, ok := d.Newest(w.src); ok && open && len(rows) < l.take && l.isAfterLast(newest) {
				rows, total = append(rows, newest), total+1
			} else if w.began > l.ended {
				total++
			}
		}
	}
	for _, src := range l.rows { // those that were counted and are gone
		if !slices.ContainsFunc(rows, func(row *Source) bool { return row.ID == src.ID }) {
			total--
		}
	}
	return rows, max(total, min(l.skip, total)+len(rows))
}

func (l *listing) isAfterLast(src *Source) bool {
	if len(l.rows) == 0 {
		return true
	}
	last := l.rows[len(l.rows)-1]
	if l.managed {
		return src.Connection.ID > last.Connection.ID
	}
	return src.ID > last.ID
}
