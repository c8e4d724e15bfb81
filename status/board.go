package status

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"esagate/api"
	"esagate/internal/background"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/transform"
)

const (
	// placeSize is what a source takes that is remembered, in bytes, beside its record: a few streams, and no long texts.
	placeSize = 3 << 9
	// learnTimeout is how long a judgement waits for what the registry has kept of a source.
	learnTimeout = 3 * time.Second
)

// board remembers how sources stand. Each is judged when a fetch of its status has ended and when it
// was written. The judgements of one source come one after the other, each by the newest that is
// known: what readers and the registry are told is never older than what they were told before.
type board struct {
	s       *Service
	lapse   time.Duration              // after which what was learned of a tenant does not count
	places  *lru.Cache[int64, *place]  // by connection
	tenants *lru.Cache[string, *place] // those that were asked about
	work    *background.Group

	evictions atomic.Uint64 // of places

	mu    sync.Mutex
	waits map[int64][]*place // by customer: those to be judged once it is known what the registry has kept
}

// place is what the board has of one source.
type place struct {
	now atomic.Pointer[known] // nil: it was not judged. It changes with mu held

	mu      sync.Mutex
	src     *registry.Source
	learned bool    // what the registry has kept is known
	waits   bool    // for that
	written bool    // meanwhile
	absent  bool    // the last fetch found no such tenant, and it was not judged since
	keep    keeping // likewise: what of it the registry is to keep
	deleted bool
}

// newBoard makes a board that takes so many bytes, by estimate; 0: any number.
func newBoard(s *Service, lapse time.Duration, most int) *board {
	b := &board{s: s, lapse: lapse, work: background.NewGroup(s.log), waits: map[int64][]*place{}}
	places := placesIn(most)
	b.places, _ = lru.New[int64, *place](places) // fails for a size below 1 alone
	b.tenants, _ = lru.New[string, *place](places)
	return b
}

// placesIn gives how many sources are remembered in so many bytes.
func placesIn(bytes int) int {
	if bytes == 0 {
		return anyNumber
	}
	return max(bytes/placeSize, 1)
}

// place gives the place of a source, a new one if it has none.
func (b *board) place(src *registry.Source) *place {
	id := src.Connection.ID
	if p, ok := b.places.Get(id); ok {
		return p
	}
	p := &place{src: src}
	there, ok, evicted := b.places.PeekOrAdd(id, p)
	if evicted {
		b.evictions.Add(1)
	}
	if ok {
		return there
	}
	return p
}

// usage gives what the sources take that are remembered.
func (b *board) usage() snapshot.Usage {
	places := b.places.Len()
	return snapshot.Usage{Entries: places, Bytes: places * placeSize, Evictions: b.evictions.Load()}
}

// holding runs do with a place's lock. A panic of it is logged.
func (b *board) holding(p *place, do func()) {
	_ = background.Guard(context.Background(), b.s.log, "judge", func(context.Context) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		do()
		return nil
	})
}

// standing gives how a source stands, where kept is what the registry has of it; false if the sales
// agent has to be asked.
func (b *board) standing(src *registry.Source, kept *registry.Standing) (*known, bool) {
	p, now := b.place(src), time.Now()
	k := p.now.Load()
	if k == nil || k.version < src.Connection.Version || isNews(kept, k) || k.isLost(b.lapse, now) || b.isHeard(k) {
		b.holding(p, func() {
			if p.src.Connection.Version < src.Connection.Version {
				p.src = src
			}
			b.learn(p, kept)
			if k := p.now.Load(); k == nil && b.canJudge(p.src) ||
				k != nil && (k.version < p.src.Connection.Version || k.isLost(b.lapse, now) || b.isHeard(k)) {
				b.decide(p)
			}
		})
		k = p.now.Load()
	}
	if k == nil {
		k = unseen(src, nil, b.lapse, now)
		k.since = time.Time{}
	}
	k = k.lapsed(b.lapse, now)
	return k, k.state != transform.StateUnknown
}

// canJudge reports whether there is something to judge a source by.
func (b *board) canJudge(src *registry.Source) bool {
	_, ok := b.s.documents.Peek(src.Connection.TenantID)
	state, _ := transform.Judge(src, nil, false)
	return ok || state != transform.StateUnknown
}

