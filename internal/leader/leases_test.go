package leader_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"esagate/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ttl = 30 * time.Second

type mode int

const (
	healthy mode = iota
	failing      // calls fail
	hanging      // until the caller gives up
	losing       // calls are done, and their answers lost
)

var errAway = errors.New("the disk is full of sand")

// leases is the part of a store that leases are kept in.
type leases struct {
	registry.UpkeepStore // nothing else of it is called

	mu     sync.Mutex
	mode   mode
	slow   time.Duration // how long a call takes before it is done
	holder map[string]string
	until  map[string]time.Time
	asked  []time.Time
}

func newLeases() *leases {
	return &leases{holder: map[string]string{}, until: map[string]time.Time{}}
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
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if m == failing {
		return errAway
	}
	return ctx.Err()
}

func (l *leases) Lease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error) {
	if err := l.reach(ctx); err != nil {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holder[name] != holder && time.Now().Before(l.until[name]) {
		return false, nil
	}
	l.holder[name], l.until[name] = holder, time.Now().Add(ttl)
	if l.mode == losing {
		return false, errAway
	}
	return true, nil
}

func (l *leases) Unlease(ctx context.Context, name, holder string) error {
	if err := l.reach(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holder[name] == holder {
		l.until[name] = time.Time{}
	}
	return nil
}

// steal gives a lease to another holder.
func (l *leases) steal(name, holder string, ttl time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holder[name], l.until[name] = holder, time.Now().Add(ttl)
}

// runsOut gives who holds a lease and when it runs out.
func (l *leases) runsOut(name string) (string, time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.holder[name], l.until[name]
}

// calls gives when the calls arrived, and forgets them.
func (l *leases) calls() []time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	asked := l.asked
	l.asked = nil
	return asked
}
