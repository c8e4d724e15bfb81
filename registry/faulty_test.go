package registry_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"esagate/registry"
	"esagate/registry/sqlstore"
)

var errBroken = errors.New("the disk is on fire")

// faulty is a real Store that can be made to fail, hang, forget or answer late. It
// counts the calls that reach it.
type faulty struct {
	registry.Store
	mu    sync.Mutex
	mode  mode
	late  time.Duration // how long an answer takes after it was found
	calls map[string]int
}

type mode int

const (
	healthy mode = iota
	failing
	hanging   // until the caller gives up
	forgetful // every row is gone
)

func newFaulty(t *testing.T) *faulty {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), "sqlite://:memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &faulty{Store: s, calls: map[string]int{}}
}

// is changes how the store behaves from now on.
func (f *faulty) is(m mode, late time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mode, f.late = m, late
}

// count gives how often a call arrived since it was last asked.
func (f *faulty) count(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.calls[call]
	f.calls[call] = 0
	return n
}

// do runs one call the way the store is now; the way can change while it is under way.
func (f *faulty) do(ctx context.Context, call string, run func() error) error {
	f.mu.Lock()
	f.calls[call]++
	mode, late := f.mode, f.late
	f.mu.Unlock()
	switch mode {
	case failing:
		return errBroken
	case forgetful:
		return registry.ErrNotFound
	case hanging:
		<-ctx.Done()
		return ctx.Err()
	}
	err := run()
	if late > 0 {
		select {
		case <-time.After(late):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

func (f *faulty) Ping(ctx context.Context) error {
	return f.do(ctx, "Ping", func() error { return f.Store.Ping(ctx) })
}

func (f *faulty) Customer(id int64) registry.CustomerStore {
	return faultyCustomer{f, f.Store.Customer(id)}
}

type faultyCustomer struct {
	f *faulty
	registry.CustomerStore
}

func (c faultyCustomer) one(ctx context.Context, call string, run func() (*registry.ManagedSource, error)) (m *registry.ManagedSource, err error) {
	err = c.f.do(ctx, call, func() (err error) {
		m, err = run()
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (c faultyCustomer) ManagedSource(ctx context.Context, sourceID string) (*registry.ManagedSource, error) {
	return c.one(ctx, "read", func() (*registry.ManagedSource, error) { return c.CustomerStore.ManagedSource(ctx, sourceID) })
}

func (c faultyCustomer) ManagedSourceByID(ctx context.Context, esaID int64) (*registry.ManagedSource, error) {
	return c.one(ctx, "read", func() (*registry.ManagedSource, error) { return c.CustomerStore.ManagedSourceByID(ctx, esaID) })
}

func (c faultyCustomer) ManagedSources(ctx context.Context, skip, take int) (page []*registry.ManagedSource, total int, err error) {
	err = c.f.do(ctx, "list", func() (err error) {
		page, total, err = c.CustomerStore.ManagedSources(ctx, skip, take)
		return err
	})
	return page, total, err
}

func (c faultyCustomer) ObserveInventorySync(ctx context.Context, esaID int64, s registry.InventorySync) (*registry.ManagedSource, error) {
	return c.one(ctx, "write", func() (*registry.ManagedSource, error) {
		return c.CustomerStore.ObserveInventorySync(ctx, esaID, s)
	})
}

func (c faultyCustomer) LearnTenant(ctx context.Context, esaID int64, facts registry.TenantFacts) (*registry.ManagedSource, error) {
	return c.one(ctx, "write", func() (*registry.ManagedSource, error) { return c.CustomerStore.LearnTenant(ctx, esaID, facts) })
}

func (c faultyCustomer) LearnAdServer(ctx context.Context, esaID int64, view registry.AdServer, email string) (*registry.ManagedSource, error) {
	return c.one(ctx, "write", func() (*registry.ManagedSource, error) {
		return c.CustomerStore.LearnAdServer(ctx, esaID, view, email)
	})
}

func (c faultyCustomer) RecordTest(ctx context.Context, esaID int64, r registry.TestResult) (*registry.ManagedSource, error) {
	return c.one(ctx, "write", func() (*registry.ManagedSource, error) { return c.CustomerStore.RecordTest(ctx, esaID, r) })
}
