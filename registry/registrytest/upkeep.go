package registrytest

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"esagate/registry"
)

// wants lists what a piece of background work wants, page by page, and holds each to
// what a read gives.
func wants(t testing.TB, s registry.Store, what string, want registry.Upkeep, sourceIDs ...string) {
	t.Helper()
	for _, take := range []int{registry.MaxPage, 1, 2} {
		var got []string
		for after := int64(0); ; {
			page, err := s.Upkeep(t.Context(), want, after, take)
			if err != nil || len(page) > take {
				t.Fatalf("%s: %d of %d, %v", what, len(page), take, err)
			}
			for _, m := range page {
				if m.Connection.ID <= after {
					t.Fatalf("%s: %d comes after %d", what, m.Connection.ID, after)
				}
				after = m.Connection.ID
				got = append(got, m.SourceID)
				same(t, what, m, read(t, s, m.CustomerID, m.SourceID))
			}
			if len(page) < take {
				break
			}
		}
		if !slices.Equal(got, sourceIDs) {
			t.Fatalf("%s, %d a page: %q, want %q", what, take, got, sourceIDs)
		}
	}
}

// managedIn makes a managed source of each customer in turn, as it is given.
func managedIn(t testing.TB, s registry.Store, i int, sourceID string, f func(c *registry.Connection)) *registry.Source {
	t.Helper()
	m := makeManaged(t, s, alice+int64(i%2), newManaged(sourceID))
	return changeConnection(t, s, m, func(c *registry.Connection) {
		c.Operation = nil
		f(c)
	})
}

func active(c *registry.Connection) {
	c.Provisioning, c.TenantID = registry.StatusActive, fmt.Sprint("tnt_", c.ID)
}

func upkeepUnsettled(t *testing.T, s registry.Store) {
	create(t, s, alice, newAgent("agent"))
	managedIn(t, s, 0, "settled", active)
	managedIn(t, s, 1, "operation", func(c *registry.Connection) {
		active(c)
		o := operation(registry.OperationConfigure, "x")
		c.Operation = &o
	})
	managedIn(t, s, 2, "unknown", func(c *registry.Connection) { c.Provisioning, c.UnsettledSince = registry.StatusFailed, at(1) })
	managedIn(t, s, 3, "failed", func(c *registry.Connection) { c.Provisioning = registry.StatusFailed })
	both := managedIn(t, s, 4, "both", func(c *registry.Connection) {
		o := operation(registry.OperationProvision, "x")
		c.Operation, c.UnsettledSince = &o, at(1)
	})
	want := registry.Upkeep{Kind: registry.UpkeepUnsettled}
	wants(t, s, "unsettled", want, "operation", "unknown", "both")
	for _, take := range []int{0, -1} {
		if page, err := s.Upkeep(t.Context(), want, 0, take); err != nil || len(page) != 0 {
			t.Errorf("take %d: %d, %v", take, len(page), err)
		}
	}
	if page, err := s.Upkeep(t.Context(), want, both.Connection.ID, math.MaxInt); err != nil || len(page) != 0 {
		t.Errorf("after the last: %d, %v", len(page), err)
	}
	if page, err := s.Upkeep(t.Context(), registry.Upkeep{Kind: 99}, 0, 9); err == nil {
		t.Errorf("work of no kind: %d", len(page))
	}
	remove(t, s, alice, "unknown")
	wants(t, s, "one deleted", want, "operation", "both")
}

func upkeepStale(t *testing.T, s registry.Store) {
	seen := func(m *registry.Source, second int) {
		t.Helper()
		if _, err := s.Customer(m.CustomerID).ObserveInventorySync(t.Context(), m.Connection.ID,
			registry.InventorySync{Status: registry.SyncSuccess, ObservedAt: at(second)}); err != nil {
			t.Fatal(err)
		}
	}
	managedIn(t, s, 0, "never", active)
	seen(managedIn(t, s, 1, "old", active), 9)
	seen(managedIn(t, s, 2, "young", active), 10)
	seen(managedIn(t, s, 3, "off", func(c *registry.Connection) { active(c); c.Provisioning = registry.StatusDeactivated }), 1)
	managedIn(t, s, 4, "no tenant", func(c *registry.Connection) { c.Provisioning = registry.StatusActive })
	adopt(t, s, entry(alice, "adopted"), registry.AdoptionCreated)
	wants(t, s, "stale", registry.Upkeep{Kind: registry.UpkeepStale, Before: at(10)}, "never", "old", "adopted")
	wants(t, s, "later", registry.Upkeep{Kind: registry.UpkeepStale, Before: at(10).Add(time.Microsecond)}, "never", "old", "young", "adopted")
}

// upkeepTenants: the connections whose tenants may have been switched off or on.
func upkeepTenants(t *testing.T, s registry.Store) {
	managedIn(t, s, 0, "on", active)
	managedIn(t, s, 1, "off", func(c *registry.Connection) { active(c); c.Provisioning = registry.StatusDeactivated })
	managedIn(t, s, 2, "operation", func(c *registry.Connection) {
		active(c)
		o := operation(registry.OperationDeactivate, "x")
		c.Operation = &o
	})
	for i, status := range []registry.ProvisioningStatus{registry.StatusPending, registry.StatusProvisioning, registry.StatusFailed} {
		managedIn(t, s, 3+i, "is "+string(status), func(c *registry.Connection) { c.Provisioning = status })
	}
	managedIn(t, s, 6, "no tenant", func(c *registry.Connection) { c.Provisioning = registry.StatusActive })
	adopt(t, s, entry(alice, "adopted"), registry.AdoptionCreated)
	wants(t, s, "tenants", registry.Upkeep{Kind: registry.UpkeepTenants}, "on", "off", "adopted")
}

