package sqlstore

import (
	"testing"

	"esagate/registry"
)

// TestChangesOfTransactionsThatOverlap: what a transaction wrote that began first and ends last is told too, and once;
// and what was written by one that knows no feed.
func TestChangesOfTransactionsThatOverlap(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		s := opened(t, Databases["postgres"](t), newKey(t))
		ids := map[string]int64{}
		for _, name := range []string{"slow", "fast"} {
			made, err := s.Adopt(t.Context(), registry.ConfigSource{CustomerID: 5, SourceID: name, Name: name})
			must(t)(err)
			ids[name] = made.Managed.Connection.ID
		}
		cursor, _, err := s.Changes(t.Context(), "", nil)
		must(t)(err)
		sees := func(want ...string) {
			t.Helper()
			var told []string
			next, gap, err := s.Changes(t.Context(), cursor, func(c registry.Change) { told = append(told, c.SourceID) })
			if must(t)(err); gap || len(told) != len(want) || len(want) == 1 && told[0] != want[0] {
				t.Fatalf("%q, gap %v, want %q", told, gap, want)
			}
			cursor = next
		}
		raise := global(`UPDATE connections SET version = version + 1 WHERE id = $1`) // as an older version does
		wrote, end, ended := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			ended <- s.writing(t.Context(), 5, func(in scope) error {
				_, err := in.exec(t.Context(), raise, ids["slow"])
				close(wrote)
				<-end
				return err
			})
		}()
		<-wrote
		must(t)(s.writing(t.Context(), 5, func(in scope) error { _, err := in.exec(t.Context(), raise, ids["fast"]); return err }))
		sees("fast")
		sees()
		close(end)
		must(t)(<-ended)
		sees("slow")
		sees()
	})
}

// TestChangesOfAnotherServer: a cursor of another server says nothing of this one.
func TestChangesOfAnotherServer(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		s := opened(t, Databases["postgres"](t), newKey(t))
		cursor, _, err := s.Changes(t.Context(), "", nil)
		must(t)(err)
		if next, gap, err := s.Changes(t.Context(), "1"+cursor, nil); err != nil || !gap || next == "" {
			t.Errorf("next %q, gap %v, %v", next, gap, err)
		}
	})
}
