package sqlstore

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

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
