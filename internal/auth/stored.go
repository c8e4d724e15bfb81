package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"esagate/internal/background"
	"esagate/registry"
)

// How stored keys are kept up to date. A revoked key works no longer than pollEvery
// and one look at the store.
const (
	pollEvery  = 2 * time.Second
	askSpacing = 250 * time.Millisecond // of looks that unknown keys cause
	// askPatience is how long an unknown key waits for such a look: somewhat longer
	// than askSpacing, so that a request just after one began sees the next.
	askPatience = 300 * time.Millisecond
)

// stored is the set of keys that were made at run time, whole and in memory. While
// the store is away the last one stands.
type stored struct {
	store   registry.KeyStore
	log     *slog.Logger
	keys    atomic.Pointer[ring]
	away    atomic.Bool // the store's last answer was none, or is late
	refresh *refresher
	uses    *uses
	loaded  func() // called after the keys were replaced

	generation int64 // of keys; like warned, of the refresher's runs alone
	warned     bool  // that the store is away
}

func newStored(ctx context.Context, store registry.KeyStore, loaded func(), log *slog.Logger, work *background.Group) (*stored, error) {
	s := &stored{store: store, loaded: loaded, log: log, uses: newUses(store)}
	s.refresh = newRefresher(work, &refresher{run: s.poll, spacing: askSpacing, timeout: storeTimeout})
	s.keys.Store(&ring{})
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return s, s.load(ctx)
}

// find gives the caller whose key it is, and records the use.
func (s *stored) find(sum *[sha256.Size]byte) *Caller {
	e := s.keys.Load().find(sum)
	if e == nil {
		return nil
	}
	s.uses.record(e, time.Now())
	return &e.caller
}

// ask has the store read again for an unknown key. While the store is away requests
// do not wait for it: the poll sees its return.
func (s *stored) ask(ctx context.Context) {
	if !s.away.Load() && s.refresh.ask(ctx, askPatience) {
		s.away.Store(true)
	}
}

// poll reads the keys again if there are others.
func (s *stored) poll(ctx context.Context) time.Duration {
	generation, err := s.store.KeyGeneration(ctx)
	if err == nil && generation != s.generation {
		err = s.load(ctx)
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // all ends
		return pollEvery
	case err == nil && s.warned:
		s.log.Info("the API keys of the store can be read again")
	case err != nil && !s.warned:
		s.log.Warn("the API keys of the store can't be read: the last known ones stand", slog.Any("error", err))
	}
	s.warned = err != nil
	s.away.Store(err != nil)
	return pollEvery
}

// load replaces the keys by those of the store.
func (s *stored) load(ctx context.Context) error {
	keys, generation, err := s.store.GoodKeys(ctx)
	if err != nil {
		return err
	}
	before := s.keys.Load()
	set := make(ring, len(keys))
	for _, k := range keys {
		e := &entry{sum: k.SHA256, id: k.ID,
			caller: Caller{Name: k.Name, CustomerID: k.CustomerID, Write: k.Write, Operator: k.CustomerID == registry.OperatorID, Identity: k.Identity}}
		if was := before.find(&e.sum); was != nil && was.id == e.id && was.caller == e.caller {
			e = was // it knows when it was last used
		} else if !k.LastUsedAt.IsZero() {
			e.hour.Store(hourOf(k.LastUsedAt))
		}
		set.add(e)
	}
	s.keys.Store(&set)
	s.loaded()
	s.generation = generation
	return nil
}
