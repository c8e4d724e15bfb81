package status

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"esagate/internal/background"
	"esagate/registry"
	"esagate/snapshot"
)

// Bounds of what is written behind, and of what is read.
const (
	saveTick  = time.Second
	savePause = time.Minute // the least time between two writes of a tenant
	saveSpan  = 30          // ticks in which all tenants are written that wait or were written lately
	saveRows  = 100         // of a transaction
	saveBytes = 1 << 20     // of documents; one more may be added
	warnPause = time.Minute
	// closeLimit leaves the parts that are ended after the statuses time of their own.
	closeLimit = 1500 * time.Millisecond
	// loadsAtOnce leaves connections of the database for other reads.
	loadsAtOnce = 2
)

// tier keeps the documents of tenants, and how sources stand, in the registry's database, so that
// they outlive the process and another replica starts with them. It is a snapshot.Tier. What the
// database can't take is kept for the next minute, and what it does not have is fetched: nobody
// waits for it.
type tier struct {
	directory *registry.Directory
	log       *slog.Logger
	lapse     time.Duration // after which an older document may replace a newer one
	most      int           // bytes of tenants; 0: any
	places    int           // most standings
	loads     *semaphore.Weighted
	work      *background.Group
	wake      chan struct{} // holds one: there is something to write

	mu        sync.Mutex
	tenants   map[string]*saving
	bytes     int                 // of tenants
	gone      map[string]struct{} // tenants to be forgotten
	standings standings
	warned    time.Time
}

// saving is a tenant that waits to be written, or was written less than savePause ago.
type saving struct {
	newest snapshot.Copy[*document] // without a Doc: it is written
	due    time.Time
}

// savingOverhead is what a tenant takes beside its key and its document.
const savingOverhead = 160

// newTier starts a tier. The caller ends it with close.
func newTier(d *registry.Directory, log *slog.Logger, lapse time.Duration, may shares) *tier {
	t := &tier{directory: d, log: log, lapse: lapse, most: may.saving, places: placesIn(may.places), loads: semaphore.NewWeighted(loadsAtOnce),
		work: background.NewGroup(log), wake: make(chan struct{}, 1), tenants: map[string]*saving{}, gone: map[string]struct{}{}, standings: standings{}}
	t.work.Go(context.Background(), "save snapshots", t.run)
	return t
}

// run writes what is due, once a tick while there is something to write.
func (t *tier) run(ctx context.Context) {
	for {
		select {
		case <-t.wake:
		case <-ctx.Done():
			return
		}
		for waits := true; waits; waits = t.waits() {
			if !background.Sleep(ctx, saveTick) {
				return
			}
			_ = background.Guard(ctx, t.log, "save", func(ctx context.Context) error {
				t.save(ctx, time.Now(), saveSpan)
				return nil
			})
		}
	}
}

// waits reports whether there is something to write.
func (t *tier) waits() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, of := range t.tenants {
		if of.newest.Doc != nil {
			return true
		}
	}
	return len(t.gone) > 0 || t.standings.waits()
}

// woken has run look. The lock is held.
func (t *tier) woken() {
	select {
	case t.wake <- struct{}{}:
	default: // it will
	}
}

// close ends the writing behind, and writes what is left within ctx.
func (t *tier) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, closeLimit)
	defer cancel()
	t.work.End()
	if t.work.Close(ctx) != nil {
		return // the database hangs
	}
	t.save(ctx, time.Now().Add(savePause), 1)
}

// Store implements snapshot.Tier.
func (t *tier) Store(key string, c snapshot.Copy[*document]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.gone, key)
	of, ok := t.tenants[key]
	if c.Doc.keep == keepChanges && (!ok || of.newest.Doc == nil) {
		return
	}
	if !ok {
		if t.most > 0 && t.bytes > t.most {
			return
		}
		of = &saving{}
		t.tenants[key] = of
		t.bytes += savingOverhead + len(key)
	}
	if t.set(of, c); c.Doc.keep == keepNow {
		of.due = time.Time{}
	}
	t.woken()
}

// set makes a document, or none, what is to be written of a tenant. The lock is held.
func (t *tier) set(of *saving, newest snapshot.Copy[*document]) {
	t.bytes += newest.Doc.Size() - of.newest.Doc.Size()
	of.newest = newest
}

// remove forgets a tenant. The lock is held.
func (t *tier) remove(key string) {
	if of := t.tenants[key]; of != nil {
		t.set(of, snapshot.Copy[*document]{})
		t.bytes -= savingOverhead + len(key)
		delete(t.tenants, key)
	}
}

