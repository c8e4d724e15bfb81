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
// it was answered. It is made again, and is no load beside the one that it replaces: the
// budget of retries is for others.
var errOvertaken = errors.New("a later status call was answered")

// hanging is the readers' status calls of one tenant that are under way: the keys are
// *statusCall.
type hanging struct{ calls sync.Map }

type statusCall struct {
	began int64 // as tenants.now
	end   context.CancelCauseFunc
}

// watchHanging has a tenant probed if this call of its status takes long. again says that
// the call can be made again. The caller makes the request that is returned, and then calls
// done.
func (c *Client) watchHanging(r *http.Request, t *tenant, s *sending, began int64, again bool) (req *http.Request, done func()) {
	ctx, end := context.WithCancelCause(r.Context())
	cl := &statusCall{began, end}
	if !again {
		cl.end = func(error) {}
	}
	t.breaker.hanging.calls.Store(cl, nil)
	timer := time.AfterFunc(max(hangAfter, 2*time.Duration(t.took.Load())), func() {
		if ctx.Err() == nil {
			if s.silent() {
				c.closeIdle() // or the probe might take a dead connection too
			}
			c.watch(t.breaker)
		}
	})
	return r.WithContext(ctx), func() {
		timer.Stop()
		t.breaker.hanging.calls.Delete(cl)
		end(nil)
	}
}

// any reports whether a call is under way.
func (h *hanging) any() (is bool) {
	h.calls.Range(func(_, _ any) bool {
		is = true
		return false
	})
	return is
}

// overtake ends a tenant's calls that began before a probe that was answered did. It has
// the others probed on, since that probe ended the probing.
func (c *Client) overtake(b *breaker, probe int64) {
	b.hanging.calls.Range(func(key, _ any) bool {
		if cl := key.(*statusCall); cl.began < probe {
			cl.end(errOvertaken)
		} else {
			c.watch(b)
		}
		return true
	})
}
