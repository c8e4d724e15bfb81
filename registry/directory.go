package registry

import (
	"cmp"
	"context"
	"strconv"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"esagate/snapshot"
)

// Directory caches a Store. Reads of managed sources are answered from memory, so that
// they cost no query on the hot path; reads of sources of either kind, lists and
// counts ask the store, so that a write of another replica is seen at once; and all go on
// from memory while the store is away. No read shows an older state than a write through
// this Directory left. Its errors are *fault.Error: NotFound; Unavailable when the store
// was needed and could not be asked; Internal when it is there and can't read what was
// asked for; those of writes are named there. All methods are safe for concurrent use;
// what they return is shared and must not be changed.
type Directory struct {
	store  Store
	opts   DirectoryOptions
	health *storeHealth

	sources *snapshot.Cache[sourceDoc]             // by sourceKey
	ids     *snapshot.Cache[plain[string]]         // sourceIds, which never change, by esaKey
	lists   *snapshot.Cache[plain[*listing]]       // by listQuery
	counts  *snapshot.Cache[plain[DeliveryCounts]] // of deliveries, by esaKey
	// What was read of all sources, by customer.
	overviews *snapshot.Cache[plain[*whole[SourceStanding]]]
	states    *snapshot.Cache[plain[*whole[StateChange]]]
	refused   *snapshot.Cache[plain[*whole[*Source]]]
	caches    []cache                       // all of them
	observed  *lru.Cache[string, time.Time] // by esaKey: see ObserveInventorySync
	writes    *writeLog
	*feed     // LookNow
}

// cache is what snapshot.Cache does whatever it keeps.
type cache interface {
	RetryNow(key string)
	Close()
}

// DirectoryOptions are the limits of a Directory; zero means the default.
type DirectoryOptions struct {
	Fresh   time.Duration // how old a copy may be that is given without asking the store: 2 s
	Entries int           // how many sources are remembered, and how many that were listed alone: 200,000
	Bytes   int           // how much memory they may take, with what finds them by connection: 256 MiB
	// Follow has the Store's change feed read every second, until Close: managed sources are
	// then given from memory however old they are, without asking the store. While the feed
	// can't be read for Fresh, and without it, copies older than that are not.
	Follow bool
	// Changed is told when the store goes away, with what went wrong, and when it
	// is back. It must not call the Directory. May be nil.
	Changed func(there bool, err error)
	// SourceWritten is told of each write through this Directory that made a managed source,
	// changed it in a way that readers follow (Connection.Version), or deleted it, once
	// all reads show it. A change that is not known to have done so counts as one; those of
	// subscriptions don't. It must not block. May be nil.
	SourceWritten func(src *Source, deleted bool)
	// ChangedElsewhere is told as SourceWritten of what other replicas wrote, in the order in which it is
	// found out and at least once; of writes through this Directory it may be told too. Of a deleted
	// source that was not in memory it is given the ids alone. It must not block. May be nil.
	ChangedElsewhere func(src *Source, deleted bool)
}

const (
	readTimeout  = 250 * time.Millisecond // how long a reader with a copy waits for the store
	storeTimeout = 2 * time.Second        // how long any other read of the store may take
	writeTimeout = 5 * time.Second        // how long a write may take, its wait in a queue of writers included, and all that one request asks for

	// pageEntries bounds the remembered pages of lists, of at most MaxPage rows each.
	pageEntries = 500
	// forever is longer than any copy is kept: while the store is away, a copy is served
	// however old it is.
	forever = 100 * 365 * 24 * time.Hour
)

