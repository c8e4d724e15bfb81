package status

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"esagate/api"
	"esagate/internal/background"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/transform"
	"esagate/upstream"
)

// Bounds of the calls for one tenant's histories.
const (
	historyRuns    = 10 // runs of each stream (contract 4.4)
	historyCalls   = 3  // calls at once
	historyStreams = 24
)

// histories are the last runs of each stream of a tenant, by the stream's name in a
// status. They never change.
type histories struct {
	streams map[string]api.SyncHistory
	at      time.Time // when they were asked for: they have no time of their own
}

// Older implements snapshot.Document.
func (h *histories) Older(than *histories) bool { return h.at.Before(than.at) }

// Size is the bytes that they take, by estimate.
func (h *histories) Size() int {
	size := 0
	for _, of := range h.streams {
		size += 512 + 256*len(of.RecentRuns)
	}
	return size
}

// SyncType gives the name by which the sales agent is asked for a stream of a source. name is in either
// spelling; the last status that is known, however old, says how the sales agent spells it (contract 4.2).
// It gives "" for what can't be the name of a stream.
func (s *Service) SyncType(src *registry.Source, name string) string {
	var names transform.StreamNames
	if last, ok := s.documents.Peek(src.Connection.TenantID); ok {
		names = s.opened.contents(last.Doc, time.Now()).Streams
	}
	return names.Upstream(name)
}

// recentHistories gives the histories of a document's streams; nil if they can't be had within the
// time that is left to a reader who came then, and the document keeps its zeros.
func (s *Service) recentHistories(ctx context.Context, came time.Time, src *registry.Source, doc *document) *histories {
	ctx, cancel := context.WithDeadline(ctx, came.Add(s.cfg.Limits.Timeout))
	defer cancel()
	says := s.opened.contents(doc, came)
	names := make([]string, min(len(says.Status.Syncs), historyStreams))
	for i := range names {
		names[i] = says.Status.Syncs[i].Name
	}
	c := src.Connection
	got, err := s.histories.GetFor(ctx, c.CustomerID, c.TenantID, c.Epoch, s.historyFetcher(c, names, says.Streams))
	if err != nil {
		return nil
	}
	return got.Doc
}

// historyFetcher gives the fetch of the named streams' runs, which upstream is asked for by its own names.
// A stream that can't be had is left out; when none can, the fetch fails.
func (s *Service) historyFetcher(c *registry.Connection, names []string, own transform.StreamNames) snapshot.Fetch[*histories] {
	return guarded(s, "fetch_histories", func(ctx context.Context, d snapshot.Demand) (*histories, error) {
		all := &histories{streams: make(map[string]api.SyncHistory, len(names)), at: time.Now()}
		failed := s.askHistories(demanded(ctx, c, d, false), c, names, own, all.streams)
		select {
		case <-d.Unwanted: // calls that had to wait were not begun
			if d.Unwanted = nil; len(all.streams) > 0 {
				failed = s.askHistories(demanded(ctx, c, d, false), c, names, own, all.streams)
			}
		default:
		}
		if failed != nil {
			s.logRefresh(ctx, "sync_history", c.TenantID, failed)
			if len(all.streams) == 0 {
				return nil, failed
			}
		}
		return all, nil
	})
}

// askHistories gets the runs of the named streams that are not there yet. It gives the error of one that
// can't be had.
func (s *Service) askHistories(ctx context.Context, c *registry.Connection, names []string, own transform.StreamNames,
	streams map[string]api.SyncHistory,
) (failed error) {
	var mu sync.Mutex // guards streams and failed
	var calls errgroup.Group
	calls.SetLimit(historyCalls)
	has := func(name string) bool { _, ok := streams[name]; return ok }
	for _, name := range slices.DeleteFunc(slices.Clone(names), has) {
		calls.Go(func() error {
			var got api.SyncHistory
			err := background.Guard(ctx, s.log, "fetch_history", func(ctx context.Context) error {
				runs, err := s.deps.Upstream.SyncHistory(ctx, c.TenantID, upstream.HistoryQuery{SyncType: own.Upstream(name), Limit: historyRuns})
				if err == nil {
					got = transform.StreamHistory(runs)
				}
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
			} else {
				streams[name] = got
			}
			return nil
		})
	}
	_ = calls.Wait() // no call gives an error
	return failed
}

// withHistories gives a copy of a document whose streams have their histories.
func withHistories(doc *api.Status, all *histories, runs int) *api.Status {
	if doc == nil || all == nil {
		return doc
	}
	with := *doc
	with.Syncs = slices.Clone(doc.Syncs)
	for i := range with.Syncs {
		stream := &with.Syncs[i]
		history, ok := all.streams[stream.Name]
		if !ok {
			continue
		}
		history.RecentRuns = history.RecentRuns[:min(runs, len(history.RecentRuns))]
		stream.Value.History = history
	}
	return &with
}
