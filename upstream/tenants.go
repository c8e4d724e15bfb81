package upstream

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// maxTenants bounds the tenants that are kept; some hundred bytes each.
const maxTenants = 10_000

// tenant is what the client keeps of one: its breaker, and when it was last read. Times
// are those of tenants.now; 0: never.
type tenant struct {
	id       string
	breaker  *breaker
	okAt     atomic.Int64 // a status read got a proper answer
	failedAt atomic.Int64 // one failed
	failed   atomic.Bool  // the last one did
	probedAt atomic.Int64 // it was read by a probe of the whole upstream
	took     atomic.Int64 // nanoseconds that the last good status call of a reader took
}

// failing reports whether the last status read failed, if that was after since.
func (t *tenant) failing(since int64) bool {
	return t.failed.Load() && t.failedAt.Load() >= since
}

// tenants are those that were read most recently.
type tenants struct {
	cache *lru.Cache[string, *tenant]
	cfg   BreakerConfig
	start time.Time
}

// now gives the nanoseconds since the start. Changes of the wall clock do not matter.
func (ts *tenants) now() int64 { return int64(time.Since(ts.start)) + 1 }

func newTenants(cfg BreakerConfig) *tenants {
	cache, _ := lru.NewWithEvict(maxTenants, func(_ string, t *tenant) { t.breaker.drop() }) // fails for a size below 1 alone
	return &tenants{cache: cache, cfg: cfg, start: time.Now()}
}

// read records a status read.
func (t *tenant) read(now int64, failed bool) {
	at := &t.okAt
	if failed {
		at = &t.failedAt
	}
	at.Store(now)
	t.failed.Store(failed)
}

// get gives a tenant, a new one if it is not known.
func (ts *tenants) get(id string) *tenant {
	if t, ok := ts.cache.Get(id); ok {
		return t
	}
	t := &tenant{id: id, breaker: newTenantBreaker(id, ts.cfg)}
	if there, ok, _ := ts.cache.PeekOrAdd(id, t); ok {
		return there
	}
	return t
}

// open counts the breakers that are open.
func (ts *tenants) open() (n int) {
	for _, t := range ts.cache.Values() {
		if t.breaker.open.Load() {
			n++
		}
	}
	return n
}

// recover drops the tenants whose breaker is open, and reports how many: their next read
// begins with a new breaker. Others are not probed any more. It returns all that there were.
func (ts *tenants) recover() (all []*tenant, dropped int) {
	all = ts.cache.Values()
	for _, t := range all {
		if !t.breaker.open.Load() {
			t.breaker.close()
		} else if ts.cache.Remove(t.id) {
			dropped++
		}
	}
	return all, dropped
}

// health counts the tenants that are failing, and those that were read well within the
// window. others says that there are some that are not failing, read lately or not.
// What was before since is forgotten.
func (ts *tenants) health(since int64) (failing, well int, others bool) {
	recent := ts.now() - int64(ts.cfg.Window)
	for _, t := range ts.cache.Values() {
		switch {
		case !t.failing(since):
			others = true
			if at := t.okAt.Load(); at > 0 && at >= recent {
				well++
			}
		case t.failedAt.Load() >= recent, t.breaker.open.Load():
			failing++
		}
	}
	return failing, well, others
}

// next returns the tenant for a probe of the whole upstream: of those probed the longest ago
// one that is not failing, and of these the one that was last read well. "" if none is known.
// begun is when the probing began.
func (ts *tenants) next(begun, since int64) (id string) {
	all := ts.cache.Values()
	if len(all) == 0 {
		return ""
	}
	probed := func(t *tenant) int64 {
		if at := t.probedAt.Load(); at >= begun {
			return at
		}
		return 0
	}
	failing := func(t *tenant) int {
		if t.failing(since) {
			return 1
		}
		return 0
	}
	best := slices.MinFunc(all, func(a, b *tenant) int {
		return cmp.Or(cmp.Compare(probed(a), probed(b)), failing(a)-failing(b), cmp.Compare(b.okAt.Load(), a.okAt.Load()))
	})
	best.probedAt.Store(ts.now())
	return best.id
}
