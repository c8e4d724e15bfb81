package registry_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// says holds an error to a kind, a message and the store's own error in its chain.
func says(t *testing.T, what string, err error, kind fault.Kind, message string, is error) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Message != message || !errors.Is(err, is) {
		t.Errorf("%s: %#v, want %q", what, err, message)
	}
}

func counts(t *testing.T, d *registry.Directory, m *registry.Source, want registry.DeliveryCounts) {
	t.Helper()
	got, err := d.DeliveryCounts(t.Context(), customer, m.Connection.ID)
	got.LastFailureAt = time.Time{}
	if err != nil || got != want {
		t.Fatalf("counts %+v, %v, want %+v", got, err, want)
	}
}

func delivered(t *testing.T, d *registry.Directory, m *registry.Source, e registry.Event, duplicate bool) *registry.Source {
	t.Helper()
	again, after, err := d.RecordEvent(t.Context(), customer, m.Connection.ID, e)
	if err != nil || again != duplicate {
		t.Fatalf("event %q: %t, %v, want %t", e.ID, again, err, duplicate)
	}
	return after
}

func subscribe(t *testing.T, d *registry.Directory, m *registry.Source, secret string) {
	t.Helper()
	got, err := d.ChangeSubscription(t.Context(), customer, m.Connection.ID, func(*registry.Subscription) (*registry.Subscription, error) {
		return &registry.Subscription{WebhookID: "hook", Secret: secret}, nil
	})
	if err != nil || got.Secret != secret {
		t.Fatal(err)
	}
}

// TestDirectoryEvents: what a delivery brought is read at once, in every way, also while
// the store is away, though reads from before it are still to end.
func TestDirectoryEvents(t *testing.T) {
	bubble(t, registry.DirectoryOptions{Fresh: time.Hour}, func(t *testing.T, d *registry.Directory, f *faulty) {
		m := adopted(t, f, customer, "m")
		d.Put(m)
		allManaged(t, d)
		count := int64(7)
		e := registry.Event{ID: "1", Sync: &registry.InventorySync{Status: registry.SyncSuccess, ItemCount: &count, ObservedAt: time.Now()}}
		f.is(healthy, 200*time.Millisecond)
		go d.ManagedSources(t.Context(), customer, 0, 50)
		go d.Source(t.Context(), customer, "m")
		synctest.Wait()
		f.is(healthy, 0)
		after := delivered(t, d, m, e, false)
		if after.Connection.Epoch != m.Connection.Epoch+1 || *after.Connection.InventorySync.ItemCount != count {
			t.Fatalf("%+v", *after.Connection)
		}
		is := func(when string) {
			t.Helper()
			byID, err := d.ManagedSourceByID(t.Context(), customer, m.Connection.ID)
			must(t)(err)
			for _, got := range append(allManaged(t, d), byID, source(t, d, "m"), get(t, d, "m")) {
				if !reflect.DeepEqual(got, after) {
					t.Fatalf("%s: %+v, want %+v", when, *got.Connection, *after.Connection)
				}
			}
		}
		is("at once")
		time.Sleep(time.Second)
		is("later")
		f.is(failing, 0)
		is("with the store away")
		back(t, d, f)
		if again := delivered(t, d, m, e, true); again.Connection.Epoch != after.Connection.Epoch {
			t.Fatalf("%+v", *again.Connection)
		}
		counted(t, f, "change", 2)
	})
}

