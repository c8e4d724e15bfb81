package snapshot

import (
	"context"
	"time"
)

// look is a look of a key at what other replicas know.
type look struct {
	done chan struct{}
}

// looks is what an entry knows of its looks, guarded by the entry's lock.
type looks struct {
	running *look         // at most one
	at      time.Time     // when the last one that has ended began: readers who came before need no other
	hints   uint64        // how often a hint said that there is a newer document
	heeded  uint64        // hints when the last look began
	heard   chan struct{} // of a fetch that waits for another replica's: closed by a hint
	expired time.Time     // when the key was expired by what other replicas may not know of
	retried time.Time     // when a back-off was ended from outside
}

// Share has the cache share its documents. It is called before the cache is used. GetNew is then content with what another
// replica has that is fresh.
//
// While the Shared answers, a copy whose freshness is over is served only after a look that began after its reader came,
// so that nobody gets an older document than another replica has served before. That is not so while a failure is
// backed off that all know of: what ends that is told.
func (c *Cache[D]) Share(s Sharing[D]) { c.sharer = &sharer[D]{s, c} }

// sharer shares the documents of a cache. A nil sharer shares none.
type sharer[D Document[D]] struct {
	Sharing[D]
	cache *Cache[D]
}

// Hear takes in a hint that another replica has published a document of a key, of its own time at, or with 0 that there is
// an answer of another kind.
func (c *Cache[D]) Hear(key string, at int64) {
	e, ok := c.memory.find(key)
	if !ok || c.sharer == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.looks.heard != nil {
		close(e.looks.heard)
		e.looks.heard = nil
	}
	if e.copy != nil && c.sharer.At(e.copy.doc) < at {
		e.looks.hints++
		c.sharer.startLook(e)
	}
}

// hinted reports whether a hint says that there is a newer document, and no look has begun since. The lock is held.
func (e *entry[D]) hinted() bool { return e.looks.hints != e.looks.heeded }

// isAlone reports whether a fresh copy was fetched while Redis was away and not compared since with what others have: they
// may have served a newer one. The entry's lock is held.
func (s *sharer[D]) isAlone(e *entry[D], read Read[D]) bool {
	return s != nil && read.State == Hit && e.copy != nil && e.copy.stamp == Stamp{} && !e.looks.at.After(e.copy.receivedAt)
}

// looking gives the look that a reader has to wait for; nil: none. The entry's lock is held.
func (s *sharer[D]) looking(e *entry[D], r *reader, now time.Time) *look {
	switch {
	case s == nil, !s.Store.Available():
		e.looks.heeded = e.looks.hints
		return nil
	case !r.came.After(e.looks.at):
		return nil
	case e.hinted():
	case e.failure != nil && e.failure.shared && now.Before(e.failure.retryAt):
		return nil
	}
	return s.startLook(e)
}

// startLook gives the running look of an entry, and starts one if there is none; nil once the cache is closed. The
// entry's lock is held.
func (s *sharer[D]) startLook(e *entry[D]) *look {
	if e.looks.running != nil || !s.cache.begin() {
		return e.looks.running
	}
	l := &look{done: make(chan struct{})}
	e.looks.running = l
	go func() {
		defer s.cache.work.Done()
		for l := l; l != nil; {
			_, _ = s.ask(s.cache.life, e, "")
			close(l.done)
			l = nil
			e.mu.Lock()
			if e.hinted() && s.cache.life.Err() == nil {
				l = &look{done: make(chan struct{})}
			}
			e.looks.running = l
			e.mu.Unlock()
		}
	}()
	return l
}

// ask asks what other replicas know of a key, takes the key's lease for a token where that is due, and takes in what is
// known.
func (s *sharer[D]) ask(ctx context.Context, e *entry[D], lease string) (Known, error) {
	began := time.Now()
	e.mu.Lock()
	hints := e.looks.hints
	q := Question{Lease: lease, Format: s.Format, Epoch: e.epoch.Load(),
		Expired: since(e.looks.expired, began), Retried: since(e.looks.retried, began)}
	if e.copy != nil {
		q.Have = e.copy.stamp
	}
	e.mu.Unlock()
	known, err := guarded(ctx, func(ctx context.Context) (Known, error) { return s.Store.Look(ctx, e.key, q) })

	e.mu.Lock()
	e.looks.at, e.looks.heeded = began, hints
	took := Refused
	if err == nil {
		took = s.takeIn(e, &known, began)
	}
	older := s.outOfDate(e, &known, err, began)
	e.mu.Unlock()
	if older != nil {
		s.bringUp(ctx, e, *older)
	}
	switch {
	case err != nil:
		s.Looked(LookFailed)
	case took == Stored:
		s.Looked(LookNewer)
		s.cache.memory.keepPut(e)
	default:
		s.Looked(LookSame)
	}
	if took != Refused && s.cache.opts.Took != nil {
		s.cache.opts.Took(e.key, took)
	}
	return known, err
}

