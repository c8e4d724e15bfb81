package auth

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/background"
)

// TestRoundIsRunOnce: a caller can be slow to join the run that serves it, and come when
// it has ended.
func TestRoundIsRunOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		work := background.NewGroup(nil)
		f := newRefresher(work, &refresher{spacing: time.Second, timeout: time.Second, run: func(context.Context) time.Duration {
			runs++
			return time.Hour
		}})
		f.start(time.Hour)
		for range 2 {
			if err := f.once(t.Context(), 0); err != nil || runs != 1 {
				t.Errorf("%d runs, error %v", runs, err)
			}
		}
		_ = work.Close(t.Context())
		f.stop()
	})
}