// Drop implements snapshot.Tier.
func (t *tier) Drop(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(key)
	if len(t.gone) < t.places {
		t.gone[key] = struct{}{}
	}
	t.woken()
}

// Load implements snapshot.Tier.
func (t *tier) Load(ctx context.Context, key string) (none snapshot.Copy[*document], ok bool) {
	if newest, known := t.unwritten(key); known {
		return newest, newest.Doc != nil
	}
	if t.loads.Acquire(ctx, 1) != nil {
		return none, false
	}
	defer t.loads.Release(1)
	kept, err := t.directory.Snapshots().Snapshot(ctx, key)
	if err != nil {
		return none, false
	}
	doc, ok := decodeDocument(kept.Document)
	if !ok {
		return none, false
	}
	return snapshot.Copy[*document]{Doc: doc, ReceivedAt: kept.ReceivedAt, Epoch: kept.Epoch}, true
}

// unwritten gives what the database does not have yet of a tenant; known: that is so. Without a Doc, it is to be forgotten.
func (t *tier) unwritten(key string) (newest snapshot.Copy[*document], known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if of := t.tenants[key]; of != nil && of.newest.Doc != nil {
		return of.newest, true
	}
	_, known = t.gone[key]
	return newest, known
}

// save writes what is due by a time, of a share of the tenants at most.
func (t *tier) save(ctx context.Context, by time.Time, share int) {
	if !t.directory.StoreAvailable() || !t.saveStandings(ctx, by) {
		return
	}
	due, gone := t.take(by, share)
	for _, key := range gone {
		if err := t.directory.Snapshots().ForgetSnapshot(ctx, key); err != nil {
			t.warn(ctx, err)
			return
		}
		t.forgotten(key)
	}
	for len(due) > 0 {
		batch, length := make([]registry.Snapshot, 0, min(len(due), saveRows)), 0
		written := map[string]*document{}
		for key, c := range due {
			if len(written) == saveRows || length > saveBytes {
				break
			}
			written[key] = c.Doc
			delete(due, key)
			encoded := c.Doc.encode()
			if len(encoded) > registry.MaxSnapshot {
				continue // it will be fetched
			}
			length += len(encoded)
			batch = append(batch, registry.Snapshot{TenantID: key, Epoch: c.Epoch, At: c.Doc.at, ReceivedAt: c.ReceivedAt, Document: encoded})
		}
		if err := t.directory.Snapshots().KeepSnapshots(ctx, batch, time.Now().Add(-t.lapse)); err != nil {
			t.warn(ctx, err)
			return
		}
		t.written(written)
	}
}

// take gives what is due by a time, of a share of the tenants at most, and which are to be forgotten. What is written stays
// in memory until then, because the database has what is older. It forgets tenants that were written and have nothing new.
// With little room left all that is due is written, and nothing is remembered of what was: what finds no room is not kept at all.
func (t *tier) take(by time.Time, share int) (due map[string]snapshot.Copy[*document], gone []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	due = map[string]snapshot.Copy[*document]{}
	most := max(len(t.tenants)/share, saveRows)
	full := t.most > 0 && t.bytes > t.most/2
	if full {
		most = len(t.tenants)
	}
	for key, of := range t.tenants {
		switch {
		case of.newest.Doc == nil && full:
			t.remove(key)
		case of.due.After(by):
		case of.newest.Doc == nil:
			t.remove(key)
		case len(due) < most:
			due[key] = of.newest
			of.due = by.Add(savePause)
		}
	}
	return due, slices.Collect(maps.Keys(t.gone))
}

// written lets go of what the database has now, but for what is known better by now.
func (t *tier) written(docs map[string]*document) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, d := range docs {
		if of := t.tenants[key]; of != nil && of.newest.Doc == d {
			t.set(of, snapshot.Copy[*document]{})
		}
	}
}

// forgotten lets go of a tenant that the database has not any more.
func (t *tier) forgotten(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.gone, key)
}

// warn says now and then that nothing can be written.
func (t *tier) warn(ctx context.Context, err error) {
	if now := time.Now(); ctx.Err() == nil && now.Sub(t.warned) >= warnPause {
		t.warned = now
		t.log.LogAttrs(ctx, slog.LevelWarn, "snapshots can't be saved: they would be missing after a restart", slog.Any("error", err))
	}
}
