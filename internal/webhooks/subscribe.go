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
	"esagate/upstream/wire"
)

const (
	workLimit  = 90 * time.Second // of seeing to one connection
	claimFor   = 2 * time.Minute  // longer than that: nobody else begins meanwhile
	notesLimit = 5 * time.Second  // of writing down what came of it, also after the end
	renewAfter = time.Hour        // a dead one is not made anew sooner (contract, "at most hourly")
	firstRetry = time.Minute      // after a failure, doubling
	lastRetry  = time.Hour
	maxLeft    = 50 // leftovers that are deleted at once

	description = "esagate"
)

var errOvertaken = errors.New("webhooks: another replica has changed the subscription meanwhile")

// subscribe makes the subscription of a connection unless it lives or was tried lately.
// It is claimed first, so that one at a time makes it, over all replicas: RetryAt is
// moved past the time that this may take, and whoever finds it as it was left has not
// been overtaken. The secret stands in the store before upstream learns it, so that no
// delivery comes that can't be verified.
func (s *Subscriber) subscribe(ctx context.Context, m *registry.Source) error {
	secret := newSecret()
	var claimed *registry.Subscription
	err := s.change(ctx, m, func(sub *registry.Subscription) *registry.Subscription {
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
	id, removed, err := s.create(ctx, m.Connection.TenantID, claimed)
	err = s.note(ctx, m, claimed, id, removed, err)
	s.counted(StepSubscribe, err == nil)
	if err == nil {
		s.changed(ctx, m)
	}
	return err
}

// create makes a subscription upstream in the place of all others that go to us: the
// one that we know of, and those that a crash left between the call and our note of it.
// removed tells that the known one is no longer there.
func (s *Subscriber) create(ctx context.Context, tenantID string, known *registry.Subscription) (id string, removed bool, err error) {
	there, err := s.up.Webhooks(ctx, tenantID)
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
	made, err := s.up.CreateWebhook(ctx, tenantID, wire.WebhookRequest{
		URL: s.cfg.URL, EventTypes: []string{runCompleted, runFailed}, Description: description, Secret: wire.Secret(known.Secret),
	})
	if err != nil {
		return "", true, err
	}
	return made.WebhookID, true, nil
}

// note writes down what came of a claim.
func (s *Subscriber) note(ctx context.Context, m *registry.Source, claimed *registry.Subscription, id string, removed bool, failed error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), notesLimit)
	defer cancel()
	again := registry.Instant(s.retryAt(m, failed))
	overtaken := true
	err := s.change(ctx, m, func(sub *registry.Subscription) *registry.Subscription {
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
		// Ours is one too many; what of it stays is deleted with the next.
		_ = s.delete(ctx, m.Connection.TenantID, id)
		err = errOvertaken
	}
	return errors.Join(failed, err)
}

// End ends the subscription of a connection that is about to be deleted, now; what fails
// stays upstream, whose deliveries nobody believes any more. m is not active.
func (s *Subscriber) End(ctx context.Context, m *registry.Source) error {
	if !s.cfg.Enabled || m.Connection.TenantID == "" || active(m) {
		return nil
	}
	return s.unsubscribe(ctx, m)
}

// unsubscribe ends the subscription of a connection that is not active any more, and
// forgets its secret. Two that do so at once do no harm.
func (s *Subscriber) unsubscribe(ctx context.Context, m *registry.Source) error {
	c := m.Connection
	var sub *registry.Subscription
	// Nothing changes here. A plain read fails where the secret can't be opened.
	err := s.change(ctx, m, func(now *registry.Subscription) *registry.Subscription {
		sub = now
		return nil
	})
	if err != nil || sub == nil || sub.WebhookID == "" {
		return err
	}
	failed := s.delete(ctx, c.TenantID, sub.WebhookID)
	s.counted(StepUnsubscribe, failed == nil)

	notes, cancel := context.WithTimeout(context.WithoutCancel(ctx), notesLimit)
	defer cancel()
	again := registry.Instant(s.retryAt(m, failed))
	err = s.change(notes, m, func(now *registry.Subscription) *registry.Subscription {
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
		s.changed(notes, m)
	}
	return errors.Join(failed, err)
}

// delete ends a subscription upstream. Where the tenant is gone, so is it.
func (s *Subscriber) delete(ctx context.Context, tenantID, webhookID string) error {
	err := s.up.DeleteWebhook(ctx, tenantID, webhookID)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// change changes what is known of a connection's subscription, in one transaction.
func (s *Subscriber) change(ctx context.Context, m *registry.Source, decide func(*registry.Subscription) *registry.Subscription) error {
	_, err := s.dir.ChangeSubscription(ctx, m.Connection.CustomerID, m.Connection.ID, func(sub *registry.Subscription) (*registry.Subscription, error) {
		return decide(sub), nil
	})
	return err
}

// changed makes the snapshots of a connection old, whose tasks tell of its
// subscription. A connection that has changed sides meanwhile is seen to again.
func (s *Subscriber) changed(ctx context.Context, m *registry.Source) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), notesLimit)
	defer cancel()
	now, err := s.dir.ChangeConnection(ctx, m.Connection.CustomerID, m.Connection.ID, func(m *registry.Source) (*registry.Connection, error) {
		next := *m.Connection
		next.Epoch++
		return &next, nil
	})
	if err == nil && active(now) != active(m) {
		s.Kick(now)
	}
}

// retryAt gives when a connection's subscription may be seen to again.
func (s *Subscriber) retryAt(m *registry.Source, failed error) time.Time {
	if failed == nil {
		s.failures.Remove(m.Connection.ID)
		return time.Now().Add(renewAfter)
	}
	row, _ := s.failures.Get(m.Connection.ID)
	s.failures.Add(m.Connection.ID, row+1)
	wait := min(firstRetry<<min(row, 6), lastRetry)
	return time.Now().Add(wait + time.Duration(mathrand.Int64N(int64(wait/4))))
}

// newSecret makes what deliveries are signed with: 32 random bytes, as text.
func newSecret() string {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(secret[:])
}
