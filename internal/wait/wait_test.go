package wait_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/wait"
)

func TestFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if !wait.For(t.Context(), time.Minute) || time.Since(begun) != time.Minute {
			t.Errorf("a minute took %s", time.Since(begun))
		}
		for _, d := range []time.Duration{0, -time.Hour} {
			if begun = time.Now(); !wait.For(t.Context(), d) || time.Since(begun) != 0 {
				t.Errorf("%s took %s", d, time.Since(begun))
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if begun = time.Now(); wait.For(ctx, time.Minute) || time.Since(begun) != time.Second {
			t.Errorf("it outlasts its context: %s", time.Since(begun))
		}
		if wait.For(ctx, 0) {
			t.Error("the context has ended, and it stands")
		}
	})
}

func TestJittered(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 100 {
		d := wait.Jittered(10 * time.Second)
		if d < 8*time.Second || d > 12*time.Second {
			t.Fatalf("10 s became %s", d)
		}
		seen[d] = true
	}
	if len(seen) < 50 {
		t.Errorf("%d different times", len(seen))
	}
}
