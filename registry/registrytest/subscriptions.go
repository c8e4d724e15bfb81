package registrytest

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"esagate/registry"
)

// connected is a managed source with a tenant.
func connected(t testing.TB, s registry.Store, customer int64, sourceID string) *registry.Source {
	t.Helper()
	return adopt(t, s, entry(customer, sourceID), registry.AdoptionCreated)
}

// subscription is one that lives, with every field set.
func subscription(secret string) registry.Subscription {
	return registry.Subscription{WebhookID: "hook-1", Secret: secret, URL: "https://gate.example.net/webhooks/esa-sync",
		SubscribedAt: at(-60), AnnouncedAt: at(-30), RetryAt: at(60)}
}

// become makes a decision that is the same whatever stands.
func become(next registry.Subscription) func(*registry.Subscription) (*registry.Subscription, error) {
	return func(*registry.Subscription) (*registry.Subscription, error) { return &next, nil }
}

func subscribe(t testing.TB, s registry.Store, customer, esaID int64, next registry.Subscription) {
	t.Helper()
	got, err := s.Customer(customer).ChangeSubscription(t.Context(), esaID, become(next))
	if err != nil || *got != next {
		t.Fatalf("subscribe: %v, or another than was given", err)
	}
}

// isSubscribed reads a subscription in every way.
func isSubscribed(t *testing.T, s registry.Store, m *registry.Source, want registry.Subscription) {
	t.Helper()
	customer, esaID := m.CustomerID, m.Connection.ID
	if got, err := s.Customer(customer).Subscription(t.Context(), esaID); err != nil || !reflect.DeepEqual(*got, want) {
		t.Fatalf("the subscription: %v, or another than was kept", err)
	}
	isTarget(t, s, m, want.Secret)
	if counts, err := s.Customer(customer).DeliveryCounts(t.Context(), esaID); err != nil || counts.Subscribed != want.Lives() {
		t.Fatalf("%+v, %v", counts, err)
	}
}

func isTarget(t *testing.T, s registry.Store, m *registry.Source, secret string) {
	t.Helper()
	want := registry.WebhookTarget{CustomerID: m.CustomerID, ESAID: m.Connection.ID, SourceID: m.SourceID, Secret: secret}
	if got, err := s.WebhookTarget(t.Context(), m.Connection.TenantID); err != nil || *got != want {
		t.Fatalf("the target of %q: %v, or another than was wanted", m.Connection.TenantID, err)
	}
}

func subscriptionKept(t *testing.T, s registry.Store) {
	m, c := connected(t, s, alice, "radio"), s.Customer(alice)
	bystander := connected(t, s, alice, "video")
	subscribe(t, s, alice, bystander.Connection.ID, subscription("theirs"))
	id := m.Connection.ID
	fails(t, registry.ErrNotFound)(c.Subscription(t.Context(), id)) // never subscribed
	isTarget(t, s, m, "")
	first := subscription("s3cret-\u00e9\n" + strings.Repeat("x", 2000))
	for _, step := range []struct {
		name  string
		given registry.Subscription // what decide is to give
		want  registry.Subscription
	}{
		{"first", first, first},
		{"the same", first, first},
		{"another id", with(first, func(s *registry.Subscription) { s.WebhookID = "2" }), with(first, func(s *registry.Subscription) { s.WebhookID = "2" })},
		{"elsewhere", with(first, func(s *registry.Subscription) { s.URL = "u" }), with(first, func(s *registry.Subscription) { s.URL = "u" })},
		{"back", first, first},
		{"made later", with(first, func(s *registry.Subscription) { s.SubscribedAt = at(0) }), with(first, func(s *registry.Subscription) { s.SubscribedAt = at(0) })},
		{"back", first, first},
		{"announced", with(first, func(s *registry.Subscription) { s.AnnouncedAt = at(0) }), with(first, func(s *registry.Subscription) { s.AnnouncedAt = at(0) })},
		{"back", first, first},
		{"dead", with(first, func(s *registry.Subscription) { s.Dead = true }), with(first, func(s *registry.Subscription) { s.Dead = true })},
		{"back", first, first},
		{"later", with(first, func(s *registry.Subscription) { s.RetryAt = at(90).Add(7).In(time.FixedZone("", 60)) }),
			with(first, func(s *registry.Subscription) { s.RetryAt = at(90) })},
		{"another secret", subscription("another"), subscription("another")},
		{"ended", registry.Subscription{Secret: "another"}, registry.Subscription{Secret: "another"}},
		{"nothing at all", registry.Subscription{}, registry.Subscription{}},
		{"anew", first, first},
	} {
		was, err := c.Subscription(t.Context(), id)
		if step.name == "first" {
			was, err = nil, nil
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.ChangeSubscription(t.Context(), id, func(given *registry.Subscription) (*registry.Subscription, error) {
			if !reflect.DeepEqual(given, was) {
				t.Errorf("%s: decided on another than stands", step.name)
			}
			return &step.given, nil
		})
		if err != nil || !reflect.DeepEqual(*got, step.want) {
			t.Fatalf("%s: %v, or another than was given", step.name, err)
		}
		isSubscribed(t, s, m, step.want)
	}
	isSubscribed(t, s, bystander, subscription("theirs"))
	remove(t, s, alice, "radio")
	fails(t, registry.ErrNotFound)(s.WebhookTarget(t.Context(), m.Connection.TenantID))
	for name, call := range deliveryCalls(s.Customer(alice), id) {
		if err := call(t.Context()); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s of a source that is gone: %v, want ErrNotFound", name, err)
		}
	}
}

