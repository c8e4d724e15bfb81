package telemetry

import (
	"database/sql"
	"fmt"
	"slices"
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

// Instruments are the gateway's own metrics. Its functions may be called from any
// goroutine; in the steady state they allocate nothing. What has fixed words counts no
// others. A gauge is given, once, the function that it is read from at each scrape,
// which must not wait for anything.
type Instruments struct {
	// Request records how long the answer to a request took. route is a pattern of
	// the route table, or "" for a request that matched none; never a path that a
	// client wrote. A status outside of 100 to 599 is recorded as 500, what the
	// edge answers for a fault of its own.
	Request           func(route, method string, status int, d time.Duration)
	Panic             func() // one was caught
	InFlight          func(count func() int)
	ConnectionRefused func()

	SnapshotRead      func(ReadResult)
	SnapshotCoalesced func() // a reader joined a refresh under way
	SnapshotRefresh   func(RefreshOutcome)
	SnapshotLook      func(LookOutcome)
	SnapshotWaited    func()              // a refresh waits for another replica's
	SnapshotAge       func(time.Duration) // when a snapshot was served
	SnapshotEntries   func(count func() int)
	SnapshotMemory    func(parts func() map[string]Memory)

	AuthRefusal   func(Refusal)
	Limited       func(LimitedKind) // a request was refused for a rate limit
	IssuerFetched func(ok bool)
	Consent       func(ConsentOutcome)

	Operation    func(name, outcome string) // a change of a tenant, by the words of package lifecycle
	Delivery     func(outcome string)       // by the words of package webhooks
	Subscription func(step string, ok bool) // by the words of package webhooks
	Reconciled   func(ok bool)              // a status was read because its news was old

	Sources func(state string, n int64) // that are in a state, by the words of package transform

	UnknownField        func(path string) // outside the contract: "syncs.inventory.item_count", "items[].id"
	MalformedField      func(path string) // a known field with a value of another type
	TaskEvaluationError func(task string) // a platform task's id

	// Passed records a request that was passed on, once it is over: bytes of bodies, to the other side and back.
	Passed     func(door Door, outcome PassOutcome, sent, received int64, took time.Duration)
	PassedOpen func(count func() int)
	// AgentCall records a call of an agents' protocol by what it asked for; not passed: a rule, or its key, refused it.
	AgentCall func(door Door, method, name string, passed bool)

	Streams        func(count func() int)
	StoreAvailable func(is func() bool)
	StoreFollowed  func(is func() bool)
	RedisAvailable func(is func() bool)                      // is called where there is one
	StorePools     func(stats func() map[string]sql.DBStats) // by the pool's name
	Ready          func(is func() bool)
	Leads          func(is func() bool)
	ConfigReloaded func(is func() bool)
	Build          func(version, commit, goVersion string) // is called once

	Recent *Recent // what was counted of late; Delivery counts there too
}

// NewInstruments makes the gateway's instruments.
func NewInstruments(mp metric.MeterProvider) (*Instruments, error) {
	b := &builder{meter: mp.Meter("esagate")}
	operations := b.operations("esagate.connections.operations",
		"Changes of tenants at the sales agent, by how they ended.", tenantOperations)
	subscriptions := b.operations("esagate.webhooks.subscriptions",
		"Changes of subscriptions to the sales agent's news.", subscriptionSteps)
	in := &Instruments{
		Request:           b.requests(nameRequestDuration, "Duration of HTTP requests."),
		Panic:             b.events("esagate.panics", "Panics caught."),
		InFlight:          b.gauge("esagate.requests.in_flight", "Requests that are being answered, without streams."),
		ConnectionRefused: b.events("esagate.connections.refused", "Connections refused because there were too many."),

		AuthRefusal: count(b, "esagate.auth.refusals", "Requests refused for their key.", "reason", refusals),
		Limited: count(b, "esagate.limits.refusals",
			"Requests refused because there were too many, by the limit.", "limit", limitedKinds),
		IssuerFetched: b.attempts("esagate.auth.issuer_fetches", "Attempts to get the keys of the issuer of access tokens."),
		Consent: count(b, "esagate.agents.consents",
			"Consents with agents' authorization servers, by what became of them.", "outcome", consentOutcomes),

		Operation: func(name, outcome string) { operations(operation{name, outcome}) },
		Delivery: count(b, "esagate.webhooks.deliveries",
			"Deliveries of the sales agent, by what became of them.", "outcome", deliveryOutcomes),
		Subscription: func(step string, ok bool) { subscriptions(operation{step, okWord(ok)}) },
		Reconciled:   b.attempts("esagate.reconcile.reads", "Statuses read because their news was old."),

		Sources: b.levels("esagate.sources", "Managed sources by their state.", "state", sourceStates),

		UnknownField: b.labelled("esagate.upstream.unknown_fields",
			"Fields of the sales agent's documents outside the contract.", "path", pathsLimit, fieldPath),
		MalformedField: b.labelled("esagate.upstream.malformed_fields",
			"Known fields with a value of another type.", "path", pathsLimit, fieldPath),
		TaskEvaluationError: b.labelled("esagate.tasks.evaluation_errors",
			"Evaluations of a platform task's complete_when that failed.", "task", tasksLimit, taskID),

		Passed: b.passed(), PassedOpen: b.gauge("esagate.proxy.open", "Requests that are being passed on, streams included."),
		AgentCall: b.agentCalls("esagate.agents.calls", "Calls of agents' protocols, by what they asked for."),

		Streams:        b.gauge("esagate.streams", "Streams of events that are open."),
		StoreAvailable: b.flag("esagate.store.available", "1 while the registry's store answers, else 0."),
		StoreFollowed:  b.flag("esagate.store.followed", "1 while what other replicas write to the registry is known within seconds, else 0."),
		RedisAvailable: b.flag("esagate.redis.available", "1 while the Redis that replicas share can be used, else 0."),
		StorePools:     b.pools(),
		Ready:          b.flag("esagate.ready", "1 while the gateway is ready, else 0."),
		Leads:          b.flag("esagate.leader", "1 while this replica does the background work, else 0."),
		ConfigReloaded: b.flag("esagate.config.last_reload_successful", "0 while the config that was last asked for could not be taken over, else 1."),
		Build:          b.buildInfo(),
	}
	b.snapshots(in)
	if b.err != nil {
		return nil, fmt.Errorf("make instruments: %w", b.err)
	}
	in.Recent = newRecent()
	delivered := in.Delivery
	in.Delivery = func(outcome string) {
		delivered(outcome)
		in.Recent.Delivery(slices.Contains(deliveriesTaken, outcome))
	}
	return in, nil
}
