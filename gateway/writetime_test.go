package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"esagate/internal/background"
	"esagate/registry"
)

// latentStore is a Store each of whose calls first waits, for takes; once healthy calls were
// made, for ever.
type latentStore struct {
	registry.Store
	takes   *atomic.Int64
	healthy *atomic.Int64
}

func (s latentStore) wait(ctx context.Context) error {
	if s.healthy.Add(-1) < 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	background.Sleep(ctx, time.Duration(s.takes.Load()))
	return ctx.Err()
}

func (s latentStore) Ping(ctx context.Context) error { return s.wait(ctx) }

func (s latentStore) Customer(id int64) registry.CustomerStore {
	return latentCustomer{s.Store.Customer(id), s}
}

type latentCustomer struct {
	registry.CustomerStore
	store latentStore
}

// after makes a call once the store has waited.
func after[T any](ctx context.Context, s latentStore, call func() (T, error)) (none T, err error) {
	if err := s.wait(ctx); err != nil {
		return none, err
	}
	return call()
}

func (c latentCustomer) CreateSource(ctx context.Context, s registry.NewSource, once *registry.IdempotencyRecord) (registry.Creation, error) {
	return after(ctx, c.store, func() (registry.Creation, error) { return c.CustomerStore.CreateSource(ctx, s, once) })
}

func (c latentCustomer) CreateManaged(ctx context.Context, s registry.NewManaged, once *registry.IdempotencyRecord) (registry.Creation, error) {
	return after(ctx, c.store, func() (registry.Creation, error) { return c.CustomerStore.CreateManaged(ctx, s, once) })
}

func (c latentCustomer) ClaimIdempotencyKey(ctx context.Context, once registry.IdempotencyRecord) (registry.Creation, error) {
	return after(ctx, c.store, func() (registry.Creation, error) { return c.CustomerStore.ClaimIdempotencyKey(ctx, once) })
}

func (c latentCustomer) KeepAnswer(ctx context.Context, key string, answer []byte) error {
	_, err := after(ctx, c.store, func() (none struct{}, err error) { return none, c.CustomerStore.KeepAnswer(ctx, key, answer) })
	return err
}

func (c latentCustomer) ReleaseIdempotencyKey(ctx context.Context, key string) error {
	_, err := after(ctx, c.store, func() (none struct{}, err error) { return none, c.CustomerStore.ReleaseIdempotencyKey(ctx, key) })
	return err
}

func (c latentCustomer) ChangeConnection(ctx context.Context, id int64, decide func(*registry.Source) (*registry.Connection, error)) (*registry.Source, error) {
	return after(ctx, c.store, func() (*registry.Source, error) { return c.CustomerStore.ChangeConnection(ctx, id, decide) })
}

func (c latentCustomer) Source(ctx context.Context, id string) (*registry.Source, error) {
	return after(ctx, c.store, func() (*registry.Source, error) { return c.CustomerStore.Source(ctx, id) })
}

func (c latentCustomer) ManagedSourceByID(ctx context.Context, id int64) (*registry.Source, error) {
	return after(ctx, c.store, func() (*registry.Source, error) { return c.CustomerStore.ManagedSourceByID(ctx, id) })
}

func (c latentCustomer) BeginAudit(ctx context.Context, e registry.AuditEntry) (string, error) {
	return after(ctx, c.store, func() (string, error) { return c.CustomerStore.BeginAudit(ctx, e) })
}

func (c latentCustomer) FinishAudit(ctx context.Context, id string, result registry.AuditResult) error {
	_, err := after(ctx, c.store, func() (none struct{}, err error) { return none, c.CustomerStore.FinishAudit(ctx, id, result) })
	return err
}

// writeBudget is how long the store may keep a request that writes.
const writeBudget = 5 * time.Second

// Whenever the store begins to hang, and however slow it is, a request that writes is answered in time:
// its audit, its writes and its reads count together.
func TestTheStoreKeepsAWriteNoLongerThanItsBudget(t *testing.T) {
	writes := []struct{ name, path, body string }{
		{"create", sourcesPath, agentBody()},
		{"connect", esaPath, `{"type":"springserve","email":"a@harbour.example","password":"CANARY-pass","name":"Harbour"}`},
		{"switch", sourcesPath + "/" + source + "/deactivate", ""},
		{"test", sourcesPath + "/" + source + "/test-connection", ""},
	}
	const never = 1 << 30
	for _, write := range writes {
		for _, c := range []struct {
			takes   time.Duration
			healthy int64
		}{{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 5}, {1500 * time.Millisecond, never}, {2400 * time.Millisecond, never},
			{4900 * time.Millisecond, never}, {time.Second, 3}, {time.Second, 4}} {
			t.Run(fmt.Sprintf("%s, %v a call, hanging after %d", write.name, c.takes, c.healthy), func(t *testing.T) {
				latent := latentStore{takes: &atomic.Int64{}, healthy: &atomic.Int64{}}
				latent.healthy.Store(never)
				inWorld(t, setup{store: func(s registry.Store) registry.Store { latent.Store = s; return latent }}, func(w *world) {
					w.get(sourcesPath + "/" + source + "/esa")
					w.pass(3 * time.Second) // the copy is not fresh any more
					latent.takes.Store(int64(c.takes))
					latent.healthy.Store(c.healthy)
					a := w.write("POST", write.path, write.body, "Idempotency-Key", "once")
					if a.took > writeBudget {
						t.Errorf("answered with %d after %v", a.status, a.took)
					}
					if a.status >= 400 && (a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "") {
						t.Errorf("answered with %d, Retry-After %q", a.status, a.header.Get("Retry-After"))
					}
					latent.takes.Store(0)
					latent.healthy.Store(never)
					w.pass(time.Minute)
				})
			})
		}
	}
}

// A write that was made is answered as made, also when its end can't be recorded in time.
func TestAWriteWhoseAuditCantBeEndedIsAnsweredAsMade(t *testing.T) {
	latent := latentStore{takes: &atomic.Int64{}, healthy: &atomic.Int64{}}
	inWorld(t, setup{store: func(s registry.Store) registry.Store { latent.Store = s; return latent }}, func(w *world) {
		latent.healthy.Store(2) // the audit's begin, and the write
		a := w.write("POST", sourcesPath, agentBody())
		if a.status != http.StatusCreated || a.took > 2*time.Second {
			t.Fatalf("%d after %v: %s", a.status, a.took, a.body)
		}
		latent.healthy.Store(1 << 30)
		w.pass(5 * time.Second)
		w.get(a.header.Get("Location"))
	})
}
