package upstream

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// hangAfter is how long a reader's status call runs, at least, before its tenant is
// probed beside it; twice as long as the last good one took, if that is more. So an
// upstream that is slow but well is not asked twice.
const hangAfter = 750 * time.Millisecond

// errOvertaken ends a reader's status call that still hangs when a probe that began after
// it was answered. It is made again.
var errOvertaken = errors.New("a later status call was answered")

// hanging is the readers' status calls of one tenant that are under way.
type hanging struct {
	mu    sync.Mutex
	calls map[*statusCall]struct{}
}

type statusCall struct {
	began int64 // as tenants.now
	end   context.CancelCauseFunc
}

// watchHanging has a tenant probed if this call of its status takes long. The caller makes
// the request that is returned, and then calls done.
func (c *Client) watchHanging(r *http.Request, t *tenant, began int64) (req *http.Request, done func()) {
	ctx, end := context.WithCancelCause(r.Context())
	cl := &statusCall{began, end}
	t.breaker.hanging.mu.Lock()
	if t.breaker.hanging.calls == nil {
		t.breaker.hanging.calls = map[*statusCall]struct{}{}
	}
	t.breaker.hanging.calls[cl] = struct{}{}
	t.breaker.hanging.mu.Unlock()
	timer := time.AfterFunc(max(hangAfter, 2*time.Duration(t.took.Load())), func() {
		if ctx.Err() == nil {
			c.watch(t.breaker)
		}
	})
	return r.WithContext(ctx), func() {
		timer.Stop()
		t.breaker.hanging.mu.Lock()
		delete(t.breaker.hanging.calls, cl)
		t.breaker.hanging.mu.Unlock()
		end(nil)
	}
}

// count returns 1 if any call is under way, else 0: readers share one call.
func (h *hanging) count() int32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return int32(min(len(h.calls), 1))
}

// overtake ends the calls that began before a probe that was answered did.
func (h *hanging) overtake(probe int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for cl := range h.calls {
		if cl.began < probe {
			cl.end(errOvertaken)
		}
	}
}
