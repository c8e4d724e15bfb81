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
