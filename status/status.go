// Package status answers one question: how does a source stand? It reads a tenant's
// status from the sales agent once for all who ask, keeps it as the freshness limits
// say (contract 4.12), and records what a status teaches of the connection.
package status

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"esagate/internal/background"
	"esagate/internal/cluster"
	"esagate/internal/events"
	"esagate/internal/fault"
	"esagate/internal/telemetry"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/transform"
	"esagate/upstream"
)

// freshJitter is the share of Limits.Fresh by which copies differ in it: sources that were
// read together are not all refreshed together again and again.
const freshJitter = 0.1

// Config is what an operator decides about snapshots.
type Config struct {
	Limits     snapshot.Limits
	Envelope   bool // bodies have the form {"data": …, "error": null} (contract 8.1)
	Subscribes bool // the operator wants webhook subscriptions: a missing one is an open task
	Memory     int  // bytes that statuses may take, and how sources stand; 0: any
	// Waiting is how many readers may wait without a copy at once, half of them of one customer; 0: any number.
	Waiting int
}

// Deps are the parts that a Service stands on. It closes none of them.
type Deps struct {
	Directory   *registry.Directory
	Upstream    *upstream.Client
	Tasks       *transform.Tasks // until SetTasks gives others
	Logger      *slog.Logger
	Instruments *telemetry.Instruments
	// SyncFinished is called after each fetch with the end of the last inventory run,
	// zero if there is none, and the document's own time.
	SyncFinished func(ctx context.Context, src *registry.Source, finished, fetchedAt time.Time)
	// CheckTenant is called after a fetch whose outcome does not fit what is known of the tenant:
	// it may have been switched off or on at the sales agent. It must not block.
	CheckTenant func(src *registry.Source)
	// Events gets what is new of sources, and says which are to be kept fresh. Nil: nobody listens.
	Events *events.Hub
	// Redis shares documents with other replicas, and Hints tells of them. Nil: there are none.
	Redis *cluster.Redis
	Hints *cluster.Hints
}

// Service reads and keeps statuses. It is safe for concurrent use.
type Service struct {
	cfg  Config
	deps Deps
	log  *slog.Logger
	ins  *telemetry.Instruments

	waiting   *background.Shares[int64] // readers without a copy, by customer
	tasks     atomic.Pointer[transform.Tasks]
	documents *snapshot.Cache[*document] // by tenant
	pending   *snapshot.Cache[*document] // of connections without a tenant, by their id
	histories *snapshot.Cache[*histories]
	pages     *Pages                     // of sync runs
	rarePages *Pages                     // those that are large, or that few ask for
	kept      []*Pages                   // these and those of others
	adServers *snapshot.Cache[*document] // without content
	tier      *tier                      // behind documents
	opened    *opened                    // of documents, pending and those that are being fetched
	recorder  *recorder
	board     *board
	keeper    *keeper
	wants     *wants
}

// New makes a Service that knows what the registry has kept. The caller ends it with Close.
func New(cfg Config, deps Deps) *Service {
	s := &Service{cfg: cfg, deps: deps, log: deps.Logger, ins: deps.Instruments}
	s.tasks.Store(deps.Tasks)

	most := cmp.Or(cfg.Waiting, math.MaxInt)
	s.waiting = background.NewShares[int64](max(1, most/2), most)
	cfg.Limits.Jitter, cfg.Limits.QueueTimeout = freshJitter, upstream.LongestWait
	// A document made here is as good as a new one for Fresh, and of no use later.
	local := cfg.Limits
	local.StaleWhileRevalidate, local.StaleIfError, local.Jitter = local.Fresh, local.Fresh, 0
	// A connection whose ad server is not known yet is served without it.
	brief := cfg.Limits
	brief.Timeout = brief.Patience

	ofTenants := snapshot.Options{
		Gone:       func(err error) bool { return fault.Is(err, fault.NotFound) },
		Busy:       upstream.IsBusy,
		RetryAfter: func(err error) time.Duration { return fault.As(err).RetryAfter },
		Waits:      s.waits,
	}
	counted := ofTenants
	counted.Refreshed = func(tenantID string, o snapshot.Outcome) {
		s.ins.SnapshotRefresh(refreshWords[o])
		s.board.fetched(tenantID, o, false)
	}
	counted.Took = func(tenantID string, o snapshot.Outcome) { s.board.fetched(tenantID, o, true) }
	may := sharesOf(cfg.Memory)
	s.opened = newOpened(s.log, may.open)
	s.tier = newTier(deps.Directory, s.log, cfg.Limits.StaleIfError, may)
	s.documents = snapshot.NewTiered[*document](bounded(cfg.Limits, may.documents), counted, s.tier)
	s.share()
	s.pending = snapshot.New[*document](bounded(local, may.local), snapshot.Options{})
	s.histories = snapshot.New[*histories](bounded(cfg.Limits, may.histories), snapshot.Options{Busy: ofTenants.Busy, RetryAfter: ofTenants.RetryAfter, Waits: s.waits})
	s.adServers = snapshot.New[*document](bounded(brief, may.local), ofTenants)
	common, rare := cfg.Limits, cfg.Limits
	common.Entries, rare.Entries = commonPages, rarePages
	s.pages, s.rarePages = s.NewPages("sync_history", common), s.NewPages("sync_history", rare)
	s.recorder = newRecorder(s.log, s.recordSync)
	s.board = newBoard(s, cfg.Limits.StaleIfError, may.places)
	s.wants = newWants(s)
	s.keeper = newKeeper(s)
	s.ins.SnapshotEntries(s.documents.Len)
	s.ins.SnapshotMemory(s.memory)
	return s
}

