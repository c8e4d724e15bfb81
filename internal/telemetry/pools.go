package telemetry

import (
	"context"
	"database/sql"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// pools gives the function that makes the metrics of the database's pools of connections,
// all read at a scrape from one set of figures, by the pools' names.
func (b *builder) pools() func(stats func() map[string]sql.DBStats) {
	connections, err1 := b.meter.Int64ObservableGauge("esagate.store.connections",
		metric.WithDescription("Open connections to the database."))
	most, err2 := b.meter.Int64ObservableGauge("esagate.store.connections_max",
		metric.WithDescription("Connections to the database that there may be."))
	waits, err3 := b.meter.Int64ObservableCounter("esagate.store.waits",
		metric.WithDescription("Statements and transactions that waited for a connection."))
	waited, err4 := b.meter.Float64ObservableCounter("esagate.store.wait", metric.WithUnit("s"),
		metric.WithDescription("How long they waited, all together."))
	b.err = errors.Join(b.err, err1, err2, err3, err4)
	return func(stats func() map[string]sql.DBStats) {
		_, err := b.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
			for name, s := range stats() {
				pool := attribute.String("pool", name)
				in := func(state string) metric.ObserveOption {
					return metric.WithAttributes(pool, attribute.String("state", state))
				}
				o.ObserveInt64(connections, int64(s.InUse), in("in_use"))
				o.ObserveInt64(connections, int64(s.Idle), in("idle"))
				o.ObserveInt64(most, int64(s.MaxOpenConnections), metric.WithAttributes(pool))
				o.ObserveInt64(waits, s.WaitCount, metric.WithAttributes(pool))
				o.ObserveFloat64(waited, s.WaitDuration.Seconds(), metric.WithAttributes(pool))
			}
			return nil
		}, connections, most, waits, waited)
		if err != nil { // an instrument is another meter's
			otel.Handle(err)
		}
	}
}

// buildInfo gives the function that makes the metric of what the binary was built from.
func (b *builder) buildInfo() func(version, commit, goVersion string) {
	g, err := b.meter.Int64Gauge("esagate.build_info", metric.WithDescription("1, and what the binary was built from."))
	b.err = errors.Join(b.err, err)
	return func(version, commit, goVersion string) {
		g.Record(detached, 1, metric.WithAttributes(attribute.String("version", version),
			attribute.String("commit", commit), attribute.String("go_version", goVersion)))
	}
}
