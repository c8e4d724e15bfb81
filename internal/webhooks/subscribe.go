package webhooks

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	mathrand "math/rand/v2"
	"slices"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream"
	"esagate/upstream/wire"
)

const (
	workLimit   = 90 * time.Second // of all work on one connection
	claimFor    = 2 * time.Minute  // longer than workLimit: no other replica begins meanwhile
	recordLimit = 5 * time.Second  // of recording the outcome, also after the context's end
	renewAfter  = time.Hour        // a dead subscription is not made again sooner (contract 5.12)
	firstRetry  = time.Minute      // after a failure, doubling
	lastRetry   = time.Hour
	maxLeft     = 50 // left-over subscriptions that are deleted in one go

	description = "esagate"
)

var errOvertaken = errors.New("webhooks: another replica has changed the subscription meanwhile")

// subscribe makes the subscription of a connection unless there is a living one or it
// was tried lately. One replica at a time makes it: it claims the work by moving RetryAt
// past the time that this may take, and has not been overtaken if RetryAt is unchanged
// afterwards. The secret is stored before upstream gets it, so that every delivery can be
// verified.
func (s *Subscriber) subscribe(ctx context.Context, src *registry.Source) error {
	secret := newSecret()
	var claimed *registry.Subscription
	err := s.change(ctx, src, func(sub *registry.Subscription) *registry.Subscription {
		claimed = nil
		now, next := time.Now(), registry.Subscription{}
		if sub != nil {
			if sub.Lives() && sub.URL == s.cfg.URL || now.Before(sub.RetryAt) {
				return nil
			}
			next = *sub
		}
		if next.Secret == "" {
			next.Secret = secret
		}
		next.RetryAt = registry.Instant(now.Add(claimFor))
		claimed = &next
		return claimed
	})
	if err != nil || claimed == nil {
		return err
	}
	id, removed, err := s.create(ctx, src.Connection.TenantID, claimed)
	err = s.recordOutcome(ctx, src, claimed, id, removed, err)
	s.deps.Counted(StepSubscribe, err == nil)
	if err == nil {
		// A run that ended before the subscription was made is not announced, so the status is read once. If
		// that fails, polling finds it.
		if now := s.changed(ctx, src); now != nil {
			_ = s.deps.Refresh(ctx, now)
		}
	}
	return err
}

// create makes a subscription upstream and deletes all others with the gateway's address:
// the known one, and those that a crash left behind. removed reports that the known one
// is no longer there.
func (s *Subscriber) create(ctx context.Context, tenantID string, known *registry.Subscription) (id string, removed bool, err error) {
	there, err := s.deps.Upstream.Webhooks(ctx, tenantID)
	if err != nil {
		return "", false, err
	}
	ours := slices.DeleteFunc(there, func(w wire.Webhook) bool {
		return !w.IsActive || w.URL != s.cfg.URL && w.WebhookID != known.WebhookID
	})
	for _, w := range ours[:min(len(ours), maxLeft)] {
		if err := s.delete(ctx, tenantID, w.WebhookID); err != nil {
			return "", false, err
		}
	}
	request := wire.WebhookRequest{
		URL: s.cfg.URL, EventTypes: runEvents, Description: description, Secret: wire.Secret(known.Secret),
	}
	made, err := s.deps.Upstream.CreateWebhook(ctx, tenantID, request)
	if fault.Is(err, fault.Validation) { // an older build knows only the old names; no build knows both
		request.EventTypes = oldRunEvents
		if old, again := s.deps.Upstream.CreateWebhook(ctx, tenantID, request); again == nil {
			made, err = old, nil
		}
	}
	if err != nil {
		return "", true, err
	}
	return made.WebhookID, true, nil
}

// recordOutcome records the outcome of a claim.
func (s *Subscriber) recordOutcome(ctx context.Context, src *registry.Source, claimed *registry.Subscription, id string, removed bool, failed error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordLimit)
	defer cancel()
	again := registry.Instant(s.retryAt(src, failed))
	overtaken := true
	err := s.change(ctx, src, func(sub *registry.Subscription) *registry.Subscription {
		if overtaken = sub == nil || !sub.RetryAt.Equal(claimed.RetryAt); overtaken {
			return nil
		}
		next := *sub
		next.RetryAt = again
		switch {
		case failed == nil:
			next.WebhookID, next.URL, next.Dead = id, s.cfg.URL, false
			next.SubscribedAt = registry.Instant(time.Now())
		case removed:
			next.WebhookID = ""
		}
		return &next
	})
	if failed == nil && err == nil && overtaken {
		// This one is superfluous. If deleting fails, the next subscribe deletes it.
		_ = s.delete(ctx, src.Connection.TenantID, id)
		err = errOvertaken
	}
	return errors.Join(failed, err)
}

