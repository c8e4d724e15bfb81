package ratelimit

import (
	"fmt"
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// shards keep requests of different customers from waiting for each other's lock. Which one a
// key is in can't be foretold.
const shards = 16

// quota is one limit, and a bucket for each key that it has counted lately. Where there are too
// many, the one that was not used for longest is forgotten: if it was full again nothing is lost,
// else its owner has a burst once more.
type quota[K comparable] struct {
	name    string
	policy  atomic.Pointer[policy] // nil: off
	shared  *shared                // nil: this replica counts for itself
	seed    maphash.Seed
	buckets [shards]*lru.Cache[K, *bucket]
}

func newQuota[K comparable](name string, s *shared) *quota[K] {
	q := &quota[K]{name: name, shared: s, seed: maphash.MakeSeed()}
	for i := range q.buckets {
		q.buckets[i], _ = lru.New[K, *bucket](maxBuckets / shards) // fails for a size below 1 alone
	}
	return q
}

func (q *quota[K]) set(l Limit) { q.policy.Store(newPolicy(q.name, l)) }

// take counts one event of a key.
func (q *quota[K]) take(key K) Verdict {
	p := q.policy.Load()
	if p == nil {
		return Verdict{}
	}
	return q.bucketOf(key, p).take(p)
}

func (q *quota[K]) bucketOf(key K, p *policy) *bucket {
	shard := q.buckets[maphash.Comparable(q.seed, key)%shards]
	if b, ok := shard.Get(key); ok {
		return b
	}
	b := &bucket{policy: p, tokens: rate.NewLimiter(rate.Limit(p.Rate), p.Burst)}
	if q.shared != nil {
		b.shared, b.key = q.shared, fmt.Sprint(q.name, ":", key)
	}
	if first, ok, _ := shard.PeekOrAdd(key, b); ok { // another request was faster
		return first
	}
	return b
}

// bucket counts for one key.
type bucket struct {
	mu      sync.Mutex
	policy  *policy // that tokens follows
	tokens  *rate.Limiter
	pending int // attempts that have not ended

	// With other replicas:
	shared *shared     // nil: this one counts for itself
	key    string      // of the bucket that all have in common
	untold int         // events let through that are not accounted for there
	begun  bool        // that is being done, or about to be
	owes   bool        // there was not enough for untold: nothing is let through until there was
	timer  *time.Timer // after which it is to be done; nil: never yet
}

// follow has the bucket take over a policy that has changed. b.mu is held.
func (b *bucket) follow(p *policy, now time.Time) {
	if b.policy == p {
		return
	}
	b.tokens.SetLimitAt(now, rate.Limit(p.Rate))
	b.tokens.SetBurstAt(now, p.Burst)
	b.policy = p
}

func (b *bucket) take(p *policy) Verdict {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.follow(p, now)
	ok := !b.owes && b.tokens.AllowN(now, 1)
	if ok {
		b.note()
	}
	left := b.left(now)
	return Verdict{
		Policy: p.header, Refused: !ok,
		policy: p, remaining: int64(max(left, 0)), reset: seconds(p.next(left)),
	}
}

// begin reports whether an attempt may begin, and if not, when one may.
func (b *bucket) begin(p *policy) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.follow(p, now)
	tokens := b.left(now)
	left := tokens - float64(b.pending)
	if left < 1 {
		return p.next(max(left, min(tokens, 0))), false
	}
	b.pending++
	return 0, true
}

func (b *bucket) end(p *policy, wrong bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending--
	if !wrong {
		return
	}
	now := time.Now()
	b.follow(p, now)
	b.tokens.ReserveN(now, 1) // others may have used it up since it began: then it is a debt
	b.note()
}

// left gives how many events may be let through, less than 0 after too many. b.mu is held.
func (b *bucket) left(now time.Time) float64 {
	tokens := rounded(b.tokens.TokensAt(now))
	if b.owes {
		return min(tokens, 0)
	}
	return tokens
}

// rounded makes up for the errors of sums of fractions: 0.9999999999 tokens are one.
func rounded(tokens float64) float64 {
	if whole := math.Round(tokens); math.Abs(tokens-whole) < 1e-6 {
		return whole
	}
	return tokens
}
