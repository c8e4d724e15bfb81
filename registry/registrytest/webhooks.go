package registrytest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"esagate/registry"
)

// contextTB is a *testing.T or a *rapid.T.
type contextTB interface {
	rapid.TB
	Context() context.Context
}

// deliver records an event and holds it to being a duplicate or not.
func deliver(t contextTB, s registry.Store, m *registry.Source, e registry.Event, duplicate bool) *registry.Source {
	t.Helper()
	got, after, err := s.Customer(m.CustomerID).RecordEvent(t.Context(), m.Connection.ID, e)
	if err != nil {
		t.Fatalf("event %q: %v", e.ID, err)
	}
	if got != duplicate {
		t.Fatalf("event %q: duplicate %t, want %t", e.ID, got, duplicate)
	}
	return after
}

func hasCounts(t contextTB, s registry.Store, m *registry.Source, want registry.DeliveryCounts) {
	t.Helper()
	got, err := s.Customer(m.CustomerID).DeliveryCounts(t.Context(), m.Connection.ID)
	if err != nil || got != want {
		t.Fatalf("counts %+v, %v, want %+v", got, err, want)
	}
}

func success(second int) *registry.InventorySync {
	return &registry.InventorySync{Status: registry.SyncSuccess, CompletedAt: at(second), ObservedAt: at(second)}
}

func eventEffects(t *testing.T, s registry.Store) {
	m := connected(t, s, alice, "radio")
	poll, err := s.Customer(alice).ObserveInventorySync(t.Context(), m.Connection.ID,
		registry.InventorySync{Status: registry.SyncSuccess, LastRunAt: at(-20), CompletedAt: at(10), ObservedAt: at(11)})
	if err != nil {
		t.Fatal(err)
	}
	want := *poll.Clone()
	step := func(name string, e registry.Event, sync *registry.InventorySync) {
		t.Helper()
		want.Connection.Epoch++
		want.Connection.Version++
		want.Connection.InventorySync = sync
		same(t, name, deliver(t, s, m, e, false), &want)
		same(t, name+", read back", read(t, s, alice, "radio"), &want)
		same(t, name+", again", deliver(t, s, m, e, true), &want)
		e.Failed = true
		same(t, name+", again and failed", deliver(t, s, m, e, true), &want)
		same(t, name+", read at last", read(t, s, alice, "radio"), &want)
	}
	known := poll.Connection.InventorySync
	step("without a run", registry.Event{ID: "1", OccurredAt: at(90)}, known)
	step("an older run", registry.Event{ID: "2", Sync: success(9)}, known)
	step("a run as old", registry.Event{ID: "3", Sync: success(11)}, known)
	seen := registry.InventorySync{Status: registry.SyncSuccess, LastRunAt: at(-20), CompletedAt: at(10), UpdatedAt: at(11), ObservedAt: at(12)}
	same10 := success(10)
	same10.ObservedAt = at(12)
	step("the same run", registry.Event{ID: "4", Sync: same10}, &seen)
	failed := registry.InventorySync{Status: registry.SyncFailed, LastRunAt: at(13), CompletedAt: at(14), ItemCount: count(0), Error: "e\ufffd", ObservedAt: at(15), UpdatedAt: at(15)}
	given := failed
	given.Error, given.ObservedAt, given.UpdatedAt = "e\x00", at(15).Add(999).In(time.FixedZone("", 3600)), at(999)
	step("another run", registry.Event{ID: "5", Sync: &given}, &failed)
	step("hostile", registry.Event{ID: "'); DROP TABLE webhook_events; --\u00e9", Sync: success(1)}, &failed)
	step("long", registry.Event{ID: strings.Repeat("\u00e9", 255)}, &failed)
	for _, id := range []string{"", "\x00", "\xff", strings.Repeat("e", 256)} {
		for _, failed := range []bool{false, true} {
			if _, _, err := s.Customer(alice).RecordEvent(t.Context(), m.Connection.ID, registry.Event{ID: id, Failed: failed}); !errors.Is(err, registry.ErrInvalid) {
				t.Errorf("id %.9q: %v, want ErrInvalid", id, err)
			}
		}
	}
	same(t, "in the end", read(t, s, alice, "radio"), &want)
	hasCounts(t, s, m, registry.DeliveryCounts{Delivered: 7})
}

