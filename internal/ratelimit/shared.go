package ratelimit

import (
	"context"
	"log/slog"
	"time"

	"esagate/internal/background"
)

// Count accounts for n events of a key with what all replicas share: it takes as many as limit has left, and
// says how many it took and how many are left. An error: that is not known, and nothing is counted twice.
type Count func(ctx context.Context, key string, limit Limit, n int) (taken int, left float64, err error)

const (
	shareOfBurst = 50                     // a batch is such a part of the burst
	lateness     = 800 * time.Millisecond // after which an event is accounted for; up to a fifth more or less
	leastPause   = 10 * time.Millisecond  // before what was not taken is offered again
	accounters   = 4                      // exchanges at once
	maxDue       = 4096                   // buckets that wait for one; others try again
	countTimeout = time.Second            // of one exchange, at most
)

// shared accounts for what buckets have let through, beside the requests.
type shared struct {
	count Count
	log   *slog.Logger
	work  *background.Group
	due   chan *bucket
}

func newShared(count Count, log *slog.Logger) *shared {
	s := &shared{count: count, log: log, work: background.NewGroup(log), due: make(chan *bucket, maxDue)}
	for range accounters {
		s.work.Go(context.Background(), "account for limits", s.run)
	}
	return s
}

func (s *shared) run(ctx context.Context) {
	for {
		select {
		case b := <-s.due:
			s.account(ctx, b)
		case <-ctx.Done():
			return
		}
	}
}

func (s *shared) account(ctx context.Context, b *bucket) {
	b.mu.Lock()
	n, limit := b.untold, b.policy.Limit
	b.mu.Unlock()
	var taken int
	var left float64
	err := background.Guard(ctx, s.log, "account for a limit", func(ctx context.Context) (err error) {
		ctx, cancel := context.WithTimeout(ctx, countTimeout)
		defer cancel()
		taken, left, err = s.count(ctx, b.key, limit, n)
		return err
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told(n, taken, left, err)
}

// note counts an event that the other replicas do not know of yet. b.mu is held.
func (b *bucket) note() {
	if b.shared == nil {
		return
	}
	b.untold++
	if !b.begun && b.untold >= b.policy.batch {
		b.offer()
	}
	if !b.begun && b.untold == 1 {
		b.offerIn(background.Jitter(lateness))
	}
}

// offer has the bucket accounted for, if there is room for it. b.mu is held.
func (b *bucket) offer() {
	select {
	case b.shared.due <- b:
		b.begun = true
	default:
	}
}

// offerIn is offer after some time. b.mu is held.
func (b *bucket) offerIn(d time.Duration) {
	if b.timer != nil {
		b.timer.Reset(d)
		return
	}
	b.timer = time.AfterFunc(d, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.begun || b.untold == 0 || b.shared.work.Context().Err() != nil {
			return
		}
		if b.offer(); !b.begun {
			b.offerIn(background.Jitter(lateness))
		}
	})
}

// told takes over what an exchange about n events has shown: so much was taken, and so much is left of what
// all replicas share. What was let through and not taken stays a debt, and until that is paid nothing more is
// let through: so all replicas together let through no more than the limit, but for a batch each. After an
// error the bucket goes on alone. b.mu is held.
func (b *bucket) told(n, taken int, left float64, err error) {
	b.begun, b.owes = false, false
	if err != nil {
		b.untold = 0
		return
	}
	b.untold -= min(taken, n)
	b.lower(left - float64(b.untold))
	switch rate := b.policy.Rate; {
	case b.untold == 0:
	case taken < n:
		b.owes = true
		due := time.Duration(float64(b.untold) / rate * float64(time.Second))
		b.offerIn(background.Jitter(min(max(due, leastPause), lateness)))
	case b.untold >= b.policy.batch:
		if b.offer(); !b.begun {
			b.offerIn(background.Jitter(lateness))
		}
	default:
		b.offerIn(background.Jitter(lateness))
	}
}

// lower takes tokens away until there are no more than that, a part of one aside. b.mu is held.
func (b *bucket) lower(tokens float64) {
	now, most := time.Now(), b.policy.Burst
	for over := int(rounded(b.tokens.TokensAt(now) - tokens)); over > 0; over -= most {
		b.tokens.ReserveN(now, min(over, most))
	}
}