// TestDirectoryDeliveryCounts: counts are from memory for as long as they are fresh, and the last
// known ones while the store is away; never from before a write here.
func TestDirectoryDeliveryCounts(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		m := adopted(t, f, customer, "m")
		asked := func(want int) {
			t.Helper()
			if n := f.count("counts"); n != want {
				t.Fatalf("%d reads of the store, want %d", n, want)
			}
		}
		counts(t, d, m, registry.DeliveryCounts{})
		time.Sleep(2*time.Second - 1)
		counts(t, d, m, registry.DeliveryCounts{})
		asked(1)
		time.Sleep(time.Nanosecond)
		counts(t, d, m, registry.DeliveryCounts{})
		asked(1)
		time.Sleep(time.Millisecond)
		delivered(t, d, m, registry.Event{ID: "1"}, false)
		counts(t, d, m, registry.DeliveryCounts{Delivered: 1})
		asked(1)
		// One that was under way neither hides a delivery nor is joined after it.
		time.Sleep(3 * time.Second)
		f.is(healthy, 200*time.Millisecond)
		go d.DeliveryCounts(t.Context(), customer, m.Connection.ID)
		synctest.Wait()
		f.is(healthy, 0)
		delivered(t, d, m, registry.Event{ID: "2", Failed: true}, false)
		subscribe(t, d, m, "s")
		want := registry.DeliveryCounts{Subscribed: true, Delivered: 1, Failed: 1}
		counts(t, d, m, want)
		time.Sleep(time.Second)
		counts(t, d, m, want)
		asked(2)

		// Away: as last known, also what was never fresh; slow: the same, after a moment.
		time.Sleep(3 * time.Second)
		f.is(hanging, 0)
		took(t, "the first reader", 250*time.Millisecond, func() { counts(t, d, m, want) })
		took(t, "the next", 0, func() { counts(t, d, m, want) })
		other := managedElsewhere(t, f, "other")
		took(t, "what was never read", 2*time.Second, func() {
			wantUnavailable(t)(d.DeliveryCounts(t.Context(), customer, other.Connection.ID))
		})
		f.is(failing, 0)
		wantUnavailableWrite(t)(d.RecordEvent(t.Context(), customer, m.Connection.ID, registry.Event{ID: "3"}))
		counts(t, d, m, want)
		back(t, d, f)
		f.count("counts")
		counts(t, d, m, want)
		asked(1)
	})
}

// TestDirectoryDeliveryCountsOfOthers: deliveries that came through another process are counted
// once a copy is no longer fresh, and what was deleted there is not found.
func TestDirectoryDeliveryCountsOfOthers(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		m := adopted(t, f, customer, "m")
		counts(t, d, m, registry.DeliveryCounts{})
		must(t)(elsewhere(f).RecordEvent(t.Context(), m.Connection.ID, registry.Event{ID: "1"}))
		time.Sleep(2 * time.Second)
		counts(t, d, m, registry.DeliveryCounts{Delivered: 1})
		wantNotFound(t)(d.DeliveryCounts(t.Context(), customer+1, m.Connection.ID))
		must(t)(elsewhere(f).DeleteSource(t.Context(), "m", allow))
		time.Sleep(2 * time.Second)
		wantNotFound(t)(d.DeliveryCounts(t.Context(), customer, m.Connection.ID))
		f.is(failing, 0)
		wantUnavailable(t)(d.DeliveryCounts(t.Context(), customer, m.Connection.ID))
	})
}

// TestDirectorySubscription: a secret is never from before a write that the reader has
// seen, and is in no memory.
func TestDirectorySubscription(t *testing.T) {
	bubble(t, registry.DirectoryOptions{Fresh: time.Hour}, func(t *testing.T, d *registry.Directory, f *faulty) {
		m := adopted(t, f, customer, "m")
		d.Put(m)
		_, err := d.Subscription(t.Context(), customer, m.Connection.ID)
		says(t, "never subscribed", err, fault.NotFound, "There is no webhook subscription of this source.", registry.ErrNotFound)
		target, err := d.WebhookTarget(t.Context(), m.Connection.TenantID)
		if err != nil || *target != (registry.WebhookTarget{CustomerID: customer, ESAID: m.Connection.ID, SourceID: "m"}) {
			t.Fatal(err)
		}
		for _, secret := range []string{"first", "second"} {
			f.is(healthy, 200*time.Millisecond)
			go d.Subscription(t.Context(), customer, m.Connection.ID)
			go d.WebhookTarget(t.Context(), m.Connection.TenantID)
			synctest.Wait()
			f.is(healthy, 0)
			subscribe(t, d, m, secret)
			took(t, "reads after it", 0, func() {
				got, err := d.Subscription(t.Context(), customer, m.Connection.ID)
				target, terr := d.WebhookTarget(t.Context(), m.Connection.TenantID)
				if err != nil || terr != nil || got.Secret != secret || target.Secret != secret {
					t.Fatalf("%v, %v, or another secret", err, terr)
				}
			})
		}
		// It lives now, which is a new version of the connection.
		if got := get(t, d, "m"); got.Connection.Version != m.Connection.Version+1 {
			t.Errorf("version %d after %d", got.Connection.Version, m.Connection.Version)
		}
		if text := fmt.Sprintf("%v %+v %#v", target, *target, target); strings.Contains(text, "second") {
			t.Error("a secret is printed")
		}
		f.is(failing, 0)
		wantUnavailable(t)(d.WebhookTarget(t.Context(), m.Connection.TenantID))
		wantUnavailable(t)(d.Subscription(t.Context(), customer, m.Connection.ID))
	})
}

