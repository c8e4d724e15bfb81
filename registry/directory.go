package registry

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// Directory answers reads of managed sources from memory, so that they cost no
// query on the hot path and go on while the store is away. Reads of sources of both
// kinds and lists ask the store, and memory while it is away. What was written or
// deleted through a Directory, memory never contradicts. Its errors are
// *fault.Error: NotFound, Unavailable when the store was needed and could not be
// asked, or Internal when it is there and can't read what was asked for; those of
// writes are named there. All methods are safe for concurrent
// use; what they give is shared and must not be changed.
type Directory struct {
	store Store
	opts  DirectoryOptions

	graves  *graves
	memory  *memory // managed sources
	shelf   *shelf  // AGENT sources, lists and counts
	news    *newsMemory
	flights singleflight.Group

	life  context.Context // ends with Close
	end   context.CancelFunc
	work  sync.WaitGroup // reads and probes under way
	away  atomic.Bool    // the store's last answer was none, or late
	mu    sync.Mutex     // guards what follows, and when away changes
	ended bool
	probe bool          // one probe runs
	back  chan struct{} // closed when the store is back; made anew whenever it goes away
}

// DirectoryOptions are the limits of a Directory; zero means the default.
type DirectoryOptions struct {
	Fresh        time.Duration // how old a copy may be that is given without asking the store: 2 s
	ReadTimeout  time.Duration // how long a reader with a copy waits for the store: 250 ms
	StoreTimeout time.Duration // how long any other call of the store may take: 2 s
	WriteTimeout time.Duration // how long a create, an update or a delete may take, its wait in a queue of writers included: 5 s
	Entries      int           // how many sources of each kind are remembered: 10,000
	// Changed is told when the store goes away, with what went wrong, and when it
	// is back. It must not call the Directory. Nil: nobody.
	Changed func(there bool, err error)
}

// NewDirectory makes an empty Directory before a store. Close ends it; the store
// stays open.
func NewDirectory(store Store, opts DirectoryOptions) *Directory {
	setDefault(&opts.Fresh, 2*time.Second)
	setDefault(&opts.ReadTimeout, 250*time.Millisecond)
	setDefault(&opts.StoreTimeout, 2*time.Second)
	setDefault(&opts.WriteTimeout, 5*time.Second)
	if opts.Entries <= 0 {
		opts.Entries = 10_000
	}
	buried := newGraves(opts.Entries)
	d := &Directory{store: store, opts: opts, graves: buried, memory: newMemory(opts.Entries, buried), shelf: newShelf(opts.Entries, buried), news: newNewsMemory(opts.Entries)}
	d.life, d.end = context.WithCancel(context.Background())
	return d
}

func setDefault(d *time.Duration, to time.Duration) {
	if *d <= 0 {
		*d = to
	}
}

// Put remembers a source as the store has just given it: at start-up, what Adopt
// returned.
func (d *Directory) Put(m *Source) { d.memory.put(m, time.Now()) }

// ManagedSource finds a customer's managed source by its sourceId.
func (d *Directory) ManagedSource(ctx context.Context, customer int64, sourceID string) (*Source, error) {
	e := d.memory.bySourceID(customer, sourceID)
	if m := d.fresh(e); m != nil {
		return m, nil
	}
	return d.reread(ctx, e, d.bySourceID(customer, sourceID))
}

// ManagedSourceByID finds a customer's managed source by its connection's id.
func (d *Directory) ManagedSourceByID(ctx context.Context, customer, esaID int64) (*Source, error) {
	e := d.memory.byESAID(customer, esaID)
	if m := d.fresh(e); m != nil {
		return m, nil
	}
	return d.reread(ctx, e, d.byESAID(customer, esaID))
}

// ManagedSourceNow is ManagedSource for whoever is about to change what it gives: the
// store is asked, so that a write of another replica is seen, and memory only while it
// is away.
func (d *Directory) ManagedSourceNow(ctx context.Context, customer int64, sourceID string) (*Source, error) {
	q := d.bySourceID(customer, sourceID)
	return d.reread(ctx, q.find(), q)
}

