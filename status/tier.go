package status

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"esagate/api"
	"esagate/internal/background"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/transform"
)

// Bounds of what is written behind. A tenant's document is written once in saveSlots ticks at
// most, a minute: each has its slot, so that those of a minute are spread over it.
const (
	saveTick  = time.Second
	saveSlots = 60
	saveRows  = 100     // of a transaction
	saveBytes = 1 << 20 // of documents; one more may be added
	warnPause = time.Minute
	// closeLimit leaves the parts that are ended after the statuses time of their own.
	closeLimit = 1500 * time.Millisecond
)

// tier keeps the documents of tenants in the registry's database, so that they outlive the
// process and another replica starts with them. It is a snapshot.Tier. What the database
// can't take is kept for the next minute, and what it does not have is fetched: nobody
// waits for it.
type tier struct {
	directory *registry.Directory
	log       *slog.Logger
	lapse     time.Duration // after which an older document may replace a newer one
	most      int           // tenants that wait to be written
	seed      maphash.Seed
	work      *background.Group

	mu     sync.Mutex
	dirty  [saveSlots]map[string]snapshot.Copy[*document] // the newest of each tenant
	count  int                                            // of all slots
	gone   map[string]struct{}                            // tenants to be forgotten
	warned time.Time
}

// newTier starts a tier. The caller ends it with close.
func newTier(d *registry.Directory, log *slog.Logger, limits snapshot.Limits) *tier {
	t := &tier{directory: d, log: log, lapse: limits.StaleIfError, most: limits.Entries, seed: maphash.MakeSeed(),
		work: background.NewGroup(log), gone: map[string]struct{}{}}
	for i := range t.dirty {
		t.dirty[i] = map[string]snapshot.Copy[*document]{}
	}
	t.work.Go(context.Background(), "save snapshots", func(ctx context.Context) {
		for slot := 0; background.Sleep(ctx, saveTick); slot = (slot + 1) % saveSlots {
			t.save(ctx, slot)
		}
	})
	return t
}

// close ends the writing behind, and writes what is left within ctx.
func (t *tier) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, closeLimit)
	defer cancel()
	t.work.End()
	if t.work.Close(ctx) != nil {
		return // the database hangs
	}
	for slot := range saveSlots {
		if !t.save(ctx, slot) {
			return
		}
	}
}

func (t *tier) slot(key string) map[string]snapshot.Copy[*document] {
	return t.dirty[maphash.String(t.seed, key)%saveSlots]
}

// Store implements snapshot.Tier.
func (t *tier) Store(key string, c snapshot.Copy[*document]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.gone, key)
	t.add(key, c)
}

// add is called with the lock held.
func (t *tier) add(key string, c snapshot.Copy[*document]) {
	slot := t.slot(key)
	if _, ok := slot[key]; !ok {
		if t.count >= t.most {
			return
		}
		t.count++
	}
	slot[key] = c
}

// Drop implements snapshot.Tier.
func (t *tier) Drop(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if slot := t.slot(key); slot[key].Doc != nil {
		delete(slot, key)
		t.count--
	}
	if len(t.gone) < t.most {
		t.gone[key] = struct{}{}
	}
}

// Load implements snapshot.Tier.
func (t *tier) Load(ctx context.Context, key string) (none snapshot.Copy[*document], ok bool) {
	kept, err := t.directory.Snapshot(ctx, key)
	if err != nil {
		return none, false
	}
	doc, ok := decodeDocument(kept.Document)
	if !ok {
		return none, false
	}
	return snapshot.Copy[*document]{Doc: doc, ReceivedAt: kept.ReceivedAt, Epoch: kept.Epoch}, true
}

// save writes what is due in a slot, and reports whether the database took all of it.
func (t *tier) save(ctx context.Context, slot int) bool {
	if !t.directory.StoreAvailable() {
		return false
	}
	due, gone := t.take(slot)
	for key := range gone {
		if err := t.directory.ForgetSnapshot(ctx, key); err != nil {
			t.putBack(due, gone)
			t.warn(ctx, err)
			return false
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
		if err := t.directory.KeepSnapshots(ctx, batch, time.Now().Add(-t.lapse)); err != nil {
			t.putBack(due, nil)
			t.warn(ctx, err)
			return false
		}
		for _, key := range keys {
			delete(due, key)
		}
	}
	return true
}

// take gives what is due in a slot, which then is empty.
func (t *tier) take(slot int) (due map[string]snapshot.Copy[*document], gone map[string]struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	due, gone = t.dirty[slot], t.gone
	t.dirty[slot], t.gone = map[string]snapshot.Copy[*document]{}, map[string]struct{}{}
	t.count -= len(due)
	return due, gone
}

// putBack keeps what could not be written, but for what is known better by now.
func (t *tier) putBack(due map[string]snapshot.Copy[*document], gone map[string]struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, c := range due {
		_, dropped := t.gone[key]
		if _, newer := t.slot(key)[key]; !newer && !dropped {
			t.add(key, c)
		}
	}
	for key := range gone {
		if _, newer := t.slot(key)[key]; !newer {
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
	return &document{status: kept.Status, streams: kept.Streams, webhooks: kept.Webhooks, subscribed: kept.Subscribed, at: kept.At}, true
}
