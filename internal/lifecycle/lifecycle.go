// Package lifecycle is the state machine of a managed source's connection: how its
// tenant is made, configured, tested, switched off and on (contract, "Rules for the
// connection").
//
// A change of a tenant upstream is written down as an [registry.Operation] before
// upstream is called, and taken away together with its outcome. So there is one at a
// time a connection, across replicas, and what a crash cuts short is found and settled
// ([Lifecycle.Settle]): by looking what upstream has, never by doing it again.
//
// The work belongs to the Lifecycle and not to whoever asked for it: it goes on when
// the caller has had enough. What upstream is asked, and what is written of its
// answer, are in files of their own; what becomes of the record is in transitions.go,
// as pure functions.
package lifecycle

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"esagate/internal/adserver"
	"esagate/registry"
	"esagate/upstream"
)

// Config is what is fixed when the gateway starts.
type Config struct {
	// ExternalSource is what our tenants have in common upstream; empty: "esagate".
	ExternalSource string
	// ExternalOrgID is what tells one tenant from the others, with {customer_id},
	// {esa_id} and {source_id} in it; empty: "{customer_id}-{esa_id}". Without any of
	// these two connections can't both have a tenant; without {customer_id} and {esa_id}
	// a tenant that stands already is nobody's who asks for it.
	ExternalOrgID  string
	ContactEmail   string        // of new tenants; empty: none can be made
	PublicAgentURL string        // passed on as it is; empty: not at all
	BaseURL        string        // of the sales agent: addresses on its host are kept as paths
	CallerWait     time.Duration // how long a caller waits for a tenant to be made; default 25 s
	ProbeTimeout   time.Duration // how long upstream gets for what it tries out first; default 75 s
	// Unsettled is how long a tenant may still come to be after a provisioning began
	// whose outcome is not known: so long there is no other. Default 2 min, and never
	// less than 45 s more than ProbeTimeout: upstream can be asked at its very end.
	Unsettled time.Duration
}

// Deps are what a Lifecycle works with. Account, Logger, Done and Changed may be nil.
type Deps struct {
	Directory *registry.Directory
	Store     registry.UpkeepStore
	Upstream  *upstream.Client
	// Account gives the operator's service account for a customer; ok is false when
	// there is none.
	Account func(customer int64) (account *adserver.Account, ok bool, err error)
	Logger  *slog.Logger
	// Done is told how each operation ended.
	Done func(op registry.OperationKind, outcome Outcome)
	// Changed is told when a tenant became active, was deactivated or reactivated, or
	// was found to be. It must not wait.
	Changed func(m *registry.Source)
}

// Outcome is how an operation ended, a word for metrics.
type Outcome string

// The outcomes.
const (
	OutcomeDone     Outcome = "done"
	OutcomeAdopted  Outcome = "adopted"  // a tenant that was there already, or was found later
	OutcomeRefused  Outcome = "refused"  // by the ad server
	OutcomeRejected Outcome = "rejected" // upstream doesn't accept the request, or its state doesn't allow it
	OutcomeNotSent  Outcome = "not_sent" // upstream can't be reached: certainly not done
	OutcomeUnknown  Outcome = "unknown"  // it may have been done
	OutcomeLost     Outcome = "lost"     // a crash cut it short, and nothing came of it
)

// Outcomes are all the words of [Outcome].
var Outcomes = []Outcome{OutcomeDone, OutcomeAdopted, OutcomeRefused, OutcomeRejected, OutcomeNotSent, OutcomeUnknown, OutcomeLost}

// Lifecycle makes the changes. It is safe for concurrent use; Close ends it. Errors are
// [*fault.Error].
type Lifecycle struct {
	cfg      Config
	registry *registry.Directory
	store    registry.UpkeepStore
	upstream *upstream.Client
	account  func(int64) (*adserver.Account, bool, error)
	log      *slog.Logger
	done     func(registry.OperationKind, Outcome)
	changed  func(*registry.Source)
	began    time.Time // of this process's work

	life    context.Context // of the work; ends when Close has waited for it long enough
	cut     context.CancelFunc
	idle    context.Context // of what only looks; ends when Close begins
	rest    context.CancelFunc
	running sync.WaitGroup
	rounds  rounds             // of Settle
	testing sync.Mutex         // guards tests
	tests   map[int64]*testRun // under way, by esaId

	mu      sync.Mutex // guards what follows
	closed  bool       //
	flights flights
	pauses  map[int64]pause      // of connections whose change of config can't be settled, by esaId
	watched map[provisioned]bool // what is watched for a late tenant
	own     map[string]bool      // ids of the operations that this process works on
}

// Bounds of what runs at the same time.
const (
	maxFlights = 256
	maxWatches = 256
)

// New makes a Lifecycle.
func New(cfg Config, deps Deps) *Lifecycle {
	l := &Lifecycle{
		cfg: cfg.withDefaults(), registry: deps.Directory, store: deps.Store, upstream: deps.Upstream,
		account: deps.Account, log: deps.Logger, done: deps.Done, changed: deps.Changed,
		own: map[string]bool{}, watched: map[provisioned]bool{}, began: now(),
		rounds: rounds{looks: map[provisioned]lookedFor{}},
	}
	if l.account == nil {
		l.account = func(int64) (*adserver.Account, bool, error) { return nil, false, nil }
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.done == nil {
		l.done = func(registry.OperationKind, Outcome) {}
	}
	if l.changed == nil {
		l.changed = func(*registry.Source) {}
	}
	l.life, l.cut = context.WithCancel(context.Background())
	l.idle, l.rest = context.WithCancel(l.life)
	return l
}

func (c Config) withDefaults() Config {
	if c.ExternalSource == "" {
		c.ExternalSource = "esagate"
	}
	if c.ExternalOrgID == "" {
		c.ExternalOrgID = "{customer_id}-{esa_id}"
	}
	setDefault(&c.CallerWait, 25*time.Second)
	setDefault(&c.ProbeTimeout, 75*time.Second)
	setDefault(&c.Unsettled, 2*time.Minute)
	c.Unsettled = max(c.Unsettled, c.ProbeTimeout+afterProbe)
	return c
}

// afterProbe is how long upstream may be at a provisioning after it was given up on.
const afterProbe = 45 * time.Second

func setDefault(d *time.Duration, to time.Duration) {
	if *d <= 0 {
		*d = to
	}
}

// Close begins nothing any more and waits for what is under way until ctx ends; then
// it cuts that short. It stays written down as an operation and is settled by the next
// process. The Directory and the Client have to outlast Close.
func (l *Lifecycle) Close(ctx context.Context) {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.rest()
	stop := context.AfterFunc(ctx, l.cut)
	defer stop()
	l.running.Wait()
	l.cut()
}

// now is the time as a Store keeps it.
func now() time.Time { return registry.Instant(time.Now()) }
