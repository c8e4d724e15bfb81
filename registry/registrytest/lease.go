package registrytest

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"esagate/registry"
)

func lease(t testing.TB, s registry.Store, name, holder string, ttl time.Duration, want bool) {
	t.Helper()
	if mine, err := s.Lease(t.Context(), name, holder, ttl); err != nil || mine != want {
		t.Fatalf("%q for %q: %t, %v, want %t", name, holder, mine, err, want)
	}
}

func unlease(t testing.TB, s registry.Store, name, holder string) {
	t.Helper()
	if err := s.Unlease(t.Context(), name, holder); err != nil {
		t.Fatal(err)
	}
}

func leaseHeld(t *testing.T, s registry.Store, c *clock) {
	unlease(t, s, "leader", "one") // of none
	lease(t, s, "leader", "one", time.Minute, true)
	lease(t, s, "leader", "two", time.Minute, false)
	lease(t, s, "other", "two", time.Minute, true) // names have nothing to do with each other
	c.pass(30 * time.Second)
	lease(t, s, "leader", "one", time.Minute, true) // extended
	c.pass(time.Minute - time.Microsecond)
	lease(t, s, "leader", "two", time.Hour, false)
	c.pass(time.Microsecond)
	lease(t, s, "leader", "two", time.Hour, true) // it has run out
	lease(t, s, "leader", "one", time.Hour, false)
	unlease(t, s, "leader", "one") // another's stays
	lease(t, s, "leader", "one", time.Hour, false)
	unlease(t, s, "leader", "two")
	lease(t, s, "leader", "one", time.Second, true)
	// One that a clock a day ahead has taken does not keep the others away for a day.
	c.pass(24 * time.Hour)
	lease(t, s, "skewed", "ahead", time.Minute, true)
	c.pass(-24 * time.Hour)
	lease(t, s, "skewed", "right", time.Minute, true)
	for i, text := range hostile {
		lease(t, s, text, strconv.Itoa(i), time.Minute, true)
		lease(t, s, "hostile", text, 0, true) // and over at once
	}
	for _, bad := range []string{"", "\x00", "\xff"} {
		for _, pair := range [][2]string{{bad, "holder"}, {"name", bad}} {
			if _, err := s.Lease(t.Context(), pair[0], pair[1], time.Minute); !errors.Is(err, registry.ErrInvalid) {
				t.Errorf("%q for %q: %v, want ErrInvalid", pair[0], pair[1], err)
			}
			unlease(t, s, pair[0], pair[1])
		}
	}
}

// leaseContested: of many that want a lease at once, on one Store or on several of one
// database, one has it.
func leaseContested(t *testing.T, stores []registry.Store) {
	for round := range 4 {
		const n = 12
		name, mine := strconv.Itoa(round), make([]bool, n)
		succeedTogether(t, n, func(i int) (err error) {
			mine[i], err = stores[i%len(stores)].Lease(t.Context(), name, strconv.Itoa(i), time.Hour)
			return err
		})
		holder := slices.Index(mine, true)
		if holder < 0 || slices.Contains(mine[holder+1:], true) {
			t.Fatalf("holders of the lease: %v, want one", mine)
		}
		for i := range n {
			lease(t, stores[(i+1)%len(stores)], name, strconv.Itoa(i), time.Hour, i == holder)
		}
	}
}
