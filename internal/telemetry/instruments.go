package telemetry

import (
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// Names that the histograms' buckets refer to.
const (
	nameRequestDuration = "http.server.request.duration"
	nameSnapshotAge     = "esagate.snapshot.age"
)

// Bounds of label values that come from documents and configuration.
const (
	pathsLimit = 200 // upstream field paths, unknown and malformed each
	tasksLimit = 100 // platform task ids
)

// Instruments are the gateway's own metrics. Its methods may be called from any
// goroutine; in the steady state they allocate nothing.
type Instruments struct {
	request  metric.Float64Histogram
	requests *optionCache[requestKey]
	age      metric.Float64Histogram

	coalesced, panics metric.Int64Counter

	reads         counter[ReadResult]
	refreshes     counter[RefreshOutcome]
	refusals      counter[Refusal]
	consents      counter[ConsentOutcome]
	issuer        counter[string]
	operations    counter[operation]
	deliveries    counter[string]
	subscriptions counter[operation]
	reconciled    counter[string]

	unknown, malformed, evaluation labelled

	entries, store, ready, leader gauge
}

// NewInstruments makes the gateway's instruments.
func NewInstruments(mp metric.MeterProvider) (*Instruments, error) {
	b := &builder{meter: mp.Meter("esagate")}
	in := &Instruments{
		request:  b.histogram(nameRequestDuration, "Duration of HTTP requests."),
		requests: newOptionCache(requestLimit, otherRequest, requestAttributes),
		age:      b.histogram(nameSnapshotAge, "Age of the snapshots served, since their receipt."),

		coalesced: b.counter("esagate.snapshot.coalesced", "Readers that joined a refresh already under way."),
		panics:    b.counter("esagate.panics", "Panics caught."),

		reads:         newCounter(b, "esagate.snapshot.reads", "Snapshots asked for, by what was found.", "result", readResults),
		refreshes:     newCounter(b, "esagate.snapshot.refreshes", "Finished refreshes, by what became of them.", "outcome", refreshOutcomes),
		refusals:      newCounter(b, "esagate.auth.refusals", "Requests refused for their key.", "reason", refusals),
		consents:      newCounter(b, "esagate.agents.consents", "Consents with agents' authorization servers, by what became of them.", "outcome", consentOutcomes),
		issuer:        newCounter(b, "esagate.auth.issuer_fetches", "Attempts to get the keys of the issuer of access tokens.", "outcome", okOutcomes),
		operations:    newOperations(b, "esagate.connections.operations", "Changes of tenants at the sales agent, by how they ended.", tenantOperations),
		deliveries:    newCounter(b, "esagate.webhooks.deliveries", "Deliveries of the sales agent, by what became of them.", "outcome", deliveryOutcomes),
		subscriptions: newOperations(b, "esagate.webhooks.subscriptions", "Changes of subscriptions to the sales agent's news.", subscriptionSteps),
		reconciled:    newCounter(b, "esagate.reconcile.reads", "Statuses read because their news was old.", "outcome", okOutcomes),

		unknown:    b.labelled("esagate.upstream.unknown_fields", "Fields of the sales agent's documents outside the contract.", "path", pathsLimit, fieldPath),
		malformed:  b.labelled("esagate.upstream.malformed_fields", "Known fields with a value of another type.", "path", pathsLimit, fieldPath),
		evaluation: b.labelled("esagate.tasks.evaluation_errors", "Evaluations of a platform task's complete_when that failed.", "task", tasksLimit, taskID),
	}
	b.gauge(&in.entries, "esagate.snapshot.entries", "Snapshots kept.")
	b.gauge(&in.store, "esagate.store.available", "1 while the registry's store answers, else 0.")
	b.gauge(&in.ready, "esagate.ready", "1 while the gateway is ready, else 0.")
	b.gauge(&in.leader, "esagate.leader", "1 while this replica does the background work, else 0.")
	if b.err != nil {
		return nil, fmt.Errorf("make instruments: %w", b.err)
	}
	in.coalesced.Add(detached, 0)
	in.panics.Add(detached, 0)
	return in, nil
}

// Request records how long the answer to a request took. route is a pattern of
// the route table, or "" for a request that matched none; never a path that a
// client wrote. A status outside of 100 to 599 is recorded as 500, what the
// edge answers for a fault of its own.
func (in *Instruments) Request(route, method string, status int, d time.Duration) {
	if status < 100 || status > 599 {
		status = http.StatusInternalServerError
	}
	o := in.requests.get(requestKey{route, knownMethod(method), status})
	in.request.Record(detached, d.Seconds(), o.record...)
}

// SnapshotRead counts a read of a snapshot.
func (in *Instruments) SnapshotRead(r ReadResult) { in.reads.add(r) }

// SnapshotCoalesced counts a reader that joined a refresh under way.
func (in *Instruments) SnapshotCoalesced() { in.coalesced.Add(detached, 1) }

// SnapshotRefresh counts a finished refresh.
func (in *Instruments) SnapshotRefresh(o RefreshOutcome) { in.refreshes.add(o) }

// SnapshotAge records how old a snapshot was when it was served.
func (in *Instruments) SnapshotAge(age time.Duration) { in.age.Record(detached, age.Seconds()) }

// SnapshotEntries sets where the number of snapshots kept is read, at each scrape.
func (in *Instruments) SnapshotEntries(count func() int) {
	in.entries.read(func() int64 { return int64(count()) })
}

// AuthRefusal counts a request refused for its key or token.
func (in *Instruments) AuthRefusal(r Refusal) { in.refusals.add(r) }

// IssuerFetched counts an attempt to get the issuer's keys.
func (in *Instruments) IssuerFetched(ok bool) { in.issuer.add(okWord(ok)) }

// Consent counts what became of a consent.
func (in *Instruments) Consent(o ConsentOutcome) { in.consents.add(o) }

// Operation counts how a change of a tenant ended, by the words of package lifecycle.
func (in *Instruments) Operation(name, outcome string) { in.operations.add(operation{name, outcome}) }

// Delivery counts a webhook delivery, by the words of package webhooks.
func (in *Instruments) Delivery(outcome string) { in.deliveries.add(outcome) }

// Subscription counts a step with a subscription, by the words of package webhooks.
func (in *Instruments) Subscription(step string, ok bool) {
	in.subscriptions.add(operation{step, okWord(ok)})
}

// Reconciled counts a status that was read because its news was old.
func (in *Instruments) Reconciled(ok bool) { in.reconciled.add(okWord(ok)) }

// Panic counts a caught panic.
func (in *Instruments) Panic() { in.panics.Add(detached, 1) }

// UnknownField counts a field of the sales agent outside the contract, by path
// ("syncs.inventory.item_count", list items as "items[].id").
func (in *Instruments) UnknownField(path string) { in.unknown.add(path) }

// MalformedField counts a known field whose value was of another type, by path.
func (in *Instruments) MalformedField(path string) { in.malformed.add(path) }

// TaskEvaluationError counts a failed evaluation of a platform task, by its id.
func (in *Instruments) TaskEvaluationError(task string) { in.evaluation.add(task) }

// StoreAvailable sets where it is read, at each scrape, whether the store
// answers; is must not wait for it.
func (in *Instruments) StoreAvailable(is func() bool) { in.store.readBool(is) }

// Ready sets where it is read, at each scrape, whether the gateway is ready.
func (in *Instruments) Ready(is func() bool) { in.ready.readBool(is) }

// Leads sets where it is read, at each scrape, whether this replica leads.
func (in *Instruments) Leads(is func() bool) { in.leader.readBool(is) }
