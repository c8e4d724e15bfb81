package leader_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"esagate/internal/background"
	"esagate/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	name = "upkeep"
	ttl  = 30 * time.Second
)

type mode int

const (
	healthy mode = iota
	failing      // calls fail
	hanging      // until the caller gives up
	losing       // calls are done, and their answers lost
)

var errAway = errors.New("the disk is full of sand")

// leases is the part of a store that the lease is kept in.
type leases struct {
	registry.UpkeepStore // nothing else of it is called

	mu     sync.Mutex
	mode   mode
	slow   time.Duration // how long a call takes before it is done
	holder string
	until  time.Time
	asked  []time.Time
}

func (l *leases) is(m mode, slow time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mode, l.slow = m, slow
}

// reach says what becomes of a call.
func (l *leases) reach(ctx context.Context) error {
	l.mu.Lock()
	m, slow := l.mode, l.slow
	l.asked = append(l.asked, time.Now())
	l.mu.Unlock()
	if m == hanging {
		slow = time.Hour
	}
	background.Sleep(ctx, slow)
	if m == failing && ctx.Err() == nil {
		return errAway
	}
	return ctx.Err()
}

func (l *leases) Lease(ctx context.Context, lease, holder string, ttl time.Duration) (bool, error) {
	if err := l.reach(ctx); err != nil {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if lease != name || l.holder != holder && time.Now().Before(l.until) {
		return false, nil
	}
	l.holder, l.until = holder, time.Now().Add(ttl)
	if l.mode == losing {
		return false, errAway
	}
	return true, nil
}

func (l *leases) Unlease(ctx context.Context, lease, holder string) error {
	if err := l.reach(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if lease == name && l.holder == holder {
		l.until = time.Time{}
	}
	return nil
}

// steal gives the lease to another holder.
func (l *leases) steal(holder string, ttl time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holder, l.until = holder, time.Now().Add(ttl)
}

// runsOut returns who holds the lease and when it runs out.
func (l *leases) runsOut() (string, time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.holder, l.until
}
