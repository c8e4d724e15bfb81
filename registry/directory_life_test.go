package registry_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

func newManaged(sourceID string) registry.NewManaged {
	return registry.NewManaged{SourceID: sourceID, Name: sourceID, Operation: registry.Operation{Kind: registry.OperationProvision, ID: "o"}}
}

func createManaged(t testing.TB, d *registry.Directory, sourceID string) *registry.Source {
	t.Helper()
	c, err := d.CreateManaged(t.Context(), customer, newManaged(sourceID), nil)
	if err != nil || c.Replayed {
		t.Fatalf("%+v, %v", c, err)
	}
	return c.Source
}

// lastError gives a decision that changes what readers can see.
func lastError(text string) func(*registry.Source) (*registry.Connection, error) {
	return func(m *registry.Source) (*registry.Connection, error) {
		next := *m.Connection
		next.LastError = text
		return &next, nil
	}
}

// deactivated switches a connection off.
func deactivated(m *registry.Source) (*registry.Connection, error) {
	next := *m.Connection
	next.Provisioning = registry.StatusDeactivated
	return &next, nil
}

// listed checks the list of managed sources.
func listed(t testing.TB, d *registry.Directory, what string, skip, take int, want ...string) {
	t.Helper()
	page, total, err := d.ManagedSources(t.Context(), customer, skip, take)
	if err != nil || !slices.Equal(ids(page), want) || skip == 0 && take > total && total != len(want) {
		t.Fatalf("%s: %q of %d, %v, want %q", what, ids(page), total, err, want)
	}
}

// TestDirectoryCreateManaged: all reads show at once that a source was created here, and
// that it was deleted, with the store there and away.
func TestDirectoryCreateManaged(t *testing.T) {
	for _, after := range []mode{healthy, failing, hanging} {
		t.Run(fmt.Sprint("mode ", after), func(t *testing.T) {
			bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
				adopted(t, f, customer, "first")
				v := view{d}
				v.is(t, "before", "m", "")
				listed(t, d, "before", 0, 9, "first")
				listed(t, d, "before", 0, 1, "first")
				listed(t, d, "before", 1, 5)
				m := createManaged(t, d, "m")
				create(t, d, "agent") // is none of the managed ones
				f.is(after, 0)
				v.is(t, "made", "m", "m")
				if got := get(t, d, "m"); got.Connection.Provisioning != registry.StatusProvisioning {
					t.Fatalf("%+v", *got.Connection)
				}
				if byID, err := d.ManagedSourceByID(t.Context(), customer, m.Connection.ID); err != nil || byID != get(t, d, "m") {
					t.Fatal(byID, err)
				}
				listed(t, d, "made", 0, 9, "first", "m")
				listed(t, d, "made", 0, 1, "first")
				f.is(healthy, 0)
				time.Sleep(4 * time.Second)
				remove(t, d, "m")
				f.is(after, 0)
				for _, when := range []string{"deleted", "deleted, and an older state comes late"} {
					v.is(t, when, "m", "")
					wantNotFound(t)(d.ManagedSource(t.Context(), customer, "m"))
					wantNotFound(t)(d.ManagedSourceByID(t.Context(), customer, m.Connection.ID))
					listed(t, d, when, 0, 9, "first")
					d.Put(m)
				}
			})
		})
	}
}

// TestDirectoryCreateManagedReplayed: whether a total counts what an earlier request has
// made isn't known; such a page is asked for again.
func TestDirectoryCreateManagedReplayed(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		listed(t, d, "before", 0, 9)
		once := &registry.IdempotencyRecord{Key: "k"}
		once.Answer = func(*registry.Source) []byte { return []byte("made") }
		must(t)(elsewhere(f).CreateManaged(t.Context(), newManaged("m"), once))
		for range 2 {
			c, err := d.CreateManaged(t.Context(), customer, newManaged("m"), once)
			if err != nil || !c.Replayed || string(c.Answer) != "made" || c.Source == nil {
				t.Fatalf("%+v, %v", c, err)
			}
			f.is(failing, 0)
			if page, total, err := d.ManagedSources(t.Context(), customer, 0, 9); err == nil && (len(page) != 1 || total != 1) {
				t.Fatal(page, total)
			}
			back(t, d, f)
			listed(t, d, "asked again", 0, 9, "m")
		}
		reads(t, f, "none", 0)
	})
}

// TestDirectoryChangeConnectionForgotten: a list shows a change also of a source that
// memory has no room for any more.
func TestDirectoryChangeConnectionForgotten(t *testing.T) {
	bubble(t, registry.DirectoryOptions{Entries: 1}, func(t *testing.T, d *registry.Directory, f *faulty) {
		m := adopted(t, f, customer, "m")
		adopted(t, f, customer, "n")
		listed(t, d, "before", 0, 50, "m", "n")
		must(t)(d.ChangeConnection(t.Context(), customer, m.Connection.ID, lastError("written")))
		get(t, d, "n")
		f.is(failing, 0)
		if m := allManaged(t, d)[0]; m.Connection.LastError != "written" {
			t.Fatalf("%+v", *m.Connection)
		}
	})
}

