package registry_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"esagate/internal/sqlitetest"
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
	spoil int64         // the customer whose rows can't be read; 0: none
	why   error         // what reads of them give
	calls map[string]int
	deaf  error // what the change feed fails with; nil: it does not
	gap   bool  // the next look at it is told of a gap
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
	must(t)(err)
	s, err := sqlstore.Open(t.Context(), "sqlite://"+sqlitetest.File(t), sqlstore.WithVault(v))
	must(t)(err)
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

func (f *faulty) Changes(ctx context.Context, since string, each func(registry.Change)) (next string, gap bool, err error) {
	f.mu.Lock()
	deaf := f.deaf
	if f.gap {
		since, f.gap = "", false
	}
	f.mu.Unlock()
	if deaf != nil {
		return "", false, deaf
	}
	err = f.do(ctx, "look", func() (err error) {
		next, gap, err = f.Store.Changes(ctx, since, each)
		return err
	})
	return next, gap, err
}

func (f *faulty) Customer(id int64) registry.CustomerStore {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.spoil == id {
		return faultyCustomer{f, spoilt{f.Store.Customer(id), f.why}}
	}
	return faultyCustomer{f, f.Store.Customer(id)}
}

func (f *faulty) All() registry.OverviewStore { return faultyOverview{f, f.Store.All()} }

// faultyOverview are the overviews of a faulty store, of a customer or of all.
type faultyOverview struct {
	f *faulty
	registry.OverviewStore
}

func (o faultyOverview) Overview(ctx context.Context) ([]registry.SourceStanding, error) {
	return ask(ctx, o.f, "overview", func() ([]registry.SourceStanding, error) { return o.OverviewStore.Overview(ctx) })
}

func (o faultyOverview) StateChanges(ctx context.Context, since time.Time) ([]registry.StateChange, error) {
	return ask(ctx, o.f, "states", func() ([]registry.StateChange, error) { return o.OverviewStore.StateChanges(ctx, since) })
}

type faultyCustomer struct {
	f *faulty
	registry.CustomerStore
}

// ask runs a call of a faulty store and returns its answer, if it gives one.
func ask[T any](ctx context.Context, f *faulty, call string, run func() (T, error)) (answer T, err error) {
	answer, _, err = askTwo(ctx, f, call, func() (T, struct{}, error) {
		answer, err := run()
		return answer, struct{}{}, err
	})
	return answer, err
}

func askTwo[T, U any](ctx context.Context, f *faulty, call string, run func() (T, U, error)) (T, U, error) {
	var answer, noAnswer T
	var other, noOther U
	if err := f.do(ctx, call, func() (err error) {
		answer, other, err = run()
		return err
	}); err != nil {
		return noAnswer, noOther, err
	}
	return answer, other, nil
}

func (c faultyCustomer) Overview(ctx context.Context) ([]registry.SourceStanding, error) {
	return faultyOverview{c.f, c.CustomerStore}.Overview(ctx)
}

func (c faultyCustomer) StateChanges(ctx context.Context, since time.Time) ([]registry.StateChange, error) {
	return faultyOverview{c.f, c.CustomerStore}.StateChanges(ctx, since)
}

func (c faultyCustomer) ManagedSourceByID(ctx context.Context, esaID int64) (*registry.Source, error) {
	return ask(ctx, c.f, "read", func() (*registry.Source, error) { return c.CustomerStore.ManagedSourceByID(ctx, esaID) })
}

func (c faultyCustomer) ManagedSources(ctx context.Context, skip, take int) ([]*registry.Source, int, error) {
	return askTwo(ctx, c.f, "list", func() ([]*registry.Source, int, error) { return c.CustomerStore.ManagedSources(ctx, skip, take) })
}

func (c faultyCustomer) ObserveInventorySync(ctx context.Context, esaID int64, s registry.InventorySync) (*registry.Source, error) {
	return ask(ctx, c.f, "write", func() (*registry.Source, error) { return c.CustomerStore.ObserveInventorySync(ctx, esaID, s) })
}

func (c faultyCustomer) ChangeAudited(ctx context.Context, esaID int64, e registry.AuditEntry,
	decide func(*registry.Source) (*registry.Connection, error)) (*registry.Source, error) {
	return ask(ctx, c.f, "write", func() (*registry.Source, error) { return c.CustomerStore.ChangeAudited(ctx, esaID, e, decide) })
}

func (c faultyCustomer) Source(ctx context.Context, sourceID string) (*registry.Source, error) {
	return ask(ctx, c.f, "read", func() (*registry.Source, error) { return c.CustomerStore.Source(ctx, sourceID) })
}

func (c faultyCustomer) Sources(ctx context.Context, skip, take int) ([]*registry.Source, int, error) {
	return askTwo(ctx, c.f, "sources", func() ([]*registry.Source, int, error) { return c.CustomerStore.Sources(ctx, skip, take) })
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
	return ask(ctx, c.f, "change", func() (*registry.Source, error) { return c.CustomerStore.EndConsent(ctx, sourceID, consent, tokens) })
}

