package upstream

import (
	"context"
	"log/slog"
	"sync"
)

// group is the goroutines of the client.
type group struct {
	log *slog.Logger
	ctx context.Context
	end context.CancelFunc
	mu  sync.Mutex
	wg  sync.WaitGroup
}

func newGroup(log *slog.Logger) *group {
	g := &group{log: log}
	g.ctx, g.end = context.WithCancel(context.Background())
	return g
}

// Go runs f until the group is closed.
func (g *group) Go(f func(ctx context.Context)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ctx.Err() != nil {
		return
	}
	g.wg.Go(func() {
		defer func() {
			if v := recover(); v != nil {
				g.log.Error("a probe of the sales agent panicked")
			}
		}()
		f(g.ctx)
	})
}

// Close ends all and returns when they have ended.
func (g *group) Close() {
	g.mu.Lock()
	g.end()
	g.mu.Unlock()
	g.wg.Wait()
}
