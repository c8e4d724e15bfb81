// Package wait has the waits of background work: they end with a context, and are
// jittered, so that replicas that were started together do not go on together.
package wait

import (
	"context"
	"math/rand/v2"
	"time"
)

// For waits for a time, at once if it is not above zero, and reports whether ctx stands:
// false as soon as it has ended.
func For(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// Jittered gives a time up to a fifth shorter or longer.
func Jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
