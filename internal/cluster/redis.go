// Package cluster is what the replicas of a gateway have in common beside the registry's database: a
// Redis for what is brief ([Redis]), and hints by which one tells the others of what it has changed
// ([Hints]). Nothing in Redis is the truth and nothing is a secret: all of it can be lost at any time,
// and a replica then goes on alone.
package cluster

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"esagate/internal/background"
)

const (
	// Budget is how long one exchange with Redis may take: a reader may wait for it.
	Budget = 30 * time.Millisecond

	failuresInRow = 3               // of exchanges, after which Redis counts as away
	probePause    = time.Second     // between two probes while it does
	probeLimit    = time.Second     // of one, connecting included
	probeLifetime = 5 * time.Second // of the key that a probe writes
)

// clusterError is an error of ours, with nothing of Redis or its address in it.
type clusterError string

// Error implements error.
func (e clusterError) Error() string { return "cluster: " + string(e) }

// OwnWords is the error, which may be shown whatever it stands in.
func (e clusterError) OwnWords() string { return e.Error() }

var (
	// ErrAway: Redis did not answer in time, or could not do what it was asked for, or is not asked
	// because it did not lately.
	ErrAway error = clusterError("Redis is away")
	// ErrURL: an address that [Open] can't read. The address is not part of the error: it may hold a password.
	ErrURL error = clusterError("not the address of a Redis")
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
}

// Redis is a Redis, Valkey or cluster of them that replicas share, behind a breaker of its own: while it
// is away no exchange waits for it, and one goroutine looks for its return. It is safe for concurrent use.
type Redis struct {
	client  redis.UniversalClient
	prefix  string
	changed func(there bool, err error)
	work    *background.Group

	away     atomic.Bool
	failures atomic.Int32 // exchanges that failed in a row

	mu sync.Mutex // held while away changes
}

// Open makes a Redis of an address; it does not connect yet, and whether the address answers shows later.
// The caller ends it with Close. The error is ErrURL.
func Open(opts Options) (*Redis, error) {
	client, err := newClient(opts.URL)
	if err != nil {
		return nil, err
	}
	r := &Redis{client: client, prefix: opts.Prefix, changed: opts.Changed, work: background.NewGroup(opts.Logger)}
	if r.prefix == "" {
		r.prefix = "esagate:"
	}
	if r.changed == nil {
		r.changed = func(bool, error) {}
	}
	return r, nil
}

// CheckURL reports whether Open can read an address: nil or ErrURL.
func CheckURL(address string) error {
	client, err := newClient(address)
	if err != nil {
		return err
	}
	return client.Close()
}

func newClient(address string) (redis.UniversalClient, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, ErrURL
	}
	switch q := u.Query(); {
	case q.Has("master_name"):
		o, err := redis.ParseFailoverURL(address)
		if err != nil {
			return nil, ErrURL
		}
		o.ContextTimeoutEnabled, o.MaxRetries = true, -1
		return redis.NewFailoverClient(o), nil
	case q.Has("addr"):
		o, err := redis.ParseClusterURL(address)
		if err != nil {
			return nil, ErrURL
		}
		o.ContextTimeoutEnabled, o.MaxRetries = true, -1
		return redis.NewClusterClient(o), nil
	}
	o, err := redis.ParseURL(address)
	if err != nil {
		return nil, ErrURL
	}
	o.ContextTimeoutEnabled, o.MaxRetries = true, -1
	return redis.NewClient(o), nil
}

// Key gives the name of a key of a kind. Keys of one id, of whatever kind, lie on one node of a cluster, so
// that a script may use several. The kind has no braces.
func (r *Redis) Key(kind, id string) string { return r.prefix + kind + ":{" + id + "}" }

// Available reports whether Redis answered when it was last asked.
func (r *Redis) Available() bool { return !r.away.Load() }

// Do has an exchange with Redis within [Budget] and ctx. Its error is what exchange returned where Redis has
// answered (redis.Nil, or an exchange's own), ctx.Err() where ctx ended first, and otherwise wraps ErrAway.
func (r *Redis) Do(ctx context.Context, exchange func(ctx context.Context, c redis.UniversalClient) error) error {
	if r.away.Load() {
		return ErrAway
	}
	bounded, cancel := context.WithTimeout(ctx, Budget)
	defer cancel()
	err := exchange(bounded, r.client)
	switch {
	case answered(err):
		r.failures.Store(0)
		return err
	case ctx.Err() != nil: // a caller that leaves says nothing of Redis
		return ctx.Err()
	}
	if r.failures.Add(1) >= failuresInRow {
		r.goneAway(err)
	}
	return errors.Join(ErrAway, err)
}

// answered reports whether Redis did what it was asked for.
func answered(err error) bool { return err == nil || errors.Is(err, redis.Nil) }

// goneAway has nothing asked of Redis until a probe succeeds.
func (r *Redis) goneAway(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away.Load() || !r.work.Go(context.Background(), "look for Redis", r.look) {
		return
	}
	r.away.Store(true)
	r.changed(false, err)
}

// look probes until Redis takes a write.
func (r *Redis) look(ctx context.Context) {
	for background.Sleep(ctx, background.Jitter(probePause)) {
		if r.probe(ctx) == nil {
			r.mu.Lock()
			r.failures.Store(0)
			r.away.Store(false)
			r.changed(true, nil)
			r.mu.Unlock()
			return
		}
	}
}

// probe writes a key: a Redis that is full or a replica of another's answers reads only.
func (r *Redis) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	return r.client.Set(ctx, r.Key("probe", ""), "", probeLifetime).Err()
}

// Close ends what runs in the background, and the connections.
func (r *Redis) Close() {
	_ = r.work.Close(context.Background())
	_ = r.client.Close()
}
