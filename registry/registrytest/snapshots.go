package registrytest

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"esagate/registry"
)

// keepSnapshots keeps a batch.
func keepSnapshots(t testing.TB, s registry.Store, lapsed time.Time, batch ...registry.Snapshot) {
	t.Helper()
	if err := s.KeepSnapshots(t.Context(), batch, lapsed); err != nil {
		t.Fatal(err)
	}
}

// hasSnapshot checks what a tenant has; nil: none.
func hasSnapshot(t testing.TB, s registry.Store, what, tenant string, want *registry.Snapshot) {
	t.Helper()
	got, err := s.Snapshot(t.Context(), tenant)
	switch {
	case want == nil && !errors.Is(err, registry.ErrNotFound):
		t.Fatalf("%s: %+v, %v, want ErrNotFound", what, got, err)
	case want != nil && (err != nil || !reflect.DeepEqual(got, want)):
		t.Fatalf("%s: %+v, %v, want %+v", what, got, err, want)
	}
}

// snapshotAt is a snapshot of a connection's tenant whose document is of one second and was received two later.
func snapshotAt(m *registry.Source, second int) registry.Snapshot {
	return registry.Snapshot{TenantID: m.Connection.TenantID, Epoch: int64(second),
		At: at(second), ReceivedAt: at(second + 2), Document: fmt.Appendf(nil, `{"second":%d,"text":"é"}`, second)}
}

func snapshotKept(t *testing.T, s registry.Store) {
	m, other := adopt(t, s, entry(alice, "kept"), registry.AdoptionCreated), adopt(t, s, entry(alice, "other"), registry.AdoptionCreated)
	theirs := adopt(t, s, entry(bob, "theirs"), registry.AdoptionCreated)
	foreign := snapshotAt(theirs, 1)
	id := m.Connection.TenantID
	hasSnapshot(t, s, "at first", id, nil)
	first, beside := snapshotAt(m, 10), snapshotAt(other, 3)
	keepSnapshots(t, s, time.Time{}, beside, foreign, first)
	hasSnapshot(t, s, "kept", id, &first)
	hasSnapshot(t, s, "another customer's", foreign.TenantID, &foreign)
	hasSnapshot(t, s, "kept with it", other.Connection.TenantID, &beside)

	older, newer := snapshotAt(m, 9), snapshotAt(m, 11)
	keepSnapshots(t, s, first.ReceivedAt, older)
	hasSnapshot(t, s, "an older one", id, &first)
	keepSnapshots(t, s, first.ReceivedAt.Add(time.Microsecond), older)
	hasSnapshot(t, s, "an older one once the first has lapsed", id, &older)
	keepSnapshots(t, s, time.Time{}, newer)
	again := newer
	again.ReceivedAt = newer.ReceivedAt.Add(time.Minute)
	keepSnapshots(t, s, time.Time{}, again)
	hasSnapshot(t, s, "received again", id, &again)
	long := snapshotAt(m, 12)
	long.Document = []byte(strings.Repeat("x", registry.MaxSnapshot))
	keepSnapshots(t, s, time.Time{}, long)
	hasSnapshot(t, s, "a long one", id, &long)

	for name, bad := range map[string]func(n *registry.Snapshot){
		"too long":   func(n *registry.Snapshot) { n.Document = append(n.Document, 'x') },
		"with a NUL": func(n *registry.Snapshot) { n.Document = []byte("\x00") },
	} {
		worse := long
		worse.At = at(99)
		bad(&worse)
		if err := s.KeepSnapshots(t.Context(), []registry.Snapshot{snapshotAt(other, 50), worse}, time.Time{}); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	if err := s.KeepSnapshots(t.Context(), make([]registry.Snapshot, registry.MaxPage+1), time.Time{}); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("many: %v, want ErrInvalid", err)
	}
	keepSnapshots(t, s, time.Time{})
	hasSnapshot(t, s, "after bad batches", id, &long)
	hasSnapshot(t, s, "after bad batches", other.Connection.TenantID, &beside)
	sameSource(t, "the connection", read(t, s, alice, "kept"), m)

	unknown := snapshotAt(m, 70)
	unknown.TenantID = "nobody's"
	keepSnapshots(t, s, time.Time{}, unknown)
	hasSnapshot(t, s, "of a tenant that nobody has", unknown.TenantID, nil)
	hasSnapshot(t, s, "no tenant", "", nil)
	hasSnapshot(t, s, "no tenant's id", "\x00", nil)
	for range 2 {
		if err := s.ForgetSnapshot(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		hasSnapshot(t, s, "forgotten", id, nil)
	}
	hasSnapshot(t, s, "beside", other.Connection.TenantID, &beside)
}

// snapshotOfTenant: a snapshot goes with its source, and is none of another tenant of the connection.
func snapshotOfTenant(t *testing.T, s registry.Store) {
	m := adopt(t, s, entry(alice, "kept"), registry.AdoptionCreated)
	is := snapshotAt(m, 1)
	keepSnapshots(t, s, time.Time{}, is)
	moved := changeConnection(t, s, m, func(c *registry.Connection) { c.TenantID = "another" })
	hasSnapshot(t, s, "of the tenant before", m.Connection.TenantID, nil)
	keepSnapshots(t, s, time.Time{}, snapshotAt(m, 2))
	hasSnapshot(t, s, "of the tenant before, late", m.Connection.TenantID, nil)
	young := snapshotAt(moved, 0)
	keepSnapshots(t, s, time.Time{}, young)
	hasSnapshot(t, s, "of the tenant now", "another", &young)

	remove(t, s, alice, "kept")
	hasSnapshot(t, s, "deleted", "another", nil)
	other := adopt(t, s, entry(alice, "other"), registry.AdoptionCreated)
	beside := snapshotAt(other, 1)
	keepSnapshots(t, s, time.Time{}, snapshotAt(moved, 3), beside)
	taken := entry(bob, "taken")
	taken.TenantID = "another"
	adopt(t, s, taken, registry.AdoptionCreated)
	hasSnapshot(t, s, "another customer's by now", "another", nil)
	hasSnapshot(t, s, "deleted, late", "another", nil)
	hasSnapshot(t, s, "beside one that was deleted", other.Connection.TenantID, &beside)
}

// snapshotConcurrent keeps the snapshots of sources that are being deleted and made anew.
func snapshotConcurrent(t *testing.T, s registry.Store) {
	for round := range 4 {
		var batch []registry.Snapshot
		for i := range 6 {
			m := adopt(t, s, entry(alice, fmt.Sprintf("source-%d-%d", round, i)), registry.AdoptionCreated)
			batch = append(batch, snapshotAt(m, i))
		}
		succeedTogether(t, 6, func(i int) error {
			if i%2 == 0 {
				return s.KeepSnapshots(t.Context(), batch, time.Time{})
			}
			_, err := s.Customer(alice).DeleteSource(t.Context(), fmt.Sprintf("source-%d-%d", round, i), allowed)
			return err
		})
		for i := range batch {
			want := &batch[i]
			if i%2 == 1 {
				want = nil
			}
			hasSnapshot(t, s, fmt.Sprint("of ", i), batch[i].TenantID, want)
		}
	}
}
