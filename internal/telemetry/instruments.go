package telemetry

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
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

	reads      counters[ReadResult]
	refreshes  counters[RefreshOutcome]
	refusals   counters[Refusal]
	consents   counters[ConsentOutcome]
	issuer     counters[FetchOutcome]
	coalesced  metric.Int64Counter
	panics     metric.Int64Counter
	age        metric.Float64Histogram
	unknown    labelled
	malformed  labelled
	evaluation labelled

	life life

	entries, store, ready atomic.Pointer[func() int64]
}

// background is the context of all measurements: they are never cancelled and
// link to no trace.
var background = context.Background()

// NewInstruments makes the gateway's instruments. Every counter with a fixed
// set of words starts at 0 for each of them, so that the first event is seen as
// a rise.
func NewInstruments(mp metric.MeterProvider) (*Instruments, error) {
	b := builder{meter: mp.Meter("esagate")}
	in := &Instruments{
		request: b.histogram(nameRequestDuration, "Duration of HTTP requests."),
		age:     b.histogram(nameSnapshotAge, "Age of the snapshots served, since their receipt."),

		reads:     newCounters[ReadResult](&b, "esagate.snapshot.reads", "Snapshots asked for, by what was found.", "result", readResults[:]),
		refreshes: newCounters[RefreshOutcome](&b, "esagate.snapshot.refreshes", "Finished refreshes, by what became of them.", "outcome", refreshOutcomes[:]),
		refusals:  newCounters[Refusal](&b, "esagate.auth.refusals", "Requests refused for their key.", "reason", refusals[:]),
		consents:  newCounters[ConsentOutcome](&b, "esagate.agents.consents", "Consents with agents' authorization servers, by what became of them.", "outcome", consentOutcomes[:]),
		issuer:    newCounters[FetchOutcome](&b, "esagate.auth.issuer_fetches", "Attempts to get the keys of the issuer of access tokens.", "outcome", fetchOutcomes[:]),
		coalesced: b.counter("esagate.snapshot.coalesced", "Readers that joined a refresh already under way."),
		panics:    b.counter("esagate.panics", "Panics caught."),

		unknown:    b.labelled("esagate.upstream.unknown_fields", "Fields of the sales agent's documents outside the contract.", "path", pathsLimit, fieldPath),
		malformed:  b.labelled("esagate.upstream.malformed_fields", "Known fields with a value of another type.", "path", pathsLimit, fieldPath),
		evaluation: b.labelled("esagate.tasks.evaluation_errors", "Evaluations of a platform task's complete_when that failed.", "task", tasksLimit, taskID),
	}
	in.requests = newOptionCache(requestLimit, otherRequest, requestAttributes)
	in.life.make(&b)
	b.gauge("esagate.snapshot.entries", "Snapshots kept.", &in.entries)
	b.gauge("esagate.store.available", "1 while the registry's store answers, else 0.", &in.store)
	b.gauge("esagate.ready", "1 while the gateway is ready, else 0.", &in.ready)
	if b.err != nil {
		return nil, fmt.Errorf("make instruments: %w", b.err)
	}
	in.coalesced.Add(background, 0)
	in.panics.Add(background, 0)
	return in, nil
}

// SnapshotRead counts a read of a snapshot.
func (in *Instruments) SnapshotRead(r ReadResult) { in.reads.add(r) }

// SnapshotCoalesced counts a reader that joined a refresh under way.
func (in *Instruments) SnapshotCoalesced() { in.coalesced.Add(background, 1) }

// SnapshotRefresh counts a finished refresh.
func (in *Instruments) SnapshotRefresh(o RefreshOutcome) { in.refreshes.add(o) }

// SnapshotAge records how old a snapshot was when it was served.
func (in *Instruments) SnapshotAge(age time.Duration) { in.age.Record(background, age.Seconds()) }

// AuthRefusal counts a request refused for its key.
func (in *Instruments) AuthRefusal(r Refusal) { in.refusals.add(r) }

// IssuerFetched counts an attempt to get the issuer's keys.
func (in *Instruments) IssuerFetched(ok bool) {
	outcome := FetchFailed
	if ok {
		outcome = FetchOK
	}
	in.issuer.add(outcome)
}

// Consent counts what became of a consent.
func (in *Instruments) Consent(o ConsentOutcome) { in.consents.add(o) }

// Panic counts a caught panic.
func (in *Instruments) Panic() { in.panics.Add(background, 1) }

// UnknownField counts a field of the sales agent outside the contract, by path
// ("syncs.inventory.item_count", list items as "items[].id").
func (in *Instruments) UnknownField(path string) { in.unknown.add(path) }

// MalformedField counts a known field whose value was of another type, by path.
func (in *Instruments) MalformedField(path string) { in.malformed.add(path) }

// TaskEvaluationError counts a failed evaluation of a platform task, by its id.
func (in *Instruments) TaskEvaluationError(task string) { in.evaluation.add(task) }

// SnapshotEntries sets where the number of snapshots kept is read, at each
// scrape; until then there is no such metric.
func (in *Instruments) SnapshotEntries(count func() int) {
	read := func() int64 { return int64(count()) }
	in.entries.Store(&read)
}

// StoreAvailable sets where it is read, at each scrape, whether the store
// answers; is must not wait for it.
func (in *Instruments) StoreAvailable(is func() bool) { in.store.Store(flag(is)) }

// Ready sets where it is read, at each scrape, whether the gateway is ready.
func (in *Instruments) Ready(is func() bool) { in.ready.Store(flag(is)) }

func flag(is func() bool) *func() int64 {
	read := func() int64 {
		if is() {
			return 1
		}
		return 0
	}
	return &read
}

// builder makes instruments and keeps the errors for the end.
type builder struct {
	meter metric.Meter
	err   error
}

func (b *builder) histogram(name, description string) metric.Float64Histogram {
	h, err := b.meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description))
	b.err = errors.Join(b.err, err)
	return h
}

func (b *builder) counter(name, description string) metric.Int64Counter {
	c, err := b.meter.Int64Counter(name, metric.WithDescription(description))
	b.err = errors.Join(b.err, err)
	return c
}

func (b *builder) gauge(name, description string, source *atomic.Pointer[func() int64]) {
	_, err := b.meter.Int64ObservableGauge(name, metric.WithDescription(description),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			if read := source.Load(); read != nil {
				o.Observe((*read)())
			}
			return nil
		}))
	b.err = errors.Join(b.err, err)
}

func (b *builder) labelled(name, description, label string, limit int, shown func(string) string) labelled {
	attribute := func(value string) attribute.Set { return attribute.NewSet(attribute.String(label, value)) }
	return labelled{b.counter(name, description), newOptionCache(limit, attribute(otherLabel), attribute), shown}
}