// outOfDate gives what is to be published where less is known than what is here, because Redis has lost it or was away; nil:
// nothing. The entry's lock is held.
func (s *sharer[D]) outOfDate(e *entry[D], k *Known, err error, now time.Time) *Publication {
	if err != nil || e.copy == nil || k.Failure != nil || k.There && (k.Format != s.Format || k.Stamp.At >= s.At(e.copy.doc)) {
		return nil
	}
	read := s.cache.read(e, now)
	if read.Age > s.cache.limits.StaleIfError {
		return nil
	}
	p := &Publication{At: s.At(read.Doc), Format: s.Format, Epoch: e.epoch.Load(), Body: s.Encode(read.Doc),
		Age: read.Age, Asked: read.Age, Fresh: read.Fresh, Lifetime: s.cache.limits.StaleIfError}
	if e.copy.expired {
		p.Epoch = -1
	}
	return p
}

// bringUp publishes the copy of a key, before it is served.
func (s *sharer[D]) bringUp(ctx context.Context, e *entry[D], p Publication) {
	known, err := guarded(ctx, func(ctx context.Context) (Known, error) { return s.Store.Publish(ctx, e.key, p) })
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil && known.Stored && e.copy != nil && s.At(e.copy.doc) == p.At {
		e.copy.stamp = known.Stamp
	}
}

// since is how long ago a moment was; negative if there was none.
func since(then, now time.Time) time.Duration {
	if then.IsZero() {
		return -time.Second
	}
	return max(now.Sub(then), 0)
}

// takeIn takes in what was known at a time, or later, and returns what of it is new here: Stored, NotFound or Failed;
// Refused: nothing. The entry's lock is held.
func (s *sharer[D]) takeIn(e *entry[D], k *Known, at time.Time) (took Outcome) {
	took = Refused
	readable := k.Format == s.Format
	current := readable && k.Epoch >= e.epoch.Load() && !at.Add(-k.Asked).Before(e.looks.expired)
	switch {
	case k.Gone != nil && k.GoneFor > 0 && current:
		if s.takeGone(e, k, at) {
			took = NotFound
		}
	case !k.There || k.Age > s.cache.limits.StaleIfError:
	case !readable:
		if e.copy != nil && s.At(e.copy.doc) < k.Stamp.At && s.cache.read(e, at).State != Hit {
			e.copy.expired = true // another version has served a newer one; a fresh copy stays, or each call here would cost one there
		}
	case e.copy != nil && k.Stamp == e.copy.stamp:
		if current {
			e.copy.expired = false
		}
		s.takeSettled(e, k, at, current)
	case s.takeDocument(e, k, at, current):
		took = Stored
	}
	f := k.Failure
	if f == nil {
		return took
	}
	if left := min(f.Left, s.cache.longestBackoff()-f.Ago); left > 0 && !at.Add(-f.Ago).Before(e.looks.retried) {
		if err, ok := s.DecodeError(f.Error); ok {
			if took == Refused && (e.failure == nil || !e.failure.shared) {
				took = Failed
			}
			e.failure = &failure{err: err, again: f.Again, slow: f.Slow, retryAt: at.Add(left), shared: true}
		}
	}
	return took
}

func (s *sharer[D]) takeGone(e *entry[D], k *Known, at time.Time) (isNew bool) {
	err, ok := s.DecodeError(k.Gone)
	if !ok || s.cache.opts.Gone == nil || !s.cache.opts.Gone(err) {
		return false
	}
	isNew = e.gone == nil || !at.Before(e.goneTill)
	e.copy, e.failure, e.refusal = nil, nil, nil
	e.endings++
	e.gone, e.goneTill = err, at.Add(min(k.GoneFor, s.cache.limits.Fresh))
	return isNew
}

func (s *sharer[D]) takeDocument(e *entry[D], k *Known, at time.Time, current bool) bool {
	doc, ok := s.Decode(k.Body)
	if !ok || s.At(doc) != k.Stamp.At || e.copy != nil && doc.Older(e.copy.doc) {
		return false
	}
	e.copy = &copyOf[D]{doc: doc, receivedAt: at.Add(-k.Age), fresh: min(k.Age+k.Fresh, s.longest()), expired: !current, stamp: k.Stamp}
	e.failure, e.refusal, e.gone = nil, nil, nil
	s.takeSettled(e, k, at, current)
	return true
}

// takeSettled takes in that a later answer was older than the copy.
func (s *sharer[D]) takeSettled(e *entry[D], k *Known, at time.Time, current bool) {
	if k.Settled > 0 && current {
		e.copy.settledUntil = at.Add(min(k.Settled, s.longest()))
		e.copy.frozen = isAhead(e.copy.doc, at)
		e.failure = nil
	}
}

// longest is how long a document is fresh at most.
func (s *sharer[D]) longest() time.Duration {
	return time.Duration(float64(s.cache.limits.Fresh) * (1 + s.cache.limits.Jitter))
}
