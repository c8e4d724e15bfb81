package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"esagate/internal/background"
)

// pingPause is the time between two pings of a store that is away.
const pingPause = time.Second

var (
	// errLate: the store took longer than a reader with a copy waits.
	errLate error = storeError("the store is slow")
	errAway error = storeError("the store did not answer when it was last asked")
	// errUnreadable: the store is there, and still fails one read.
	errUnreadable error = storeError("the store answers, but can't read this")
)

// storeHealth knows whether the store is there. While it is away one goroutine pings it,
// so that its return waits for no reader.
type storeHealth struct {
	store   func(context.Context) error // pings the store
	changed func(there bool, err error)
	group   *background.Group
	pings   *background.Flight[struct{}]
	away    atomic.Bool // the store's last answer was none, or late

	mu      sync.Mutex    // guards what follows, and when away changes
	pinging bool          // one goroutine pings
	back    chan struct{} // closed when the store is back; made anew whenever it goes away
}

func newStoreHealth(ping func(context.Context) error, changed func(bool, error)) *storeHealth {
	group := background.NewGroup(nil)
	return &storeHealth{
		store: ping, changed: changed,
		group: group, pings: background.NewFlight[struct{}](group, "ping the store", storeTimeout),
	}
}

func (h *storeHealth) close() { _ = h.group.Close(context.Background()) }

// ask makes a read within its context's deadline and concludes from its error whether the
// store is there. An error of no kind that we know may be one row's own, and no row that
// can't be read may send all readers to memory: the store is pinged first. If it is
// there, a connection may have broken: what fails twice fails by itself.
func (h *storeHealth) ask(ctx context.Context, read func(context.Context) error) error {
	err := read(ctx)
	if !answered(err) && ctx.Err() == nil {
		if !h.check(ctx, err) {
			return err
		}
		err = read(ctx)
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // a caller that leaves says nothing of the store
	case answered(err), ctx.Err() != nil: // silence up to the deadline is as good as a ping
		h.record(err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled): // a limit of the store's own
	default:
		err = fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return err
}

// record concludes from a call's error whether the store is there.
func (h *storeHealth) record(err error) {
	there := answered(err)
	if there == !h.away.Load() {
		return
	}
	h.mu.Lock()
	was, away := h.away.Load(), !there && h.group.Context().Err() == nil
	h.away.Store(away)
	switch {
	case away && !was:
		h.back = make(chan struct{})
	case was && !away:
		close(h.back)
	}
	if away && !h.pinging {
		h.pinging = h.group.Go(context.Background(), "ping the store until it is there", h.pingUntilThere)
	}
	h.mu.Unlock()
	if was != away {
		h.changed(!away, err)
	}
}

// wait waits for a store that is away to come back, for as long as one ping needs: a
// store that was slow once refuses no writes.
func (h *storeHealth) wait(ctx context.Context) error {
	h.mu.Lock()
	away, back := h.away.Load(), h.back
	h.mu.Unlock()
	if !away {
		return nil
	}
	timer := time.NewTimer(pingPause + readTimeout)
	defer timer.Stop()
	select {
	case <-back:
		return nil
	case <-timer.C:
	case <-ctx.Done():
		return errors.Join(errAway, ctx.Err())
	case <-h.group.Context().Done():
	}
	return errAway
}

// check pings the store after a call failed, and reports whether it is there. A ping that
// outlasts the context is late: the store is away.
func (h *storeHealth) check(ctx context.Context, err error) bool {
	if h.away.Load() {
		return false // it is being pinged
	}
	if h.ping(ctx, err) == nil {
		return true
	}
	h.record(err)
	return false
}

// ping pings the store, once for all that want to know, and waits no longer than ctx. It
// records an answer, and without one the error that gave rise to the ping; nil: the store
// is away already.
func (h *storeHealth) ping(ctx context.Context, cause error) error {
	_, _, err := h.pings.Do(ctx, "", func(ctx context.Context) (none struct{}, err error) {
		switch err = h.store(ctx); {
		case err == nil:
			h.record(nil)
		case cause != nil:
			h.record(cause)
		}
		return none, err
	})
	return err
}

// startPing is ping for a caller that does not wait.
func (h *storeHealth) startPing(cause error) {
	h.group.Go(context.Background(), "ping the store", func(ctx context.Context) { _ = h.ping(ctx, cause) })
}

func (h *storeHealth) pingUntilThere(ctx context.Context) {
	for h.stillAway() && background.Sleep(ctx, pingPause) {
		_ = h.ping(ctx, nil)
	}
}

// stillAway says whether the pings go on; when not, the next failure starts them anew.
func (h *storeHealth) stillAway() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pinging = h.away.Load()
	return h.pinging
}