// eventAnnounced: a delivery that tells of a finished run shows that the subscription
// lives, and moves what is known of it forward.
func eventAnnounced(t *testing.T, s registry.Store) {
	m := connected(t, s, alice, "radio")
	n := 0
	step := func(name string, e registry.Event, lives bool, announced time.Time) {
		t.Helper()
		n++
		e.ID = fmt.Sprint("event ", n)
		deliver(t, s, m, e, false)
		want := subscription("s")
		want.AnnouncedAt, want.Dead = announced, !lives
		t.Log(name)
		isSubscribed(t, s, m, want)
	}
	deliver(t, s, m, registry.Event{ID: "before", Announces: true, OccurredAt: at(5)}, false)
	if _, err := s.Customer(alice).Subscription(t.Context(), m.Connection.ID); !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("%v, want ErrNotFound: a delivery makes no subscription", err)
	}
	begun := subscription("s")
	begun.AnnouncedAt, begun.Dead = time.Time{}, true
	subscribe(t, s, alice, m.Connection.ID, begun)

	none := time.Time{}
	step("another event", registry.Event{OccurredAt: at(10)}, false, none)
	step("a failure", registry.Event{OccurredAt: at(10), Announces: true, Failed: true}, false, none)
	step("without a time", registry.Event{Announces: true}, true, none)
	step("the first", registry.Event{OccurredAt: at(10).Add(99).In(time.FixedZone("", 7200)), Announces: true}, true, at(10))
	step("an older one", registry.Event{OccurredAt: at(9), Announces: true}, true, at(10))
	step("another event, later", registry.Event{OccurredAt: at(99)}, true, at(10))
	step("a later one", registry.Event{OccurredAt: at(11), Announces: true}, true, at(11))
	dead := subscription("s")
	dead.AnnouncedAt, dead.Dead = at(11), true
	subscribe(t, s, alice, m.Connection.ID, dead)
	deliver(t, s, m, registry.Event{ID: "event 4", OccurredAt: at(20), Announces: true}, true)
	isSubscribed(t, s, m, dead)
	step("a late one", registry.Event{OccurredAt: at(8), Announces: true}, true, at(11))
}

// eventWindow looks at the edges of what is counted and known.
func eventWindow(t *testing.T, s registry.Store, c *clock) {
	m := connected(t, s, alice, "radio")
	hasCounts(t, s, m, registry.DeliveryCounts{})
	began := c.read()
	deliver(t, s, m, registry.Event{ID: "ok", OccurredAt: at(-9999)}, false)
	deliver(t, s, m, registry.Event{ID: "bad", Failed: true}, false)
	deliver(t, s, m, registry.Event{ID: "mended", Failed: true}, false)
	hasCounts(t, s, m, registry.DeliveryCounts{Delivered: 1, Failed: 2, LastFailureAt: began})

	c.pass(registry.EventWindow - time.Microsecond)
	hasCounts(t, s, m, registry.DeliveryCounts{Delivered: 1, Failed: 2, LastFailureAt: began})
	mended := deliver(t, s, m, registry.Event{ID: "mended"}, false)
	if mended.Connection.Epoch != m.Connection.Epoch+4 {
		t.Fatalf("epoch %d after %d", mended.Connection.Epoch, m.Connection.Epoch)
	}
	hasCounts(t, s, m, registry.DeliveryCounts{Delivered: 2, Failed: 1, LastFailureAt: began})
	c.pass(time.Microsecond)
	hasCounts(t, s, m, registry.DeliveryCounts{Delivered: 1, LastFailureAt: began})
	again := c.read()
	deliver(t, s, m, registry.Event{ID: "bad", Failed: true}, false) // still failed: counted anew
	hasCounts(t, s, m, registry.DeliveryCounts{Delivered: 1, Failed: 1, LastFailureAt: again})
	deliver(t, s, m, registry.Event{ID: "ok", Failed: true}, true)
	hasCounts(t, s, m, registry.DeliveryCounts{Delivered: 1, Failed: 1, LastFailureAt: again})

	c.pass(registry.EventsKept - registry.EventWindow - time.Microsecond)
	deliver(t, s, m, registry.Event{ID: "ok"}, true)
	c.pass(time.Microsecond)
	deliver(t, s, m, registry.Event{ID: "ok"}, false) // as if it had never come
	deliver(t, s, m, registry.Event{ID: "mended"}, true)
	hasCounts(t, s, m, registry.DeliveryCounts{Delivered: 1, LastFailureAt: again})
	c.pass(registry.EventWindow - time.Microsecond)
	hasCounts(t, s, m, registry.DeliveryCounts{Delivered: 1, LastFailureAt: again})
	c.pass(time.Microsecond)
	hasCounts(t, s, m, registry.DeliveryCounts{})
}