// isHeard reports whether there is a document by now of a source that nothing was known of: its fetch
// has just ended, and who read it then may ask before it is judged.
func (b *board) isHeard(k *known) bool {
	if k.state != transform.StateUnknown {
		return false
	}
	read, ok := b.s.documents.Peek(k.src.Connection.TenantID)
	return ok && read.Age <= b.lapse
}

// asks notes for which source a tenant is asked about.
func (b *board) asks(src *registry.Source) {
	p := b.place(src)
	if was, ok := b.tenants.Get(src.Connection.TenantID); !ok || was != p {
		b.tenants.Add(src.Connection.TenantID, p)
	}
}

// fetched judges the source whose tenant was asked about, here or, if told, by another replica.
func (b *board) fetched(tenantID string, o snapshot.Outcome, told bool) {
	p, ok := b.tenants.Get(tenantID)
	if !ok || o == snapshot.Refused {
		return
	}
	b.holding(p, func() {
		switch p.keep = keepInTurn; {
		case told:
			p.keep = keepNothing
		case o == snapshot.Failed:
			p.keep = keepChanges
		}
		switch o {
		case snapshot.Stored:
			p.absent = false
			if read, ok := b.s.documents.Peek(tenantID); ok && !told {
				p.keep = read.Doc.keep
			}
		case snapshot.NotFound:
			p.absent = true
		}
		b.judge(p)
	})
}

// Judge judges a source after it was made, changed or deleted. It waits for nothing, and does not
// call the Directory's store.
func (s *Service) Judge(src *registry.Source, deleted bool) {
	s.judgeWritten(src, deleted, keepInTurn)
}

// judgeWritten judges a source that was written.
func (s *Service) judgeWritten(src *registry.Source, deleted bool, keep keeping) {
	if src.Connection == nil {
		return
	}
	b := s.board
	p := b.place(src)
	b.holding(p, func() {
		if p.src.Connection.Version < src.Connection.Version {
			p.src = src
		}
		if p.written = !p.learned; deleted {
			b.remove(p)
		} else {
			if !p.waits {
				p.keep = keep
			}
			b.judge(p)
		}
	})
	s.keeper.written(src, deleted)
}

// JudgeElsewhere is Judge for a source that another replica wrote, if anybody follows it or it was judged here.
func (s *Service) JudgeElsewhere(src *registry.Source, deleted bool) {
	if c := src.Connection; c != nil && (s.board.places.Contains(c.ID) || !deleted && s.board.wanted(src)) {
		s.judgeWritten(src, deleted, keepNothing)
	}
}

// againTenant judges the source anew whose tenant was asked about.
func (b *board) againTenant(tenantID string) {
	if p, ok := b.tenants.Peek(tenantID); ok && p.now.Load() != nil {
		b.work.Go(context.Background(), "judge", func(context.Context) { b.holding(p, func() { b.judge(p) }) })
	}
}

// again judges those anew that match, in the background.
func (b *board) again(match func(*known) bool) {
	b.work.Go(context.Background(), "judge", func(ctx context.Context) {
		for _, p := range b.places.Values() {
			if k := p.now.Load(); ctx.Err() == nil && k != nil && match(k) {
				b.holding(p, func() { b.judge(p) })
			}
		}
	})
}

// judge judges a source, or sees to it that it is judged once it is known what was kept of it. The
// lock is held.
func (b *board) judge(p *place) {
	if p.learned || p.deleted {
		b.decide(p)
		return
	}
	if p.waits {
		return
	}
	customer := p.src.CustomerID
	b.mu.Lock()
	defer b.mu.Unlock()
	waiting, running := b.waits[customer]
	if running || b.work.Go(context.Background(), "learn", func(ctx context.Context) { b.learnAll(ctx, customer) }) {
		p.waits = true
		b.waits[customer] = append(waiting, p)
	}
}

// learnAll learns what the registry has kept of a customer's sources, and judges those that wait for
// that. If it can't be had, they are judged all the same, and it is tried again the next time.
func (b *board) learnAll(ctx context.Context, customer int64) {
	ctx, cancel := context.WithTimeout(ctx, learnTimeout)
	defer cancel()
	rows, err := b.s.deps.Directory.Overview(ctx, customer)
	for i := range rows {
		p := b.place(rows[i].Source)
		b.holding(p, func() { b.learn(p, &rows[i].Standing) })
	}
	b.mu.Lock()
	waiting := b.waits[customer]
	delete(b.waits, customer)
	b.mu.Unlock()
	for _, p := range waiting {
		b.holding(p, func() {
			p.waits, p.learned = false, p.learned || err == nil
			b.decide(p)
		})
	}
}

