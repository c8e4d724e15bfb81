package terminal

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"esagate/internal/background"
)

// How a stream is followed. The gateway says something every 20 s at least.
const (
	idleTimeout = time.Minute
	firstRetry  = 2 * time.Second // where the gateway does not say when to come back
	leastRetry  = time.Second / 2
	mostRetry   = time.Minute // between two tries, but for a Retry-After
)

// news is what happens to a stream: it opened, an event came, or it ended and is tried again.
type news struct {
	opened bool
	fresh  bool // it opened and does not go on where another ended
	event  *event
	id     string // of the event

	ended error         // why; an ordinary end too
	again time.Duration // until the next try
}

// follow hands on what the events of some sources say, of all without any, until ctx ends. It
// comes back by itself, and gives an error where that does not help.
func (c *Client) follow(ctx context.Context, sources []string, tell func(news)) error {
	f := follower{client: c, query: url.Values{"sourceId": sources}, tell: tell}
	for failures := 0; ; {
		err := f.once(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var p *Problem
		if errors.As(err, &p) && !p.passes {
			return p
		}
		if failures++; f.opened {
			failures = 0
		}
		wait := f.wait(failures)
		if p != nil {
			wait = max(wait, p.after)
		}
		tell(news{ended: err, again: wait})
		if !background.Sleep(ctx, wait) {
			return ctx.Err()
		}
	}
}

// follower follows one stream after the other.
type follower struct {
	client *Client
	query  url.Values
	tell   func(news)

	lastID string
	retry  time.Duration
	opened bool // the last stream did
}

// wait gives how long to wait before the next try: after a stream that opened what the gateway
// asked for, after failures in a row more and more, and never all clients at once.
func (f *follower) wait(failures int) time.Duration {
	base := firstRetry
	if f.retry > 0 {
		base = min(max(f.retry, leastRetry), mostRetry)
	}
	if failures == 0 {
		return base
	}
	most := min(base<<min(failures, 10), mostRetry)
	return most/2 + rand.N(most/2+1)
}

// once follows one stream to its end.
func (f *follower) once(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f.opened = false
	header := http.Header{"Cache-Control": {"no-cache"}}
	if f.lastID != "" {
		header["Last-Event-Id"] = []string{f.lastID}
	}
	resp, err := f.client.open(ctx, question{path: eventsPath, query: f.query, header: header, want: "text/event-stream"})
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	f.opened = true
	f.tell(news{opened: true, fresh: f.lastID == ""})

	var idle atomic.Bool
	timer := time.AfterFunc(idleTimeout, func() { idle.Store(true); cancel() })
	defer timer.Stop()
	reader := newEventReader(&alive{resp.Body, timer})
	reader.id = f.lastID
	for {
		e, err := reader.next()
		f.lastID, f.retry = reader.id, reader.retry
		switch {
		case err == nil:
			f.tell(news{event: &e, id: reader.id})
		case idle.Load():
			return &Problem{passes: true, text: "the stream has gone silent"}
		case errors.Is(err, io.EOF):
			return &Problem{passes: true, text: "the gateway ended the stream"}
		case errors.Is(err, errLongEvent):
			f.lastID = "" // it must not come again
			return &Problem{passes: true, text: errLongEvent.Error()}
		default:
			return unreachable(resp.Request.URL, err)
		}
	}
}

// alive puts a timer off as long as there is something to read.
type alive struct {
	from  io.Reader
	timer *time.Timer
}

// Read implements io.Reader.
func (a *alive) Read(p []byte) (int, error) {
	n, err := a.from.Read(p)
	if n > 0 {
		a.timer.Reset(idleTimeout)
	}
	return n, err
}
