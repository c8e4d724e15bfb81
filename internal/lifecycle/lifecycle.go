// Package lifecycle is the state machine of a managed source's connection: how its
// tenant is made, configured, tested, switched off and on (contract 5.6 to 5.9).
//
// A change of a tenant upstream is recorded as a [registry.Operation] before upstream is
// called, and the record is removed together with its outcome. So a connection has one
// operation at a time, across replicas, and what a crash cuts short is found and settled
// ([Lifecycle.Settle]) by reading what upstream has, never by repeating the call.
//
// The work belongs to the Lifecycle and not to its caller: it goes on when the caller has
// left. What a process works on is an [operation]: a [provision], a [rewrite], a [switching]
// or a [settling]. What the record becomes is in transitions.go, as pure functions.
package lifecycle

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"esagate/internal/adserver"
	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream"
	"esagate/upstream/wire"
)

// Config is what is fixed when the gateway starts.
type Config struct {
	// ExternalSource is what our tenants have in common upstream; empty: "esagate".
	ExternalSource string
	// ExternalOrgID is the template of a tenant's id with us, with {customer_id},
	// {esa_id} and {source_id} in it; empty: "{customer_id}-{esa_id}". Without any of
	// them only one connection can have a tenant; without {customer_id} and {esa_id} a
	// tenant that exists already is not adopted.
	ExternalOrgID  string
	ContactEmail   string        // of new tenants; empty: none can be made
	PublicAgentURL string        // passed on as it is; empty: not at all
	BaseURL        string        // of the sales agent: addresses on its host are stored as paths
	CallerWait     time.Duration // how long a caller waits for a tenant to be made; default 25 s
	ProbeTimeout   time.Duration // how long upstream may try an ad server before it answers; default 75 s
}

// Deps are what a Lifecycle works with. Done may be nil.
type Deps struct {
	Directory *registry.Directory
	Store     registry.UpkeepStore
	Upstream  *upstream.Client
	// Account gives the operator's service account for a customer; ok is false when
	// there is none.
	Account func(customer int64) (account *adserver.Account, ok bool, err error)
	Logger  *slog.Logger
	// Done is called when an operation has ended.
	Done func(op registry.OperationKind, outcome Outcome)
	// Changed is called when a tenant became active, was deactivated or reactivated, or
	// was found to be. It must not block.
	Changed func(m *registry.Source)
}

// Outcome is how an operation ended, a word for metrics.
type Outcome string

// The outcomes.
const (
	OutcomeDone     Outcome = "done"
	OutcomeAdopted  Outcome = "adopted"  // a tenant that existed already, or was found later
	OutcomeRefused  Outcome = "refused"  // by the ad server
	OutcomeRejected Outcome = "rejected" // upstream doesn't accept the request, or its state doesn't allow it
	OutcomeNotSent  Outcome = "not_sent" // upstream can't be reached: certainly not done
	OutcomeUnknown  Outcome = "unknown"  // it may have been done
	OutcomeLost     Outcome = "lost"     // a crash cut it short, and nothing came of it
)

// Lifecycle makes the changes. It is safe for concurrent use; Close ends it. Errors are
// [*fault.Error].
type Lifecycle struct {
	*core
	store registry.UpkeepStore
	tests *background.Flight[testOutcome]      // by esaId
	asked *background.Flight[*registry.Source] // by esaId: whose external_org_id is asked for
	round chan struct{}                        // has one element for a round of Settle

	precondition registry.Precondition // of what If was called for
}

// New makes a Lifecycle.
func New(cfg Config, deps Deps) *Lifecycle {
	c := newCore(cfg.withDefaults(), deps)
	return &Lifecycle{core: c, store: deps.Store, round: make(chan struct{}, 1),
		tests: background.NewFlight[testOutcome](c.work, "test a connection", c.cfg.ProbeTimeout+time.Minute),
		asked: background.NewFlight[*registry.Source](c.checks, "ask whose a tenant is", callerTimeout)}
}

func (c Config) withDefaults() Config {
	c.ExternalSource = cmp.Or(c.ExternalSource, "esagate")
	c.ExternalOrgID = cmp.Or(c.ExternalOrgID, "{customer_id}-{esa_id}")
	c.CallerWait = cmp.Or(c.CallerWait, 25*time.Second)
	c.ProbeTimeout = cmp.Or(c.ProbeTimeout, 75*time.Second)
	return c
}

// Refresh has the tenant's syncs run; Conflict without a tenant or with one that is
// deactivated.
func (l *Lifecycle) Refresh(ctx context.Context, customer, esaID int64) (*wire.Refresh, error) {
	m, err := l.withTenant(ctx, customer, esaID)
	if err != nil {
		return nil, err
	}
	if m.Connection.Provisioning == registry.StatusDeactivated {
		return nil, fault.New(fault.Conflict, "The source is deactivated: reactivate it first, with POST …/reactivate.")
	}
	return run(ctx, l, m, func(ctx context.Context) (*wire.Refresh, error) {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		answer, err := l.upstream.Refresh(call, m.Connection.TenantID)
		if err != nil {
			return nil, asUpstreamFault(err)
		}
		l.expireSnapshots(ctx, targetOf(m), unchanged)
		return answer, nil
	})
}

// Close lets no more work begin and waits for what is under way until ctx ends; then it
// cancels it: the operation stays recorded and the next process settles it. The Directory
// and the Client must be closed after Close.
func (l *Lifecycle) Close(ctx context.Context) {
	l.checks.End()
	_ = l.work.Drain(ctx)
	ended := context.Background() // what was cancelled ends at once
	_ = l.work.Close(ended)
	_ = l.checks.Close(ended)
	l.round <- struct{}{} // waits for a round
	<-l.round
}

// now is the time as a Store keeps it.
func now() time.Time { return registry.Instant(time.Now()) }
