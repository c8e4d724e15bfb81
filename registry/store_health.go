package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// pingPause is the time between two pings of a store that is away.
const pingPause = time.Second

var (
	errDirectoryClosed = errors.New("registry: the directory is closed")
	// errLate: the store took longer than a reader with a copy waits.
	errLate = errors.New("registry: the store is slow")
	errAway = errors.New("registry: the store did not answer when it was last asked")
	// errUnreadable: the store is there, and still fails one read.
	errUnreadable = errors.New("registry: the store answers, but can't read this")
)

// storeHealth knows whether the store is there. While it is away one goroutine pings it,
// so that its return waits for no reader.
type storeHealth struct {
	store   func(context.Context) error // pings the store
	timeout time.Duration               // of a ping
	pause   time.Duration               // how long a write waits for a store that is away
	changed func(there bool, err error)
	pings   singleflight.Group

	life context.Context // ends with close
	end  context.CancelFunc
	work sync.WaitGroup // pings under way
	away atomic.Bool    // the store's last answer was none, or late

	mu      sync.Mutex // guards what follows, and when away changes
	ended   bool
	pinging bool          // one goroutine pings
	back    chan struct{} // closed when the store is back; made anew whenever it goes away
}

func newStoreHealth(ping func(context.Context) error, opts DirectoryOptions, changed func(bool, error)) *storeHealth {
	h := &storeHealth{store: ping, timeout: opts.StoreTimeout, pause: pingPause + opts.ReadTimeout, changed: changed}
	h.life, h.end = context.WithCancel(context.Background())
	return h
}

func (h *storeHealth) close() {
	h.mu.Lock()
	h.ended = true
	h.mu.Unlock()
	h.end()
	h.work.Wait()
}

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
	was, away := h.away.Load(), !there && !h.ended
	h.away.Store(away)
	switch {
	case away && !was:
		h.back = make(chan struct{})
	case was && !away:
		close(h.back)
	}
	if away && !h.pinging {
		h.pinging = true
		h.work.Add(1)
		go h.pingUntilThere()
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
	timer := time.NewTimer(h.pause)
	defer timer.Stop()
	select {
	case <-back:
		return nil
	case <-timer.C:
	case <-ctx.Done():
		return errors.Join(errAway, ctx.Err())
	case <-h.life.Done():
	}
	return errAway
}

// check pings the store after a call failed, and reports whether it is there. A ping that
// outlasts the context is late: the store is away.
func (h *storeHealth) check(ctx context.Context, err error) bool {
	if h.away.Load() {
		return false // it is being pinged
	}
	select {
	case pinged := <-h.startPing(err):
		if pinged.Err == nil {
			return true
		}
	case <-ctx.Done():
	}
	h.record(err)
	return false
}

// startPing pings the store, once for all that want to know. It records an answer, and
// without one the error that gave rise to the ping; nil: the store is away already.
func (h *storeHealth) startPing(cause error) <-chan singleflight.Result {
	return h.pings.DoChan("", func() (_ any, err error) {
		h.mu.Lock()
		if h.ended {
			h.mu.Unlock()
			return nil, errDirectoryClosed
		}
		h.work.Add(1)
		h.mu.Unlock()
		defer h.work.Done()
		ctx, cancel := context.WithTimeout(h.life, h.timeout)
		defer cancel()
		defer func() {
			if p := recover(); p != nil { // singleflight would raise it where nobody can catch it
				err = fmt.Errorf("registry: the store panicked: %T", p)
			}
		}()
		switch err = h.store(ctx); {
		case err == nil:
			h.record(nil)
		case cause != nil:
			h.record(cause)
		}
		return nil, err
	})
}

func (h *storeHealth) pingUntilThere() {
	defer h.work.Done()
	for h.stillAway() {
		select {
		case <-time.After(pingPause):
		case <-h.life.Done():
			return
		}
		<-h.startPing(nil)
	}
}

// stillAway says whether the pings go on; when not, the next failure starts them anew.
func (h *storeHealth) stillAway() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pinging = h.away.Load()
	return h.pinging
}