// eventModel delivers events well and badly, again and late, beside a model of what the
// interface promises.
func eventModel(t *testing.T, s registry.Store, c *clock) {
	type row struct {
		at     time.Time
		failed bool
	}
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		m := connected(t, s, alice, fmt.Sprintf("model%d", n))
		want, rows := *m.Clone(), map[string]row{}
		for range rapid.IntRange(1, 9).Draw(rt, "steps") {
			now := c.pass(rapid.SampledFrom([]time.Duration{time.Microsecond, registry.EventWindow / 2, registry.EventsKept / 2}).Draw(rt, "pause"))
			e := registry.Event{ID: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "id"), Failed: rapid.Bool().Draw(rt, "failed")}
			second := rapid.IntRange(0, 5).Draw(rt, "second")
			if rapid.Bool().Draw(rt, "with a run") {
				e.Sync = success(second)
			}
			was, ok := rows[e.ID]
			duplicate := ok && !was.failed && now.Before(was.at.Add(registry.EventsKept))
			if !duplicate {
				rows[e.ID] = row{now, e.Failed}
			}
			if !duplicate {
				want.Connection.Epoch++
				want.Connection.Version++
				if last := want.Connection.InventorySync; !e.Failed && e.Sync != nil && (last == nil || at(second).After(last.ObservedAt)) {
					next := *success(second)
					next.UpdatedAt = at(second)
					want.Connection.InventorySync = &next
				}
			}
			same(rt, "answer", deliver(rt, s, m, e, duplicate), &want)
			counts := registry.DeliveryCounts{}
			for _, r := range rows {
				switch recent := now.Before(r.at.Add(registry.EventWindow)); {
				case recent && r.failed:
					counts.Failed++
				case recent:
					counts.Delivered++
				}
				if r.failed && now.Before(r.at.Add(registry.EventsKept)) && r.at.After(counts.LastFailureAt) {
					counts.LastFailureAt = r.at
				}
			}
			hasCounts(rt, s, m, counts)
			if rapid.Bool().Draw(rt, "sweep") { // which changes no count
				if _, err := s.Sweep(t.Context()); err != nil {
					rt.Fatal(err)
				}
			}
		}
		same(rt, "read back", read(t, s, alice, want.SourceID), &want)
	})
}

func eventConcurrent(t *testing.T, s registry.Store) {
	concurrentEvents(t, []registry.Store{s})
}

// concurrentEvents delivers the same events of one tenant many times at once, some badly,
// through all Stores, while others write to the connection.
func concurrentEvents(t *testing.T, stores []registry.Store) {
	t.Helper()
	m := connected(t, stores[0], alice, "busy")
	subscribe(t, stores[0], alice, m.Connection.ID, subscription("s"))
	was := *read(t, stores[0], alice, "busy").Connection
	const writers, events = 6, 15
	var fresh, bad [writers]int
	succeedTogether(t, writers+1, func(w int) error {
		c := stores[w%len(stores)].Customer(alice)
		for i := range events {
			if w == writers {
				if _, err := c.ChangeConnection(t.Context(), m.Connection.ID, changing(func(c *registry.Connection) {
					c.ExternalOrgID = fmt.Sprint("org", i)
				})); err != nil {
					return err
				}
				continue
			}
			i = (i + 3*w) % events
			e := registry.Event{ID: fmt.Sprint("event", i), OccurredAt: at(i), Announces: true, Sync: success(i), Failed: w == 1 && i%2 == 0}
			duplicate, after, err := c.RecordEvent(t.Context(), m.Connection.ID, e)
			if err != nil {
				return err
			}
			switch {
			case duplicate:
			case e.Failed:
				bad[w]++
			default:
				fresh[w]++
			}
			if sync := after.Connection.InventorySync; !e.Failed && sync.ObservedAt.Before(at(i)) {
				return fmt.Errorf("answered a state older than the event")
			}
		}
		return nil
	})
	total, changes := 0, int64(0)
	for w := range fresh {
		total += fresh[w]
		changes += int64(fresh[w] + bad[w])
	}
	for _, s := range stores {
		end := *read(t, s, alice, "busy").Connection
		if total != events || end.Epoch != was.Epoch+changes || end.Version != was.Version+changes+events ||
			!end.InventorySync.ObservedAt.Equal(at(events-1)) {
			t.Fatalf("%d had an effect; %+v", total, end)
		}
		hasCounts(t, s, m, registry.DeliveryCounts{Subscribed: true, Delivered: events})
		want := subscription("s")
		want.AnnouncedAt = at(events - 1)
		isSubscribed(t, s, m, want)
	}
}

// reopenTwoDeliveries has two processes take in one tenant's deliveries, and a third that
// comes after them know all of it.
func reopenTwoDeliveries(t *testing.T, open Opener) {
	stores := []registry.Store{open(t, Options{}), open(t, Options{})}
	concurrentEvents(t, stores)
	m := read(t, stores[0], alice, "busy")
	shut(t, stores[0])
	shut(t, stores[1])
	s := open(t, Options{})
	defer shut(t, s)
	same(t, "opened again", deliver(t, s, m, registry.Event{ID: "event3"}, true), m)
	if n, err := s.RewriteSecrets(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d secrets of one key were rewritten, %v", n, err)
	}
}
