package leader

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"esagate/internal/wait"
)

var errPanicked = errors.New("leader: a piece of background work panicked")

// Task is work that is to be done again and again.
type Task struct {
	Name     string        // of its log lines, a constant word
	Interval time.Duration // from the end of one run to the next, give or take a fifth
	Timeout  time.Duration // of one run; zero: it may take as long as the context holds
	Do       func(ctx context.Context) error
	Logger   *slog.Logger // nil: nothing is logged
}

// Every does a task at once and then at its interval, until ctx ends. A run that fails
// is followed by the next as any other: of a row of failures the first is logged, and
// its end. An Interval of zero or less does nothing.
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
		case ctx.Err() != nil: // what ends with us says nothing
		case err != nil && !failing:
			failing = true
			t.Logger.LogAttrs(ctx, slog.LevelWarn, "background work fails: trying on",
				slog.String("operation", t.Name), slog.Any("error", err))
		case err == nil && failing:
			failing = false
			t.Logger.LogAttrs(ctx, slog.LevelInfo, "background work succeeds again", slog.String("operation", t.Name))
		}
		wait.For(ctx, wait.Jittered(t.Interval))
	}
}

func (t Task) once(ctx context.Context) error {
	if t.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.Timeout)
		defer cancel()
	}
	return safely(ctx, t.Logger, t.Name, t.Do)
}
