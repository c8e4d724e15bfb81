package registry_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// shows checks the names in the overview of a customer, or of all, in their order.
func shows(t *testing.T, d *registry.Directory, what string, of int64, want ...string) []registry.SourceStanding {
	t.Helper()
	rows, err := d.Overview(t.Context(), of)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	var got []string
	for _, row := range rows {
		if row.Standing.ESAID != row.Connection.ID || row.Standing.CustomerID != row.CustomerID {
			t.Fatalf("%s: %q with the standing of %d", what, row.SourceID, row.Standing.ESAID)
		}
		got = append(got, row.Name)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%s: the overview of %d has %q, want %q", what, of, got, want)
	}
	return rows
}

// judged keeps how a source stands, in the store alone.
func judged(t *testing.T, f *faulty, m *registry.Source, state string) {
	t.Helper()
	now := time.Now()
	must(t)(f.Store.KeepStandings(t.Context(), []registry.Standing{{CustomerID: m.CustomerID, ESAID: m.Connection.ID, State: state, Since: now, ReceivedAt: now}}, now))
}

// TestDirectoryOverviewFreshness: what another replica writes is seen after two seconds, and with the first
// read after a write of ours; the store is not asked in between.
func TestDirectoryOverviewFreshness(t *testing.T) {
	for _, of := range []int64{customer, 0} {
		bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
			m := adopted(t, f, customer, "a")
			judged(t, f, m, "live")
			if rows := shows(t, d, "first", of, "a"); rows[0].Standing.State != "live" {
				t.Fatalf("%+v", rows[0].Standing)
			}
			counted(t, f, "overview", 1)
			renamed(t, f, "a", "b")
			time.Sleep(2*time.Second - 1)
			shows(t, d, "fresh", of, "a")
			counted(t, f, "overview", 0)
			time.Sleep(time.Nanosecond)
			shows(t, d, "no longer fresh", of, "b")
			shows(t, d, "fresh again", of, "b")
			counted(t, f, "overview", 1)

			judged(t, f, m, "down")
			id, err := d.BeginAudit(t.Context(), customer, registry.AuditEntry{Actor: "robot", Operation: "rename", SourceID: "a"})
			must(t)(err)
			must(t)(d.FinishAudit(t.Context(), customer, id, registry.AuditResult{Outcome: registry.AuditSucceeded}))
			if rows := shows(t, d, "written", of, "b"); rows[0].Standing.State != "down" || rows[0].Standing.ChangedBy != "robot" {
				t.Fatalf("%+v", rows[0].Standing)
			}
			counted(t, f, "overview", 1)
		})
	}
}

// TestDirectoryOverviewOwnWrites: what was made, changed and deleted here is shown at once, however the store
// is then and however long a read takes, in the customer's overview and in that of all.
func TestDirectoryOverviewOwnWrites(t *testing.T) {
	for _, late := range []time.Duration{0, 300 * time.Millisecond} {
		for _, after := range []mode{healthy, failing, hanging} {
			t.Run(fmt.Sprint("late ", late, " mode ", after), func(t *testing.T) {
				bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
					adopted(t, f, customer, "b")
					adopted(t, f, customer, "c")
					other := adopted(t, f, customer+1, "other")
					f.is(healthy, late)
					shows(t, d, "before", customer, "b", "c")
					shows(t, d, "before", customer+1, "other")
					shows(t, d, "before", 0, "b", "c", "other")
					f.is(healthy, 0)
					create(t, d, "agent")
					createManaged(t, d, "a")
					createManaged(t, d, "gone")
					update(t, d, "c", "C")
					remove(t, d, "gone")
					remove(t, d, "b")
					must(t)(d.ChangeConnection(t.Context(), customer+1, other.Connection.ID, lastError("x")))
					f.is(after, late)
					for range 2 {
						shows(t, d, "written", customer, "C", "a")
						if rows := shows(t, d, "written", 0, "C", "other", "a"); rows[1].Connection.LastError != "x" {
							t.Fatalf("%+v", rows[1].Connection)
						}
						shows(t, d, "written", customer+1, "other")
						time.Sleep(time.Minute)
					}
					back(t, d, f)
					update(t, d, "a", "A")
					remove(t, d, "c")
					createManaged(t, d, "c")
					f.is(after, late)
					shows(t, d, "written again", customer, "A", "c")
					shows(t, d, "written again", 0, "other", "A", "c")
				})
			})
		}
	}
}

// TestDirectoryOverviewOverlap: a write that comes while a slow read is under way is shown, whether the read found
// it or not.
func TestDirectoryOverviewOverlap(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		adopted(t, f, customer, "b")
		adopted(t, f, customer, "c")
		f.is(healthy, 200*time.Millisecond)
		slow := make(chan string)
		go func() {
			rows, err := d.Overview(t.Context(), customer)
			if err != nil {
				t.Error(err)
			}
			var names []string
			for _, row := range rows {
				names = append(names, row.Name)
			}
			slow <- strings.Join(names, " ")
		}()
		synctest.Wait()
		f.is(healthy, 0)
		createManaged(t, d, "a")
		update(t, d, "c", "C")
		remove(t, d, "b")
		if got := <-slow; got != "C a" {
			t.Errorf("read while it was written: %q", got)
		}
		shows(t, d, "after", customer, "C", "a")
	})
}

