package sqlstore

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"esagate/registry"
)

// TestAdoptAll: many entries come to what each alone comes to, and those that nothing is to be done for are not written.
func TestAdoptAll(t *testing.T) {
	for name, database := range Databases {
		t.Run(name, func(t *testing.T) {
			s := opened(t, database(t), newKey(t))
			entries := make([]registry.ConfigSource, 70)
			for i := range entries {
				entries[i] = registry.ConfigSource{CustomerID: int64(1 + i%3), SourceID: fmt.Sprint("s", i), Name: "Name", TenantID: fmt.Sprint("tnt_", i),
					ServiceAccountEmail: "a@example.net", Labels: map[string]string{"n": fmt.Sprint(i)}}
			}
			adopt := func(want ...registry.AdoptionOutcome) []registry.Adoption {
				t.Helper()
				done, err := s.AdoptAll(t.Context(), entries)
				if must(t)(err); len(done) != len(entries) {
					t.Fatalf("%d of %d", len(done), len(entries))
				}
				for i, d := range done {
					if d.Outcome != want[min(i, len(want)-1)] || d.Managed != nil && d.Managed.SourceID != entries[i].SourceID {
						t.Fatalf("%d: %s %+v", i, d.Outcome, d.Managed)
					}
				}
				return done
			}
			made := adopt(registry.AdoptionCreated)
			alone, err := s.Adopt(t.Context(), registry.ConfigSource{CustomerID: 4, SourceID: "alone", Name: "Name", TenantID: "tnt_alone", ServiceAccountEmail: "a@example.net"})
			must(t)(err)
			if one, many := shape(alone.Managed), shape(made[0].Managed); !reflect.DeepEqual(one, many) {
				t.Errorf("made with others it is\n%+v\n%+v\nalone\n%+v\n%+v", many, many.Connection, one, one.Connection)
			}
			if last := made[69].Managed; alone.Managed.ID != last.ID+1 || alone.Managed.Connection.ID != last.Connection.ID+1 {
				t.Errorf("ids %d, %d after %d, %d", alone.Managed.ID, alone.Managed.Connection.ID, last.ID, last.Connection.ID)
			}
			cursor, _, err := s.Changes(t.Context(), "", nil)
			must(t)(err)
			if again := adopt(registry.AdoptionUnchanged); !reflect.DeepEqual(again[3].Managed, made[3].Managed) {
				t.Errorf("%+v, made as %+v", again[3].Managed, made[3].Managed)
			}
			entries[0].Name, entries[1].ServiceAccountEmail, entries[2].Labels = "Other", "", nil
			must(t)(s.Customer(1).DeleteSource(t.Context(), "s3", func(*registry.Source) error { return nil }))
			adopt(registry.AdoptionUpdated, registry.AdoptionUpdated, registry.AdoptionUpdated, registry.AdoptionDeleted, registry.AdoptionUnchanged)
			n := 0
			_, _, err = s.Changes(t.Context(), cursor, func(registry.Change) { n++ })
			if must(t)(err); n != 4 {
				t.Errorf("%d sources were written, want 4", n)
			}
			must(t)(s.Customer(1).CreateSource(t.Context(), registry.NewSource{SourceID: "s3", AgentID: func() string { return "agent" }}, nil))
			adopt(registry.AdoptionUnchanged, registry.AdoptionUnchanged, registry.AdoptionUnchanged, registry.AdoptionNotManaged, registry.AdoptionUnchanged)

			entries = append(entries, registry.ConfigSource{CustomerID: 9, SourceID: "good", Name: "Good"},
				registry.ConfigSource{CustomerID: 9, SourceID: "taken", Name: "Taken", TenantID: "tnt_5"}, registry.ConfigSource{CustomerID: 9, SourceID: "after", Name: "After"})
			done, err := s.AdoptAll(t.Context(), entries)
			if !errors.Is(err, registry.ErrTenantTaken) || len(done) != 71 || done[70].Outcome != registry.AdoptionCreated {
				t.Errorf("%d, %v", len(done), err)
			}
			entries = []registry.ConfigSource{{CustomerID: 9, SourceID: "kept", Name: "Kept"}, {CustomerID: 9}}
			if done, err := s.AdoptAll(t.Context(), entries); !errors.Is(err, registry.ErrInvalid) || len(done) != 1 {
				t.Errorf("%d, %v", len(done), err)
			}
		})
	}
}

// shape is a source without what tells it from others.
func shape(src *registry.Source) *registry.Source {
	s := src.Clone()
	s.ID, s.CustomerID, s.SourceID, s.Labels, s.CreatedAt, s.UpdatedAt = 0, 0, "", nil, time.Time{}, time.Time{}
	c := s.Connection
	if c.Epoch == 0 || c.ProvisionedAt.IsZero() || c.CreatedAt.IsZero() || c.UpdatedAt.IsZero() {
		return nil
	}
	c.ID, c.CustomerID, c.TenantID, c.Epoch, c.ProvisionedAt, c.CreatedAt, c.UpdatedAt = 0, 0, "", 0, time.Time{}, time.Time{}, time.Time{}
	return s
}
