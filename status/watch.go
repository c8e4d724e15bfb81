package status

import (
	"context"
	"time"

	"esagate/api"
	"esagate/internal/background"
	"esagate/internal/events"
	"esagate/internal/fault"
	"esagate/registry"
)

const (
	listedPerSecond = 1000                   // rows, of the lists of what is watched
	changePause     = 100 * time.Millisecond // from a change of who watches to the next look at that
)

// watchList is the managed sources of a customer whose sources are watched, or of all customers.
type watchList struct {
	sources map[int64]*registry.Source // by connection
	readAt  time.Time
}

// listPause is how old a list gets.
func (k *keeper) listPause() time.Duration {
	rows := 0
	for _, l := range k.lists {
		rows += len(l.sources)
	}
	return max(k.s.cfg.Limits.Fresh, keeperPause, time.Duration(rows)*time.Second/listedPerSecond)
}

// look looks at what is watched, and reports whether anything is. What other replicas have judged is noticed
// here, and what they have written where the Directory could not follow them for a while.
func (k *keeper) look(ctx context.Context) bool {
	watches := k.hub.Watched()
	customers := map[int64]struct{}{}
	for _, w := range watches {
		customers[w.Customer] = struct{}{}
	}
	if _, ok := customers[events.Operators]; ok { // that has all
		customers = map[int64]struct{}{events.Operators: {}}
	}
	for customer := range k.lists {
		if _, ok := customers[customer]; !ok {
			delete(k.lists, customer)
		}
	}
	pause, now := k.listPause(), time.Now()
	var sources []*registry.Source
	for customer := range customers {
		l := k.lists[customer]
		if l == nil || now.Sub(l.readAt) >= pause {
			_ = background.Guard(ctx, k.s.log, "list watched sources", func(ctx context.Context) error {
				k.list(ctx, customer)
				return nil
			})
		}
		if l = k.lists[customer]; l != nil {
			for _, src := range l.sources {
				sources = append(sources, src)
			}
		}
	}
	k.aim(watches, sources)
	return len(watches) > 0
}

// list reads a customer's list anew. If that can't be had, the last one stays.
func (k *keeper) list(ctx context.Context, customer int64) {
	rows, err := k.s.deps.Directory.Overview(ctx, customer)
	if err != nil {
		return
	}
	before := k.lists[customer]
	l := &watchList{sources: make(map[int64]*registry.Source, len(rows)), readAt: time.Now()}
	k.lists[customer] = l
	for i := range rows {
		src := rows[i].Source
		l.sources[src.Connection.ID] = src
		untold := before != nil && before.sources[src.Connection.ID] == nil && !k.s.board.places.Contains(src.Connection.ID)
		k.s.board.standing(src, &rows[i].Standing)
		if untold && k.s.board.wanted(src) { // made since
			k.s.board.publish(src, api.EventConnectionChanged, "", connectionEvent(src, false))
		}
	}
	if before == nil {
		return
	}
	for id, src := range before.sources {
		if l.sources[id] == nil && k.s.board.places.Contains(id) && k.isGone(ctx, src) {
			k.s.Judge(src, true)
		}
	}
}

// isGone asks whether a source that is not in a list any more was deleted.
func (k *keeper) isGone(ctx context.Context, src *registry.Source) bool {
	is, err := k.s.deps.Directory.ManagedSourceNow(ctx, src.CustomerID, src.SourceID)
	return fault.Is(err, fault.NotFound) || err == nil && is.Connection.ID != src.Connection.ID
}