// upkeepTenantsAsked: a tenant that the sales agent was asked about lately is not
// wanted. That changes nothing of its connection.
func upkeepTenantsAsked(t *testing.T, s registry.Store, c *clock) {
	names := []string{"never", "before", "after", "became another", "foreign"}
	for i, name := range names {
		managedIn(t, s, i, name, active)
	}
	owner := func(name string) int64 { return alice + int64(slices.Index(names, name)%2) }
	asked := func(name string, customer int64, tenant string) {
		t.Helper()
		was := read(t, s, owner(name), name)
		for range 2 {
			if err := s.TenantAsked(t.Context(), customer, was.Connection.ID, tenant); err != nil {
				t.Fatal(err)
			}
		}
		same(t, "asked about", read(t, s, owner(name), name), was)
	}
	own := func(name string) {
		t.Helper()
		asked(name, owner(name), read(t, s, owner(name), name).Connection.TenantID)
	}
	tenants := func(what string, before time.Time, sourceIDs ...string) {
		t.Helper()
		wants(t, s, what, registry.Upkeep{Kind: registry.UpkeepTenants, Before: before}, sourceIDs...)
	}
	own("before")
	now := c.pass(time.Minute)
	own("after")
	own("became another")
	changeConnection(t, s, read(t, s, owner("became another"), "became another"), func(c *registry.Connection) { c.TenantID += "2" })
	for _, wrong := range []string{"tenant of nobody", "", "\x00"} {
		asked("foreign", owner("foreign"), wrong)
	}
	asked("foreign", owner("foreign")+1, read(t, s, owner("foreign"), "foreign").Connection.TenantID)
	if err := s.TenantAsked(t.Context(), alice, 1<<40, "tenant"); err != nil {
		t.Errorf("of a connection that is not there: %v", err)
	}
	tenants("asked about then", now, "never", "before", "became another", "foreign")
	tenants("asked about before", now.Add(time.Microsecond), names...)
	now = c.pass(-time.Hour)
	tenants("asked about by a clock that was wrong", now, names...)
}

// subscribed gives a connection a subscription.
func subscribed(t testing.TB, s registry.Store, m *registry.Source, sub registry.Subscription) {
	t.Helper()
	sub.Secret = "of the suite"
	if _, err := s.Customer(m.CustomerID).ChangeSubscription(t.Context(), m.Connection.ID, func(*registry.Subscription) (*registry.Subscription, error) {
		return &sub, nil
	}); err != nil {
		t.Fatal(err)
	}
}

func upkeepSubscriptions(t *testing.T, s registry.Store) {
	const url = "https://gateway.example.net/webhooks/esa-sync"
	off := func(c *registry.Connection) { active(c); c.Provisioning = registry.StatusDeactivated }
	lives := registry.Subscription{WebhookID: "wh", URL: url}
	tests := []struct {
		name  string
		state func(c *registry.Connection)
		sub   *registry.Subscription
	}{
		{"none", active, nil},
		{"lives", active, &lives},
		{"dead", active, &registry.Subscription{WebhookID: "wh", URL: url, Dead: true}},
		{"elsewhere", active, &registry.Subscription{WebhookID: "wh", URL: "https://old.example.net"}},
		{"not upstream", active, &registry.Subscription{URL: url}},
		{"due", active, &registry.Subscription{URL: url, RetryAt: at(10)}},
		{"not due", active, &registry.Subscription{URL: url, Dead: true, RetryAt: at(11)}},
		{"off", off, &lives},
		{"off and due", off, &registry.Subscription{WebhookID: "wh", URL: "x", Dead: true, RetryAt: at(10)}},
		{"off, not due", off, &registry.Subscription{WebhookID: "wh", URL: url, RetryAt: at(11)}},
		{"off without", off, nil},
		{"off, not upstream", off, &registry.Subscription{URL: url}},
		{"no tenant", func(c *registry.Connection) { c.Provisioning = registry.StatusActive }, nil},
	}
	for i, test := range tests {
		m := managedIn(t, s, i, test.name, test.state)
		if test.sub != nil {
			subscribed(t, s, m, *test.sub)
		}
	}
	wants(t, s, "to subscribe", registry.Upkeep{Kind: registry.UpkeepSubscribe, URL: url, Before: at(10)}, "none", "dead", "elsewhere", "not upstream", "due")
	wants(t, s, "to unsubscribe", registry.Upkeep{Kind: registry.UpkeepUnsubscribe, Before: at(10)}, "off", "off and due")
	// What hangs on a source goes with it.
	for _, gone := range []string{"dead", "off"} {
		for _, customer := range []int64{alice, bob} {
			_, _ = s.Customer(customer).DeleteSource(t.Context(), gone, allowed)
		}
	}
	wants(t, s, "once some are deleted", registry.Upkeep{Kind: registry.UpkeepSubscribe, URL: url, Before: at(10)}, "none", "elsewhere", "not upstream", "due")
	wants(t, s, "once some are deleted", registry.Upkeep{Kind: registry.UpkeepUnsubscribe, Before: at(10)}, "off and due")
}
