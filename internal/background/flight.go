package background

import (
	"context"
	"time"

	"golang.org/x/sync/singleflight"
)

// Flight shares work between callers: of those that ask for the same key at once, one
// has its work run and all get the result, which must therefore not be changed. The
// work outlives the caller that started it; it ends with its timeout or its Group.
type Flight[V any] struct {
	group   *Group
	name    string
	timeout time.Duration
	calls   singleflight.Group
}

// NewFlight makes a Flight whose work belongs to a Group. The name, a constant, is that
// of log lines.
func NewFlight[V any](g *Group, name string, timeout time.Duration) *Flight[V] {
	return &Flight[V]{group: g, name: name, timeout: timeout}
}

// Do gives the result of work for a key, and waits for it no longer than ctx. The work
// of the first caller runs, with the values of its ctx; shared reports that it was
// another's. The error is that of work, ErrPanicked, ErrClosed, or ctx's.
func (f *Flight[V]) Do(ctx context.Context, key string, work func(ctx context.Context) (V, error)) (v V, shared bool, err error) {
	began := false // by this caller; read after the result alone
	result := f.calls.DoChan(key, func() (any, error) {
		began = true
		var v V
		if !f.group.enter() {
			return v, ErrClosed
		}
		defer f.group.work.Done()
		err := f.group.run(ctx, f.name, func(ctx context.Context) (err error) {
			ctx, cancel := context.WithTimeout(ctx, f.timeout)
			defer cancel()
			v, err = work(ctx)
			return err
		})
		return v, err
	})
	select {
	case r := <-result:
		v, _ = r.Val.(V) // a nil of an interface type has no V
		return v, !began, r.Err
	case <-ctx.Done():
		return v, false, ctx.Err()
	}
}
