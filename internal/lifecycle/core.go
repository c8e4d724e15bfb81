package lifecycle

import (
	"context"
	"log/slog"
	"time"

	"esagate/internal/adserver"
	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream"
)

// Requests under way, in all and of one customer.
const (
	maxRequests         = 256
	maxCustomerRequests = 32
)

// core is what the parts of a Lifecycle share: the registry, the sales agent, and the
// operations of this process.
type core struct {
	cfg      Config
	registry *registry.Directory
	upstream *upstream.Client
	account  func(int64) (*adserver.Account, bool, error)
	log      *slog.Logger
	done     func(registry.OperationKind, Outcome)
	changed  func(*registry.Source)
	started  time.Time // when this process began to work
	// unsettled is how long after a provisioning of unknown outcome began its tenant may
	// still appear, and no other is made.
	unsettled time.Duration

	work   *background.Group         // changes: Close waits for them
	checks *background.Group         // rounds of Settle, checks of tenants, and snapshots to expire: ends when Close begins
	slots  *background.Shares[int64] // of requests under way
	waits  *background.Shares[int64] // of promised times that are waited for
	early  *background.Shares[int64] // of checks that CheckSoon begins
	tries  *tries                    // of Settle
}

// afterProbe is how long upstream may work on a request after we stopped waiting: it can
// receive it at the very end of ProbeTimeout.
const afterProbe = 45 * time.Second

func newCore(cfg Config, deps Deps) *core {
	c := &core{
		cfg: cfg, registry: deps.Directory, upstream: deps.Upstream, account: deps.Account, log: deps.Logger,
		done: deps.Done, changed: deps.Changed, started: now(),
		work: background.NewGroup(deps.Logger), checks: background.NewGroup(deps.Logger), tries: newTries(),
		unsettled: max(2*time.Minute, cfg.ProbeTimeout+afterProbe),
		slots:     background.NewShares[int64](maxCustomerRequests, maxRequests),
		waits:     background.NewShares[int64](maxCustomerRequests, maxRequests),
		early:     background.NewShares[int64](maxCustomerChecks, maxChecks),
	}
	if c.done == nil {
		c.done = func(registry.OperationKind, Outcome) {}
	}
	return c
}

// stopping reports whether work was cancelled because the gateway stops. An error of a
// call is then no outcome: the operation stays, for the next process.
func (c *core) stopping() bool { return c.work.Context().Err() != nil }

// target is the connection that something is done to.
type target struct {
	customer, esaID int64
	sourceID        string
	row             int64 // the source's own id: another source can have its sourceId later
}

func targetOf(m *registry.Source) target {
	return target{customer: m.Connection.CustomerID, esaID: m.Connection.ID, sourceID: m.SourceID, row: m.ID}
}

// logAbout writes one line about a connection.
func (c *core) logAbout(ctx context.Context, level slog.Level, message string, t target, attrs ...slog.Attr) {
	c.log.LogAttrs(ctx, level, message, append([]slog.Attr{slog.Int64("customer_id", t.customer),
		slog.String("source_id", t.sourceID), slog.Int64("esa_id", t.esaID)}, attrs...)...)
}

// expireSnapshots makes a change that makes the snapshots of the tenant old, in all
// replicas. While the store is away the change is lost, but the snapshots become old in the
// background, when the store is back.
func (c *core) expireSnapshots(ctx context.Context, t target, became transition) (*registry.Source, error) {
	write := func(ctx context.Context) (*registry.Source, error) {
		return c.registry.ChangeConnection(ctx, t.customer, t.esaID, deciding(then(newEpoch, became)))
	}
	m, err := write(ctx)
	if fault.Is(err, fault.Unavailable) {
		became = unchanged // what it says may be out of date by then
		c.checks.Go(ctx, "expire snapshots", func(ctx context.Context) { _, _ = retry(ctx, write) })
	}
	return m, err
}
