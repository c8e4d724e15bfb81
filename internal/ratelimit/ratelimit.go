// Package ratelimit counts requests against limits, each a token bucket: the reads and the
// writes of a customer, and the wrong keys that come from a client's address. A request is counted
// by its replica alone and waits for nobody; replicas that share a [Count] account for what they let
// through there, and learn what the others did. docs/decisions/0030-rate-limits.md and
// docs/decisions/0055-shared-limits.md have the reasons.
package ratelimit

import (
	"context"
	"log/slog"
	"math"
	"net/netip"
	"strconv"
	"time"
)

// Limit is one limit. Rate 0 switches it off.
type Limit struct {
	Rate  float64 // events a second, on average
	Burst int     // at once
}

// Limits are all of them.
type Limits struct {
	Reads     Limit // of one customer
	Writes    Limit // of one customer
	WrongKeys Limit // from one address; see [Network]
}

// maxBuckets bounds the customers, and the addresses, of each limit that are remembered.
const maxBuckets = 10_000

// Limiter counts. It is safe for concurrent use, and what it does never waits.
type Limiter struct {
	reads, writes *quota[int64]
	wrongKeys     *quota[netip.Addr]
	shared        *shared // nil: this replica counts for itself
}

// New makes a Limiter that counts for itself.
func New(limits Limits) *Limiter { return newLimiter(limits, nil) }

// NewShared makes a Limiter that has its limits in common with all that share a count. The caller
// ends it with Close. A nil log discards what goes wrong.
func NewShared(limits Limits, count Count, log *slog.Logger) *Limiter {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return newLimiter(limits, newShared(count, log))
}

func newLimiter(limits Limits, s *shared) *Limiter {
	l := &Limiter{
		reads: newQuota[int64]("reads", s), writes: newQuota[int64]("writes", s),
		wrongKeys: newQuota[netip.Addr]("wrong_keys", s), shared: s,
	}
	l.SetLimits(limits)
	return l
}

// Close ends what runs in the background, no later than ctx. The Limiter goes on to count for itself.
func (l *Limiter) Close(ctx context.Context) {
	if l.shared != nil {
		_ = l.shared.work.Close(ctx)
	}
}

// SetLimits replaces the limits, those of customers and addresses that are known already among
// them. What was used up of a limit stays used up.
func (l *Limiter) SetLimits(limits Limits) {
	l.reads.set(limits.Reads)
	l.writes.set(limits.Writes)
	l.wrongKeys.set(limits.WrongKeys)
}

// Read counts a read of a customer.
func (l *Limiter) Read(customer int64) Verdict { return l.reads.take(customer) }

// Write counts a write of a customer.
func (l *Limiter) Write(customer int64) Verdict { return l.writes.take(customer) }

// Verdict is what became of a customer's request. The zero Verdict: there is no limit.
type Verdict struct {
	Policy  []string // the value of RateLimit-Policy; shared, and never written to. nil: there is no limit
	Refused bool

	policy    *policy
	remaining int64
	reset     int64 // seconds until there is one more
}

// RateLimit gives the value of the header RateLimit.
func (v Verdict) RateLimit() string {
	var room [64]byte
	text := append(room[:0], v.policy.item...)
	text = strconv.AppendInt(append(text, ";r="...), v.remaining, 10)
	text = strconv.AppendInt(append(text, ";t="...), v.reset, 10)
	return string(text)
}

// RetryAfter is how long a refused request should wait.
func (v Verdict) RetryAfter() time.Duration { return time.Duration(v.reset) * time.Second }

// Attempt is a credential that is being checked. Its zero value is of no limit.
type Attempt struct {
	bucket *bucket
	policy *policy
}

// Attempt lets a credential of a client that is not known yet be checked, unless too many of
// its address were wrong, those that are being checked now counted among them; then ok is
// false, and retryAfter is when to come again. Each Attempt must be ended.
func (l *Limiter) Attempt(client netip.Addr) (a Attempt, retryAfter time.Duration, ok bool) {
	p := l.wrongKeys.policy.Load()
	if p == nil {
		return Attempt{}, 0, true
	}
	b := l.wrongKeys.bucketOf(Network(client), p)
	wait, ok := b.begin(p)
	if !ok {
		return Attempt{}, wait, false
	}
	return Attempt{b, p}, 0, true
}

// End says whether the credential was wrong: nothing else is counted.
func (a Attempt) End(wrong bool) {
	if a.bucket != nil {
		a.bucket.end(a.policy, wrong)
	}
}

// Network gives what counts as one client: an IPv4 address, and of IPv6 a /64, the least that
// a customer of a provider is given.
func Network(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	p, _ := a.Prefix(64) // fails for a zone and for more than 128 bits alone
	return p.Addr()
}

// policy is a limit that is not off.
type policy struct {
	Limit
	batch  int      // events that are accounted for with the other replicas at once
	item   string   // the policy's name in a structured field (RFC 9651)
	header []string // RateLimit-Policy
}

func newPolicy(name string, l Limit) *policy {
	if l.Rate == 0 {
		return nil
	}
	window := max(1, int64(math.Ceil(float64(l.Burst)/l.Rate)))
	item := strconv.Quote(name)
	return &policy{l, max(1, l.Burst/shareOfBurst), item, []string{item + ";q=" + strconv.Itoa(l.Burst) + ";w=" + strconv.FormatInt(window, 10)}}
}

// next gives, for a number of tokens, how long it is until there is one more, or one at all, but no more
// than longestWait.
func (p *policy) next(tokens float64) time.Duration {
	due := (max(math.Floor(tokens), 0) + 1 - tokens) / p.Rate
	return time.Duration(min(due, longestWait.Seconds()) * float64(time.Second))
}

// longestWait is the longest that a client is told to wait.
const longestWait = time.Minute

// seconds rounds up, to at least one.
func seconds(d time.Duration) int64 { return max(1, int64((d+time.Second-1)/time.Second)) }
