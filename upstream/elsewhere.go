package upstream

import (
	"context"
	"log/slog"
	"time"
)

// wordFor is how long a probe on another replica's word may show that the sales agent is well before
// the breaker opens: so it is open everywhere within a second.
const wordFor = 500 * time.Millisecond

// OutageElsewhere takes in that the client of another replica has found the whole sales agent out of
// order, or well again. Its word is looked into by a probe at once: this client's breaker opens if that
// gets no proper answer within half a second, and closes if it gets one. It waits for nothing.
// See docs/decisions/0054-hints-between-replicas.md.
func (c *Client) OutageElsewhere(began bool) {
	switch open := c.upstream.open.Load(); {
	case !began && open:
		heard := &c.symptoms.heard
		heard.Store(true)
		if !c.startProbe(c.upstream, nil, func(bool) { heard.Store(false) }) {
			heard.Store(false)
		}
	case began && !open && c.symptoms.looks.CompareAndSwap(false, true):
		c.background.Go(context.Background(), "a look on another replica's word", func(ctx context.Context) {
			lookForOutage(ctx, c)
		})
	}
}

// lookForOutage opens the breaker of the whole sales agent unless a probe shows that it need not.
func lookForOutage(ctx context.Context, c *Client) {
	defer c.symptoms.looks.Store(false)
	began, changes, answer := c.tenants.now(), c.upstream.changes.Load(), make(chan bool, 1)
	c.startProbe(c.upstream, nil, func(well bool) { answer <- well }) // none begins where two are under way
	timer := time.NewTimer(wordFor)
	defer timer.Stop()
	select {
	case well := <-answer:
		if well {
			return
		}
	case <-timer.C:
	case <-ctx.Done():
		return
	}
	if _, since := c.symptoms.times(); since >= began { // another probe has shown it
		return
	}
	c.symptoms.word.Store(true)
	openUpstream(c, changes, slog.String("after", "another replica's word"))
}

// openUpstream opens the breaker of the whole sales agent, unless it has changed since, and reports
// whether it has.
func openUpstream(c *Client, changes int64, after slog.Attr) bool {
	if !c.upstream.record(changes, true) {
		return false
	}
	c.log.Warn("breaker opened", slog.String("breaker", "upstream"), after)
	c.slots.recall(func(*claim) bool { return true })
	c.watch(c.upstream)
	return true
}
