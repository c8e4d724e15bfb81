package upstreamtest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/coder/websocket"
)

// heard bounds what a websocket is told at once, in bytes.
const heard = 32 << 10

// productCount gives how many products a tenant has, and what is closed when that may have changed. -1: it is gone.
func (a *Agent) productCount(tenantID string) (n int, changed <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tenants[tenantID]
	if t == nil {
		return -1, a.changed
	}
	q := &inquiry{owner: t, now: a.opts.Now(), agent: a}
	q.open()
	return len(q.products.records), a.changed
}

// tellChange tells those who follow a catalog that one has changed; a.mu is held.
func (a *Agent) tellChange() {
	close(a.changed)
	a.changed = make(chan struct{})
}

// follow writes a tenant's count of products at once and at each change, until ctx ends or it can't be written.
func (a *Agent) follow(ctx context.Context, tenantID string, write func(text string) error) {
	last := -1
	for {
		n, changed := a.productCount(tenantID)
		if n != last && write(fmt.Sprintf(`{"products": %d}`, n)) != nil {
			return
		}
		last = n
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// liveEvents answers with an event stream of a tenant's count of products.
func (a *Agent) liveEvents(r *http.Request, t *tenantState, l conn) answer {
	return answer{status: http.StatusOK, stream: func(w http.ResponseWriter) {
		ctx, done := l.context(r.Context())
		defer done()
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-cache")
		a.follow(ctx, t.ID, func(text string) error {
			_, err := fmt.Fprintf(w, "event: products\ndata: %s\n\n", text)
			flush(w)
			return err
		})
	}}
}

// live answers with a websocket of the same, which says again what it is told. It takes pages of the address by which
// it is known, its own or the one that the server before it names.
func (a *Agent) live(r *http.Request, t *tenantState, l conn) answer {
	if origin, err := url.Parse(r.Header.Get("Origin")); err != nil ||
		origin.Host != "" && origin.Host != r.Host && origin.Host != r.Header.Get("X-Forwarded-Host") {
		return htmlPage(http.StatusForbidden)
	}
	return answer{status: http.StatusSwitchingProtocols, stream: func(w http.ResponseWriter) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // looked at above
		if err != nil {
			return // it has answered
		}
		defer func() { _ = c.CloseNow() }()
		c.SetReadLimit(heard)
		ctx, done := l.context(r.Context())
		defer done()
		ctx, cancel := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			defer cancel()
			for {
				kind, text, err := c.Read(ctx)
				if err != nil || c.Write(ctx, kind, text) != nil {
					return
				}
			}
		}()
		a.follow(ctx, t.ID, func(text string) error { return c.Write(ctx, websocket.MessageText, []byte(text)) })
		cancel()
		<-ended
	}}
}
