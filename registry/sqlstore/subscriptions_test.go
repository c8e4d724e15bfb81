package sqlstore_test

import (
	"errors"
	"testing"

	"esagate/registry"
	"esagate/registry/registrytest"
)

// subscribed makes a connection of customer 31 with a subscription, whose tenant has
// its sourceId.
func subscribed(t *testing.T, s registry.Store, sourceID, secret string) int64 {
	t.Helper()
	made, err := s.Adopt(t.Context(), registry.ConfigSource{CustomerID: 31, SourceID: sourceID, Name: sourceID, TenantID: sourceID})
	must(t)(err)
	id := made.Managed.Connection.ID
	change(t, s, id, func(next *registry.Subscription) { next.WebhookID, next.Secret = "hook of "+sourceID, secret })
	return id
}

func change(t *testing.T, s registry.Store, esaID int64, f func(*registry.Subscription)) {
	t.Helper()
	must(t)(s.Customer(31).ChangeSubscription(t.Context(), esaID, func(was *registry.Subscription) (*registry.Subscription, error) {
		var next registry.Subscription
		if was != nil {
			next = *was
		}
		f(&next)
		return &next, nil
	}))
}

// secretIs reads a secret in both ways; with an error wanted, both give that.
func secretIs(t *testing.T, s registry.Store, esaID int64, tenant, secret string, want error) {
	t.Helper()
	got, err := s.Customer(31).Subscription(t.Context(), esaID)
	target, terr := s.WebhookTarget(t.Context(), tenant)
	if want != nil {
		if !errors.Is(err, want) || !errors.Is(terr, want) {
			t.Fatalf("%s: %v, %v, want %v", tenant, err, terr, want)
		}
		return
	}
	if err != nil || terr != nil || got.Secret != secret || target.Secret != secret {
		t.Fatalf("%s: %v, %v, or another secret", tenant, err, terr)
	}
}

// TestSubscriptionOfALostSecret: it is told of, keeps nothing else back, and is of use
// again with another one.
func TestSubscriptionOfALostSecret(t *testing.T) {
	url := newFile(t)
	s := open(t, url, withKey(t, registrytest.Key))
	id := subscribed(t, s, "radio", "lost")
	s.Close()
	alter(t, url, `UPDATE subscriptions SET sealed = x'0102030405'`)
	s = open(t, url, withKey(t, registrytest.Key))
	secretIs(t, s, id, "radio", "", registry.ErrSecret)
	change(t, s, id, func(next *registry.Subscription) {
		if next.Secret != "" || next.WebhookID != "hook of radio" {
			t.Error("decided on another than stands")
		}
		next.Dead = true
	})
	secretIs(t, s, id, "radio", "", registry.ErrSecret)
	must(t)(s.Customer(31).RecordEvent(t.Context(), id, registry.Event{ID: "e"}))
	if news, err := s.Customer(31).DeliveryCounts(t.Context(), id); err != nil || news != (registry.DeliveryCounts{Delivered: 1}) {
		t.Fatalf("%+v, %v", news, err)
	}
	if _, err := s.RewriteSecrets(t.Context()); !errors.Is(err, registry.ErrSecret) {
		t.Fatalf("%v, want ErrSecret", err)
	}
	change(t, s, id, func(next *registry.Subscription) { next.Secret = "found" })
	secretIs(t, s, id, "radio", "found", nil)
	if n, err := s.RewriteSecrets(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d rewritten, %v", n, err)
	}
}
