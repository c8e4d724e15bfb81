package registry_test

import (
	"testing"
	"time"

	"esagate/registry"
)

// TestDirectoryWritesThrough: all reads show what a write left, and ask no store for it.
func TestDirectoryWritesThrough(t *testing.T) {
	for _, known := range []bool{true, false} {
		bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
			m := adopted(t, f, customer, "m")
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
				"ChangeConnection": func() (*registry.Source, error) {
					return d.ChangeConnection(t.Context(), customer, id, lastError("written"))
				},
			}
			if known {
				d.Put(m)
				listed(t, d, "before", 0, 50, "m")
				all(t, d)
				// Away: every write says so, and changes no copy.
				f.is(failing, 0)
				for _, write := range writes {
					wantUnavailable(t)(write())
				}
				if get(t, d, "m") != m || d.StoreAvailable() {
					t.Fatal("a write that failed left a trace")
				}
				f.is(healthy, 0)
				time.Sleep(time.Second + 1)
				f.count("read")
			}
			for name, write := range writes {
				got, err := write()
				if must(t)(err); get(t, d, "m") != got || got.Connection.Version != m.Connection.Version+1 {
					t.Fatalf("%s: the copy is not what was written", name)
				}
				m = got
			}
			reads(t, f, "after writes", 0)
			c := *m.Connection
			if c.Provisioning != registry.StatusDeactivated || c.AdServer.Type != "mock" || !c.LastTestPassed || c.InventorySync == nil {
				t.Fatalf("%+v", c)
			}
			for _, mode := range []mode{failing, healthy} {
				f.is(mode, 0)
				seen := []*registry.Source{source(t, d, "m")}
				if known {
					seen = append(seen, allManaged(t, d)[0], all(t, d)[0])
				}
				for _, src := range seen {
					if src.Connection.Version != c.Version {
						t.Fatalf("version %d, want %d", src.Connection.Version, c.Version)
					}
				}
			}
		})
	}
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