// isNews reports whether the registry has kept something newer, as another replica wrote it.
func isNews(kept *registry.Standing, k *known) bool {
	return isNewer(kept, k) || kept.ChangedAt.After(k.changedAt())
}

// isNewer reports whether the registry has kept a later judgement, by the registry's own rule: one without
// a document, such as that there is no tenant, is not older than one with any.
func isNewer(kept *registry.Standing, k *known) bool {
	switch {
	case kept.Version != k.version:
		return kept.Version > k.version
	case kept.DocumentAt.IsZero() || k.documentAt.IsZero():
		return kept.ReceivedAt.After(k.receivedAt)
	}
	return kept.DocumentAt.After(k.documentAt)
}

// learn takes in what the registry has kept of a source. The lock is held.
func (b *board) learn(p *place, kept *registry.Standing) {
	first := !p.learned
	p.learned = true
	was, k := p.now.Load(), remembered(p.src, kept)
	switch {
	case p.deleted:
	case was == nil:
		if k != nil {
			p.now.Store(k)
		}
	case k != nil && (isNewer(kept, was) || first && was.isNothing()):
		k.refused = was.refused
		b.set(p, k, nil)
	default:
		next := *was
		changed := kept.ChangedAt.After(was.changedAt())
		if changed {
			next.changedBy = changedBy(kept)
		}
		if first && k != nil && k.state == was.state && k.since.Before(was.since) { // it was judged before this was known
			next.since, changed = k.since, true
		}
		if changed {
			b.set(p, &next, nil)
		}
	}
}

// decide judges a source by the newest that is known. The lock is held.
func (b *board) decide(p *place) {
	if p.deleted {
		return
	}
	src, there := b.s.deps.Directory.Newest(p.src)
	if !there {
		b.remove(p)
		return
	}
	p.src = src
	was := p.now.Load()
	next, syncs := b.stands(p, src, was, time.Now())
	keep := p.keep
	if p.keep = keepInTurn; keep == keepChanges && (was == nil || next.state != was.state || next.issue() != was.issue() || next.version != was.version) {
		keep = keepNow
	}
	b.set(p, next, syncs)
	if p.learned || !next.isNothing() { // the registry may know more
		b.s.tier.stand(next, keep)
	}
}

// stands gives how a source stands by the newest that is known, and its streams as a document has them. The lock is held.
func (b *board) stands(p *place, src *registry.Source, was *known, now time.Time) (next *known, syncs api.Syncs) {
	tenantID, absentNow := src.Connection.TenantID, p.absent
	p.absent = false
	if tenantID == "" {
		return unseen(src, was, b.lapse, now), nil
	}
	read, ok := b.s.documents.Peek(tenantID)
	switch {
	case ok && read.Age <= b.lapse && !was.isAhead(read.Doc, b.lapse, now):
		seen := b.s.view(read.Doc, src, viewState{}).Status
		next = &known{src: src, version: src.Connection.Version, documentAt: read.Doc.at, receivedAt: now.Add(-read.Age)}
		next.state, next.facts = transform.Judge(src, seen, false)
		next, syncs = next.after(was, now), seen.Syncs
	case absentNow:
		next = absent(src, was, now)
	default:
		next = unseen(src, was, b.lapse, now)
	}
	next.stale = ok && read.Failed
	next.refused = b.s.deps.Upstream.BreakerOpen(tenantID)
	return next, syncs
}

// set makes next what is known of a source, and tells of it; syncs are its streams, if it was judged by a document. The
// lock is held.
func (b *board) set(p *place, next *known, syncs api.Syncs) {
	was := p.now.Load()
	p.now.Store(next) // before: who begins to follow and is not told reads it
	b.tell(was, next, syncs, p.written)
	p.written = false
}

// remove forgets a source that was deleted. The lock is held.
func (b *board) remove(p *place) {
	if p.deleted {
		return
	}
	p.deleted = true
	b.places.Remove(p.src.Connection.ID)
	b.s.tier.forget(p.src.Connection.ID)
	b.tellDeleted(p.src)
}
