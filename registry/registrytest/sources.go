package registrytest

import (
	"fmt"
	"math"
	"testing"

	"esagate/registry"
)

func sourcesPages(t *testing.T, s registry.Store) {
	const n = 7
	var want []*registry.Source
	for i := range n {
		// Names against the order, so that only ids can give it; both kinds, with and
		// without what hangs on them; a stranger's rows between.
		id := fmt.Sprintf("z%d", n-i)
		switch i % 3 {
		case 0:
			adopt(t, s, entry(alice, id), registry.AdoptionCreated)
		case 1:
			create(t, s, alice, withToken(id, "secret"))
		default:
			create(t, s, alice, newAgent(id))
		}
		want = append(want, readSource(t, s, alice, id))
		create(t, s, bob, withToken(fmt.Sprintf("b%d", i), "theirs"))
	}
	for _, test := range pagesOf(n) {
		page, _, err := s.Customer(alice).Sources(t.Context(), test.skip, test.take)
		if err != nil || page == nil || len(page) != test.to-test.from {
			t.Errorf("skip %d take %d: %d sources, %v", test.skip, test.take, len(page), err)
			continue
		}
		for i, src := range page {
			sameSource(t, fmt.Sprintf("skip %d take %d, item %d", test.skip, test.take, i), src, want[test.from+i])
		}
	}
	for customer, want := range map[int64]int{alice: n, bob: n, 5: 0} {
		if _, got, err := s.Customer(customer).Sources(t.Context(), 0, 1); err != nil || got != want {
			t.Errorf("customer %d: %d sources, %v, want %d", customer, got, err, want)
		}
	}
	for i, src := range want {
		if managed := i%3 == 0; managed != (src.Connection != nil) || managed == (src.Agent != nil) {
			t.Errorf("item %d: %s", i, printed(src))
		}
	}
	// AGENT sources are none of the managed ones.
	if page, total, err := s.Customer(alice).ManagedSources(t.Context(), 0, n); err != nil || total != 3 || len(page) != 3 {
		t.Errorf("%d managed of %d, %v, want 3", len(page), total, err)
	}
}

func sourcesBounded(t *testing.T, s registry.Store) {
	for i := range registry.MaxPage + 1 {
		if _, err := s.Customer(alice).CreateSource(t.Context(), newAgent(fmt.Sprintf("many%d", i)), nil); err != nil {
			t.Fatal(err)
		}
	}
	page, _, err := s.Customer(alice).Sources(t.Context(), 0, math.MaxInt)
	if err != nil || len(page) != registry.MaxPage {
		t.Fatalf("without a bound: %d, %v", len(page), err)
	}
	if _, n, err := s.Customer(alice).Sources(t.Context(), 0, 1); err != nil || n != registry.MaxPage+1 {
		t.Fatalf("%d sources, %v", n, err)
	}
}