// TestDirectoryOverviewSlow: a list that takes long to read is served meanwhile, up to ten seconds old, and does
// not have the store taken to be away.
func TestDirectoryOverviewSlow(t *testing.T) {
	opts := registry.DirectoryOptions{Changed: func(bool, error) { t.Error("taken to be away") }}
	bubble(t, opts, func(t *testing.T, d *registry.Directory, f *faulty) {
		adopted(t, f, customer, "a")
		f.is(healthy, 3*time.Second)
		took(t, "the first", 3*time.Second, func() { shows(t, d, "first", customer, "a") })
		f.count("overview")
		renamed(t, f, "a", "b")
		time.Sleep(5 * time.Second)
		took(t, "while it is read", 0, func() { shows(t, d, "stale", customer, "a") })
		took(t, "beside it", 0, func() { shows(t, d, "stale", customer, "a") })
		time.Sleep(3*time.Second + 1)
		took(t, "once it was read", 0, func() { shows(t, d, "read", customer, "b") })
		counted(t, f, "overview", 1)
		renamed(t, f, "a", "c")
		time.Sleep(10*time.Second + 1)
		f.is(healthy, time.Second)
		took(t, "long after", time.Second, func() { shows(t, d, "long after", customer, "c") })
	})
}

// TestDirectoryOverviewFirst: the first read of many sources is waited for, by all readers the same one, even where it
// takes half a minute.
func TestDirectoryOverviewFirst(t *testing.T) {
	opts := registry.DirectoryOptions{Changed: func(bool, error) { t.Error("taken to be away") }}
	bubble(t, opts, func(t *testing.T, d *registry.Directory, f *faulty) {
		adopted(t, f, customer, "a")
		f.is(healthy, 29*time.Second)
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() { shows(t, d, "first", customer, "a") })
			time.Sleep(5 * time.Second)
		}
		readers.Wait()
		counted(t, f, "overview", 1)
		f.is(tripping, 0)
		shows(t, d, "a connection broke", 0, "a")
	})
}

// TestDirectoryOverviewAway: while the store is away an overview is as it was last known, and one that was never read
// is an error.
func TestDirectoryOverviewAway(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		adopted(t, f, customer, "a")
		shows(t, d, "before", customer, "a")
		f.is(hanging, 0)
		time.Sleep(3 * time.Second)
		took(t, "the first read of a store that hangs", 2*time.Second, func() { shows(t, d, "hanging", customer, "a") })
		time.Sleep(time.Minute)
		isThere(t, d, false, "the store hangs")
		took(t, "a read", 0, func() { shows(t, d, "away", customer, "a") })
		wantUnavailable(t)(d.Overview(t.Context(), customer+1))
		wantUnavailable(t)(d.StateChanges(t.Context(), customer, time.Now()))
		back(t, d, f)
		renamed(t, f, "a", "b")
		shows(t, d, "back", customer, "b")
	})
}

// TestDirectoryOverviewManyWrites: an overview is right though more was written since it was read than is
// remembered, of a customer or of how many.
func TestDirectoryOverviewManyWrites(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		adopted(t, f, customer, "a")
		adopted(t, f, customer, "b")
		adopted(t, f, customer, "c")
		f.is(healthy, time.Second)
		shows(t, d, "before", customer, "a", "b", "c")
		f.is(healthy, 0)
		update(t, d, "a", "A")
		remove(t, d, "b")
		var last string
		for i := range 1100 {
			last = fmt.Sprint(i)
			update(t, d, "c", last)
		}
		f.is(failing, 0)
		shows(t, d, "written often", customer, "A", last)
	})
	bubble(t, registry.DirectoryOptions{Entries: 2}, func(t *testing.T, d *registry.Directory, f *faulty) {
		adopted(t, f, customer, "a")
		f.is(healthy, time.Second)
		shows(t, d, "before", customer, "a")
		f.is(healthy, 0)
		update(t, d, "a", "A")
		for i := range int64(3) {
			must(t)(d.BeginAudit(t.Context(), customer+1+i, registry.AuditEntry{}))
		}
		must(t)(d.BeginAudit(t.Context(), customer, registry.AuditEntry{}))
		f.is(failing, 0)
		shows(t, d, "written by many", customer, "A")
	})
}

