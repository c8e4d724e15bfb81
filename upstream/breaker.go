package upstream

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"esagate/internal/fault"
)

// breaker is a gobreaker that only its own probe can close: while it is not
// closed, readers' calls are refused without being asked to take a risk.
//
// gobreaker calls OnStateChange with its lock held. Here that only moves phase
// and queues the event; whoever made the change acts on it in settle, with no
// lock held. As nobody calls State(), gobreaker leaves "open" only when the
// probe asks for it.
type breaker struct {
	tenantID string // "": the whole upstream's
	blames   blame  // whose failures it counts
	cb       *gobreaker.CircuitBreaker[struct{}]
	owner    *prober
	log      *slog.Logger

	phase   atomic.Int32 // a gobreaker.State, always what cb's own is
	changes atomic.Int64 // of phase
	probeAt atomic.Int64 // Unix nanoseconds of the next probe, while not closed
	last    atomic.Pointer[lastFailure]
	dropped atomic.Bool // no longer among the client's breakers

	mu     sync.Mutex
	events []gobreaker.State // states entered and not yet acted on
	probed bool              // the last state acted on was half-open
}

// lastFailure is the attempt that a breaker last counted as a failure.
type lastFailure struct {
	tenantID string
	outcome  outcome
}

func newBreaker(tenantID string, cfg BreakerConfig, blames blame, owner *prober, log *slog.Logger) *breaker {
	b := &breaker{tenantID: tenantID, blames: blames, owner: owner, log: log}
	b.last.Store(&lastFailure{tenantID: tenantID})
	b.cb = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:  1,
		Interval:     cfg.Window,
		BucketPeriod: cfg.Window / 10,
		Timeout:      cfg.OpenFor,
		ReadyToTrip: func(n gobreaker.Counts) bool {
			done := n.TotalSuccesses + n.TotalFailures // Requests has the excluded and the unfinished too
			return int(n.ConsecutiveFailures) >= cfg.ConsecutiveFailures ||
				int(done) >= cfg.MinimumRequests && float64(n.TotalFailures) >= cfg.FailureRatio*float64(done)
		},
		IsSuccessful: func(err error) bool {
			f := (*failure)(nil)
			return err == nil || errors.As(err, &f) && f.blame != blames
		},
		IsExcluded: func(err error) bool {
			f := (*failure)(nil)
			if errors.As(err, &f) {
				// To a tenant's breaker a failure of the whole upstream is not even a success.
				return f.blame == blameOpen || f.blame == blameUpstream && blames != blameUpstream
			}
			return errors.Is(err, gobreaker.ErrOpenState)
		},
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				b.probeAt.Store(time.Now().Add(cfg.OpenFor).UnixNano())
			}
			b.phase.Store(int32(to))
			b.changes.Add(1)
			b.mu.Lock()
			b.events = append(b.events, to)
			b.mu.Unlock()
		},
	})
	return b
}

func (b *breaker) state() gobreaker.State { return gobreaker.State(b.phase.Load()) }
func (b *breaker) closed() bool           { return b.state() == gobreaker.StateClosed }

// do runs one attempt of a call through the breaker.
func (b *breaker) do(cl *call, try func() *failure) *failure {
	if cl.probes == b {
		return b.probe(cl, try)
	}
	began := b.changes.Load()
	if !b.closed() {
		return b.refusal()
	}
	counted := false
	defer func() {
		if !counted { // a panic, which leaves no failure
			b.count(cl, &failure{outcome: outcomeError, blame: b.blames}, began)
		}
	}()
	f := try()
	counted = true
	b.count(cl, f, began)
	return f
}

// count tells gobreaker how an attempt ended. It is told at the end and not asked at
// the beginning because it forgets what began before its window, and a call may take
// longer than that. What began before the breaker last changed is old news.
func (b *breaker) count(cl *call, f *failure, began int64) {
	if b.changes.Load() != began {
		return
	}
	defer b.settle()
	_, _ = b.cb.Execute(func() (struct{}, error) {
		// It could have opened since the check above, and this have become the probe.
		if b.changes.Load() != began {
			return struct{}{}, gobreaker.ErrOpenState
		}
		b.remember(cl, f)
		if f == nil {
			return struct{}{}, nil
		}
		return struct{}{}, f
	})
}

// probe runs the attempt that decides whether the breaker closes.
func (b *breaker) probe(cl *call, try func() *failure) (f *failure) {
	defer b.settle() // also when the attempt panics
	_, err := b.cb.Execute(func() (struct{}, error) {
		f = try()
		b.remember(cl, f)
		if f == nil {
			return struct{}{}, nil
		}
		return struct{}{}, f
	})
	if err != nil && f == nil {
		return b.refusal()
	}
	return f
}

// remember keeps what a probe will need: whom to ask for.
func (b *breaker) remember(cl *call, f *failure) {
	last := *b.last.Load()
	counts := f != nil && f.blame == b.blames
	if counts {
		last.outcome = f.outcome
	}
	if cl.tenantID != "" && (counts || last.tenantID == "") { // a call may be about no tenant
		last.tenantID = cl.tenantID
	}
	b.last.Store(&last)
}

// refusal is the failure of a call that the breaker did not let through.
func (b *breaker) refusal() *failure {
	wait := time.Until(time.Unix(0, b.probeAt.Load()))
	e := fault.Upstream(fault.CircuitOpen, "The sales agent has failed repeatedly and is not being asked at the moment.",
		errors.New("the "+b.scope()+"'s breaker is not closed"))
	e.RetryAfter = min(max(wait, time.Second), retryAfterLimit) // a probe may be on its way already
	return neverSent(&failure{outcome: outcomeCircuitOpen, blame: blameOpen, err: e})
}

func (b *breaker) scope() string {
	if b.tenantID == "" {
		return "upstream"
	}
	return "tenant"
}

// settle acts on the changes of state since it was last called. It must be
// called with no lock held.
func (b *breaker) settle() {
	for {
		b.mu.Lock()
		if len(b.events) == 0 {
			b.mu.Unlock()
			return
		}
		to := b.events[0]
		b.events = b.events[1:]
		probed := b.probed // the probe had its turn: this is no news
		b.probed = to == gobreaker.StateHalfOpen
		b.mu.Unlock()

		log := b.log.With(slog.String("breaker", b.scope()))
		if b.tenantID != "" {
			log = log.With(slog.String("tenant", b.tenantID))
		}
		switch to {
		case gobreaker.StateOpen:
			level, msg := slog.LevelWarn, "breaker opened"
			if probed {
				level, msg = slog.LevelInfo, "breaker stays open"
			}
			log.Log(context.Background(), level, msg, slog.String("after", string(b.last.Load().outcome)))
			b.owner.schedule(b)
		case gobreaker.StateHalfOpen:
			log.Info("breaker half open: probing")
		case gobreaker.StateClosed:
			log.Info("breaker closed")
			b.owner.recovered(b.tenantID)
		}
	}
}
