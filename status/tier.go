package status

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"esagate/api"
	"esagate/internal/background"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/transform"
)

// Bounds of what is written behind, and of what is read.
const (
	saveTick  = time.Second
	savePause = time.Minute // the least time between two writes of a tenant
	saveSpan  = 30          // ticks in which as many tenants as there can be are written
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
	most      int           // tenants
	loads     *semaphore.Weighted
	work      *background.Group
	wake      chan struct{} // holds one: there is something to write

	mu        sync.Mutex
	tenants   map[string]*saving
	gone      map[string]struct{} // tenants to be forgotten
	standings standings
	warned    time.Time
}

// saving is a tenant that waits to be written, or was written less than savePause ago.
type saving struct {
	newest snapshot.Copy[*document] // without a Doc: it is written
	due    time.Time
}

// newTier starts a tier. The caller ends it with close.
func newTier(d *registry.Directory, log *slog.Logger, limits snapshot.Limits) *tier {
	t := &tier{directory: d, log: log, lapse: limits.StaleIfError, most: limits.Entries, loads: semaphore.NewWeighted(loadsAtOnce),
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
				t.save(ctx, time.Now(), max(t.most/saveSpan, saveRows))
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
	t.save(ctx, time.Now().Add(savePause), t.most)
}

// Store implements snapshot.Tier.
func (t *tier) Store(key string, c snapshot.Copy[*document]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.gone, key)
	of, ok := t.tenants[key]
	if !ok {
		if len(t.tenants) >= t.most {
			return
		}
		of = &saving{}
		t.tenants[key] = of
	}
	of.newest = c
	t.woken()
}

// Drop implements snapshot.Tier.
func (t *tier) Drop(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tenants, key)
	if len(t.gone) < t.most {
		t.gone[key] = struct{}{}
	}
	t.woken()
}

// Load implements snapshot.Tier.
func (t *tier) Load(ctx context.Context, key string) (none snapshot.Copy[*document], ok bool) {
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

// save writes what is due by a time, of so many tenants.
func (t *tier) save(ctx context.Context, by time.Time, most int) {
	if !t.directory.StoreAvailable() || !t.saveStandings(ctx, by) {
		return
	}
	due, gone := t.take(by, most)
	for key := range gone {
		if err := t.directory.Snapshots().ForgetSnapshot(ctx, key); err != nil {
			t.putBack(due, gone)
			t.warn(ctx, err)
			return
		}
		delete(gone, key)
	}
	for len(due) > 0 {
		batch, length := make([]registry.Snapshot, 0, min(len(due), saveRows)), 0
		var keys []string
		for key, c := range due {
			if len(keys) == saveRows || length > saveBytes {
				break
			}
			keys = append(keys, key)
			encoded := c.Doc.encode()
			if len(encoded) > registry.MaxSnapshot {
				continue // it will be fetched
			}
			length += len(encoded)
			batch = append(batch, registry.Snapshot{TenantID: key, Epoch: c.Epoch, At: c.Doc.at, ReceivedAt: c.ReceivedAt, Document: encoded})
		}
		if err := t.directory.Snapshots().KeepSnapshots(ctx, batch, time.Now().Add(-t.lapse)); err != nil {
			t.putBack(due, nil)
			t.warn(ctx, err)
			return
		}
		for _, key := range keys {
			delete(due, key)
		}
	}
}

// take gives what is due by a time, of so many tenants, and forgets tenants that were written and
// have nothing new.
func (t *tier) take(by time.Time, most int) (due map[string]snapshot.Copy[*document], gone map[string]struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	due, gone = map[string]snapshot.Copy[*document]{}, t.gone
	t.gone = map[string]struct{}{}
	for key, of := range t.tenants {
		switch {
		case of.due.After(by):
		case of.newest.Doc == nil:
			delete(t.tenants, key)
		case len(due) < most:
			due[key] = of.newest
			*of = saving{due: by.Add(savePause)}
		}
	}
	return due, gone
}

// putBack keeps what could not be written for the next time, but for what is known better by now.
func (t *tier) putBack(due map[string]snapshot.Copy[*document], gone map[string]struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, c := range due {
		if of := t.tenants[key]; of != nil && of.newest.Doc == nil { // nil: dropped
			of.newest = c
		}
	}
	for key := range gone {
		if of := t.tenants[key]; of == nil || of.newest.Doc == nil {
			t.gone[key] = struct{}{}
		}
	}
}

// warn says now and then that nothing can be written.
func (t *tier) warn(ctx context.Context, err error) {
	if now := time.Now(); ctx.Err() == nil && now.Sub(t.warned) >= warnPause {
		t.warned = now
		t.log.LogAttrs(ctx, slog.LevelWarn, "snapshots can't be saved: they would be missing after a restart", slog.Any("error", err))
	}
}

// documentFormat is what encode writes. A document of another format is not read: raise it
// when what is written changes its meaning.
const documentFormat = 1

// keptDocument is a document as it is kept, without its views.
type keptDocument struct {
	Format     int                   `json:"format"`
	At         time.Time             `json:"at"`
	Status     *api.Status           `json:"status"`
	Streams    transform.StreamNames `json:"streams"`
	Webhooks   *api.Webhooks         `json:"webhooks"`
	Subscribed *bool                 `json:"subscribed"`
}

func (d *document) encode() []byte {
	return api.Encode(keptDocument{documentFormat, d.at.UTC(), d.status, d.streams, d.webhooks, d.subscribed})
}

// decodeDocument reads what encode wrote; false for anything else.
func decodeDocument(encoded []byte) (*document, bool) {
	var kept keptDocument
	if err := api.Decode(encoded, &kept); err != nil || kept.Format != documentFormat || kept.Status == nil {
		return nil, false
	}
	return &document{
		status: kept.Status, streams: kept.Streams, webhooks: kept.Webhooks, subscribed: kept.Subscribed, at: kept.At,
		signal: transform.InventorySync(kept.Status),
	}, true
}
