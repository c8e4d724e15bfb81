package registrytest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"esagate/registry"
)

// holdsSettings checks what settings a connection has; nil: none.
func holdsSettings(t testing.TB, s registry.Store, m *registry.Source, want []byte) {
	t.Helper()
	got, err := s.Customer(m.CustomerID).Settings(t.Context(), m.Connection.ID)
	switch {
	case want == nil && !errors.Is(err, registry.ErrNotFound):
		t.Fatalf("settings of %q: %v, want ErrNotFound", m.SourceID, err)
	case want != nil && (err != nil || got == nil || !bytes.Equal(got, want)):
		t.Fatalf("%q holds other settings than it should, %v", m.SourceID, err)
	}
}

func settingsKept(t *testing.T, s registry.Store) {
	m, other := adopt(t, s, entry(alice, "kept"), registry.AdoptionCreated), makeManaged(t, s, alice, newManaged("other"))
	keep := func(settings []byte) {
		t.Helper()
		if err := s.Customer(alice).KeepSettings(t.Context(), m.Connection.ID, settings); err != nil {
			t.Fatal(err)
		}
		holdsSettings(t, s, m, settings)
		holdsSettings(t, s, other, []byte("other"))
		same(t, "the connection", read(t, s, alice, "kept"), m)
	}
	if err := s.Customer(alice).KeepSettings(t.Context(), other.Connection.ID, []byte("other")); err != nil {
		t.Fatal(err)
	}
	holdsSettings(t, s, m, nil)
	for _, settings := range [][]byte{nil, []byte(`{"a":1}`), []byte(`{"a":2}`), {}, {0, 255, 0}, nil, nil, []byte(strings.Repeat("x", 1<<20)), []byte("last")} {
		keep(settings)
	}
	if n, err := s.RewriteSecrets(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d rewritten, %v", n, err)
	}
	// They go with the source, and another of its name has none.
	remove(t, s, alice, "kept")
	holdsSettings(t, s, m, nil)
	if err := s.Customer(alice).KeepSettings(t.Context(), m.Connection.ID, []byte("late")); !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("kept for nothing: %v, want ErrNotFound", err)
	}
	holdsSettings(t, s, makeManaged(t, s, alice, newManaged("kept")), nil)
	holdsSettings(t, s, other, []byte("other"))
}
