package background_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/background"
)

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		var at []time.Time
		background.Every(ctx, background.Task{Name: "round", Interval: time.Minute, Do: func(context.Context) error {
			at = append(at, time.Now())
			time.Sleep(30 * time.Second) // counts for nothing: the interval is between runs
			return nil
		}})
		if n := len(at); n < 60*60/(30+72) || n > 60*60/(30+48)+1 {
			t.Errorf("%d runs in an hour", n)
		}
		for i := range at[1:] {
			if gap := at[i+1].Sub(at[i]); gap < 78*time.Second || gap > 102*time.Second {
				t.Errorf("%v between the beginnings of two runs", gap)
			}
		}
	})
}

func TestEveryEndsARunThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
		defer stop()
		runs := 0
		background.Every(ctx, background.Task{Name: "round", Interval: time.Minute, Timeout: time.Second, Do: func(ctx context.Context) error {
			runs++
			<-ctx.Done()
			return ctx.Err()
		}})
		if runs < 8 {
			t.Errorf("%d runs in ten minutes", runs)
		}
	})
}

func TestEveryOff(t *testing.T) {
	background.Every(t.Context(), background.Task{Do: func(context.Context) error { t.Error("it ran"); return nil }})
}

// TestEveryLogsARowOfFailuresOnce: a store that is away for an hour is two lines, not
// one for each try. Panics are failures.
func TestEveryLogsARowOfFailuresOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		run := 0
		background.Every(ctx, background.Task{Name: "round", Interval: time.Minute, Logger: slog.New(slog.NewTextHandler(&log, nil)), Do: func(context.Context) error {
			switch run++; {
			case run == 3:
				panic("CANARY")
			case run < 10:
				return errors.New("away")
			case run == 20:
				stop()
				return ctx.Err()
			}
			return nil
		}})
		lines := log.String()
		if strings.Count(lines, "level=WARN") != 1 || strings.Count(lines, "succeeds again") != 1 ||
			strings.Count(lines, "panicked") != 1 || strings.Contains(lines, "CANARY") || run != 20 {
			t.Errorf("%d runs\n%s", run, lines)
		}
	})
}
