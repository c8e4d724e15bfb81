package registry_test

import (
	"testing"
	"time"

	"esagate/registry"
)

func create(t testing.TB, d *registry.Directory, sourceID string) *registry.Source {
	t.Helper()
	c, err := d.CreateSource(t.Context(), customer, agent(sourceID), nil)
	if err != nil || c.Replayed {
		t.Fatalf("%+v, %v", c, err)
	}
	return c.Source
}

func update(t testing.TB, d *registry.Directory, sourceID, name string) *registry.Source {
	t.Helper()
	s, err := d.UpdateSource(t.Context(), customer, sourceID, rename(name))
	if err != nil || s.Name != name {
		t.Fatalf("%+v, %v", s, err)
	}
	return s
}

func remove(t testing.TB, d *registry.Directory, sourceID string) {
	t.Helper()
	if s, err := d.DeleteSource(t.Context(), customer, sourceID, allow); err != nil || s.SourceID != sourceID {
		t.Fatalf("%+v, %v", s, err)
	}
}

// TestDirectorySourceIDChangesKind: the sourceId of a source goes to one of the other kind.
// Neither is taken for the other.
func TestDirectorySourceIDChangesKind(t *testing.T) {
	for _, byUs := range []bool{false, true} {
		bubble(t, registry.DirectoryOptions{Fresh: time.Hour}, func(t *testing.T, d *registry.Directory, f *faulty) {
			d.Put(adopted(t, f, customer, "a"))
			view{d}.is(t, "managed", "a", "a")
			if byUs {
				remove(t, d, "a")
				create(t, d, "a")
			} else {
				must(t)(elsewhere(f).DeleteSource(t.Context(), "a", allow))
				made(t, f, customer, "a")
				view{d}.is(t, "changed elsewhere", "a", "a")
			}
			for _, mode := range []mode{healthy, failing} {
				f.is(mode, 0)
				if s := source(t, d, "a"); s.Agent == nil {
					t.Fatalf("%+v", s)
				}
				view{d}.is(t, "an AGENT source", "a", "a")
				if m, err := d.ManagedSource(t.Context(), customer, "a"); err == nil {
					t.Fatalf("%+v", m)
				}
			}
			back(t, d, f)
			must(t)(elsewhere(f).DeleteSource(t.Context(), "a", allow))
			m := managedElsewhere(t, f, "a")
			if got := get(t, d, "a"); got.ID != m.ID { // which alone sees it
				t.Fatalf("%+v", got)
			}
			f.is(failing, 0)
			if s := source(t, d, "a"); s.Connection == nil {
				t.Fatalf("%+v", s)
			}
		})
	}
}

// managedElsewhere creates a managed source in the store alone; unlike adopted it can do
// so again.
func managedElsewhere(t *testing.T, f *faulty, sourceID string) *registry.Source {
	t.Helper()
	c, err := elsewhere(f).CreateManaged(t.Context(), newManaged(sourceID), nil)
	must(t)(err)
	return c.Source
}