func (c faultyCustomer) ReplaceCredential(ctx context.Context, sourceID, id string, next *registry.Credential) (*registry.Source, error) {
	return ask(ctx, c.f, "change", func() (*registry.Source, error) { return c.CustomerStore.ReplaceCredential(ctx, sourceID, id, next) })
}

func (c faultyCustomer) MarkRefused(ctx context.Context, sourceID, id string, at time.Time) (*registry.Source, error) {
	return ask(ctx, c.f, "change", func() (*registry.Source, error) { return c.CustomerStore.MarkRefused(ctx, sourceID, id, at) })
}

func (c faultyCustomer) KeepLaunch(ctx context.Context, sourceID string, token [32]byte, launch registry.Launch) error {
	return c.f.do(ctx, "change", func() error { return c.CustomerStore.KeepLaunch(ctx, sourceID, token, launch) })
}

func (f *faulty) TakeLaunch(ctx context.Context, token [32]byte) (*registry.TakenLaunch, error) {
	return ask(ctx, f, "change", func() (*registry.TakenLaunch, error) { return f.Store.TakeLaunch(ctx, token) })
}

func (c faultyCustomer) CreateManaged(ctx context.Context, s registry.NewManaged, once *registry.IdempotencyRecord) (registry.Creation, error) {
	return ask(ctx, c.f, "change", func() (registry.Creation, error) { return c.CustomerStore.CreateManaged(ctx, s, once) })
}

func (c faultyCustomer) ClaimIdempotencyKey(ctx context.Context, once registry.IdempotencyRecord) (registry.Creation, error) {
	return ask(ctx, c.f, "change", func() (registry.Creation, error) { return c.CustomerStore.ClaimIdempotencyKey(ctx, once) })
}

func (c faultyCustomer) ReleaseIdempotencyKey(ctx context.Context, key string) error {
	return c.f.do(ctx, "change", func() error { return c.CustomerStore.ReleaseIdempotencyKey(ctx, key) })
}

func (c faultyCustomer) ChangeConnection(ctx context.Context, esaID int64, decide func(*registry.Source) (*registry.Connection, error)) (*registry.Source, error) {
	return ask(ctx, c.f, "change", func() (*registry.Source, error) { return c.CustomerStore.ChangeConnection(ctx, esaID, decide) })
}

func (c faultyCustomer) KeepSettings(ctx context.Context, esaID int64, settings []byte) error {
	return c.f.do(ctx, "change", func() error { return c.CustomerStore.KeepSettings(ctx, esaID, settings) })
}

func (c faultyCustomer) Settings(ctx context.Context, esaID int64) ([]byte, error) {
	return ask(ctx, c.f, "settings", func() ([]byte, error) { return c.CustomerStore.Settings(ctx, esaID) })
}

func (f *faulty) WebhookTarget(ctx context.Context, tenantID string) (*registry.WebhookTarget, error) {
	return ask(ctx, f, "target", func() (*registry.WebhookTarget, error) { return f.Store.WebhookTarget(ctx, tenantID) })
}

func (c faultyCustomer) Subscription(ctx context.Context, esaID int64) (*registry.Subscription, error) {
	return ask(ctx, c.f, "subscription", func() (*registry.Subscription, error) { return c.CustomerStore.Subscription(ctx, esaID) })
}

func (c faultyCustomer) ChangeSubscription(ctx context.Context, esaID int64, decide func(*registry.Subscription) (*registry.Subscription, error)) (*registry.Subscription, error) {
	return ask(ctx, c.f, "change", func() (*registry.Subscription, error) { return c.CustomerStore.ChangeSubscription(ctx, esaID, decide) })
}

func (c faultyCustomer) RecordEvent(ctx context.Context, esaID int64, e registry.Event) (bool, *registry.Source, error) {
	return askTwo(ctx, c.f, "change", func() (bool, *registry.Source, error) { return c.CustomerStore.RecordEvent(ctx, esaID, e) })
}

func (c faultyCustomer) DeliveryCounts(ctx context.Context, esaID int64) (registry.DeliveryCounts, error) {
	return ask(ctx, c.f, "counts", func() (registry.DeliveryCounts, error) { return c.CustomerStore.DeliveryCounts(ctx, esaID) })
}

func (c faultyCustomer) BeginAudit(ctx context.Context, e registry.AuditEntry) (string, error) {
	return ask(ctx, c.f, "change", func() (string, error) { return c.CustomerStore.BeginAudit(ctx, e) })
}

func (c faultyCustomer) FinishAudit(ctx context.Context, id string, r registry.AuditResult) error {
	return c.f.do(ctx, "change", func() error { return c.CustomerStore.FinishAudit(ctx, id, r) })
}

func (c faultyCustomer) Audit(ctx context.Context, q registry.AuditQuery) ([]registry.AuditEntry, bool, error) {
	return askTwo(ctx, c.f, "audit", func() ([]registry.AuditEntry, bool, error) { return c.CustomerStore.Audit(ctx, q) })
}