// TestDirectoryStateChanges: states are served from memory as an overview is, as far back as is asked for.
func TestDirectoryStateChanges(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		m, other := adopted(t, f, customer, "a"), adopted(t, f, customer+1, "b")
		begun := time.Now()
		for _, state := range []string{"pending", "live", "down"} {
			judged(t, f, m, state)
			judged(t, f, other, state)
			time.Sleep(time.Hour)
		}
		is := func(what string, of int64, since time.Duration, want string) {
			t.Helper()
			states, err := d.StateChanges(t.Context(), of, begun.Add(since))
			must(t)(err)
			var got []string
			for _, h := range states {
				got = append(got, fmt.Sprint(h.State, " ", h.CustomerID-customer, " ", h.At.Sub(begun)))
			}
			if text := strings.Join(got, ", "); text != want {
				t.Fatalf("%s: %s, want %s", what, text, want)
			}
		}
		is("the last", customer, 3*time.Hour, "down 0 2h0m0s")
		is("further back than was read", customer, 2*time.Hour-1, "live 0 1h0m0s, down 0 2h0m0s")
		counted(t, f, "states", 2)
		is("less", customer, 2*time.Hour, "down 0 2h0m0s")
		is("as much", customer, 2*time.Hour-1, "live 0 1h0m0s, down 0 2h0m0s")
		counted(t, f, "states", 0)
		is("of all", 0, 2*time.Hour-1, "live 0 1h0m0s, down 0 2h0m0s, live 1 1h0m0s, down 1 2h0m0s")
		is("of another", customer+1, 0, "pending 1 0s, live 1 1h0m0s, down 1 2h0m0s")

		// Two at once that want unlike much.
		f.is(healthy, 50*time.Millisecond)
		time.Sleep(3 * time.Second)
		done := make(chan struct{})
		go func() {
			is("little", customer, 3*time.Hour, "down 0 2h0m0s")
			close(done)
		}()
		synctest.Wait()
		is("much", customer, 0, "pending 0 0s, live 0 1h0m0s, down 0 2h0m0s")
		<-done
		f.is(failing, 0)
		time.Sleep(time.Minute)
		is("away", customer, 2*time.Hour, "down 0 2h0m0s")
	})
}

// TestDirectorySourceWritten: each write that made, changed or deleted a managed source is told of, once all reads
// show it, and nothing else is.
func TestDirectorySourceWritten(t *testing.T) {
	var told []string
	var d *registry.Directory
	opts := registry.DirectoryOptions{SourceWritten: func(src *registry.Source, deleted bool) {
		known, there := d.Newest(src)
		if there == deleted || there && known != src {
			t.Errorf("told of %q, deleted %t, before it is read", src.SourceID, deleted)
		}
		told = append(told, fmt.Sprint(src.SourceID, " ", src.Connection.Version, " ", deleted))
	}}
	bubble(t, opts, func(t *testing.T, dir *registry.Directory, f *faulty) {
		d = dir
		says := func(what string, want ...string) {
			t.Helper()
			if !slices.Equal(told, want) {
				t.Fatalf("%s: told of %q, want %q", what, told, want)
			}
			told = nil
		}
		signal := registry.InventorySync{Status: registry.SyncSuccess, ObservedAt: time.Now()}
		m := createManaged(t, d, "m")
		says("made", "m 1 false")
		must(t)(d.UpdateSource(t.Context(), customer, "m", rename("M")))
		says("renamed", "m 2 false")
		must(t)(d.UpdateSource(t.Context(), customer, "m", rename("M")))
		says("not renamed")
		must(t)(d.ObserveInventorySync(t.Context(), customer, m.Connection.ID, signal))
		says("a signal", "m 3 false")
		signal.ObservedAt = signal.ObservedAt.Add(time.Hour)
		must(t)(d.ObserveInventorySync(t.Context(), customer, m.Connection.ID, signal))
		says("a signal that says nothing new")
		signal.Status, signal.ObservedAt = registry.SyncFailed, signal.ObservedAt.Add(time.Hour)
		must(t)(d.RecordEvent(t.Context(), customer, m.Connection.ID, registry.Event{ID: "1", Sync: &signal}))
		says("a delivery", "m 4 false")
		must(t)(d.ChangeConnection(t.Context(), customer, m.Connection.ID, lastError("x")))
		says("changed", "m 5 false")
		must(t)(d.ChangeAudited(t.Context(), customer, m.Connection.ID, registry.AuditEntry{}, deactivated))
		says("switched off", "m 6 false")
		create(t, d, "agent")
		update(t, d, "agent", "b")
		remove(t, d, "agent")
		says("an AGENT source")
		if _, err := d.DeleteSource(t.Context(), customer, "m", func(*registry.Source) error { return fault.New(fault.Conflict, "No.") }); err == nil {
			t.Fatal("deleted")
		}
		f.refuses(errBroken)
		wantUnavailableWrite(t)(d.UpdateSource(t.Context(), customer, "m", rename("N")))
		back(t, d, f)
		says("refused")
		remove(t, d, "m")
		says("deleted", "m 6 true")
		old := adopted(t, f, customer, "old") // which this Directory has never read
		must(t)(d.ChangeConnection(t.Context(), customer, old.Connection.ID, lastError("x")))
		says("changed unread", "old 2 false")
		once := &registry.IdempotencyRecord{Key: "k", Answer: func(*registry.Source) []byte { return []byte("x") }}
		for range 2 {
			must(t)(d.CreateManaged(t.Context(), customer, newManaged("once"), once))
		}
		says("made once", "once 1 false")
	})
}
