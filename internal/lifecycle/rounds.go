package lifecycle

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"esagate/internal/fault"
	"esagate/registry"
)

// How much Settle does at a time, and how often.
const (
	settleAtOnce = 8
	settlePage   = 100
	roundPause   = 2 * time.Second
)

// How often a tenant is looked for that may have been made: each look reads upstream's
// list of tenants.
const (
	lookFirst = 5 * time.Second // after the first; doubling
	lookLast  = 30 * time.Second
)

// provisioned is a provisioning whose tenant is looked for.
type provisioned struct {
	esaID int64
	began int64 // Unix nanoseconds: a time.Time is no key
}

// provisionedBy gives the provisioning of a connection that is not settled; false if
// there is none.
func provisionedBy(c *registry.Connection) (provisioned, bool) {
	switch op := c.Operation; {
	case op != nil && op.Kind == registry.OperationProvision:
		return provisioned{c.ID, op.Begun.UnixNano()}, true
	case op == nil && !c.UnsettledSince.IsZero():
		return provisioned{c.ID, c.UnsettledSince.UnixNano()}, true
	}
	return provisioned{}, false
}

// rounds is what one round of Settle leaves for the next.
type rounds struct {
	mu    sync.Mutex // held for a round: it guards what follows
	ended time.Time  // of the last that was complete
	count int
	looks map[provisioned]lookedFor // at most maxLooks
}

// lookedFor is a provisioning whose tenant was looked for in vain.
type lookedFor struct {
	pause time.Duration
	next  time.Time // not looked for before
	round int       // the last that came upon it
}

// maxLooks bounds what is remembered. Beyond that there is a look in each round.
const maxLooks = 4096

// due reports whether a tenant is to be looked for in this round. It is at the latest
// when it becomes certain what came of its provisioning.
func (r *rounds) due(p provisioned, certain time.Time) bool {
	at := now()
	was, known := r.looks[p]
	if known && at.Before(was.next) {
		was.round = r.count
		r.looks[p] = was
		return false
	}
	pause := lookFirst
	if known {
		pause = min(2*was.pause, lookLast)
	}
	next := at.Add(pause)
	if at.Before(certain) && certain.Before(next) {
		next = certain
	}
	if known || len(r.looks) < maxLooks {
		r.looks[p] = lookedFor{pause: pause, next: next, round: r.count}
	}
	return true
}

// complete forgets what the round did not come upon: it is settled.
func (r *rounds) complete() {
	r.ended = now()
	for p, was := range r.looks {
		if was.round != r.count {
			delete(r.looks, p)
		}
	}
}

// Settle makes one round over all connections that an operation has left unsettled: a
// crash, an outage, an answer that never came. What can't be settled yet is left for
// the next round, and does not stop the others; the error says that the store could
// not be asked. It looks also for tenants whose provisioning began before this process
// did, though others may still be at it: there may be nobody left who is. While a round
// is under way, or shortly after one, it does nothing.
func (l *Lifecycle) Settle(ctx context.Context) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return errStopping()
	}
	l.running.Add(1)
	l.mu.Unlock()
	defer l.running.Done()
	if !l.rounds.mu.TryLock() {
		return nil
	}
	defer l.rounds.mu.Unlock()
	if since := time.Since(l.rounds.ended); 0 <= since && since < roundPause {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.idle, cancel)()
	err := l.round(ctx)
	if err == nil {
		l.rounds.complete()
	}
	return err
}

// round works through the pages, and waits for what it has begun.
func (l *Lifecycle) round(ctx context.Context) error {
	l.rounds.count++
	var group errgroup.Group
	group.SetLimit(settleAtOnce)
	defer func() { _ = group.Wait() }()
	for after := int64(0); ; {
		page, err := l.store.Upkeep(ctx, registry.Upkeep{Kind: registry.UpkeepUnsettled}, after, settlePage)
		if err != nil {
			return fault.Wrap(fault.Unavailable, "The registry can't be reached.", err)
		}
		for _, m := range page {
			after = m.Connection.ID
			if !l.settles(m) {
				continue
			}
			group.Go(func() error {
				l.safely(ctx, ctx, func(ctx context.Context) {
					if _, err := l.settleOne(ctx, m, true); err != nil && ctx.Err() == nil {
						l.note(ctx, slog.LevelWarn, "a connection can't be settled yet", targetOf(m), slog.Any("error", err))
					}
				})
				return nil
			})
		}
		if len(page) < settlePage {
			return ctx.Err()
		}
	}
}

// settles reports whether a connection's turn has come in this round.
func (l *Lifecycle) settles(m *registry.Source) bool {
	p, looks := provisionedBy(m.Connection)
	switch {
	case l.workedOn(m), looks && l.watches(p):
		return false
	}
	return !looks || l.rounds.due(p, l.certain(m))
}

// workedOn reports whether somebody may be at a connection's operation whom a look would
// disturb, or who would be looked for in vain.
func (l *Lifecycle) workedOn(m *registry.Source) bool {
	op := m.Connection.Operation
	return underWay(m.Connection) && (op.Kind != registry.OperationProvision || op.Begun.After(l.began) || l.ours(op))
}

// certain is when it is certain what came of a provisioning that nobody followed to its
// end. One whose beginning others wrote down has their clock's time.
func (l *Lifecycle) certain(m *registry.Source) time.Time {
	if op := m.Connection.Operation; op != nil {
		return l.decided(op).Add(skew)
	}
	since := m.Connection.UnsettledSince
	if p, _ := provisionedBy(m.Connection); l.watches(p) {
		return since.Add(l.cfg.Unsettled)
	}
	return since.Add(l.cfg.Unsettled + skew)
}
