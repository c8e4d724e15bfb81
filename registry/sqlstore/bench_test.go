package sqlstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"esagate/internal/pgtest"
	"esagate/registry"
)

// BenchmarkSources measures what a customer of 200 sources asks of a database that
// holds nothing else (alone), of one that holds 100,000 sources of others as well
// (crowd), and what a customer with 100,000 sources asks (own). See docs/benchmarks.md.
func BenchmarkSources(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		dir := b.TempDir()
		n := 0
		measureStore(b, openWorlds(b, func() string {
			n++
			return "sqlite://" + filepath.Join(dir, fmt.Sprintf("%d.db", n))
		}))
	})
	b.Run("postgres", func(b *testing.B) {
		c := pgtest.Own(b, pgtest.Durable())
		measureStore(b, openWorlds(b, func() string {
			url, err := c.NewDatabase(b.Context())
			must(b)(err)
			return url
		}))
	})
}

// BenchmarkSync is the least that a durable write can cost here: a page written and
// synced.
func BenchmarkSync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	must(b)(err)
	defer f.Close()
	page := make([]byte, 4096)
	took := make([]time.Duration, b.N)
	for i := range took {
		began := time.Now()
		must(b)(f.Write(page))
		must(b)(f.Sync())
		took[i] = time.Since(began)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(median(took)), "median-ns/op")
}

// measureStore has the worlds where the customer has few sources race each other. The
// one with many is measured by itself: what takes long there would leave cold caches to
// the others.
func measureStore(b *testing.B, worlds []*benchWorld) {
	few, many := worlds[:min(2, len(worlds))], worlds[min(2, len(worlds)):]
	measure := func(name string, do benchWork) {
		b.Run(name, func(b *testing.B) { race(b, few, do) })
		for _, w := range many {
			b.Run(name+"/"+w.name, func(b *testing.B) { race(b, []*benchWorld{w}, do) })
		}
	}
	lists := func(take int) benchWork {
		return func(ctx context.Context, w *benchWorld, _ int) error { return list(ctx, w, 0, take) }
	}
	measure("list-200", lists(200))
	measure("list-20", lists(20))
	for _, w := range many {
		b.Run("list-20-after-50000/"+w.name, func(b *testing.B) {
			race(b, []*benchWorld{w}, func(ctx context.Context, w *benchWorld, _ int) error { return list(ctx, w, 50_000, 20) })
		})
	}
	measure("get", func(ctx context.Context, w *benchWorld, n int) error {
		_, err := w.store.Customer(self).Source(ctx, w.sourceID(n))
		return err
	})
	measure("count", func(ctx context.Context, w *benchWorld, _ int) error {
		_, n, err := w.store.Customer(self).Sources(ctx, 0, 1)
		if err == nil && n != w.own {
			err = fmt.Errorf("%d sources, want %d", n, w.own)
		}
		return err
	})
	measure("managed-get", func(ctx context.Context, w *benchWorld, n int) error {
		_, err := w.store.Customer(self).Source(ctx, w.sourceID((n+models-1)/models*models))
		return err
	})
	measure("managed-list-20", func(ctx context.Context, w *benchWorld, _ int) error {
		page, total, err := w.store.Customer(self).ManagedSources(ctx, 0, 20)
		if err == nil && (len(page) != 20 || total != w.own/models) {
			err = fmt.Errorf("%d managed sources of %d", len(page), total)
		}
		return err
	})
	measure("rename", rename)
	measure("create", create)
	for _, w := range worlds {
		b.Run("create-by-eight/"+w.name, func(b *testing.B) { together(b, w, create) })
	}
}

// benchWork is one thing to do in a world, with one of the customer's sources.
type benchWork func(ctx context.Context, w *benchWorld, n int) error

// names makes what is written different each time.
var names atomic.Int64

func rename(ctx context.Context, w *benchWorld, n int) error {
	name := fmt.Sprint("Renamed ", names.Add(1))
	_, err := w.store.Customer(self).UpdateSource(ctx, w.sourceID(n), func(*registry.Source) (registry.SourceChange, error) {
		return registry.SourceChange{Name: &name}, nil
	})
	return err
}

func create(ctx context.Context, w *benchWorld, _ int) error {
	_, err := w.store.Customer(self).CreateSource(ctx, benchSource(fmt.Sprint("new-", names.Add(1))), nil)
	return err
}

func list(ctx context.Context, w *benchWorld, skip, take int) error {
	page, _, err := w.store.Customer(self).Sources(ctx, skip, take)
	if err == nil && len(page) != take {
		err = fmt.Errorf("%d sources, want %d", len(page), take)
	}
	return err
}

// race does the same in all worlds by turns, so that whatever else the machine does
// meets all of them, and reports each one's median and its ratio to the first's.
func race(b *testing.B, worlds []*benchWorld, do benchWork) {
	ctx := b.Context()
	picks := rand.New(rand.NewPCG(1, uint64(b.N)))
	took := make([][]time.Duration, len(worlds))
	for i := range b.N {
		for turn := range worlds {
			at := (i + turn) % len(worlds)
			w := worlds[at]
			n := 1 + picks.IntN(w.own)
			began := time.Now()
			err := do(ctx, w, n)
			took[at] = append(took[at], time.Since(began))
			if err != nil {
				b.Fatalf("%s: %v", w.name, err)
			}
		}
	}
	b.StopTimer()
	b.ReportMetric(0, "ns/op") // it would be the sum over the worlds
	first := median(took[0])
	for i, w := range worlds {
		middle := median(took[i])
		b.ReportMetric(float64(middle), w.name+"-ns/op")
		if i > 0 {
			b.ReportMetric(float64(middle)/float64(first), w.name+"/"+worlds[0].name)
		}
		w.restore(b)
	}
}

// together does the same in one world from eight goroutines at once; ns/op is the time
// that passes between two that are done.
func together(b *testing.B, w *benchWorld, do benchWork) {
	b.SetParallelism(max(1, 8/runtime.GOMAXPROCS(0)))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := do(b.Context(), w, 1); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	w.restore(b)
}

func median(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)/2]
}
