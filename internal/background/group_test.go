package background_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"esagate/internal/background"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type key struct{}

func TestGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		g := background.NewGroup(slog.New(slog.NewTextHandler(&log, nil)))
		caller, leave := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		ended := make(chan time.Time, 1)
		g.Go(caller, "long", func(ctx context.Context) {
			<-ctx.Done()
			if ctx.Value(key{}) != "value" {
				t.Error("the caller's values are lost")
			}
			ended <- time.Now()
		})
		g.Go(caller, "short", func(context.Context) { panic("CANARY") })
		synctest.Wait()
		if lines := log.String(); !strings.Contains(lines, "operation=short") || !strings.Contains(lines, "TestGroup") || strings.Contains(lines, "CANARY") {
			t.Errorf("the log of a panic:\n%s", lines)
		}
		leave()
		time.Sleep(time.Minute)
		begun := time.Now()
		if err := g.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if at := <-ended; !at.Equal(begun) {
			t.Errorf("the work ended at %s, not with the group", at.Sub(begun))
		}
		if g.Go(t.Context(), "late", func(context.Context) { t.Error("it ran") }) {
			t.Error("a closed group begins work")
		}
	})
}

func TestCloseWaitsNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := background.NewGroup(nil)
		g.Go(t.Context(), "stubborn", func(context.Context) { time.Sleep(time.Hour) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		time.Sleep(time.Hour) // the work's own end
	})
}

func TestDrainLetsWorkEndBeforeItIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := background.NewGroup(nil)
		var whole, cut bool
		g.Go(t.Context(), "whole", func(ctx context.Context) { whole = background.Sleep(ctx, time.Second) })
		g.Go(t.Context(), "cut", func(ctx context.Context) { cut = !background.Sleep(ctx, time.Hour) })
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := g.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		synctest.Wait()
		if !whole || !cut || g.Go(t.Context(), "late", func(context.Context) {}) {
			t.Errorf("whole %t, cut short %t", whole, cut)
		}
	})
}

func TestFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := background.NewGroup(nil)
		f := background.NewFlight[string](g, "flight", 5*time.Second)
		var calls atomic.Int32
		work := func(takes time.Duration, v string) func(context.Context) (string, error) {
			return func(ctx context.Context) (string, error) {
				calls.Add(1)
				if !background.Sleep(ctx, takes) {
					return "", ctx.Err()
				}
				return v, nil
			}
		}
		brief, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		go func() { // starts it and leaves
			if _, _, err := f.Do(brief, "k", work(time.Second, "one")); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the caller that left got %v", err)
			}
		}()
		synctest.Wait()
		for range 10 {
			go func() {
				if v, shared, err := f.Do(t.Context(), "k", work(time.Second, "two")); v != "one" || !shared || err != nil {
					t.Errorf("shared: %q %v", v, err)
				}
			}()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := calls.Load(); n != 1 {
			t.Errorf("%d calls", n)
		}
		begun := time.Now()
		if _, _, err := f.Do(t.Context(), "k", work(time.Hour, "")); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 5*time.Second {
			t.Errorf("past its timeout: %v after %s", err, time.Since(begun))
		}
		if _, _, err := f.Do(t.Context(), "k", func(context.Context) (string, error) { panic("CANARY") }); err != background.ErrPanicked {
			t.Errorf("a panic gave %v", err)
		}
		if err := g.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if _, _, err := f.Do(t.Context(), "k", work(0, "")); err != background.ErrClosed {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if !background.Sleep(t.Context(), time.Minute) || time.Since(begun) != time.Minute {
			t.Errorf("a minute took %s", time.Since(begun))
		}
		if begun = time.Now(); !background.Sleep(t.Context(), -time.Hour) || time.Since(begun) != 0 {
			t.Errorf("no time took %s", time.Since(begun))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if begun = time.Now(); background.Sleep(ctx, time.Minute) || time.Since(begun) != time.Second {
			t.Errorf("it outlasts its context: %s", time.Since(begun))
		}
	})
}

func TestJitter(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 100 {
		d := background.Jitter(10 * time.Second)
		if d < 8*time.Second || d > 12*time.Second {
			t.Fatalf("10 s became %s", d)
		}
		seen[d] = true
	}
	if len(seen) < 50 {
		t.Errorf("%d different times", len(seen))
	}
}
