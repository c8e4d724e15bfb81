package registry

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"esagate/snapshot"
)

const (
	// overviewTimeout is how long a read of all sources may take, with a second try where the first
	// failed early, and how long readers without a copy wait for it: less than HTTP servers give an
	// answer. It is no sign of a store that is away: with many sources it takes its time.
	overviewTimeout = 30 * time.Second
	// overviewQuick is how long a read takes that is made anew after each write and whenever
	// a copy is not fresh. What takes longer is served up to an age of overviewStale
	// meanwhile, with the writes since.
	overviewQuick = 100 * time.Millisecond
	overviewStale = 10 * time.Second
	// overviewEntries bounds the remembered overviews. Their rows are bounded by how many
	// sources there are: each is in its customer's and in that of all.
	overviewEntries = 100
)

// whole is what was read of all managed sources of a customer, or of all customers.
type whole[T any] struct {
	rows         []T
	customer     int64     // 0: all
	since        time.Time // of states: they are those at that time and since
	began, ended int64     // of the read, by the clock of the write log
	took         time.Duration
}

// Overview lists all managed sources of a customer, or with 0 of all customers, by connection
// id. It is at most [DirectoryOptions].Fresh old, a list that takes long to read up to ten
// seconds; while the store is away, it is as it was last known. What was made, changed and
// deleted here is always shown.
func (d *Directory) Overview(ctx context.Context, customer int64) ([]SourceStanding, error) {
	o, err := readWhole(ctx, d, d.overviews, &whole[SourceStanding]{customer: customer}, OverviewStore.Overview)
	if err != nil {
		return nil, err
	}
	return withWrites(d, o), nil
}

// StateChanges lists the states that the managed sources of a customer, or with 0 of all
// customers, were in at a time or since, by connection id and time. It is as old as an
// Overview; states that KeepStandings kept since are not shown.
func (d *Directory) StateChanges(ctx context.Context, customer int64, since time.Time) ([]StateChange, error) {
	h, err := readWhole(ctx, d, d.states, &whole[StateChange]{customer: customer, since: since},
		func(store OverviewStore, ctx context.Context) ([]StateChange, error) {
			return store.StateChanges(ctx, since)
		})
	if err != nil {
		return nil, err
	}
	var rows []StateChange
	for i, row := range h.rows {
		last := i+1 == len(h.rows) || h.rows[i+1].ESAID != row.ESAID
		if last || h.rows[i+1].At.After(since) {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// RefusedAgents lists the sources of a customer, or with 0 of all customers, whose agents refuse their
// credentials, as a Store does. It is as old as an Overview.
func (d *Directory) RefusedAgents(ctx context.Context, customer int64) ([]*Source, error) {
	r, err := readWhole(ctx, d, d.refused, &whole[*Source]{customer: customer}, OverviewStore.RefusedAgents)
	if err != nil {
		return nil, err
	}
	return r.rows, nil
}

// readWhole reads through a cache.
func readWhole[T any](ctx context.Context, d *Directory, c *snapshot.Cache[plain[*whole[T]]], want *whole[T],
	read func(OverviewStore, context.Context) ([]T, error)) (*whole[T], error) {
	key := strconv.FormatInt(want.customer, 10)
	held, known := c.Peek(key)
	if known && d.health.away.Load() {
		return held.Doc.is, nil
	}
	fetch := func(ctx context.Context) (_ *whole[T], err error) {
		store := d.store.All()
		if want.customer != 0 {
			store = d.store.Customer(want.customer)
		}
		w, start := *want, time.Now()
		w.began = d.writes.tick()
		w.rows, err = read(store, ctx)
		w.ended, w.took = d.writes.tick(), time.Since(start)
		return &w, err
	}
	known = known && want.isIn(held.Doc.is)
	get, epoch := c.Get, int64(0)
	if !known || held.Doc.is.took <= overviewQuick {
		epoch = d.writes.last(want.customer)
		if !known || held.State != snapshot.Hit {
			get = c.GetNew
		}
	}
	r, err := get(ctx, key, epoch, func(ctx context.Context, _ snapshot.Demand) (w plain[*whole[T]], err error) {
		until := time.Now().Add(overviewTimeout)
		err = d.health.ask(ctx, func(ctx context.Context) (err error) {
			ctx, cancel := context.WithDeadline(ctx, until)
			defer cancel()
			w.is, err = fetch(ctx)
			return err
		})
		return w, err
	})
	if err != nil {
		return nil, storeFault(err, noSource)
	}
	if !want.isIn(r.Doc.is) { // of another reader, who wanted less: better than nothing
		if w, err := readUncached(ctx, d, noSource, fetch); err == nil {
			return w, nil
		}
	}
	return r.Doc.is, nil
}

// isIn reports whether another read goes as far back.
func (w *whole[T]) isIn(o *whole[T]) bool { return !o.since.After(w.since) }

// withWrites returns the rows as they are after what was written here since they were read.
func withWrites(d *Directory, o *whole[SourceStanding]) []SourceStanding {
	wrote, complete := d.writes.since(o.customer, o.began)
	if complete && len(wrote) == 0 {
		return o.rows
	}
	newest := map[int64]loggedWrite{} // by connection
	for _, w := range wrote {
		if w.src.Connection == nil {
			continue
		}
		id := w.src.Connection.ID
		last, ok := newest[id]
		if ok && (sourceDoc{w.src, w.kind == deleted}).Older(sourceDoc{last.src, last.kind == deleted}) {
			continue
		}
		if last.kind == created && w.kind == changed {
			w.kind = created
		}
		newest[id] = w
	}
	rows := make([]SourceStanding, 0, len(o.rows)+len(newest))
	for _, row := range o.rows {
		w, ok := newest[row.Connection.ID]
		delete(newest, row.Connection.ID)
		there := true
		switch {
		case ok && w.kind == deleted:
			continue
		case ok && (sourceDoc{src: row.Source}).Older(sourceDoc{src: w.src}):
			row.Source = w.src
		case !complete:
			row.Source, there = d.Newest(row.Source)
		}
		if there {
			rows = append(rows, row)
		}
	}
	listed := len(rows)
	for _, w := range newest {
		// A change that overlapped with the read may be of a source that was deleted before the
		// read ended.
		if w.kind == created || w.kind == changed && w.began > o.ended {
			if src, ok := d.Newest(w.src); ok {
				rows = append(rows, SourceStanding{Source: src, Standing: Standing{CustomerID: src.CustomerID, ESAID: src.Connection.ID}})
			}
		}
	}
	if len(rows) > listed {
		slices.SortFunc(rows, func(a, b SourceStanding) int { return cmp.Compare(a.Connection.ID, b.Connection.ID) })
	}
	return rows
}
