package auth

import (
	"context"
	"fmt"
	"maps"
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
	mu      sync.Mutex
	pending map[int64]time.Time
}

func newUses(store registry.KeyStore) *uses {
	return &uses{store: store, pending: map[int64]time.Time{}}
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// record remembers that a key is used. Only the first use in an hour takes a lock.
func (u *uses) record(e *entry, now time.Time) {
	hour := hourOf(now)
	if e.hour.Load() == hour || e.hour.Swap(hour) == hour {
		return
	}
	u.mu.Lock()
	u.pending[e.id] = time.Unix(hour*3600, 0).UTC()
	u.mu.Unlock()
}

// write brings what is pending to the store. What could not be written stays pending.
func (u *uses) write(ctx context.Context) error {
	for {
		batch := u.batch()
		if len(batch) == 0 {
			return nil
		}
		if err := u.store.TouchKeys(ctx, batch); err != nil {
			return fmt.Errorf("recording the last use of %d API keys: %w", len(batch), err)
		}
		u.mu.Lock()
		maps.DeleteFunc(u.pending, func(id int64, at time.Time) bool { return at.Equal(batch[id]) })
		u.mu.Unlock()
	}
}

func (u *uses) batch() map[int64]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	batch := map[int64]time.Time{}
	for id, at := range u.pending {
		if len(batch) == usesBatch {
			break
		}
		batch[id] = at
	}
	return batch
}
