package agentauth_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"esagate/registry"
)

// faulty is a registry some of whose calls fail: fails says how many more of each.
type faulty struct {
	registry.Store
	mu    sync.Mutex
	fails map[string]int // by method
	panic bool           // instead of an error
}

var errDisk = errors.New("registry: the disk is full")

func (f *faulty) next(call string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails[call] <= 0 {
		return nil
	}
	f.fails[call]--
	if f.panic {
		panic("CANARY-panic")
	}
	return errDisk
}

func (f *faulty) Customer(id int64) registry.CustomerStore {
	return faultyCustomer{f.Store.Customer(id), f}
}

func (f *faulty) TakeConsent(ctx context.Context, state [32]byte) (*registry.TakenConsent, error) {
	if err := f.next("TakeConsent"); err != nil {
		return nil, err
	}
	return f.Store.TakeConsent(ctx, state)
}

type faultyCustomer struct {
	registry.CustomerStore
	of *faulty
}

func (c faultyCustomer) Credential(ctx context.Context, id string) (*registry.Credential, string, error) {
	if err := c.of.next("Credential"); err != nil {
		return nil, "", err
	}
	return c.CustomerStore.Credential(ctx, id)
}

func (c faultyCustomer) EndConsent(ctx context.Context, id string, consent registry.Consent, t registry.OAuthCredential) (*registry.Source, error) {
	if err := c.of.next("EndConsent"); err != nil {
		return nil, err
	}
	return c.CustomerStore.EndConsent(ctx, id, consent, t)
}

func (c faultyCustomer) LeaseRefresh(ctx context.Context, id, credential string, until time.Time) (bool, error) {
	if err := c.of.next("LeaseRefresh"); err != nil {
		return false, err
	}
	return c.CustomerStore.LeaseRefresh(ctx, id, credential, until)
}

func (c faultyCustomer) ReplaceCredential(ctx context.Context, id, credential string, next *registry.Credential) (*registry.Source, error) {
	if err := c.of.next("ReplaceCredential"); err != nil {
		return nil, err
	}
	return c.CustomerStore.ReplaceCredential(ctx, id, credential, next)
}

// boundless is a registry that has what it is asked for: a consent for any state, and
// for any source a place for one, and tokens that have run out.
type boundless struct {
	registry.Store
	registry.CustomerStore
	taker atomic.Int64 // the customer that consents are of
	taken atomic.Int32 // how many consents were
}

func (b *boundless) Customer(int64) registry.CustomerStore { return b }
func (b *boundless) Close() error                          { return nil }
func (b *boundless) Ping(context.Context) error            { return nil }

func (b *boundless) BeginConsent(context.Context, string, [32]byte, registry.Consent) error {
	return nil
}

func (b *boundless) TakeConsent(context.Context, [32]byte) (*registry.TakenConsent, error) {
	b.taken.Add(1)
	return &registry.TakenConsent{CustomerID: b.taker.Load(), SourceID: sourceID, Consent: registry.Consent{
		Client: registry.OAuthClient{Issuer: issuer, TokenEndpoint: issuer + "/token", ClientID: "c", AuthMethod: "none"},
	}}, nil
}

func (b *boundless) Credential(_ context.Context, id string) (*registry.Credential, string, error) {
	return &registry.Credential{OAuth: &registry.OAuthCredential{
		AccessToken: "CANARY-a", RefreshToken: "CANARY-r", TokenType: "Bearer", ExpiresAt: time.Now().Add(-time.Hour),
		Client: registry.OAuthClient{TokenEndpoint: issuer + "/token"},
	}}, "credential of " + id, nil
}

func (b *boundless) LeaseRefresh(context.Context, string, string, time.Time) (bool, error) {
	return true, nil
}
