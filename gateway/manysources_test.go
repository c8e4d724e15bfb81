package gateway_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"esagate/registry"
	"esagate/upstream/upstreamtest"
)

// countingStore counts the reads and writes of a Store that come from requests.
type countingStore struct {
	registry.Store
	calls *atomic.Int64
}

func (s countingStore) Customer(id int64) registry.CustomerStore {
	s.calls.Add(1)
	return s.Store.Customer(id)
}

func (s countingStore) Snapshot(ctx context.Context, tenantID string) (*registry.Snapshot, error) {
	s.calls.Add(1)
	return s.Store.Snapshot(ctx, tenantID)
}

// manySources gives a config's sources and adds their tenants to the sales agent.
func manySources(agent *upstreamtest.Agent, n int) (paths []string, sources []registry.ConfigSource) {
	for i := range n {
		id := "many-" + strconv.Itoa(i)
		agent.SetTenant(upstreamtest.Tenant{ID: id, Active: true, Status: upstreamtest.Healthy(),
			AdServer: upstreamtest.AdServer{Type: "google_ad_manager", Configured: true}})
		paths = append(paths, sourcesPath+"/"+id+"/status")
		sources = append(sources, registry.ConfigSource{CustomerID: customer, SourceID: id, TenantID: id})
	}
	return paths, sources
}

// TestCachedStatusesAskNoStore: a status that is in memory is read without the registry's database, however long ago its source was
// read there.
func TestCachedStatusesAskNoStore(t *testing.T) {
	calls := &atomic.Int64{}
	inWorld(t, setup{follow: true, fresh: time.Hour, store: func(s registry.Store) registry.Store { return countingStore{s, calls} }}, func(w *world) {
		paths, sources := manySources(w.agent, 80)
		w.adopt(setup{sources: sources})
		for range 2 { // what was read as the gateway began to follow is read once more
			for _, path := range paths {
				w.served(path)
			}
			w.pass(5 * time.Second)
		}
		before, asked := calls.Load(), w.agent.Calls("")
		if before < int64(len(paths)) {
			t.Fatalf("%d calls for the first reads of %d: they are not counted", before, len(paths))
		}
		for range 20 {
			w.pass(30 * time.Second)
			for _, path := range paths {
				w.served(path)
			}
		}
		if n := calls.Load() - before; n != 0 || w.agent.Calls("") != asked {
			t.Errorf("%d calls of the database and %d of the sales agent for %d cached reads", n, w.agent.Calls("")-asked, 20*len(paths))
		}
	})
}

// TestStatusesThatMemoryDoesNotHold: in an outage of the sales agent every status is served, also where memory holds few of them.
func TestStatusesThatMemoryDoesNotHold(t *testing.T) {
	calls := &atomic.Int64{}
	store := func(s registry.Store) registry.Store { return countingStore{s, calls} }
	inWorld(t, setup{follow: true, memory: 160 << 10, fresh: 10 * time.Second, store: store}, func(w *world) {
		paths, sources := manySources(w.agent, 80)
		w.adopt(setup{sources: sources})
		for i, path := range paths {
			w.served(path)
			if i%4 == 3 {
				w.pass(2 * time.Second) // what waits to be kept is bounded too
			}
		}
		w.agent.SetDown(true)
		before := calls.Load()
		for range 3 {
			w.pass(time.Minute)
			for _, path := range paths {
				if _, age, _ := w.served(path); age < time.Minute {
					t.Errorf("%s: age %s", path, age)
				}
			}
		}
		if n := calls.Load() - before; n < int64(len(paths)) {
			t.Errorf("%d calls of the database: memory held them all", n)
		}
	})
}
