package background

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Task is work that is repeated.
type Task struct {
	Name     string        // of its log lines, a constant
	Interval time.Duration // from the end of one run to the next, jittered by a fifth
	Timeout  time.Duration // of one run; 0: none beside the context's
	Do       func(ctx context.Context) error
	Logger   *slog.Logger // nil: nothing is logged
}

// Every runs a task at once and then at its interval, until ctx ends. Of a row of
// failures the first is logged, and the end of the row. With an Interval of zero or
// less it does nothing.
func Every(ctx context.Context, t Task) {
	if t.Interval <= 0 {
		return
	}
	if t.Logger == nil {
		t.Logger = slog.New(slog.DiscardHandler)
	}
	failing := false
	for ctx.Err() == nil {
		err := t.once(ctx)
		switch {
		case ctx.Err() != nil: // ended from outside: that is no failure
		case err != nil && !failing:
			failing = true
			t.Logger.LogAttrs(ctx, slog.LevelWarn, "background work fails: it is tried again",
				slog.String("operation", t.Name), slog.Any("error", err))
		case err == nil && failing:
			failing = false
			t.Logger.LogAttrs(ctx, slog.LevelInfo, "background work succeeds again", slog.String("operation", t.Name))
		}
		Sleep(ctx, Jitter(t.Interval))
	}
}

func (t Task) once(ctx context.Context) error {
	if t.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.Timeout)
		defer cancel()
	}
	return Guard(ctx, t.Logger, t.Name, t.Do)
}

// Sleep waits for d, not at all if it is not positive, and reports whether ctx has not
// ended.
func Sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 { // Go 1.26's race detector can crash in a synctest bubble on a timer that is due at once
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// Jitter gives a time up to a fifth shorter or longer, so that replicas that were
// started together do not act together.
func Jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
