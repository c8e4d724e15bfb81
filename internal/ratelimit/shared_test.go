package ratelimit_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
	"pgregory.net/rapid"

	"esagate/internal/ratelimit"
)

// common is what replicas share, in the test's own time.
type common struct {
	mu     sync.Mutex
	tokens map[string]*rate.Limiter
	takes  atomic.Int64 // nanoseconds of an exchange
	away   atomic.Bool
	asked  atomic.Int64
}

func (c *common) count(ctx context.Context, key string, l ratelimit.Limit, n int) (taken int, left float64, err error) {
	select {
	case <-time.After(time.Duration(c.takes.Load())):
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked.Add(1)
	if c.away.Load() {
		return 0, 0, errors.New("away")
	}
	b := c.tokens[key]
	if b == nil {
		b = rate.NewLimiter(rate.Limit(l.Rate), l.Burst)
		c.tokens[key] = b
	}
	taken = min(n, int(b.Tokens()+1e-6))
	b.AllowN(time.Now(), taken)
	return taken, b.Tokens(), nil
}

// replicas runs a test with some that share a limit of writes.
func replicas(t testing.TB, n int, limit ratelimit.Limit, f func(c *common, all []*ratelimit.Limiter)) {
	t.Helper()
	c := &common{tokens: map[string]*rate.Limiter{}}
	c.takes.Store(int64(time.Millisecond))
	var all []*ratelimit.Limiter
	for range n {
		l := ratelimit.NewShared(ratelimit.Limits{Writes: limit, WrongKeys: limit}, c.count, nil)
		defer l.Close(context.Background())
		all = append(all, l)
	}
	f(c, all)
}

// burst writes so often, and says how many writes were let through. What is to be accounted for is, then.
func burst(l *ratelimit.Limiter, n int) (let int) {
	for range n {
		if !l.Write(1).Refused {
			let++
		}
	}
	time.Sleep(2 * time.Second) // longer than anything is accounted for late
	return let
}

// What one replica has let through, another knows a second later at most: it lets through a batch of the
// burst before it hears of it.
func TestReplicasShareALimit(t *testing.T) {
	for name, c := range map[string]struct {
		burst      int
		first      int // asked of the first replica
		most, then int // let through by the second one, and by the first one after that
		header     string
	}{
		"used up":               {500, 600, 10, 0, `true "writes";r=0;t=60 of "writes";q=500;w=500000000000`},
		"used by half":          {500, 250, 250, 0, `true "writes";r=0;t=60 of "writes";q=500;w=500000000000`},
		"a small one":           {3, 3, 1, 0, `true "writes";r=0;t=60 of "writes";q=3;w=3000000000`},
		"a small one, one left": {3, 2, 1, 0, `true "writes";r=0;t=60 of "writes";q=3;w=3000000000`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				replicas(t, 2, ratelimit.Limit{Rate: 1e-9, Burst: c.burst}, func(_ *common, all []*ratelimit.Limiter) {
					if got := burst(all[0], c.first); got != min(c.first, c.burst) {
						t.Errorf("the first one let through %d", got)
					}
					second := 0
					for range c.burst { // each after what it learnt from the one before
						if !all[1].Write(1).Refused {
							second++
						}
						time.Sleep(2 * time.Millisecond)
					}
					if second < c.most || second > c.most+c.burst/50 {
						t.Errorf("the second one let through %d, want %d", second, c.most)
					}
					time.Sleep(2 * time.Second)
					burst(all[0], 1) // learns of it
					if got := burst(all[0], 10); got != c.then {
						t.Errorf("the first one let through %d more", got)
					}
					expect(t, all[0].Write(1), c.header)
				})
			})
		})
	}
}