func with(s registry.Subscription, f func(*registry.Subscription)) registry.Subscription {
	f(&s)
	return s
}

// subscriptionLeft is what changes nothing.
func subscriptionLeft(t *testing.T, s registry.Store) {
	m, c, mine := connected(t, s, alice, "radio"), s.Customer(alice), errors.New("mine")
	id := m.Connection.ID
	spoil := func(given *registry.Subscription) {
		if given != nil {
			*given = registry.Subscription{Secret: "scribbled", WebhookID: "scribbled"}
		}
	}
	for _, stands := range []bool{false, true} {
		if stands {
			subscribe(t, s, alice, id, subscription("kept"))
		}
		was := read(t, s, alice, "radio")
		got, err := c.ChangeSubscription(t.Context(), id, func(given *registry.Subscription) (*registry.Subscription, error) {
			spoil(given)
			return nil, nil
		})
		if err != nil || (got != nil) != stands || stands && *got != subscription("kept") {
			t.Fatalf("left: %v, or another than stands", err)
		}
		if _, err := c.ChangeSubscription(t.Context(), id, func(given *registry.Subscription) (*registry.Subscription, error) {
			spoil(given)
			return given, mine
		}); err != mine {
			t.Fatalf("%v, want decide's own", err)
		}
		for _, text := range []string{"\x00", "\xff"} {
			for _, bad := range []registry.Subscription{{WebhookID: text}, {Secret: text}, {URL: text}} {
				fails(t, registry.ErrInvalid)(c.ChangeSubscription(t.Context(), id, become(bad)))
			}
		}
		same(t, "the source", read(t, s, alice, "radio"), was)
		if stands {
			isSubscribed(t, s, m, subscription("kept"))
		} else if _, err := c.Subscription(t.Context(), id); !errors.Is(err, registry.ErrNotFound) {
			t.Fatalf("%v, want ErrNotFound", err)
		}
	}
	for _, tenant := range []string{"", "unknown", "tenant-of-radi", "tenant-of-radio ", "\x00", "\xff", strings.Repeat("t", 256), strings.Repeat("t", 1<<20)} {
		if _, err := s.WebhookTarget(t.Context(), tenant); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("tenant %.20q: %v, want ErrNotFound", tenant, err)
		}
	}
	for _, id := range []int64{0, -1, id + 1, math.MaxInt64, math.MinInt64} {
		for name, call := range deliveryCalls(c, id) {
			if err := call(t.Context()); !errors.Is(err, registry.ErrNotFound) {
				t.Errorf("%s of esaId %d: %v, want ErrNotFound", name, id, err)
			}
		}
	}
}

