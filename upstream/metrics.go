package upstream

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// metrics are the client's instruments. Every attribute is from a fixed set of
// words; none names a tenant.
type metrics struct {
	calls          metric.Int64Counter
	duration       metric.Float64Histogram
	retries        metric.Int64Counter
	retriesRefused metric.Int64Counter
	keyRefusals    metric.Int64Counter
	queueWait      metric.Float64Histogram
	queueRefusals  metric.Int64Counter
}

func newMetrics(p metric.MeterProvider, upstream *breaker, ts *tenants, s *slots) (*metrics, error) {
	meter := p.Meter("esagate/upstream")
	m, errs := &metrics{}, [11]error{}
	m.calls, errs[0] = meter.Int64Counter("esagate.upstream.calls",
		metric.WithDescription("Calls to the sales agent, by how they ended."))
	m.duration, errs[1] = meter.Float64Histogram("esagate.upstream.duration", metric.WithUnit("s"),
		metric.WithDescription("How long calls to the sales agent took, retries included."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 75))
	m.retries, errs[2] = meter.Int64Counter("esagate.upstream.retries",
		metric.WithDescription("Attempts that followed a failed one."))
	m.retriesRefused, errs[3] = meter.Int64Counter("esagate.upstream.retries_refused",
		metric.WithDescription("Retries not made: out of budget, or too late for the deadline."))
	m.keyRefusals, errs[4] = meter.Int64Counter("esagate.upstream.key_refusals",
		metric.WithDescription("Answers in which the sales agent refused the gateway's key."))
	_, errs[5] = meter.Int64ObservableGauge("esagate.upstream.breaker_state",
		metric.WithDescription("The whole upstream's breaker: 0 closed, 2 open."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			value := int64(0)
			if upstream.open.Load() {
				value = 2
			}
			o.Observe(value, metric.WithAttributes(attribute.String("breaker", "upstream")))
			return nil
		}))
	_, errs[6] = meter.Int64ObservableGauge("esagate.upstream.open_tenant_breakers",
		metric.WithDescription("Tenants' breakers that are open."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(ts.open()))
			return nil
		}))
	m.queueWait, errs[7] = meter.Float64Histogram("esagate.upstream.queue_wait", metric.WithUnit("s"),
		metric.WithDescription("How long attempts waited for their slot."),
		metric.WithExplicitBucketBoundaries(.001, .01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60))
	m.queueRefusals, errs[8] = meter.Int64Counter("esagate.upstream.queue_refusals",
		metric.WithDescription("Calls of customers that got no slot, by why."))
	_, errs[9] = meter.Int64ObservableGauge("esagate.upstream.calls_running",
		metric.WithDescription("Calls that have a slot, probes included."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			running, _ := s.counts()
			o.Observe(int64(running))
			return nil
		}))
	_, errs[10] = meter.Int64ObservableGauge("esagate.upstream.calls_queued",
		metric.WithDescription("Calls that wait for a slot."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			_, queued := s.counts()
			o.Observe(int64(queued))
			return nil
		}))
	// Alerts need a series before its first refusal.
	m.keyRefusals.Add(context.Background(), 0)
	for _, why := range []refused{refusedWaited, refusedFull, refusedCustomer, refusedUnwanted} {
		m.queueRefusals.Add(context.Background(), 0, metric.WithAttributes(attribute.String("reason", string(why))))
	}
	return m, errors.Join(errs[:]...)
}

func (m *metrics) call(ctx context.Context, op operation, o outcome, took time.Duration) {
	attrs := metric.WithAttributeSet(attribute.NewSet(
		attribute.String("operation", string(op)), attribute.String("outcome", string(o))))
	m.calls.Add(ctx, 1, attrs)
	m.duration.Record(ctx, took.Seconds(), attrs)
}

func (m *metrics) retry(ctx context.Context, op operation) {
	m.retries.Add(ctx, 1, metric.WithAttributes(attribute.String("operation", string(op))))
}

// retryRefused counts a retry that was not made; reason is budget or deadline.
func (m *metrics) retryRefused(ctx context.Context, reason string) {
	m.retriesRefused.Add(ctx, 1, metric.WithAttributes(attribute.String("reason", reason)))
}

// waited counts an attempt that waited so long for its slot.
func (m *metrics) waited(ctx context.Context, took time.Duration) {
	m.queueWait.Record(ctx, took.Seconds())
}

// refused counts a call that got no slot.
func (m *metrics) refused(ctx context.Context, why refused) {
	m.queueRefusals.Add(ctx, 1, metric.WithAttributes(attribute.String("reason", string(why))))
}
