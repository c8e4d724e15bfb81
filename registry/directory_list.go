package registry

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/golang-lru/v2/simplelru"
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
	for _, w := range d.writes.since(l.customer, l.began) {
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

// loggedWrites bounds what is remembered of the writes of one customer.
const loggedWrites = 500

// writeLog is a logical clock of what a Directory does, and the sources that were
// created, changed and deleted through it, by customer.
type writeLog struct {
	clock     atomic.Int64
	mu        sync.Mutex // guards what follows
	customers *simplelru.LRU[int64, *customerWrites]
}

type customerWrites struct {
	last int64 // when the last write ended
	log  []loggedWrite
}

type loggedWrite struct {
	began, ended int64
	src          *Source
	kind         writeKind
}

type writeKind uint8

const (
	changed writeKind = iota
	created
	deleted
)

func newWriteLog(customers int) *writeLog {
	l, _ := simplelru.NewLRU[int64, *customerWrites](customers, nil) // fails for a size below 1 alone
	return &writeLog{customers: l}
}

// tick returns a time later than all before it.
func (l *writeLog) tick() int64 { return l.clock.Add(1) }

// last returns when a customer's last write ended: a list that was read before is old.
func (l *writeLog) last(customer int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w, ok := l.customers.Get(customer); ok {
		return w.last
	}
	return 0
}

// end records that a write has ended, and what it did to a source, if anything.
func (l *writeLog) end(customer int64, wrote ...loggedWrite) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w, ok := l.customers.Get(customer)
	if !ok {
		w = &customerWrites{}
		l.customers.Add(customer, w)
	}
	w.last = l.tick()
	for _, one := range wrote {
		one.ended = w.last
		w.log = append(w.log, one)
	}
	if len(w.log) > 2*loggedWrites {
		w.log = slices.Clone(w.log[len(w.log)-loggedWrites:])
	}
}

// since returns what was done to sources by writes that ended after a time.
func (l *writeLog) since(customer int64, began int64) []loggedWrite {
	l.mu.Lock()
	defer l.mu.Unlock()
	w, ok := l.customers.Get(customer)
	if !ok {
		return nil
	}
	i := len(w.log)
	for i > 0 && w.log[i-1].ended > began {
		i--
	}
	return slices.Clone(w.log[i:])
}
