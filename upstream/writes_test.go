package upstream_test

import (
	"context"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
)

// Failures after which a read is retried end a write at once.
func TestWritesAreNotRetried(t *testing.T) {
	failures := map[string]roundTrip{
		"429":       gives(429, "", "Retry-After", "1"),
		"500":       gives(500, ""),
		"502":       gives(502, ""),
		"503":       gives(503, ""),
		"reset":     breaks(syscall.ECONNRESET),
		"closed":    breaks(io.EOF),
		"cut short": breaks(io.ErrUnexpectedEOF),
	}
	each(t, every, func(t *testing.T, m madeCall) {
		for name, fails := range failures {
			calls := 0
			alone(t, upstream.Config{Breaker: lenient}, func(q *http.Request) (*http.Response, error) {
				calls++
				return fails(q)
			}, func(t *testing.T, r *rig) {
				_, err := m.call(t.Context(), r.client, tenant)
				if e := r.fault(err); e == nil || e.Kind != fault.Unavailable || upstream.NotSent(err) {
					t.Errorf("%s: %v", name, err)
				}
				want := 3
				if m.writes {
					want = 1
				}
				if calls != want {
					t.Errorf("%s: %d attempts, want %d", name, calls, want)
				}
			})
		}
	})
}

func TestTimeouts(t *testing.T) {
	each(t, every, func(t *testing.T, m madeCall) {
		alone(t, upstream.Config{FetchTimeout: 9 * time.Second}, hang, func(t *testing.T, r *rig) {
			want := 9 * time.Second
			switch {
			case m.probes:
				want = 75 * time.Second
			case m.op == "find_tenant":
				want = time.Minute
			}
			start := time.Now()
			_, err := m.call(t.Context(), r.client, tenant)
			if e := r.fault(err); e == nil || e.Reason != fault.UpstreamTimeout || upstream.NotSent(err) || time.Since(start) != want {
				t.Errorf("%v after %v, want %v", err, time.Since(start), want)
			}
			r.metric("esagate.upstream.calls{operation="+m.op+",outcome=timeout}", 1)

			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			start = time.Now()
			if _, err := m.call(ctx, r.client, tenant); err == nil || time.Since(start) != 2*time.Second {
				t.Errorf("with a sooner deadline of its own: %v after %v", err, time.Since(start))
			}
		})
	})
}
