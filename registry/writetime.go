package registry

import (
	"context"
	"sync"
	"time"
)

// writeTime is how long the store may still take of a request, over all that it is asked for.
// Its clock stands while the request waits for something else.
type writeTime struct {
	mu      sync.Mutex
	left    time.Duration
	running int       // what the store is asked for now
	since   time.Time // what left was reckoned for
	ended   bool
}

type writeTimeKey struct{}

// WithWriteTime bounds how long the store may take, in all, of a request that writes: its audit,
// its writes and its reads. What the request has left in the background is free once end is called.
func WithWriteTime(ctx context.Context) (_ context.Context, end func()) {
	w := &writeTime{left: writeTimeout}
	return context.WithValue(ctx, writeTimeKey{}, w), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended = true
	}
}

// SpendWriteTime gives a context that ends with what is left of the request's write time, which
// passes until stop is called; without one ctx itself.
func SpendWriteTime(ctx context.Context) (_ context.Context, stop func()) {
	w, _ := ctx.Value(writeTimeKey{}).(*writeTime)
	if w == nil {
		return ctx, func() {}
	}
	left, limited := w.start()
	if !limited {
		return ctx, func() {}
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	return ctx, sync.OnceFunc(func() {
		cancel()
		w.stop()
	})
}

func (w *writeTime) start() (left time.Duration, limited bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return 0, false
	}
	w.advance()
	w.running++
	return w.left, true
}

func (w *writeTime) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	w.running--
}

func (w *writeTime) advance() {
	now := time.Now()
	if w.running > 0 {
		w.left -= now.Sub(w.since)
	}
	w.since = now
}
