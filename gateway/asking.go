package gateway

import (
	"context"
	"sync"
)

// asking keeps the status calls of a tenant to one at a time: those for readers, of
// which the cache makes one, and those for nothing but news, which give way.
type asking struct {
	mu      sync.Mutex
	tenants map[string]chan struct{} // closed when the call has ended
}

// begin begins a call, after the one that is under way if there is one; its error is
// the context's.
func (a *asking) begin(ctx context.Context, tenantID string) (end func(), err error) {
	for {
		end, other := a.try(tenantID)
		if end != nil {
			return end, nil
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// try begins a call, or gives the end of the one that is under way.
func (a *asking) try(tenantID string) (end func(), other <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if done, busy := a.tenants[tenantID]; busy {
		return nil, done
	}
	if a.tenants == nil {
		a.tenants = map[string]chan struct{}{}
	}
	done := make(chan struct{})
	a.tenants[tenantID] = done
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.tenants, tenantID)
		close(done)
	}, nil
}