// End ends the subscription of a connection that is about to be deleted. If that fails
// it stays upstream, and its deliveries are not trusted any more. src is not active.
func (s *Subscriber) End(ctx context.Context, src *registry.Source) error {
	if !s.cfg.Enabled || src.Connection.TenantID == "" || active(src) {
		return nil
	}
	return s.unsubscribe(upstream.WithDemand(ctx, upstream.Demand{Customer: src.Connection.CustomerID}), src)
}

// unsubscribe ends the subscription of a connection that is not active any more, and
// erases its secret. Two replicas that do so at once do no harm.
func (s *Subscriber) unsubscribe(ctx context.Context, src *registry.Source) error {
	c := src.Connection
	var sub *registry.Subscription
	// This changes nothing. Directory.Subscription would fail if the secret can't be opened.
	err := s.change(ctx, src, func(now *registry.Subscription) *registry.Subscription {
		sub = now
		return nil
	})
	if err != nil || sub == nil || sub.WebhookID == "" {
		return err
	}
	failed := s.delete(ctx, c.TenantID, sub.WebhookID)
	s.deps.Counted(StepUnsubscribe, failed == nil)

	notes, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordLimit)
	defer cancel()
	again := registry.Instant(s.retryAt(src, failed))
	err = s.change(notes, src, func(now *registry.Subscription) *registry.Subscription {
		switch {
		case now == nil || now.WebhookID != sub.WebhookID:
			return nil
		case failed != nil:
			next := *now
			next.RetryAt = again
			return &next
		}
		return &registry.Subscription{AnnouncedAt: now.AnnouncedAt}
	})
	if failed == nil && err == nil {
		s.changed(notes, src)
	}
	return errors.Join(failed, err)
}

// delete ends a subscription upstream. It is nil too when the tenant is gone.
func (s *Subscriber) delete(ctx context.Context, tenantID, webhookID string) error {
	err := s.deps.Upstream.DeleteWebhook(ctx, tenantID, webhookID)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// change changes the record of a connection's subscription, in one transaction.
func (s *Subscriber) change(ctx context.Context, src *registry.Source, decide func(*registry.Subscription) *registry.Subscription) error {
	_, err := s.deps.Directory.ChangeSubscription(ctx, src.Connection.CustomerID, src.Connection.ID,
		func(sub *registry.Subscription) (*registry.Subscription, error) { return decide(sub), nil })
	return err
}

// changed expires the snapshots of a connection, because one of their tasks shows its
// subscription. A connection that was switched on or off meanwhile is settled again. It gives the source
// as it is now, nil if the registry failed.
func (s *Subscriber) changed(ctx context.Context, src *registry.Source) *registry.Source {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordLimit)
	defer cancel()
	c := src.Connection
	now, err := s.deps.Directory.ChangeConnection(ctx, c.CustomerID, c.ID, func(src *registry.Source) (*registry.Connection, error) {
		next := *src.Connection
		next.Epoch++
		return &next, nil
	})
	if err != nil {
		return nil
	}
	if active(now) != active(src) {
		s.Kick(now)
	}
	return now
}

// retryAt gives when a connection's subscription may be tried again.
func (s *Subscriber) retryAt(src *registry.Source, failed error) time.Time {
	if failed == nil {
		s.failures.Remove(src.Connection.ID)
		return time.Now().Add(renewAfter)
	}
	row, _ := s.failures.Get(src.Connection.ID)
	s.failures.Add(src.Connection.ID, row+1)
	wait := min(firstRetry<<min(row, 6), lastRetry)
	return time.Now().Add(wait + time.Duration(mathrand.Int64N(int64(wait/4))))
}

// newSecret makes a signing secret: 32 random bytes, as text.
func newSecret() string {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(secret[:])
}
