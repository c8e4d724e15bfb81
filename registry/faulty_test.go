package registry_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"esagate/internal/vault"
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
	says  error         // what a refusing store answers
	spoil int64         // the customer whose rows can't be read; 0: nobody's
	why   error         // what reads of them give
	calls map[string]int
}

type mode int

const (
	healthy mode = iota
	failing
	hanging   // until the caller gives up
	forgetful // every row is gone
	refusing  // writes alone fail, with what says
	tripping  // the next call fails, and is the last that does
	mute      // calls fail, and a ping hangs
)

func newFaulty(t *testing.T) *faulty {
	t.Helper()
	v, err := vault.New(vault.Generate())
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlstore.Open(t.Context(), "sqlite://:memory:", sqlstore.WithVault(v))
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

// refuses makes writes fail with an error from now on, and nothing else.
func (f *faulty) refuses(with error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mode, f.late, f.says = refusing, 0, with
}

// spoils makes the rows of one customer unreadable.
func (f *faulty) spoils(customer int64, why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.spoil, f.why = customer, why
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
	mode, late, says := f.mode, f.late, f.says
	if mode == tripping {
		f.mode = healthy
	}
	f.mu.Unlock()
	if mode == mute && call == "Ping" {
		mode = hanging
	}
	switch mode {
	case refusing:
		if call == "change" || call == "write" {
			return says
		}
	case failing, tripping, mute:
		run = func() error { return errBroken }
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
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.spoil == id {
		return faultyCustomer{f, spoilt{f.Store.Customer(id), f.why}}
	}
	return faultyCustomer{f, f.Store.Customer(id)}
}

type faultyCustomer struct {
	f *faulty
	registry.CustomerStore
}

// ask runs a call of a faulty store and gives its answer, if it gives one.
func ask[T any](ctx context.Context, f *faulty, call string, run func() (T, error)) (answer T, err error) {
	err = f.do(ctx, call, func() (err error) {
		answer, err = run()
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return answer, nil
}

func (c faultyCustomer) ManagedSourceByID(ctx context.Context, esaID int64) (*registry.Source, error) {
	return ask(ctx, c.f, "read", func() (*registry.Source, error) { return c.CustomerStore.ManagedSourceByID(ctx, esaID) })
}

func (c faultyCustomer) ManagedSources(ctx context.Context, skip, take int) (page []*registry.Source, total int, err error) {
	err = c.f.do(ctx, "list", func() (err error) {
		page, total, err = c.CustomerStore.ManagedSources(ctx, skip, take)
		return err
	})
	return page, total, err
}

func (c faultyCustomer) ObserveInventorySync(ctx context.Context, esaID int64, s registry.InventorySync) (*registry.Source, error) {
	return ask(ctx, c.f, "write", func() (*registry.Source, error) {
		return c.CustomerStore.ObserveInventorySync(ctx, esaID, s)
	})
}

func (c faultyCustomer) LearnTenant(ctx context.Context, esaID int64, facts registry.TenantFacts) (*registry.Source, error) {
	return ask(ctx, c.f, "write", func() (*registry.Source, error) { return c.CustomerStore.LearnTenant(ctx, esaID, facts) })
}

func (c faultyCustomer) LearnAdServer(ctx context.Context, esaID int64, view registry.AdServer, email string) (*registry.Source, error) {
	return ask(ctx, c.f, "write", func() (*registry.Source, error) {
		return c.CustomerStore.LearnAdServer(ctx, esaID, view, email)
	})
}

func (c faultyCustomer) RecordTest(ctx context.Context, esaID int64, r registry.TestResult) (*registry.Source, error) {
	return ask(ctx, c.f, "write", func() (*registry.Source, error) { return c.CustomerStore.RecordTest(ctx, esaID, r) })
}

func (c faultyCustomer) Source(ctx context.Context, sourceID string) (*registry.Source, error) {
	return ask(ctx, c.f, "read", func() (*registry.Source, error) { return c.CustomerStore.Source(ctx, sourceID) })
}

func (c faultyCustomer) Sources(ctx context.Context, skip, take int) (page []*registry.Source, total int, err error) {
	err = c.f.do(ctx, "sources", func() (err error) {
		page, total, err = c.CustomerStore.Sources(ctx, skip, take)
		return err
	})
	return page, total, err
}

func (c faultyCustomer) CreateSource(ctx context.Context, s registry.NewSource, once *registry.IdempotencyRecord) (registry.Creation, error) {
	return ask(ctx, c.f, "change", func() (registry.Creation, error) { return c.CustomerStore.CreateSource(ctx, s, once) })
}

func (c faultyCustomer) KeepAnswer(ctx context.Context, key string, answer []byte) error {
	return c.f.do(ctx, "change", func() error { return c.CustomerStore.KeepAnswer(ctx, key, answer) })
}

func (c faultyCustomer) UpdateSource(ctx context.Context, sourceID string, decide func(*registry.Source) (registry.SourceChange, error)) (*registry.Source, error) {
	return ask(ctx, c.f, "change", func() (*registry.Source, error) { return c.CustomerStore.UpdateSource(ctx, sourceID, decide) })
}

func (c faultyCustomer) DeleteSource(ctx context.Context, sourceID string, allow func(*registry.Source) error) (*registry.Source, error) {
	return ask(ctx, c.f, "change", func() (*registry.Source, error) { return c.CustomerStore.DeleteSource(ctx, sourceID, allow) })
}

func (c faultyCustomer) EndConsent(ctx context.Context, sourceID string, consent registry.Consent, tokens registry.OAuthCredential) (*registry.Source, error) {
	return ask(ctx, c.f, "change", func() (*registry.Source, error) {
		return c.CustomerStore.EndConsent(ctx, sourceID, consent, tokens)
	})
}

func (c faultyCustomer) ReplaceCredential(ctx context.Context, sourceID, id string, next *registry.Credential) (*registry.Source, error) {
	return ask(ctx, c.f, "change", func() (*registry.Source, error) {
		return c.CustomerStore.ReplaceCredential(ctx, sourceID, id, next)
	})
}
