package upstream

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	backoffBase  = 100 * time.Millisecond
	backoffLimit = time.Second
)

// retrier decides, for one call, whether an attempt is followed by another, and
// after how long. Its methods are go-retryablehttp's policies; the library
// itself would retry writes, sleep through any Retry-After and print the URL.
type retrier struct {
	c     *Client
	call  *call
	begun time.Time
	pause time.Duration // before the attempt that check has just allowed
}

// client returns the retrying client for this call. Each call has its own, because Backoff
// does not know the call; the http.Client is shared.
func (r *retrier) client() *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient:   r.c.http,
		RetryMax:     r.c.cfg.Attempts - 1,
		CheckRetry:   r.check,
		Backoff:      func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return r.pause },
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
}

// check allows another attempt, and takes it from the budget, if the failure
// invites one and it can still come in time. It runs after every attempt.
func (r *retrier) check(ctx context.Context, _ *http.Response, _ error) (bool, error) {
	f := r.call.last
	if f == nil || !f.retry || r.call.attempts >= r.c.cfg.Attempts || ctx.Err() != nil {
		return false, nil
	}
	if r.c.upstream.open.Load() || r.call.op == opStatus && r.c.tenants.get(r.call.tenantID).breaker.open.Load() {
		return false, nil // it would be refused: what just went wrong is the better answer
	}
	pause := f.after
	late := pause > 0 && time.Since(r.begun)+pause > r.c.cfg.Timeout // no reader would wait for that
	if pause == 0 {
		pause = backoff(r.call.attempts)
	}
	if deadline, ok := ctx.Deadline(); late || ok && time.Until(deadline) <= pause {
		r.c.metrics.retryRefused(ctx, "deadline")
		return false, nil
	}
	if !r.c.budget.take() {
		r.c.metrics.retryRefused(ctx, "budget")
		return false, nil
	}
	r.c.metrics.retry(ctx, r.call.op)
	r.pause = pause
	return true, nil
}

// backoff is the wait after the nth attempt: anything up to a bound that
// doubles, so that clients which failed together do not return together.
func backoff(n int) time.Duration {
	bound := backoffLimit
	if n < 5 { // 100, 200, 400, 800 ms
		bound = backoffBase << (n - 1)
	}
	return rand.N(bound + 1)
}