// However replicas are asked, together they let through what the limit allows, and hardly less, but for a
// batch each.
func TestReplicasTogetherKeepALimit(t *testing.T) {
	const seconds = 5
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(rt, "replicas")
		limit := ratelimit.Limit{Rate: float64(rapid.SampledFrom([]int{1, 20, 200}).Draw(rt, "rate")), Burst: rapid.SampledFrom([]int{1, 10, 200, 1000}).Draw(rt, "burst")}
		each := rapid.SliceOfN(rapid.IntRange(0, 4), n, n).Draw(rt, "requests in 5 ms")
		each[0] = 4 // 800 a second: more than the limit
		synctest.Test(t, func(t *testing.T) {
			replicas(t, n, limit, func(_ *common, all []*ratelimit.Limiter) {
				let := 0
				for range seconds * 200 {
					for i, l := range all {
						for range each[i] {
							switch v := l.Write(1); {
							case !v.Refused:
								let++
							case !strings.Contains(v.RateLimit(), ";r=0;"):
								rt.Errorf("refused with %s", v.RateLimit())
							}
						}
					}
					time.Sleep(5 * time.Millisecond)
				}
				allowed := float64(limit.Burst) + limit.Rate*seconds
				most := allowed + float64(n*(max(1, limit.Burst/50)+4)) // a batch, and what comes at once
				if got := float64(let); got > most || got < 0.85*allowed-10 {
					t.Errorf("%d replicas let through %d of %+v, want %.0f", n, let, limit, allowed)
				}
			})
		})
	})
}

// Wrong keys of one address are one limit too, also where checks are under way at every replica when that is used up.
func TestReplicasShareTheLimitOfWrongKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit, client := ratelimit.Limit{Rate: 20, Burst: 200}, netip.MustParseAddr("198.51.100.1")
		replicas(t, 3, limit, func(_ *common, all []*ratelimit.Limiter) {
			const rounds, each = 12, 5 * time.Second
			wrong := 0
			for range rounds {
				begun := make([][]ratelimit.Attempt, len(all))
				for i, l := range all {
					for range 250 {
						if a, _, ok := l.Attempt(client); ok {
							begun[i] = append(begun[i], a)
						}
					}
				}
				for slices.ContainsFunc(begun, func(left []ratelimit.Attempt) bool { return len(left) > 0 }) { // a check takes some milliseconds
					for i := range begun {
						for range min(4, len(begun[i])) {
							begun[i][0].End(true)
							begun[i], wrong = begun[i][1:], wrong+1
						}
					}
					time.Sleep(2 * time.Millisecond)
				}
				time.Sleep(each)
			}
			// What was begun before the first exchange is a debt, and paid within the rounds.
			allowed := float64(limit.Burst) + limit.Rate*each.Seconds()*rounds
			if most := allowed + 2*float64(limit.Burst); float64(wrong) > most || float64(wrong) < 0.8*allowed {
				t.Errorf("%d wrong keys were checked, want %.0f", wrong, allowed)
			}
		})
	})
}

// While what is shared can't be reached each replica counts for itself, with what it knows; then the limit is one again.
func TestReplicasGoOnAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := ratelimit.Limit{Rate: 100, Burst: 500}
		replicas(t, 2, limit, func(c *common, all []*ratelimit.Limiter) {
			c.away.Store(true)
			for i, l := range all {
				if let := burst(l, 600); let != 500 {
					t.Errorf("replica %d let through %d", i, let)
				}
			}
			c.away.Store(false)
			time.Sleep(10 * time.Second)
			if let := burst(all[0], 600); let != 500 {
				t.Errorf("%d", let)
			}
			let := 0
			for range 600 {
				if !all[1].Write(1).Refused {
					let++
				}
				time.Sleep(time.Millisecond)
			}
			if let > 200+60+20 { // what came back in the two seconds since and in these 0.6 s, and a batch or two
				t.Errorf("the other one let through %d", let)
			}
			for _, l := range all { // an exchange that does not end keeps nobody waiting
				time.Sleep(10 * time.Second)
				c.takes.Store(int64(time.Hour))
				start := time.Now()
				for range 600 {
					l.Write(1)
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("it took %v", took)
				}
				time.Sleep(2 * time.Second)
				c.takes.Store(int64(time.Millisecond))
			}
		})
	})
}

// A batch is one exchange, and a little that comes seldom is one a second.
func TestExchangesAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		replicas(t, 1, ratelimit.Limit{Rate: 1000, Burst: 5000}, func(c *common, all []*ratelimit.Limiter) {
			for range 10 * 1000 {
				all[0].Write(1)
				time.Sleep(time.Millisecond)
			}
			if n := c.asked.Swap(0); n < 90 || n > 110 {
				t.Errorf("%d exchanges for 10,000 writes", n)
			}
			for range 100 {
				all[0].Write(1)
				time.Sleep(100 * time.Millisecond)
			}
			if n := c.asked.Load(); n < 8 || n > 17 {
				t.Errorf("%d exchanges for ten writes a second", n)
			}
		})
	})
}
