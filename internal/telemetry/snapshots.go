package telemetry

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// snapshots makes the instruments of the snapshots.
func (b *builder) snapshots(in *Instruments) {
	age := b.histogram(nameSnapshotAge, "Age of the snapshots served, since their receipt.")
	in.SnapshotRead = count(b, "esagate.snapshot.reads", "Snapshots asked for, by what was found.", "result", readResults)
	in.SnapshotCoalesced = b.events("esagate.snapshot.coalesced", "Readers that joined a refresh already under way.")
	in.SnapshotRefresh = count(b, "esagate.snapshot.refreshes", "Finished refreshes, by what became of them.", "outcome", refreshOutcomes)
	in.SnapshotLook = count(b, "esagate.snapshot.looks",
		"Looks at what other replicas have published of a tenant, by what came of them.", "outcome", lookOutcomes)
	in.SnapshotWaited = b.events("esagate.snapshot.lease_waits", "Refreshes that waited for another replica's.")
	in.SnapshotAge = func(d time.Duration) { age.Record(detached, d.Seconds()) }
	in.SnapshotEntries = b.gauge("esagate.snapshot.entries", "Snapshots kept.")
	in.SnapshotMemory = b.memory()
}

// Memory is what a bounded part of memory holds.
type Memory struct {
	Bytes     int    // by estimate
	Evictions uint64 // of what made room, since the start
}

// memory gives the function that makes the metrics of the parts of memory, by name.
func (b *builder) memory() func(parts func() map[string]Memory) {
	bytes, err1 := b.meter.Int64ObservableGauge("esagate.snapshot.memory", metric.WithUnit("By"),
		metric.WithDescription("Memory that is taken by what is kept of sources, by estimate."))
	evictions, err2 := b.meter.Int64ObservableCounter("esagate.snapshot.evictions",
		metric.WithDescription("What is not kept any more because there was no room for more."))
	b.err = errors.Join(b.err, err1, err2)
	return func(parts func() map[string]Memory) {
		_, err := b.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
			for name, m := range parts() {
				part := metric.WithAttributes(attribute.String("part", name))
				o.ObserveInt64(bytes, int64(m.Bytes), part)
				o.ObserveInt64(evictions, int64(m.Evictions), part)
			}
			return nil
		}, bytes, evictions)
		if err != nil { // an instrument is another meter's
			otel.Handle(err)
		}
	}
}
