package registry_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"esagate/registry"
)

func TestDirectoryWritesThrough(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		m := adopted(t, f, customer, "a")
		d.Put(m)
		id, inactive := m.Connection.ID, false
		writes := map[string]func() (*registry.Source, error){
			"ObserveInventorySync": func() (*registry.Source, error) {
				return d.ObserveInventorySync(t.Context(), customer, id, registry.InventorySync{Status: registry.SyncSuccess, ObservedAt: time.Now()})
			},
			"LearnTenant": func() (*registry.Source, error) {
				return d.LearnTenant(t.Context(), customer, id, registry.TenantFacts{Active: &inactive})
			},
			"LearnAdServer": func() (*registry.Source, error) {
				return d.LearnAdServer(t.Context(), customer, id, registry.AdServer{Type: "mock"}, "x@example.net")
			},
			"RecordTest": func() (*registry.Source, error) {
				return d.RecordTest(t.Context(), customer, id, registry.TestResult{At: time.Now(), Passed: true})
			},
		}
		// Away: every write says so, and changes no copy.
		f.is(failing, 0)
		for name, write := range writes {
			if got, err := write(); err == nil {
				t.Fatalf("%s: %+v", name, got)
			} else {
				unavailable(t, err)
			}
		}
		if get(t, d, "a") != m || d.StoreAvailable() {
			t.Fatal("a write that failed left a trace")
		}
		f.is(healthy, 0)
		time.Sleep(time.Second + 1)
		f.count("read")
		for name, write := range writes {
			got, err := write()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if get(t, d, "a") != got || got.Connection.Version != m.Connection.Version+1 {
				t.Fatalf("%s: the copy is not what was written", name)
			}
			m = got
		}
		reads(t, f, "after writes", 0)
		if m.Connection.Provisioning != registry.StatusDeactivated || m.Connection.AdServer.Type != "mock" || !m.Connection.LastTestPassed || m.Connection.InventorySync == nil {
			t.Fatalf("%+v", *m.Connection)
		}
	})
}

func TestDirectoryBoundsSignals(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		m := adopted(t, f, customer, "a")
		d.Put(m)
		start := time.Now().Add(time.Hour)
		observe := func(status string, after time.Duration) *registry.InventorySync {
			t.Helper()
			// Times finer than the store keeps are no news.
			signal := registry.InventorySync{Status: status, LastRunAt: start.Add(-time.Minute + 7), ObservedAt: start.Add(after)}
			got, err := d.ObserveInventorySync(t.Context(), customer, m.Connection.ID, signal)
			if err != nil {
				t.Fatal(err)
			}
			return got.Connection.InventorySync
		}
		for s := range 601 { // every second for ten minutes
			if got := observe(registry.SyncSuccess, time.Duration(s)*time.Second); !got.UpdatedAt.Equal(start) {
				t.Fatalf("second %d: %+v", s, got)
			}
			time.Sleep(time.Second)
		}
		if n := f.count("write"); n != 11 {
			t.Fatalf("%d writes in ten minutes, want 11", n)
		}
		observe(registry.SyncSuccess, 10*time.Minute+30*time.Second) // newer than what is written
		time.Sleep(time.Minute)
		if got := observe(registry.SyncFailed, 10*time.Minute+20*time.Second); got.Status != registry.SyncSuccess {
			t.Fatalf("an older signal won: %+v", got)
		}
		// Nor does a newer version of something else.
		if _, err := f.Store.Customer(customer).LearnTenant(t.Context(), m.Connection.ID, registry.TenantFacts{ExternalOrgID: "org"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := observe(registry.SyncFailed, 10*time.Minute+25*time.Second); got.Status != registry.SyncSuccess {
			t.Fatalf("an older signal won: %+v", got)
		}
		f.count("write")
		observe(registry.SyncSuccess, 10*time.Minute+40*time.Second)
		if n := f.count("write"); n != 0 {
			t.Fatal("no news was written")
		}
		if got := observe(registry.SyncFailed, 10*time.Minute+45*time.Second); got.Status != registry.SyncFailed || f.count("write") != 1 {
			t.Fatalf("news was not written: %+v", got)
		}
		if stored, err := f.Store.Customer(customer).Source(t.Context(), "a"); err != nil || stored.Connection.InventorySync.Status != registry.SyncFailed {
			t.Fatal(stored, err)
		}
	})
}

// TestDirectoryUnderLoad: whoever reads never sees a version go back, whatever is
// read, written and listed meanwhile. (Where sources don't fit, a version goes with
// its entry.)
func TestDirectoryUnderLoad(t *testing.T) {
	t.Run("all fit", func(t *testing.T) { load(t, 8, true) })
	t.Run("some don't", func(t *testing.T) { load(t, 5, false) })
}

func load(t *testing.T, entries int, forward bool) {
	f := newFaulty(t)
	// Next to nothing is fresh.
	d := registry.NewDirectory(f, registry.DirectoryOptions{Fresh: 1, Entries: entries, ReadTimeout: time.Minute, StoreTimeout: time.Minute})
	defer d.Close()
	const sources = 8
	ids := make([]int64, sources)
	for i := range ids {
		ids[i] = adopted(t, f, customer, fmt.Sprint("s", i)).Connection.ID
	}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			var seen [sources]int64
			check := func(m *registry.Source, err error) {
				if err != nil {
					t.Error(err)
					return
				}
				i := m.Connection.ID - ids[0]
				if m.SourceID != fmt.Sprint("s", i) || forward && m.Connection.Version < seen[i] {
					t.Errorf("%s at version %d after %d", m.SourceID, m.Connection.Version, seen[i])
				}
				seen[i] = m.Connection.Version
			}
			for n := range 60 {
				i := (n*7 + w) % sources
				switch (n + w) % 5 {
				case 0:
					check(d.ManagedSource(t.Context(), customer, fmt.Sprint("s", i)))
				case 1:
					check(d.ManagedSourceByID(t.Context(), customer, ids[i]))
				case 2:
					check(d.RecordTest(t.Context(), customer, ids[i], registry.TestResult{At: time.Now()}))
				case 3:
					check(d.ObserveInventorySync(t.Context(), customer, ids[i], registry.InventorySync{Status: fmt.Sprint(n), ObservedAt: time.Now()}))
				case 4:
					page, _, err := d.ManagedSources(t.Context(), customer, 0, sources)
					if err != nil || len(page) != sources {
						t.Error(len(page), err)
					}
					for _, m := range page {
						check(m, nil)
					}
				}
			}
		})
	}
	wg.Wait()
}
