package registry_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
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
// and no reader sees a source go back.
func TestDirectoryMix(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			bubble(t, registry.DirectoryOptions{Fresh: 20 * time.Millisecond, Follow: seed%2 == 1}, func(t *testing.T, d *registry.Directory, f *faulty) {
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
				watch(t, d, fmt.Sprint("s", 1+2*random.IntN(sources/2)), seen, []string{"alone", "managed", "listed", "overview"}[random.IntN(4)])
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
	id := fmt.Sprint("s", i)
	for way, read := range waysToRead(d, id) {
		switch got, err := read(t.Context()); {
		case fault.Is(err, fault.Unavailable) && (name == "" || way == "listed" || way == "overview"): // it never was, or the page was not seen
		case (way == "managed" || way == "overview") && i%2 == 0:
		case err != nil && !fault.Is(err, fault.NotFound), got != name:
			t.Errorf("%s, %s, is %q, want %q (%v)", id, way, got, name, err)
		}
	}
}

// waysToRead are the ways to read the name of a source; it is empty where there is none.
func waysToRead(d *registry.Directory, id string) map[string]func(context.Context) (string, error) {
	name := func(s *registry.Source, err error) (string, error) {
		if err != nil {
			return "", err
		}
		return s.Name, nil
	}
	return map[string]func(context.Context) (string, error){
		"alone":   func(ctx context.Context) (string, error) { return name(d.Source(ctx, customer, id)) },
		"managed": func(ctx context.Context) (string, error) { return name(d.ManagedSource(ctx, customer, id)) },
		"listed": func(ctx context.Context) (string, error) {
			page, _, err := d.Sources(ctx, customer, 0, 50)
			i := slices.IndexFunc(page, func(s *registry.Source) bool { return s.SourceID == id })
			if err != nil || i < 0 {
				return "", err
			}
			return page[i].Name, nil
		},
		"overview": func(ctx context.Context) (string, error) {
			rows, err := d.Overview(ctx, customer)
			i := slices.IndexFunc(rows, func(row registry.SourceStanding) bool { return row.SourceID == id })
			if err != nil || i < 0 {
				return "", err
			}
			return rows[i].Name, nil
		},
	}
}

// watch reads a managed source in one way, and holds it to what was seen of it.
func watch(t *testing.T, d *registry.Directory, id string, seen map[string]int, way string) {
	name, err := waysToRead(d, id)[way](t.Context())
	if (way == "listed" || way == "overview") && fault.Is(err, fault.Unavailable) {
		return
	}
	n, numeric := strconv.Atoi(name)
	if err != nil || numeric != nil || n < seen[id] {
		t.Errorf("%s, %s, is %q after %d (%v)", id, way, name, seen[id], err)
	}
	seen[id] = n
}
