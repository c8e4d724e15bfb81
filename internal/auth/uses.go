package auth

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"esagate/registry"
)

const (
	writeUsesEvery = time.Minute
	usesBatch      = 500 // keys in one call of the store
)

// uses is when stored keys were last used, to the hour, as far as the store does
// not know it yet. It has at most one time for each key there is.
type uses struct {
	store   registry.KeyStore
	log     *slog.Logger
	mu      sync.Mutex
	pending map[int64]time.Time
	told    bool // that writing failed; of the one who writes
}

func newUses(store registry.KeyStore, log *slog.Logger) *uses {
	return &uses{store: store, log: log, pending: map[int64]time.Time{}}
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// note remembers that a key is used. But for the first use in an hour it shares
// nothing that is written.
func (u *uses) note(e *entry, now time.Time) {
	hour := hourOf(now)
	if e.hour.Load() == hour || e.hour.Swap(hour) == hour {
		return
	}
	u.mu.Lock()
	u.pending[e.id] = time.Unix(hour*3600, 0).UTC()
	u.mu.Unlock()
}

// loop writes once a minute until life ends.
func (u *uses) loop(life context.Context) {
	ticker := time.NewTicker(writeUsesEvery)
	defer ticker.Stop()
	for {
		select {
		case <-life.Done():
			return
		case <-ticker.C:
			ctx, cancel := context.WithTimeout(life, storeTimeout)
			u.write(ctx)
			cancel()
		}
	}
}

// write brings what is pending to the store. What could not be written stays pending.
func (u *uses) write(ctx context.Context) {
	for {
		batch := u.take()
		if len(batch) == 0 {
			u.told = false
			return
		}
		if err := u.store.TouchKeys(ctx, batch); err != nil {
			u.putBack(batch)
			if !u.told && !errors.Is(ctx.Err(), context.Canceled) { // not when all ends: Close tries again
				u.log.Warn("the last use of API keys can't be recorded yet", slog.Int("count", len(batch)), slog.Any("error", err))
				u.told = true
			}
			return
		}
	}
}

func (u *uses) take() map[int64]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.pending) <= usesBatch {
		all := u.pending
		u.pending = map[int64]time.Time{}
		return all
	}
	batch := make(map[int64]time.Time, usesBatch)
	for id, at := range u.pending {
		if len(batch) == usesBatch {
			break
		}
		batch[id] = at
		delete(u.pending, id)
	}
	return batch
}

func (u *uses) putBack(batch map[int64]time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, at := range batch {
		if at.After(u.pending[id]) {
			u.pending[id] = at
		}
	}
}
