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

// retrying returns the client that repeats the attempts of a call. Each call has its own,
// because Backoff does not know the call. The library's own policies would retry writes,
// sleep through any Retry-After and print the URL.
func (c *Client) retrying(cl *call) *retryablehttp.Client {
	begun := time.Now()
	var pause time.Duration // before the attempt that CheckRetry has just allowed
	return &retryablehttp.Client{
		HTTPClient: c.http,
		RetryMax:   c.cfg.Attempts - 1,
		CheckRetry: func(ctx context.Context, _ *http.Response, _ error) (again bool, err error) {
			pause, again = c.again(ctx, cl, begun)
			return again, nil
		},
		Backoff:      func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return pause },
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
}

// again allows a call another attempt, and takes it from the budget, if the failure
// of the last one invites it and it can still come in time. begun is when the call began.
func (c *Client) again(ctx context.Context, cl *call, begun time.Time) (pause time.Duration, ok bool) {
	f := cl.last
	if f == nil || !f.retry || cl.attempts >= c.cfg.Attempts || ctx.Err() != nil {
		return 0, false
	}
	if c.upstream.open.Load() || cl.op == opStatus && c.tenants.get(cl.tenantID).breaker.open.Load() {
		return 0, false // it would be refused: what just went wrong is the better answer
	}
	pause = f.after
	late := pause > 0 && time.Since(begun)+pause > c.cfg.Timeout // no reader would wait for that
	if pause == 0 {
		pause = backoff(cl.attempts)
	}
	if deadline, bounded := ctx.Deadline(); late || bounded && time.Until(deadline) <= pause {
		c.metrics.retryRefused(ctx, "deadline")
		return 0, false
	}
	if !c.budget.take() {
		c.metrics.retryRefused(ctx, "budget")
		return 0, false
	}
	c.metrics.retry(ctx, cl.op)
	return pause, true
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
