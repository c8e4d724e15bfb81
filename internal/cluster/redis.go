// Package cluster is what the replicas of a gateway have in common beside the registry's database: a
// Redis for what is brief ([Redis]), and hints by which one tells the others of what it has changed
// ([Hints]). Nothing in Redis is the truth and nothing is a secret: all of it can be lost at any time,
// and a replica then goes on alone.
package cluster

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"esagate/internal/background"
)

const (
	// Budget is how long one exchange with Redis may take: a reader may wait for it.
	Budget = 30 * time.Millisecond

	failuresInRow = 3               // of exchanges one after the other, after which Redis counts as away
	probePause    = time.Second     // between two probes while it does
	watchPause    = 2 * time.Second // while it does not
	probeLimit    = time.Second     // of one, connecting included
	probeLifetime = 5 * time.Second // of the key that a probe writes
	connections   = 4               // that are made before readers need them
)

// Options say which Redis, and who hears of it.
type Options struct {
	// URL is redis:// or rediss:// (TLS) with a host; with ?addr=host:port once or more it is a cluster's
	// with these nodes too, and with ?master_name= that of Sentinels.
	URL    string
	Prefix string       // of all keys and channels; empty: "esagate:"
	Logger *slog.Logger // nil: nothing is logged
	// Changed is told when Redis goes away, with what went wrong, and when it is back. It must not
	// block. May be nil.
	Changed func(there bool, err error)
	// Dial makes connections to a Redis alone, without Sentinels or a cluster. Nil: over the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Redis is a Redis, Valkey or cluster of them that replicas share, behind a breaker of its own: while it
// is away no exchange waits for it. One goroutine looks whether it can be used. It is safe for concurrent use.
type Redis struct {
	client  redis.UniversalClient
	prefix  string
	changed func(there bool, err error)
	work    *background.Group
	tried   chan struct{} // closed when it is known whether it can be used

	away     atomic.Bool
	failures atomic.Int32 // exchanges that failed in a row

	mu       sync.Mutex // held while away changes
	failedAt time.Time  // when an exchange was last counted in failures
}

// Open makes a Redis of an address. It waits for nothing: it connects in the background, so that no reader
// has to, and whether the address answers shows later. The caller ends it with Close. The error is ErrURL.
func Open(opts Options) (*Redis, error) {
	client, err := clientOf(opts.URL, opts.Dial)
	if err != nil {
		return nil, err
	}
	r := &Redis{client: client(), prefix: opts.Prefix, changed: opts.Changed, work: background.NewGroup(opts.Logger),
		tried: make(chan struct{})}
	if r.prefix == "" {
		r.prefix = "esagate:"
	}
	if r.changed == nil {
		r.changed = func(bool, error) {}
	}
	r.work.Go(context.Background(), "look for Redis", r.watch)
	return r, nil
}

// Key gives the name of a key of a kind. Keys of one id, of whatever kind, lie on one node of a cluster, so
// that a script may use several. The kind has no braces.
func (r *Redis) Key(kind, id string) string { return r.prefix + kind + ":{" + id + "}" }

// Available reports whether Redis answered when it was last asked.
func (r *Redis) Available() bool { return !r.away.Load() }

// Tried is closed when it is known whether Redis can be used, after a second at most. Who begins to serve waits
// for it: a first reader would else be alone.
func (r *Redis) Tried() <-chan struct{} { return r.tried }

// Do has an exchange with Redis within [Budget] and ctx. Its error is redis.Nil where the exchange
// returned that, ctx.Err() where ctx ended first, and otherwise wraps ErrAway; exchange returns no others than
// those of the client.
func (r *Redis) Do(ctx context.Context, exchange func(ctx context.Context, c redis.UniversalClient) error) error {
	if r.away.Load() {
		return ErrAway
	}
	began := time.Now()
	bounded, cancel := context.WithTimeout(ctx, Budget)
	defer cancel()
	err := exchange(bounded, r.client)
	switch {
	case err == nil, errors.Is(err, redis.Nil):
		r.failures.Store(0)
		return err
	case ctx.Err() != nil: // a caller that leaves says nothing of Redis
		return ctx.Err()
	}
	if _, lasts := explain(err); lasts || r.failed(began) >= failuresInRow {
		r.goneAway(err)
	}
	return inOurWords(err)
}

// failed counts an exchange that failed, and gives how many did so in a row. Those that were under way at the
// same time are one: a moment in which nothing moves, here or there, is not an outage.
func (r *Redis) failed(began time.Time) int32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if began.Before(r.failedAt) {
		return r.failures.Load()
	}
	r.failedAt = time.Now()
	return r.failures.Add(1)
}

// goneAway has nothing asked of Redis until a probe succeeds.
func (r *Redis) goneAway(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.away.Swap(true) {
		r.changed(false, inOurWords(err))
	}
}

// comeBack has Redis asked again.
func (r *Redis) comeBack() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures.Store(0)
	if r.away.Swap(false) {
		r.changed(true, nil)
	}
}

// watch probes from the start on: that Redis can't be used is known before a reader asks it, also when nobody
// does, and a connection is there for the first.
func (r *Redis) watch(ctx context.Context) {
	for first := true; ; first = false {
		pause := watchPause
		if err := r.probe(ctx, first); err == nil {
			r.comeBack()
		} else if ctx.Err() == nil {
			r.goneAway(err)
			pause = probePause
		}
		if first {
			close(r.tried)
		}
		if !background.Sleep(ctx, background.Jitter(pause)) {
			return
		}
	}
}

// probe writes a key: a Redis that is full or a replica of another's answers reads only. Before it is used, for
// the first time or again, connections are made. One that is away must then write within Budget too: readers
// would find it away again at once.
func (r *Redis) probe(ctx context.Context, first bool) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	write := func(ctx context.Context) error { return r.client.Set(ctx, r.Key("probe", ""), "", probeLifetime).Err() }
	if !first && r.Available() {
		return write(ctx)
	}
	var together errgroup.Group
	for range connections {
		together.Go(func() error { return write(ctx) })
	}
	if err := together.Wait(); err != nil || r.Available() {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, Budget)
	defer cancel()
	return write(bounded)
}

// Close ends what runs in the background, and the connections.
func (r *Redis) Close() {
	_ = r.work.Close(context.Background())
	_ = r.client.Close()
}