// ManagedSourceByIDNow is ManagedSourceNow by the connection's id.
func (d *Directory) ManagedSourceByIDNow(ctx context.Context, customer, esaID int64) (*Source, error) {
	q := d.byESAID(customer, esaID)
	return d.reread(ctx, q.find(), q)
}

// fresh gives a copy that need not be read anew, nil where there is none.
func (d *Directory) fresh(e *entry) *Source {
	if e != nil {
		if c := e.read(); time.Since(c.readAt) < d.opts.Fresh {
			return c.m
		}
	}
	return nil
}

func (d *Directory) bySourceID(customer int64, sourceID string) query {
	return query{
		name: func() string { return d.shelf.flight("source", customer, sourceID) },
		read: func(ctx context.Context) (*Source, error) {
			return d.store.Customer(customer).ManagedSource(ctx, sourceID)
		},
		find: func() *entry { return d.memory.bySourceID(customer, sourceID) },
		gone: func() bool { return d.graves.holdsSource(sourceKey{customer, sourceID}) },
	}
}

func (d *Directory) byESAID(customer, esaID int64) query {
	return query{
		name: func() string { return d.shelf.flight("esa", customer, strconv.FormatInt(esaID, 10)) },
		read: func(ctx context.Context) (*Source, error) {
			return d.store.Customer(customer).ManagedSourceByID(ctx, esaID)
		},
		find: func() *entry { return d.memory.byESAID(customer, esaID) },
		gone: func() bool { return d.graves.holdsESA(esaKey{customer, esaID}) },
	}
}

// query is one way of asking for one source.
type query struct {
	name func() string // the same for all who ask the same
	read func(context.Context) (*Source, error)
	find func() *entry
	gone func() bool // it was deleted through this Directory
}

// reread asks the store, once for all that wait, and falls back on what is known:
// the copy that there is (held), or that the source was deleted.
func (d *Directory) reread(ctx context.Context, held *entry, q query) (*Source, error) {
	known := held != nil || q.gone()
	if known && d.away.Load() {
		return d.recall(held, q, errAway)
	}
	answer, err := d.await(ctx, known, q.name(), func(ctx context.Context) (any, error) {
		began := time.Now()
		m, err := q.read(ctx)
		if err == nil {
			return d.memory.put(m, began), nil
		}
		if isNotFound(err) {
			d.memory.drop(q.find(), began)
		}
		return nil, err
	})
	// Who joins a read that is all but over gets an answer from before it came; a
	// write that it has seen since is in memory.
	switch now := q.find(); {
	case err == nil:
		return d.standing(d.memory.latest(answer.(*Source)))
	case isNotFound(err) && now != nil:
		return now.copy.Load().m, nil
	case isNotFound(err):
		return nil, storeFault(err)
	}
	return d.recall(held, q, err)
}

// recall answers from what is known, or with why the store could not be asked.
func (d *Directory) recall(held *entry, q query, err error) (*Source, error) {
	if held != nil {
		return d.standing(held.copy.Load().m)
	}
	if q.gone() {
		return nil, storeFault(ErrNotFound)
	}
	return nil, storeFault(err)
}

// standing gives a source unless it was deleted here meanwhile.
func (d *Directory) standing(m *Source) (*Source, error) {
	if d.graves.holds(m.ID) {
		return nil, storeFault(ErrNotFound)
	}
	return m, nil
}

// StoreAvailable reports whether the store answered when it was last asked.
func (d *Directory) StoreAvailable() bool { return !d.away.Load() }

// Close ends what runs in the background and waits for it. Copies can still be read.
func (d *Directory) Close() {
	d.mu.Lock()
	d.ended = true
	d.mu.Unlock()
	d.end()
	d.work.Wait()
}