// subscriptionVersions: a connection shows whether deliveries can be expected, which
// therefore has a version; nothing else of a subscription has one.
func subscriptionVersions(t *testing.T, s registry.Store) {
	m := connected(t, s, alice, "radio")
	lives := subscription("a")
	for _, step := range []struct {
		name  string
		next  registry.Subscription
		moves bool
	}{
		{"not yet made", registry.Subscription{Secret: "a", URL: lives.URL}, false},
		{"made", lives, true},
		{"another secret", subscription("b"), false},
		{"tried later", with(lives, func(s *registry.Subscription) { s.RetryAt = at(900) }), false},
		{"dead", with(lives, func(s *registry.Subscription) { s.Dead = true }), true},
		{"dead and gone", with(lives, func(s *registry.Subscription) { s.Dead, s.WebhookID = true, "" }), false},
		{"made anew", lives, true},
		{"ended", with(lives, func(s *registry.Subscription) { s.WebhookID = "" }), true},
	} {
		was := read(t, s, alice, "radio")
		subscribe(t, s, alice, m.Connection.ID, step.next)
		want := *was.Clone()
		if step.moves {
			want.Connection.Version++
		}
		same(t, step.name, read(t, s, alice, "radio"), &want)
	}
}

func subscriptionConcurrent(t *testing.T, s registry.Store) {
	m := connected(t, s, alice, "radio")
	const n = 20
	succeedTogether(t, n, func(i int) error {
		_, err := s.Customer(alice).ChangeSubscription(t.Context(), m.Connection.ID, func(was *registry.Subscription) (*registry.Subscription, error) {
			if was == nil {
				was = new(registry.Subscription)
			}
			next := *was
			next.URL += "|"
			if i%2 == 0 {
				next.Secret += "|"
			}
			return &next, nil
		})
		return err
	})
	got, err := s.Customer(alice).Subscription(t.Context(), m.Connection.ID)
	if err != nil || len(got.URL) != n || len(got.Secret) != n/2 {
		t.Fatalf("%v, or a change was lost", err)
	}
}

// deliveryCalls are the calls about the deliveries of one connection, of a kind that changes something
// where it may.
func deliveryCalls(c registry.CustomerStore, esaID int64) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Subscription": func(ctx context.Context) error { _, err := c.Subscription(ctx, esaID); return err },
		"ChangeSubscription": func(ctx context.Context) error {
			_, err := c.ChangeSubscription(ctx, esaID, become(subscription("another")))
			return err
		},
		"RecordEvent": func(ctx context.Context) error {
			_, _, err := c.RecordEvent(ctx, esaID, registry.Event{ID: "late", Announces: true, OccurredAt: at(math.MaxInt16)})
			return err
		},
		"RecordEvent, failed": func(ctx context.Context) error {
			_, _, err := c.RecordEvent(ctx, esaID, registry.Event{ID: "late and failed", Failed: true})
			return err
		},
		"DeliveryCounts": func(ctx context.Context) error { _, err := c.DeliveryCounts(ctx, esaID); return err },
	}
}

func customersIsolatedDeliveries(t *testing.T, s registry.Store) {
	m := connected(t, s, alice, "radio")
	subscribe(t, s, alice, m.Connection.ID, subscription("ours"))
	deliver(t, s, m, registry.Event{ID: "e"}, false)
	was := read(t, s, alice, "radio")
	theirs := connected(t, s, bob, "theirs")
	for _, customer := range []int64{bob, 0, -alice, math.MaxInt64} {
		for name, call := range deliveryCalls(s.Customer(customer), m.Connection.ID) {
			if err := call(t.Context()); !errors.Is(err, registry.ErrNotFound) {
				t.Errorf("%s by customer %d: %v, want ErrNotFound", name, customer, err)
			}
		}
	}
	same(t, "after foreign calls", read(t, s, alice, "radio"), was)
	isSubscribed(t, s, m, subscription("ours"))
	hasCounts(t, s, m, registry.DeliveryCounts{Subscribed: true, Delivered: 1})
	// One event id of two connections is two events, of one customer or of two.
	deliver(t, s, theirs, registry.Event{ID: "e"}, false)
	deliver(t, s, connected(t, s, alice, "video"), registry.Event{ID: "e"}, false)
	hasCounts(t, s, theirs, registry.DeliveryCounts{Delivered: 1})
	hasCounts(t, s, m, registry.DeliveryCounts{Subscribed: true, Delivered: 1})
	isTarget(t, s, theirs, "")
}
