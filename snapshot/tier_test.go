package snapshot_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"esagate/snapshot"
)

// tier is a second tier in short: caches that share one fetch no document which another
// of them has fetched within the freshness. All of it is a wrapper around the fetch, so
// a tier on another engine needs no change of Cache.
type tier struct {
	mu   sync.Mutex
	docs map[string]*doc
}

func (s *tier) wrap(key string, fetch snapshot.Fetch[*doc]) snapshot.Fetch[*doc] {
	return func(ctx context.Context) (*doc, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if d, ok := s.docs[key]; ok && time.Since(d.at) <= limits.Fresh {
			return d, nil
		}
		d, err := fetch(ctx)
		if err == nil {
			s.docs[key] = d
		}
		return d, err
	}
}

func TestASecondTierIsAWrapperOfTheFetch(t *testing.T) {
	run(t, limits, func(f *fixture) {
		shared := &tier{docs: map[string]*doc{}}
		other := snapshot.New[*doc](limits, snapshot.Options{})
		defer other.Close()
		for _, c := range []*snapshot.Cache[*doc]{f.c, other} {
			if r, err := c.Get(f.Context(), "k", 0, shared.wrap("k", f.u.fetch)); err != nil || r.Doc.name != "first" {
				f.Errorf("got %+v %v", r, err)
			}
		}
		f.wantCalls(1)
		f.pass(limits.Fresh + time.Second)
		if err := other.Refresh(f.Context(), "k", 0, shared.wrap("k", f.u.fetch)); err != nil {
			f.Error(err)
		}
		f.wantCalls(2)
	})
}
