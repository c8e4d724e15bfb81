package registry

import (
	"context"
	"time"
)

// SnapshotStore keeps the last good status of each tenant that a connection has: a snapshot
// goes with its connection, and another tenant of it has none. It spans all
// customers: nothing of it may reach a caller who has not the connection.
type SnapshotStore interface {
	// KeepSnapshots keeps snapshots in place of older ones, at most [MaxPage], in one
	// transaction. It passes over those of tenants that no connection has, and those whose
	// document is older than the one that is kept, unless that was received before lapsed.
	// ErrInvalid for a document longer than [MaxSnapshot] or not [Storable].
	KeepSnapshots(ctx context.Context, batch []Snapshot, lapsed time.Time) error
	// Snapshot returns what was kept of a tenant; ErrNotFound.
	Snapshot(ctx context.Context, tenantID string) (*Snapshot, error)
	// ForgetSnapshot deletes it; without one it does nothing.
	ForgetSnapshot(ctx context.Context, tenantID string) error
	// KeepStandings keeps how sources stand, at most [MaxPage], in one transaction. It passes
	// over connections that are gone, and what was judged by an older version of the connection
	// than the kept standing or, of one version, by an older document, unless that was received
	// before lapsed; where either had no document, the later ReceivedAt counts. Since stays while State is
	// the same; another State, and the first, is a StateChange. ErrInvalid without a State,
	// Since or ReceivedAt, and for Facts longer than [MaxFacts] or not [Storable].
	KeepStandings(ctx context.Context, batch []Standing, lapsed time.Time) error
}

// OverviewStore is the part of a Store for overviews, of one customer's managed sources or of
// all customers'.
type OverviewStore interface {
	// Overview lists all managed sources by connection id, each as it stood when it was last
	// judged, and with the last write to it.
	Overview(ctx context.Context) ([]SourceStanding, error)
	// StateChanges lists the states that they were in at a time or since, by connection id and
	// time; the first of each may be older.
	StateChanges(ctx context.Context, since time.Time) ([]StateChange, error)
	// RefusedAgents lists the ACTIVE sources whose agents refuse their credentials (Agent.RefusedAt),
	// by Source.ID, at most [MaxPage].
	RefusedAgents(ctx context.Context) ([]*Source, error)
}

// UpkeepStore is the part of a Store for background work. It spans all customers: nothing
// of it may reach a caller.
type UpkeepStore interface {
	// Upkeep lists managed sources of all customers that need a piece of work, by
	// connection id, from the first id above after, at most take and never more than
	// [MaxPage].
	Upkeep(ctx context.Context, want Upkeep, after int64, take int) ([]*Source, error)
	// TenantAsked records that the sales agent was asked just now how a connection's tenant
	// stands. The connection stays as it is, its version too; one that has not the tenant,
	// or does not exist, is passed over.
	TenantAsked(ctx context.Context, customerID, esaID int64, tenantID string) error
	// Lease takes a lease of a name, or extends the holder's own, for a time that is the
	// same for all holders, and reports whether the holder has it. A lease that has run
	// out is free, and so is one that ends later than a right clock could have said.
	Lease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error)
	// Unlease ends a lease; one that is another's stays.
	Unlease(ctx context.Context, name, holder string) error
	// Sweep removes some webhook events, audit entries and state changes that have had their
	// time ([EventsKept], by default [AuditKept], [StatesKept]) and reports whether there may
	// be more.
	Sweep(ctx context.Context) (more bool, err error)
}

// Upkeep says which sources a piece of background work wants.
type Upkeep struct {
	Kind   UpkeepKind
	Before time.Time // meaning by kind
	URL    string    // of UpkeepSubscribe: where deliveries should go
}

// UpkeepKind is a kind of background work.
type UpkeepKind uint8

// Kinds of background work.
const (
	// UpkeepUnsettled: an operation is under way, or a provisioning's outcome is not
	// known. Before is ignored.
	UpkeepUnsettled UpkeepKind = iota
	// UpkeepStale: active with a tenant, and the newest signal of its inventory sync
	// (ObservedAt) is from before Before, or there is none.
	UpkeepStale
	// UpkeepSubscribe: active with a tenant, and without a subscription that lives and
	// goes to URL; not to be tried again after Before (Subscription.RetryAt).
	UpkeepSubscribe
	// UpkeepUnsubscribe: with a subscription upstream, and not active; RetryAt as above.
	UpkeepUnsubscribe
	// UpkeepTenants: active or deactivated with a tenant that was not asked about
	// ([UpkeepStore].TenantAsked) since Before, and no operation is under way.
	UpkeepTenants
)
