package registry_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"esagate/registry"
)

// TestDirectoryPagesAfterWrites: pages that were seen go on to stand together as the
// list that they are part of, or are unknown.
func TestDirectoryPagesAfterWrites(t *testing.T) {
	unknown := []string{"unknown"}
	cases := []struct {
		skip, take          int
		seen, deleted, made []string
	}{
		{0, 1, []string{"a"}, []string{"a"}, []string{"a"}},
		{0, 2, []string{"a", "b"}, []string{"a"}, unknown}, // what moved into the gap
		{2, 2, []string{"c", "d"}, []string{"d"}, unknown},
		{0, 5, []string{"a", "b", "c", "d", "e"}, []string{"a", "d", "e"}, unknown},
		{3, 2, []string{"d", "e"}, []string{"d", "e"}, []string{"d", "e"}},
		{4, 2, []string{"e"}, []string{"e"}, []string{"e", "f"}},
		{4, 3, []string{"e"}, []string{"e"}, []string{"e", "f", "g"}},
		{0, 50, []string{"a", "b", "c", "d", "e"}, []string{"a", "d", "e"}, []string{"a", "d", "e", "f", "g"}},
		{0, 200, []string{"a", "b", "c", "d", "e"}, []string{"a", "d", "e"}, []string{"a", "d", "e", "f", "g"}},
		{-3, 1000, []string{"a", "b", "c", "d", "e"}, []string{"a", "d", "e"}, []string{"a", "d", "e", "f", "g"}},
		{5, 2, nil, nil, unknown}, // f could be here
		{0, 0, nil, nil, nil},
		{0, -1, nil, nil, nil},
	}
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			made(t, f, customer, id)
		}
		made(t, f, customer+1, "other")
		if page, err := d.Sources(t.Context(), customer+1, 0, 50); err != nil || len(page) != 1 {
			t.Fatal(page, err)
		}
		all := func(what string, want func(i int) []string) {
			t.Helper()
			for i, c := range cases {
				page, err := d.Sources(t.Context(), customer, c.skip, c.take)
				got := ids(page)
				if err != nil {
					unavailable(t, err)
					got = unknown
				}
				if !slices.Equal(got, want(i)) {
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
		if page, err := d.Sources(t.Context(), customer+1, 0, 50); err != nil || !slices.Equal(ids(page), []string{"other"}) {
			t.Fatalf("another customer's list: %v, %v", ids(page), err)
		}
	})
}

// TestDirectorySourceBounds: what is remembered is bounded, and what was asked for
// last stays.
func TestDirectorySourceBounds(t *testing.T) {
	bubble(t, registry.DirectoryOptions{Entries: 3}, func(t *testing.T, d *registry.Directory, f *faulty) {
		for i := range 5 {
			id := fmt.Sprint("s", i)
			made(t, f, customer, id)
			if _, err := d.Source(t.Context(), customer, id); err != nil {
				t.Fatal(err)
			}
			if _, err := d.CountSources(t.Context(), customer+int64(i)); err != nil {
				t.Fatal(err)
			}
		}
		f.is(failing, 0)
		for i := range 5 {
			_, err := d.Source(t.Context(), customer, fmt.Sprint("s", i))
			_, countErr := d.CountSources(t.Context(), customer+int64(i))
			if known := i >= 2; (err == nil) != known || (countErr == nil) != known {
				t.Errorf("source %d: %v, %v", i, err, countErr)
			}
		}
	})
}

// crowd is a store of endless lists, until it is broken.
type crowd struct {
	registry.Store
	broken bool
}

func (c *crowd) Ping(context.Context) error { return errBroken }

func (c *crowd) Customer(id int64) registry.CustomerStore { return crowdOf{c, nil, id} }

type crowdOf struct {
	c *crowd
	registry.CustomerStore
	customer int64
}

func (c crowdOf) Sources(_ context.Context, skip, take int) ([]*registry.Source, error) {
	if c.c.broken {
		return nil, errBroken
	}
	var page []*registry.Source
	for i := range take {
		page = append(page, &registry.Source{ID: int64(skip + i + 1), CustomerID: c.customer, SourceID: fmt.Sprint("s", skip+i),
			Agent: &registry.Agent{}})
	}
	return page, nil
}

// TestDirectoryPageBounds: 1000 pages are remembered, and no more than 20,000 rows in
// all of them.
func TestDirectoryPageBounds(t *testing.T) {
	for take, limit := range map[int]int{200: 100, 1: 1000} {
		store := &crowd{}
		d := registry.NewDirectory(store, registry.DirectoryOptions{})
		defer d.Close()
		known := func(skip int) bool {
			page, err := d.Sources(t.Context(), customer, skip, take)
			return err == nil && len(page) == take
		}
		for skip := range limit + 1 {
			for range 2 { // read again, a page takes no more room
				if !known(skip) {
					t.Fatal(skip)
				}
			}
		}
		store.broken = true
		for skip := range limit + 1 {
			if known(skip) != (skip > 0) {
				t.Errorf("page %d of %d rows: known %v", skip, take, skip == 0)
			}
		}
	}
}
