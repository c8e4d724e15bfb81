package gateway

import (
	"context"
	"errors"
	"time"

	"esagate/internal/auth"
)

const (
	// judgeEvery is how often a credential is judged that may end without the keys being changed, so
	// that what goes on by it ends within ten seconds.
	judgeEvery   = 8 * time.Second
	judgeTimeout = 2 * time.Second
)

var errRefused = errors.New("the key is not good any more")

// watch judges the credential that a request came with for as long as its answer goes on.
type watch struct {
	gateway    *Gateway
	request    *request
	credential string          // where there is no session
	changed    <-chan struct{} // closed when the credential must be judged again; nil before it was judged
	byClock    bool            // it may end without that: it is a token, or couldn't be judged
}

func newWatch(g *Gateway, r *request) *watch {
	w := &watch{gateway: g, request: r}
	if r.session == nil {
		w.credential, _ = credential(r.Header)
	}
	return w
}

// judge gives errRefused if the credential is not good any more or has become another's. What can't be judged now
// was good.
func (w *watch) judge() error {
	w.changed = w.gateway.deps.Auth.Changed() // before: what changes meanwhile is judged again
	ctx, cancel := context.WithTimeout(w.request.Context(), judgeTimeout)
	defer cancel()
	caller, err := w.authenticate(ctx)
	if errors.Is(err, auth.ErrUnknown) || err == nil && *caller != *w.request.key {
		return errRefused
	}
	w.byClock = err != nil || caller.Token
	return nil
}

func (w *watch) authenticate(ctx context.Context) (*auth.Caller, error) {
	if w.request.session != nil {
		return w.gateway.deps.Auth.AuthenticateSession(ctx, w.request.session)
	}
	return w.gateway.deps.Auth.Authenticate(ctx, w.credential)
}

// every gives how long the credential may go unjudged, at most most.
func (w *watch) every(most time.Duration) time.Duration {
	if w.byClock {
		return min(judgeEvery, most)
	}
	return most
}