// TestDirectoryChangesNothingThere: a connection that another process has deleted goes
// from memory with the write that does not find it.
func TestDirectoryChangesNothingThere(t *testing.T) {
	for name, write := range map[string]func(ctx context.Context, d *registry.Directory, esaID int64) error{
		"ChangeConnection": func(ctx context.Context, d *registry.Directory, esaID int64) error {
			_, err := d.ChangeConnection(ctx, customer, esaID, lastError("x"))
			return err
		},
		"KeepSettings": func(ctx context.Context, d *registry.Directory, esaID int64) error {
			return d.KeepSettings(ctx, customer, esaID, []byte("x"))
		},
	} {
		bubble(t, registry.DirectoryOptions{Fresh: time.Hour}, func(t *testing.T, d *registry.Directory, f *faulty) {
			m := adopted(t, f, customer, "m")
			d.Put(m)
			listed(t, d, "before", 0, 50, "m")
			time.Sleep(time.Second)
			must(t)(elsewhere(f).DeleteSource(t.Context(), "m", allow))
			says(t, name, write(t.Context(), d, m.Connection.ID), fault.NotFound, "There is no managed source with this id.", registry.ErrNotFound)
			f.is(failing, 0)
			listed(t, d, "afterwards", 0, 50)
			if got, err := d.ManagedSource(t.Context(), customer, "m"); err == nil {
				t.Errorf("%s: %+v", name, got)
			}
		})
	}
}

// TestDirectoryWritesThrough: all reads show what a write left, and ask no store for it.
func TestDirectoryWritesThrough(t *testing.T) {
	for _, known := range []bool{true, false} {
		bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
			m := adopted(t, f, customer, "m")
			id := m.Connection.ID
			writes := map[string]func() (*registry.Source, error){
				"ObserveInventorySync": func() (*registry.Source, error) {
					return d.ObserveInventorySync(t.Context(), customer, id, registry.InventorySync{Status: registry.SyncSuccess, ObservedAt: time.Now()})
				},
				"ChangeAudited": func() (*registry.Source, error) {
					return d.ChangeAudited(t.Context(), customer, id, registry.AuditEntry{}, deactivated)
				},
				"ChangeConnection": func() (*registry.Source, error) {
					return d.ChangeConnection(t.Context(), customer, id, lastError("written"))
				},
			}
			if known {
				d.Put(m)
				listed(t, d, "before", 0, 50, "m")
				all(t, d)
				// Away: every write says so, and changes no copy.
				f.is(failing, 0)
				for _, write := range writes {
					wantUnavailable(t)(write())
				}
				if get(t, d, "m") != m || d.StoreAvailable() {
					t.Fatal("a write that failed left a trace")
				}
				f.is(healthy, 0)
				time.Sleep(time.Second + 1)
				f.count("read")
			}
			for name, write := range writes {
				got, err := write()
				if must(t)(err); get(t, d, "m") != got || got.Connection.Version != m.Connection.Version+1 {
					t.Fatalf("%s: the copy is not what was written", name)
				}
				m = got
			}
			reads(t, f, "after writes", 0)
			c := *m.Connection
			if c.Provisioning != registry.StatusDeactivated || c.LastError != "written" || c.InventorySync == nil {
				t.Fatalf("%+v", c)
			}
			for _, mode := range []mode{failing, healthy} {
				f.is(mode, 0)
				seen := []*registry.Source{source(t, d, "m")}
				if known {
					seen = append(seen, allManaged(t, d)[0], all(t, d)[0])
				}
				for _, src := range seen {
					if src.Connection.Version != c.Version {
						t.Fatalf("version %d, want %d", src.Connection.Version, c.Version)
					}
				}
			}
		})
	}
}

func TestDirectoryBoundsSignals(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		m := adopted(t, f, customer, "a")
		d.Put(m)
		start := time.Now().Add(time.Hour)
		observe := func(status string, after time.Duration) *registry.InventorySync {
			t.Helper()
			// Times finer than the store keeps change nothing.
			signal := registry.InventorySync{Status: status, LastRunAt: start.Add(-time.Minute + 7), ObservedAt: start.Add(after)}
			got, err := d.ObserveInventorySync(t.Context(), customer, m.Connection.ID, signal)
			must(t)(err)
			return got.Connection.InventorySync
		}
		for s := range 601 { // every second for ten minutes
			if got := observe(registry.SyncSuccess, time.Duration(s)*time.Second); !got.UpdatedAt.Equal(start) {
				t.Fatalf("second %d: %+v", s, got)
			}
			time.Sleep(time.Second)
		}
		counted(t, f, "write", 11)
		observe(registry.SyncSuccess, 10*time.Minute+30*time.Second) // newer than what is written
		time.Sleep(time.Minute)
		if got := observe(registry.SyncFailed, 10*time.Minute+20*time.Second); got.Status != registry.SyncSuccess {
			t.Fatalf("an older signal won: %+v", got)
		}
		// Nor does a newer version of something else.
		must(t)(elsewhere(f).ChangeConnection(t.Context(), m.Connection.ID, lastError("another")))
		time.Sleep(time.Minute)
		if got := observe(registry.SyncFailed, 10*time.Minute+25*time.Second); got.Status != registry.SyncSuccess {
			t.Fatalf("an older signal won: %+v", got)
		}
		f.count("write")
		observe(registry.SyncSuccess, 10*time.Minute+40*time.Second)
		counted(t, f, "write", 0)
		if got := observe(registry.SyncFailed, 10*time.Minute+45*time.Second); got.Status != registry.SyncFailed || f.count("write") != 1 {
			t.Fatalf("a changed state was not written: %+v", got)
		}
		stored, err := elsewhere(f).Source(t.Context(), "a")
		if must(t)(err); stored.Connection.InventorySync.Status != registry.SyncFailed {
			t.Fatal(stored)
		}
	})
}
