package registry_test

import (
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
			// Times finer than the store keeps change nothing.
			signal := registry.InventorySync{Status: status, LastRunAt: start.Add(-time.Minute + 7), ObservedAt: start.Add(after)}
			got, err := d.ObserveInventorySync(t.Context(), customer, m.Connection.ID, signal)
			must(t)(err)
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
		must(t)(elsewhere(f).LearnTenant(t.Context(), m.Connection.ID, registry.TenantFacts{ExternalOrgID: "org"}))
		time.Sleep(time.Minute)
		if got := observe(registry.SyncFailed, 10*time.Minute+25*time.Second); got.Status != registry.SyncSuccess {
			t.Fatalf("an older signal won: %+v", got)
		}
		f.count("write")
		observe(registry.SyncSuccess, 10*time.Minute+40*time.Second)
		if n := f.count("write"); n != 0 {
			t.Fatal("an unchanged state was written")
		}
		if got := observe(registry.SyncFailed, 10*time.Minute+45*time.Second); got.Status != registry.SyncFailed || f.count("write") != 1 {
			t.Fatalf("a changed state was not written: %+v", got)
		}
		stored, err := elsewhere(f).Source(t.Context(), "a")
		if must(t)(err); stored.Connection.InventorySync.Status != registry.SyncFailed {
			t.Fatal(stored)
		}
	})
}