func TestDirectoryAudit(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		first, err := d.BeginAudit(t.Context(), customer, registry.AuditEntry{Actor: "storefront", Operation: "connect"})
		must(t)(err)
		time.Sleep(time.Second)
		second, err := d.BeginAudit(t.Context(), customer, registry.AuditEntry{Actor: "storefront", Operation: "delete", SourceID: "radio"})
		must(t)(err)
		must(t)(d.FinishAudit(t.Context(), customer, first, registry.AuditResult{SourceID: "video", ESAID: 7, Outcome: registry.AuditSucceeded, Status: 201}))
		page, more, err := d.Audit(t.Context(), customer, registry.AuditQuery{Take: 1})
		if err != nil || !more || len(page) != 1 || page[0].ID != second || page[0].Outcome != registry.AuditBegun {
			t.Fatalf("%+v, %t, %v", page, more, err)
		}
		page, more, err = d.Audit(t.Context(), customer, registry.AuditQuery{Take: 1, Before: second})
		if err != nil || more || len(page) != 1 || page[0].ID != first || page[0].SourceID != "video" || page[0].Status != 201 {
			t.Fatalf("%+v, %t, %v", page, more, err)
		}
		for _, cursor := range []string{"garbage", strings.Repeat("z", 32), "\x00"} {
			_, _, err := d.Audit(t.Context(), customer, registry.AuditQuery{Take: 1, Before: cursor})
			says(t, "a cursor of garbage", err, fault.BadRequest, "The cursor is not one that was given out here.", registry.ErrInvalid)
		}
		// The record is the store's alone.
		for mode, wait := range map[mode]time.Duration{failing: 0, hanging: 2 * time.Second} {
			f.is(mode, 0)
			took(t, "a page", wait, func() {
				wantUnavailable(t)(d.Audit(t.Context(), customer, registry.AuditQuery{Take: 1}))
			})
		}
	})
}

func TestDirectorySettings(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		id := adopted(t, f, customer, "m").Connection.ID
		for _, want := range []string{"first", "second", ""} {
			must(t)(d.KeepSettings(t.Context(), customer, id, []byte(want)))
			if got, err := d.Settings(t.Context(), customer, id); err != nil || string(got) != want {
				t.Fatalf("%q, %v", got, err)
			}
		}
		wantNotFound(t)(d.Settings(t.Context(), customer+1, id))
		must(t)(d.KeepSettings(t.Context(), customer, id, nil))
		wantNotFound(t)(d.Settings(t.Context(), customer, id))
		f.is(failing, 0)
		wantUnavailable(t)(d.Settings(t.Context(), customer, id)) // from the store alone
	})
}

func TestDirectoryBeginOnce(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		begin := func(answer string) {
			t.Helper()
			c, err := d.ClaimIdempotencyKey(t.Context(), customer, registry.IdempotencyRecord{Key: "k"})
			if err != nil || c.Replayed != (answer != "") || string(c.Answer) != answer {
				t.Fatalf("%+v, %v", c, err)
			}
		}
		begin("")
		must(t)(d.ReleaseIdempotencyKey(t.Context(), customer, "k"))
		begin("")
		must(t)(d.KeepAnswer(t.Context(), customer, "k", []byte("done")))
		begin("done")
	})
}

// TestDirectoryKnownStart: signals of one run that know less of its start than was known
// change nothing.
func TestDirectoryKnownStart(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		d.Put(adopted(t, f, customer, "m"))
		id, end := get(t, d, "m").Connection.ID, time.Now()
		for i, start := range []time.Time{end.Add(-time.Minute), {}, end, end.Add(-time.Second)} {
			time.Sleep(time.Second)
			got, err := d.ObserveInventorySync(t.Context(), customer, id, registry.InventorySync{
				Status: registry.SyncSuccess, LastRunAt: start, CompletedAt: end, ObservedAt: time.Now()})
			if must(t)(err); !got.Connection.InventorySync.LastRunAt.Equal(registry.Instant(end.Add(-time.Minute))) {
				t.Fatalf("signal %d: %+v", i, got.Connection.InventorySync)
			}
		}
		counted(t, f, "write", 1)
	})
}
