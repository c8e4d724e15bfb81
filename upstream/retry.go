package upstream

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
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
		HTTPClient: &http.Client{Transport: attemptTransport{c}},
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
	deadline, bounded := ctx.Deadline()
	if late || bounded && time.Until(deadline) <= pause || time.Until(cl.deadline) <= pause {
		c.metrics.retryRefused(ctx, "deadline")
		return 0, false
	}
	if !f.overtaken && !c.budget.take() {
		c.metrics.retryRefused(ctx, "budget")
		return 0, false
	}
	c.metrics.retry(ctx, cl.op)
	return pause, true
}

// backoff is the wait after the nth attempt: anything up to a bound that
// doubles, so that clients which failed together do not return together.
func backoff(n int) time.Duration {
	return rand.N(min(backoffBase<<(n-1), backoffLimit) + 1)
}

// The budget bounds the retries: in any 10 s at most 10, or 10 % of the reads where that
// is more.
const (
	budgetFloor   = 10
	budgetPercent = 10
	// One second more than 10: the oldest is seldom whole, and with 10 alone
	// up to 20 retries would fit into 10 s.
	budgetSeconds = 11
)

// budget counts reads and retries by the second. All calls share one.
type budget struct {
	start time.Time

	mu             sync.Mutex
	now            int64              // the last second that was counted in, since start
	reads, retries [budgetSeconds]int // by the second modulo budgetSeconds
}

// read counts a read, however many attempts it will make.
func (b *budget) read() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reads[b.turn()]++
}

// take takes a retry from the budget, if there is one left.
func (b *budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, reads, retries := b.turn(), 0, 0
	for i := range budgetSeconds {
		reads += b.reads[i]
		retries += b.retries[i]
	}
	if retries >= max(budgetFloor, reads*budgetPercent/100) {
		return false
	}
	b.retries[at]++
	return true
}

// turn empties what is older than the present second's turn, and gives that one's index.
func (b *budget) turn() int64 {
	now := int64(time.Since(b.start) / time.Second)
	for b.now = max(b.now, now-budgetSeconds); b.now < now; {
		b.now++
		b.reads[b.now%budgetSeconds], b.retries[b.now%budgetSeconds] = 0, 0
	}
	return now % budgetSeconds
}
