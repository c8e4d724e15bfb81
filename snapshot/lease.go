package snapshot

import (
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"time"
)

const (
	renewPause   = 300 * time.Millisecond // between two renewals of a lease
	shortestPoll = 20 * time.Millisecond  // of the pause between two looks of who waits for another replica's fetch
	longestPoll  = 200 * time.Millisecond
)

// claim waits until this replica is to fetch: it has the key's lease, or there is nobody to share with. It gives false
// when another replica's answer was taken in instead.
func (s *sharer[D]) claim(ctx context.Context, e *entry[D], f *flight) (lease string, mine bool) {
	if s == nil || !s.Store.Available() {
		return "", true
	}
	ctx, cancel := context.WithTimeout(ctx, s.cache.limits.FetchTimeout+s.cache.limits.QueueTimeout)
	defer cancel()
	defer context.AfterFunc(s.cache.life, cancel)()
	lease = rand.Text()
	useless := 0 // looks that found neither a fetch nor an answer that is one here
	for pause := shortestPoll; ; pause = min(2*pause, longestPoll) {
		e.mu.Lock()
		heard := e.looks.heard
		if heard == nil {
			heard = make(chan struct{})
			e.looks.heard = heard
		}
		e.mu.Unlock()
		known, err := s.ask(ctx, e, lease)
		switch {
		case err != nil:
			return "", true
		case known.Held:
			e.mu.Lock()
			e.mark(f)
			e.mu.Unlock()
			return lease, true
		case s.isAnswered(e, f):
			return "", false
		case !known.Waits:
			if useless++; useless > 1 { // the first may have ended meanwhile
				return "", true
			}
		case pause == shortestPoll:
			s.Waited()
		}
		timer := time.NewTimer(pause/2 + mathrand.N(pause/2))
		select {
		case <-timer.C:
		case <-heard:
		case <-f.unwanted:
			timer.Stop()
			return "", true // the fetch refuses to begin
		case <-ctx.Done():
			timer.Stop()
			return "", true
		}
		timer.Stop()
	}
}

// isAnswered reports whether another replica's answer is what a fetch would have brought, and notes it as that.
func (s *sharer[D]) isAnswered(e *entry[D], f *flight) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch now := time.Now(); {
	case e.gone != nil && now.Before(e.goneTill):
		f.outcome, f.err = NotFound, e.gone
	case e.failure != nil && e.failure.shared && now.Before(e.failure.retryAt):
		f.outcome, f.err = Failed, e.failure.err
	case e.copy != nil && now.Before(e.copy.settledUntil):
		f.outcome = Discarded
	case e.copy != nil && s.cache.read(e, now).State == Hit:
		f.outcome = Taken
	default:
		return false
	}
	return true
}

// hold renews a lease until letGo is called, but not while the fetch waits for its turn here: another replica may have room.
func (s *sharer[D]) hold(ctx context.Context, e *entry[D], f *flight, lease string) (letGo func()) {
	if lease == "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			timer := time.NewTimer(renewPause)
			select {
			case <-timer.C:
				if !e.isQueued(f) {
					_ = s.Store.Renew(ctx, e.key, lease) // the next renewal may do
				}
			case <-ctx.Done():
				timer.Stop()
				return
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// publish lets the other replicas know what a fetch brought, before anybody here does: else a reader of this replica
// could go on to another that knows less.
func (s *sharer[D]) publish(ctx context.Context, e *entry[D], f *flight, l *landing[D]) {
	if s == nil || l.err != nil && (l.lease == "" || s.cache.opts.Gone == nil || !s.cache.opts.Gone(l.err)) {
		return
	}
	l.told = time.Now()
	asked := l.told.Sub(l.began)
	known, err := guarded(context.WithoutCancel(ctx), func(ctx context.Context) (Known, error) {
		if l.err != nil {
			return s.Store.End(ctx, e.key, l.lease, Finding{Format: s.Format, Epoch: f.epoch, Asked: asked,
				Gone: s.EncodeError(l.err), GoneFor: s.cache.limits.Fresh})
		}
		return s.Store.Publish(ctx, e.key, Publication{Lease: l.lease, At: s.At(l.doc), Format: s.Format, Epoch: f.epoch,
			Body: s.Encode(l.doc), Asked: asked, Fresh: l.fresh, Lifetime: s.cache.limits.StaleIfError})
	})
	if err != nil {
		return
	}
	l.known = &known
	if known.Tell {
		s.Tell(e.key, known.Stamp.At)
	}
}

// outdone takes in what was known when a document was not published, and reports whether that is to be served in its
// place although it is not newer: others serve it as fresh. The entry's lock is held.
func (s *sharer[D]) outdone(e *entry[D], l landing[D]) bool {
	s.takeIn(e, l.known, l.told)
	return e.copy != nil && e.copy.stamp == l.known.Stamp && !l.doc.Older(e.copy.doc)
}

// giveUp ends the lease of a fetch that brought nothing, and has the other replicas back off too if it failed.
func (s *sharer[D]) giveUp(ctx context.Context, e *entry[D], f *flight, l landing[D]) {
	if s == nil || l.lease == "" || f.outcome != Failed && f.outcome != Refused {
		return
	}
	finding := Finding{Format: s.Format}
	e.mu.Lock()
	failed := e.failure
	if f.outcome == Failed && failed != nil && s.cache.life.Err() == nil {
		left, encoded := time.Until(failed.retryAt), s.EncodeError(failed.err)
		if left > 0 && encoded != nil {
			finding.Failure = &SharedFailure{Error: encoded, Left: left, Again: failed.again, Slow: failed.slow}
		}
	}
	e.mu.Unlock()
	known, err := guarded(context.WithoutCancel(ctx), func(ctx context.Context) (Known, error) {
		return s.Store.End(ctx, e.key, l.lease, finding)
	})
	if err != nil {
		return
	}
	if known.Tell {
		s.Tell(e.key, 0)
	}
	if known.Failure != nil && finding.Failure != nil {
		e.mu.Lock()
		failed.shared = true
		e.mu.Unlock()
	}
}
