package registry_test

import (
	"slices"
	"testing"

	"esagate/registry"
)

// TestDirectoryPagesAfterWrites: while the store is away, a page shows what was last known
// of it without what was deleted, and the one on which the list ends also what was made.
func TestDirectoryPagesAfterWrites(t *testing.T) {
	cases := []struct {
		skip, take          int
		seen, deleted, made []string
	}{
		{0, 1, []string{"a"}, []string{"a"}, []string{"a"}},
		{0, 2, []string{"a", "b"}, []string{"a"}, []string{"a"}},
		{2, 2, []string{"c", "d"}, []string{"d"}, []string{"d"}},
		{0, 5, []string{"a", "b", "c", "d", "e"}, []string{"a", "d", "e"}, []string{"a", "d", "e"}},
		{3, 2, []string{"d", "e"}, []string{"d", "e"}, []string{"d", "e"}},
		{4, 2, []string{"e"}, []string{"e"}, []string{"e", "f"}},
		{4, 3, []string{"e"}, []string{"e"}, []string{"e", "f", "g"}},
		{0, 50, []string{"a", "b", "c", "d", "e"}, []string{"a", "d", "e"}, []string{"a", "d", "e", "f", "g"}},
		{0, 200, []string{"a", "b", "c", "d", "e"}, []string{"a", "d", "e"}, []string{"a", "d", "e", "f", "g"}},
		{-3, 1000, []string{"a", "b", "c", "d", "e"}, []string{"a", "d", "e"}, []string{"a", "d", "e", "f", "g"}},
		{5, 2, nil, nil, nil},
		{0, 0, nil, nil, nil},
		{0, -1, nil, nil, nil},
	}
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			made(t, f, customer, id)
		}
		made(t, f, customer+1, "other")
		if page, _, err := d.Sources(t.Context(), customer+1, 0, 50); err != nil || len(page) != 1 {
			t.Fatal(page, err)
		}
		all := func(what string, want func(i int) []string) {
			t.Helper()
			for i, c := range cases {
				page, _, err := d.Sources(t.Context(), customer, c.skip, c.take)
				got := ids(page)
				if err != nil || !slices.Equal(got, want(i)) {
					t.Errorf("%s: %d from %d on: %v, want %v", what, c.take, c.skip, got, want(i))
				}
			}
		}
		all("seen", func(i int) []string { return cases[i].seen })
		remove(t, d, "b")
		remove(t, d, "c")
		f.is(failing, 0)
		all("deleted", func(i int) []string { return cases[i].deleted })
		back(t, d, f)
		create(t, d, "f")
		create(t, d, "g")
		f.is(failing, 0)
		all("made", func(i int) []string { return cases[i].made })
		if page, _, err := d.Sources(t.Context(), customer+1, 0, 50); err != nil || !slices.Equal(ids(page), []string{"other"}) {
			t.Fatalf("another customer's list: %v, %v", ids(page), err)
		}
	})
}
