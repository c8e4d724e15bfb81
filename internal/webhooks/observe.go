package webhooks

import (
	"context"
	"errors"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

const (
	announceWithin = 2 * time.Minute // contract 5.12
	announceSlack  = 5 * time.Second // an event's time may lie that much before its run's end
)

// unannounced reports whether a finished run in a status shows that a subscription is
// dead (contract 5.12): the run ended after the subscription was made, long enough before
// the status was fetched, and no delivery has announced it or anything later.
func unannounced(sub *registry.Subscription, finished, fetchedAt time.Time) bool {
	return sub.Lives() && finished.After(sub.SubscribedAt) && due(finished, fetchedAt) &&
		sub.AnnouncedAt.Before(finished.Add(-announceSlack))
}

// due reports whether a run finished so long ago that it should have been announced.
func due(finished, fetchedAt time.Time) bool { return fetchedAt.Sub(finished) > announceWithin }

// Observe checks the subscription of a source against the end of the last inventory run
// in its status, zero for none. It reads the registry once for each run. A subscription
// that turns out to be dead is made again soon.
func (s *Subscriber) Observe(ctx context.Context, src *registry.Source, finished, fetchedAt time.Time) {
	if !s.cfg.Enabled || !active(src) || finished.IsZero() || !due(finished, fetchedAt) {
		return // one that is not due yet is checked by a later status
	}
	c := src.Connection
	if last, ok := s.checked.Get(c.ID); ok && !finished.After(last) {
		return
	}
	sub, err := s.deps.Directory.Subscription(ctx, c.CustomerID, c.ID)
	switch {
	case errors.Is(err, registry.ErrSecret), err == nil && unannounced(sub, finished, fetchedAt):
		// Without its secret no delivery can be verified: it is as good as dead.
		if !s.markDead(ctx, src, finished, fetchedAt) {
			return
		}
	case err != nil && !fault.Is(err, fault.NotFound):
		return
	}
	s.checked.Add(c.ID, finished)
}

// markDead marks the subscription as dead if it still is, and reports whether that could
// be decided.
func (s *Subscriber) markDead(ctx context.Context, src *registry.Source, finished, fetchedAt time.Time) bool {
	dead := false
	err := s.change(ctx, src, func(sub *registry.Subscription) *registry.Subscription {
		if dead = unannounced(sub, finished, fetchedAt); !dead {
			return nil
		}
		next := *sub
		next.Dead = true
		return &next
	})
	if err != nil {
		return false
	}
	if dead {
		s.deps.Counted(StepDead, true)
		s.changed(ctx, src)
		s.Kick(src)
	}
	return true
}
