package registry_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"esagate/internal/fault"
	"esagate/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestDirectoryMix has sources read and written all at once over a store that comes
// and goes and answers late: the writer of a source sees exactly what it wrote,
// and nobody sees a source go back.
func TestDirectoryMix(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			bubble(t, registry.DirectoryOptions{Fresh: 20 * time.Millisecond}, func(t *testing.T, d *registry.Directory, f *faulty) {
				mix(t, d, f, seed)
			})
		})
	}
}

func mix(t *testing.T, d *registry.Directory, f *faulty, seed uint64) {
	const sources, rounds = 6, 30 // every other one is managed
	for i := range sources {
		if i%2 == 1 {
			d.Put(adopted(t, f, customer, fmt.Sprint("s", i)))
			update(t, d, fmt.Sprint("s", i), "0")
		}
	}
	var owners, others sync.WaitGroup
	var done atomic.Bool
	for i := range sources {
		owners.Go(func() { own(t, d, i, rounds, rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	for r := range 4 {
		others.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(100+r)))
			for seen := map[string]int{}; !done.Load(); time.Sleep(time.Duration(random.IntN(150)) * time.Millisecond) {
				watch(t, d, fmt.Sprint("s", 1+2*random.IntN(sources/2)), seen, random.IntN(3))
			}
		})
	}
	others.Go(func() {
		random := rand.New(rand.NewPCG(seed, 200))
		for !done.Load() {
			f.is(healthy, time.Duration(random.IntN(300))*time.Millisecond)
			time.Sleep(time.Duration(random.IntN(3000)) * time.Millisecond)
			if random.IntN(3) == 0 {
				f.is(failing, 0)
				time.Sleep(time.Duration(random.IntN(2000)) * time.Millisecond)
			}
		}
	})
	owners.Wait()
	done.Store(true)
	others.Wait()
	back(t, d, f)
	for i := range sources {
		want := ""
		if i%2 == 1 {
			want = strconv.Itoa(rounds)
		}
		view{d}.is(t, "in the end", fmt.Sprint("s", i), want)
	}
	f.is(failing, 0)
	view{d}.is(t, "in the end, with the store away", "s0", "")
	synctest.Wait()
}

// own writes one source; a managed one keeps growing, an AGENT one comes and goes.
func own(t *testing.T, d *registry.Directory, i, rounds int, random *rand.Rand) {
	id, name := fmt.Sprint("s", i), ""
	if i%2 == 1 {
		name = "0"
	}
	for n := 1; n <= rounds; {
		var err error
		next := strconv.Itoa(n)
		switch {
		case name == "":
			next = id
			_, err = d.CreateSource(t.Context(), customer, agent(id), nil)
		case i%2 == 0 && (random.IntN(3) == 0 || n == rounds):
			next = ""
			_, err = d.DeleteSource(t.Context(), customer, id, allow)
		default:
			_, err = d.UpdateSource(t.Context(), customer, id, rename(next))
		}
		switch {
		case err == nil:
			name = next
			if n < rounds || i%2 == 1 || name == "" {
				n++
			}
		case !fault.Is(err, fault.Unavailable):
			t.Errorf("%s: %v", id, err)
			return
		}
		ownSees(t, d, i, name)
	}
}

func ownSees(t *testing.T, d *registry.Directory, i int, name string) {
	id, got := fmt.Sprint("s", i), ""
	s, err := d.Source(t.Context(), customer, id)
	switch {
	case err == nil:
		got = s.Name
	case fault.Is(err, fault.Unavailable) && name == "": // it never was
		return
	case !fault.Is(err, fault.NotFound):
		t.Errorf("%s: %v", id, err)
	}
	if got != name {
		t.Errorf("%s is %q, want %q", id, got, name)
	}
	if page, _, err := d.Sources(t.Context(), customer, 0, 50); err == nil {
		got = ""
		for _, s := range page {
			if s.SourceID == id {
				got = s.Name
			}
		}
		if got != name {
			t.Errorf("%s is %q in the list, want %q", id, got, name)
		}
	} else if !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	if i%2 == 1 {
		if m, err := d.ManagedSource(t.Context(), customer, id); err != nil || m.Name != name {
			t.Errorf("%s: %+v, %v, want %q", id, m, err, name)
		}
	}
}

// watch reads one source by a way of three, and holds it to what was seen of it.
func watch(t *testing.T, d *registry.Directory, id string, seen map[string]int, way int) {
	var name string
	switch way {
	case 0:
		s, err := d.Source(t.Context(), customer, id)
		if err != nil {
			t.Error(err)
			return
		}
		name = s.Name
	case 1:
		m, err := d.ManagedSource(t.Context(), customer, id)
		if err != nil {
			t.Error(err)
			return
		}
		name = m.Name
	case 2:
		page, _, err := d.Sources(t.Context(), customer, 0, 50)
		for _, s := range page {
			if s.SourceID == id {
				name = s.Name
			}
		}
		if err != nil && fault.Is(err, fault.Unavailable) {
			return
		}
	}
	n, err := strconv.Atoi(name)
	if err != nil || n < seen[id] {
		t.Errorf("%s is %q after %d", id, name, seen[id])
	}
	seen[id] = n
}
