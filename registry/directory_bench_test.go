package registry_test

import (
	"testing"
	"time"

	"esagate/registry"
)

// hot gives a Directory that answers all its reads from memory.
func hot(t testing.TB) (*registry.Directory, *registry.Source) {
	t.Helper()
	d := registry.NewDirectory(nil, registry.DirectoryOptions{Fresh: time.Hour})
	t.Cleanup(d.Close)
	m := &registry.Source{CustomerID: customer, SourceID: "newsroom-display", Connection: &registry.Connection{ID: 1234}}
	d.Put(m)
	return d, m
}

func TestDirectoryHotReadsAllocateLittle(t *testing.T) {
	d, m := hot(t)
	ctx := t.Context()
	reads := map[string]func() (*registry.Source, error){
		"by sourceId": func() (*registry.Source, error) { return d.ManagedSource(ctx, customer, "newsroom-display") },
		"by esaId":    func() (*registry.Source, error) { return d.ManagedSourceByID(ctx, customer, 1234) },
	}
	for name, read := range reads {
		if n := testing.AllocsPerRun(100, func() {
			if got, err := read(); got != m || err != nil {
				t.Fatal(got, err)
			}
		}); n > 2 {
			t.Errorf("%s: %v allocations, want two at most", name, n)
		}
	}
}

func BenchmarkDirectoryHotRead(b *testing.B) {
	d, _ := hot(b)
	ctx := b.Context()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := d.ManagedSource(ctx, customer, "newsroom-display"); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
