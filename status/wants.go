package status

import (
	"context"
	"sync"

	"esagate/internal/background"
	"esagate/registry"
	"esagate/upstream"
)

const (
	wantsAtOnce = 4      // reads of what nobody has read, so that they take no reader's turn
	maxWants    = 20_000 // that wait; beyond, the next overview asks again
)

// wants reads, in the background, sources that an overview shows and nobody has read.
type wants struct {
	s    *Service
	work *background.Group

	mu      sync.Mutex
	queue   []*registry.Source
	in      map[int64]struct{} // by connection: those that wait or are read now
	running int
}

func newWants(s *Service) *wants {
	return &wants{s: s, work: background.NewGroup(s.log), in: map[int64]struct{}{}}
}

// want has a source read that nobody has read yet. It waits for nothing.
func (s *Service) want(src *registry.Source) { s.wants.add(src) }

func (w *wants) add(src *registry.Source) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.in[src.Connection.ID]; ok || len(w.queue) >= maxWants || src.Connection.TenantID == "" {
		return
	}
	if w.running < wantsAtOnce {
		if !w.work.Go(context.Background(), "read", w.run) {
			return
		}
		w.running++
	}
	w.in[src.Connection.ID] = struct{}{}
	w.queue = append(w.queue, src)
}

// run reads until nothing waits.
func (w *wants) run(ctx context.Context) {
	for src := w.next(nil); src != nil; src = w.next(src) {
		w.s.refreshInTime(ctx, "read", src)
	}
}

// next gives what is to be read after done; nil: nothing is, and the caller ends.
func (w *wants) next(done *registry.Source) *registry.Source {
	w.mu.Lock()
	defer w.mu.Unlock()
	if done != nil {
		delete(w.in, done.Connection.ID)
	}
	if len(w.queue) == 0 {
		w.queue = nil // its array
		w.running--
		return nil
	}
	src := w.queue[0]
	w.queue = w.queue[1:]
	return src
}

// refreshInTime is Refresh for background work: its error is logged where the call failed.
func (s *Service) refreshInTime(ctx context.Context, name string, src *registry.Source) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Limits.FetchTimeout+upstream.LongestWait)
	defer cancel()
	_ = background.Guard(ctx, s.log, name, func(ctx context.Context) error { return s.Refresh(ctx, src) })
}