// waits counts the readers without a copy that wait at once. Each has a connection, of which some have to be left
// for those who need not wait.
func (s *Service) waits(customer int64, begins bool) bool {
	if !begins {
		s.waiting.Give(customer)
		return true
	}
	if !s.waiting.Take(customer) {
		s.ins.Limited(telemetry.LimitedWaits)
		return false
	}
	return true
}

var refreshWords = [...]telemetry.RefreshOutcome{
	snapshot.Stored: telemetry.RefreshStored, snapshot.Discarded: telemetry.RefreshDiscarded,
	snapshot.Taken: telemetry.RefreshTaken, snapshot.NotFound: telemetry.RefreshNotFound, snapshot.Refused: telemetry.RefreshRefused, snapshot.Failed: telemetry.RefreshFailed,
}

// Expire makes the next read of a tenant ask the sales agent first. The last good
// copy stays as the fallback.
func (s *Service) Expire(tenantID string) {
	s.documents.Expire(tenantID)
	s.histories.Expire(tenantID)
}

// SetTasks replaces the platform tasks, in all answers from then on.
func (s *Service) SetTasks(tasks *transform.Tasks) {
	s.tasks.Store(tasks)
	s.board.again(func(*known) bool { return true })
}

// Recovered ends the back-off of a tenant whose calls succeed again, or with "" that
// of all tenants.
func (s *Service) Recovered(tenantID string) {
	s.documents.RetryNow(tenantID)
	s.histories.RetryNow(tenantID)
	s.adServers.RetryNow(tenantID)
	for _, p := range s.kept {
		p.cache.RetryWhere(func(key string) bool { return tenantID == "" || strings.HasPrefix(key, tenantID+pageKeySeparator) })
	}
	ofSource := func(src *registry.Source) bool { return tenantID == "" || src.Connection.TenantID == tenantID }
	if tenantID != "" {
		s.board.againTenant(tenantID)
	} else {
		s.board.again(func(k *known) bool { return k.refused })
	}
	s.keeper.hurry(ofSource)
}

// Close ends what runs in the background, waits for it, and has the registry keep the newest
// documents, as many as it takes before ctx ends. Copies are still served.
func (s *Service) Close(ctx context.Context) {
	_ = s.keeper.work.Close(ctx) // they end what they wait for at once
	_ = s.wants.work.Close(ctx)
	s.documents.Close()
	s.pending.Close()
	s.histories.Close()
	s.adServers.Close()
	for _, p := range s.kept {
		p.cache.Close()
	}
	_ = s.recorder.group.Close(ctx) // what is not recorded, the next status says again
	_ = s.board.work.Close(ctx)
	s.tier.close(ctx)
	_ = s.opened.work.Close(ctx)
}

// logRefresh logs a refresh that failed; while a breaker is open the breaker's own
// line has said it.
func (s *Service) logRefresh(ctx context.Context, operation, tenantID string, err error) {
	f := fault.As(err)
	level := slog.LevelWarn
	if f.Reason == fault.CircuitOpen || upstream.IsBusy(err) || ctx.Err() == context.Canceled {
		level = slog.LevelDebug
	}
	s.log.LogAttrs(ctx, level, "refresh failed", slog.String("operation", operation),
		slog.String("tenant", tenantID), slog.String("reason", string(f.Reason)), slog.Any("error", err))
}

// guarded logs the panic of a fetch, which becomes its error.
func guarded[D snapshot.Document[D]](s *Service, name string, fetch snapshot.Fetch[D]) snapshot.Fetch[D] {
	return func(ctx context.Context, d snapshot.Demand) (doc D, err error) {
		err = background.Guard(ctx, s.log, name, func(ctx context.Context) (err error) {
			doc, err = fetch(ctx, d)
			return err
		})
		return doc, err
	}
}
