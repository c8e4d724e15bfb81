package webhooks

import (
	"context"
	"errors"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

const (
	announceWithin = 2 * time.Minute // contract, "not announced within 2 minutes"
	announceSlack  = 5 * time.Second // that an event's time may lie before its run's end
)

// Unannounced reports whether a run of which a status tells shows that a subscription
// is dead (contract, "Webhooks"): it finished while there was the subscription, long
// enough before the status was fetched, and no delivery has told of it or of anything
// later.
func Unannounced(sub *registry.Subscription, finished, fetchedAt time.Time) bool {
	return sub.Lives() && finished.After(sub.SubscribedAt) && due(finished, fetchedAt) &&
		sub.AnnouncedAt.Before(finished.Add(-announceSlack))
}

// due reports whether a run finished so long ago that it had to be announced.
func due(finished, fetchedAt time.Time) bool { return fetchedAt.Sub(finished) > announceWithin }

// Observe takes note of the last inventory run that a status of a connection tells of,
// zero for none. It asks the registry once for each run, and costs next to nothing else.
// A subscription that turns out to be dead is made anew soon.
func (s *Subscriber) Observe(ctx context.Context, m *registry.Source, finished, fetchedAt time.Time) {
	if !s.cfg.Enabled || !active(m) || finished.IsZero() || !due(finished, fetchedAt) {
		return // one that is not due yet is judged by a later status
	}
	c := m.Connection
	if last, ok := s.judged.Get(c.ID); ok && !finished.After(last) {
		return
	}
	sub, err := s.dir.Subscription(ctx, c.CustomerID, c.ID)
	switch {
	case errors.Is(err, registry.ErrSecret), err == nil && Unannounced(sub, finished, fetchedAt):
		// Without its secret no delivery is believed: it is as good as dead.
		if !s.bury(ctx, m, finished, fetchedAt) {
			return
		}
	case err != nil && !fault.Is(err, fault.NotFound):
		return
	}
	s.judged.Add(c.ID, finished)
}

// bury marks the subscription as dead if it still seems so, and reports whether that
// could be decided.
func (s *Subscriber) bury(ctx context.Context, m *registry.Source, finished, fetchedAt time.Time) bool {
	dead := false
	err := s.change(ctx, m, func(sub *registry.Subscription) *registry.Subscription {
		if dead = Unannounced(sub, finished, fetchedAt); !dead {
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
		s.counted(StepDead, true)
		s.changed(ctx, m)
		s.Kick(m)
	}
	return true
}
