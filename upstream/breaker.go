package upstream

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// breaker is a gobreaker that only a probe of the client's own can close: while it is
// open, readers' calls are refused without being made to find out.
//
// Attempts are given to gobreaker when they have ended: it forgets what began before its
// window, and a call may take longer than that. While it is open nothing but a good probe is
// given to it, which takes it from open through half open to closed in one step.
type breaker struct {
	tenantID string // "": the whole upstream's
	open     atomic.Bool
	since    atomic.Pointer[time.Time] // when it last changed; nil: never
	changes  atomic.Int64              // how often it has changed its state
	probeAt  atomic.Pointer[time.Time] // of the next probe, with its monotonic clock; nil: none is planned
	probes   atomic.Int32              // probes under way
	hanging  hanging                   // readers' status calls under way, of a tenant

	mu      sync.Mutex // held while cb is used
	cb      *gobreaker.CircuitBreaker[struct{}]
	stop    context.CancelFunc // ends the probing; nil: there is none
	dropped bool               // no longer one of the client's breakers
}

func newBreaker(tenantID string, window time.Duration, trips func(gobreaker.Counts) bool) *breaker {
	b := &breaker{tenantID: tenantID}
	b.cb = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:  1,
		Interval:     window,
		BucketPeriod: window / 10,
		Timeout:      time.Nanosecond, // zero would be a minute
		ReadyToTrip:  trips,
		OnStateChange: func(_ string, _, to gobreaker.State) {
			now := time.Now()
			b.since.Store(&now)
			b.open.Store(to != gobreaker.StateClosed)
			b.changes.Add(1)
		},
	})
	return b
}

// newTenantBreaker opens by the attempts themselves.
func newTenantBreaker(tenantID string, cfg BreakerConfig) *breaker {
	return newBreaker(tenantID, cfg.Window, func(n gobreaker.Counts) bool {
		done := n.TotalSuccesses + n.TotalFailures // Requests has unfinished ones too
		return int(n.ConsecutiveFailures) >= cfg.ConsecutiveFailures ||
			int(done) >= cfg.MinimumRequests && float64(n.TotalFailures) >= cfg.FailureRatio*float64(done)
	})
}

// newUpstreamBreaker opens at the first failure that is recorded: see symptoms.
func newUpstreamBreaker(cfg BreakerConfig) *breaker {
	return newBreaker("", cfg.Window, func(gobreaker.Counts) bool { return true })
}

var errFailed = errors.New("failed")

// record counts an attempt, and reports whether that opened the breaker. An attempt
// that began before the breaker last changed, as changes was then, counts no more.
func (b *breaker) record(changes int64, failed bool) (opened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open.Load() || b.changes.Load() != changes {
		return false
	}
	if !failed {
		b.endProbing()
	}
	b.count(failed)
	return b.open.Load()
}

// count gives an attempt to gobreaker. The lock is held.
func (b *breaker) count(failed bool) {
	_, _ = b.cb.Execute(func() (none struct{}, err error) {
		if failed {
			err = errFailed
		}
		return none, err
	})
}

// close ends the probing after a good probe, and reports whether any was still wanted
// and whether the breaker was open.
func (b *breaker) close() (wasWanted, wasOpen bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	wasWanted = b.endProbing()
	if wasOpen = b.open.Load(); wasOpen {
		b.count(false)
	}
	return wasWanted, wasOpen
}

// drop ends the probing of a breaker that is kept no longer.
func (b *breaker) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.endProbing()
	b.dropped = true
}

// beginProbing reports whether the caller should begin to probe, and keeps stop, which
// ends that. It should not if the breaker is probed already, or is kept no longer.
func (b *breaker) beginProbing(stop context.CancelFunc) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dropped || b.stop != nil {
		return false
	}
	b.stop = stop
	return true
}

// endProbing ends the probing at once, so that the next begins anew, and reports whether
// there was any. The lock is held.
func (b *breaker) endProbing() bool {
	if b.stop == nil {
		return false
	}
	b.stop()
	b.stop = nil
	return true
}

// refusal is the failure of a call that the breaker did not let through.
func (b *breaker) refusal() *failure {
	var wait time.Duration
	if at := b.probeAt.Load(); at != nil {
		wait = time.Until(*at)
	}
	cause := errors.New("the tenant's breaker is open")
	if b.tenantID == "" {
		cause = errors.New("the upstream's breaker is open")
	}
	f := failed(outcomeCircuitOpen, blameUnknown, cause)
	f.err.RetryAfter = min(max(wait, time.Second), retryAfterLimit) // a probe may be under way
	return neverSent(f)
}
