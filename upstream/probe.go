package upstream

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// probesAtOnce bounds how many probes run at the same time: when every tenant's
// breaker is open, their probes come due together.
const probesAtOnce = 16

// prober tries breakers that are not closed, in the background, so that no
// reader has to. A breaker has at most one probe waiting or running.
type prober struct {
	openFor   time.Duration
	timeout   time.Duration                         // of one probe: a hung one must end
	ask       func(ctx context.Context, b *breaker) // one attempt; the breaker counts it
	recovered func(tenantID string)
	log       *slog.Logger

	ctx   context.Context // ends with close
	end   context.CancelFunc
	slots chan struct{}

	mu     sync.Mutex
	timers map[*breaker]*time.Timer // probes that wait
	closed bool
	wg     sync.WaitGroup // probes that wait or run
}

func newProber(cfg Config, log *slog.Logger, recovered func(string)) *prober {
	p := &prober{
		openFor:   cfg.Breaker.OpenFor,
		timeout:   cfg.FetchTimeout,
		recovered: recovered,
		log:       log,
		slots:     make(chan struct{}, probesAtOnce),
		timers:    map[*breaker]*time.Timer{},
	}
	p.ctx, p.end = context.WithCancel(context.Background())
	return p
}

// schedule sets the next probe of a breaker that is not closed, unless one is
// set already.
func (p *prober) schedule(b *breaker) {
	// Strictly after openFor: at that very moment gobreaker is still open.
	delay := p.openFor + time.Millisecond + rand.N(p.openFor/10+1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || b.dropped.Load() || p.timers[b] != nil {
		return
	}
	b.probeAt.Store(time.Now().Add(delay).UnixNano())
	p.wg.Add(1)
	p.timers[b] = time.AfterFunc(delay, func() {
		defer p.wg.Done()
		p.run(b)
	})
}

// run makes one probe.
func (p *prober) run(b *breaker) {
	p.mu.Lock()
	delete(p.timers, b)
	p.mu.Unlock()
	// A probe that failed has set the next one by opening its breaker. One that
	// decided nothing (a 429, or the whole upstream's breaker in its way) has not.
	defer func() {
		if !b.closed() {
			p.schedule(b)
		}
	}()
	// Nobody above would catch a panic here, and the process is not ours to end.
	defer func() {
		if v := recover(); v != nil {
			p.log.Error("a probe of the sales agent panicked")
		}
	}()
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-p.ctx.Done():
		return
	}
	if b.dropped.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, p.timeout)
	defer cancel()
	p.ask(ctx, b)
}

// forget drops a breaker together with its waiting probe.
func (p *prober) forget(b *breaker) {
	b.dropped.Store(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop(b)
}

// stop takes back a waiting probe. p.mu is held.
func (p *prober) stop(b *breaker) {
	if t := p.timers[b]; t != nil {
		if t.Stop() {
			p.wg.Done()
		}
		delete(p.timers, b)
	}
}

// close ends all probes and returns when they have ended.
func (p *prober) close() {
	p.mu.Lock()
	p.closed = true
	for b := range p.timers {
		p.stop(b)
	}
	p.mu.Unlock()
	p.end()
	p.wg.Wait()
}