// NewDirectory makes an empty Directory before a store. Close ends it; the store
// stays open.
func NewDirectory(store Store, opts DirectoryOptions) *Directory {
	opts.Fresh = cmp.Or(opts.Fresh, 2*time.Second)
	opts.Entries = cmp.Or(opts.Entries, 200_000)
	opts.Bytes = cmp.Or(opts.Bytes, 256<<20)
	limits := snapshot.Limits{
		Fresh: opts.Fresh - 1, StaleIfError: forever, Patience: readTimeout,
		Timeout: storeTimeout + readTimeout, FetchTimeout: storeTimeout, // so that a read ends with its fetch
		Backoff: pingPause, MaxBackoff: pingPause, Entries: opts.Entries,
	}
	unchanging, pages := limits, limits
	unchanging.Fresh, unchanging.Bytes, pages.Entries = forever, opts.Bytes/4, pageEntries
	bounded := limits
	bounded.Bytes = opts.Bytes / 4 * 3
	wholes := limits
	wholes.StaleWhileRevalidate, wholes.Patience, wholes.Entries = overviewStale, storeTimeout, overviewEntries
	wholes.Timeout, wholes.FetchTimeout = overviewTimeout+readTimeout, overviewTimeout+2*storeTimeout // and a ping after it
	none := snapshot.Options{Gone: isNotFound, ForgetGone: true}
	d := &Directory{
		store: store, opts: opts, writes: newWriteLog(opts.Entries), feed: newFeed(),
		sources: snapshot.New[sourceDoc](bounded, none),
		ids:     snapshot.New[plain[string]](unchanging, none),
		lists:   snapshot.New[plain[*listing]](pages, none),
		counts:  snapshot.New[plain[DeliveryCounts]](limits, none),

		overviews: snapshot.New[plain[*whole[SourceStanding]]](wholes, none),
		states:    snapshot.New[plain[*whole[StateChange]]](wholes, none),
		refused:   snapshot.New[plain[*whole[*Source]]](wholes, none),
	}
	d.observed, _ = lru.New[string, time.Time](opts.Entries) // fails for a size below 1 alone
	d.caches = []cache{d.sources, d.ids, d.lists, d.counts, d.overviews, d.states, d.refused}
	d.health = newStoreHealth(func(ctx context.Context) error { return store.Ping(ctx) }, func(there bool, err error) {
		if there {
			for _, c := range d.caches {
				c.RetryNow("") // reads then wait for nothing
			}
		}
		if opts.Changed != nil {
			opts.Changed(there, err)
		}
	})
	if opts.Follow {
		d.health.group.Go(context.Background(), "follow what is written", func(ctx context.Context) { follow(ctx, d) })
	}
	return d
}

// StoreAvailable reports whether the store answered when it was last asked.
func (d *Directory) StoreAvailable() bool { return !d.health.away.Load() }

// Close ends what runs in the background and waits for it. Copies can still be read.
func (d *Directory) Close() {
	d.health.close()
	for _, c := range d.caches {
		c.Close()
	}
}

// sourceKey has the customer beside the id, so that another customer's is not found.
func sourceKey(customer int64, sourceID string) string {
	var b [64]byte
	return string(append(append(strconv.AppendInt(b[:0], customer, 10), '/'), sourceID...))
}

func esaKey(customer, esaID int64) string {
	var b [64]byte
	return string(strconv.AppendInt(append(strconv.AppendInt(b[:0], customer, 10), '/'), esaID, 10))
}

// get reads through a cache. While the store is away, what is known is the answer.
func get[D snapshot.Document[D]](ctx context.Context, d *Directory, c *snapshot.Cache[D], key string,
	epoch int64, newest bool, fetch func(context.Context) (D, error)) (D, error) {
	if d.health.away.Load() {
		if r, ok := c.Peek(key); ok {
			return r.Doc, nil
		}
	}
	ctx, stop := SpendWriteTime(ctx)
	defer stop()
	read := c.Get
	if newest {
		read = c.GetNew
	}
	r, err := read(ctx, key, epoch, func(ctx context.Context, _ snapshot.Demand) (doc D, err error) {
		err = d.health.ask(ctx, func(ctx context.Context) (err error) {
			doc, err = fetch(ctx)
			return err
		})
		return doc, err
	})
	if r.GaveUp {
		d.health.record(errLate)
	}
	return r.Doc, err
}

// readUncached makes a read of the store alone; none is the message when there is nothing
// to read.
func readUncached[T any](ctx context.Context, d *Directory, none string, read func(context.Context) (T, error)) (v T, err error) {
	ctx, stop := SpendWriteTime(ctx)
	defer stop()
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)() // a deadline of the caller's own says nothing of the store
	err = d.health.ask(bounded, func(ctx context.Context) (err error) {
		v, err = read(ctx)
		return err
	})
	if err != nil {
		return v, storeFault(err, none)
	}
	return v, nil
}
