package telemetry

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/resource"
)

// Buckets of the histograms, in seconds, by instrument name. A cached read
// takes well under a millisecond; a probe at the sales agent up to 75 seconds;
// a snapshot may be served for 15 minutes.
var buckets = map[string][]float64{
	nameRequestDuration:         {.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	"esagate.upstream.duration": {.01, .025, .05, .1, .25, .5, 1, 2, 3, 5, 10, 20, 30, 45, 60, 75, 90},
	namePassDuration:            {.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600},
	nameSnapshotAge:             {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900},
}

// newMetrics makes a meter provider and the page that shows its metrics, beside the
// Go runtime's and the process's. Each instrument keeps the SDK's limit of 2000
// attribute sets.
func newMetrics(res *resource.Resource, own *ownErrors) (*sdkmetric.MeterProvider, http.Handler, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister( // it is empty: nothing can be in the way
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	// Without the scope labels: they would be on every line and never differ.
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return nil, nil, fmt.Errorf("make the Prometheus exporter: %w", err)
	}
	options := []sdkmetric.Option{
		sdkmetric.WithReader(exporter),
		sdkmetric.WithResource(res),
		// Measurements are taken without a request's context, so there is no
		// trace to point at, and looking for one costs time.
		sdkmetric.WithExemplarFilter(exemplar.AlwaysOffFilter),
	}
	for name, bounds := range buckets {
		options = append(options, sdkmetric.WithView(sdkmetric.NewView(
			sdkmetric.Instrument{Name: name},
			sdkmetric.Stream{Aggregation: sdkmetric.AggregationExplicitBucketHistogram{Boundaries: bounds, NoMinMax: true}},
		)))
	}
	return sdkmetric.NewMeterProvider(options...), promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: own,
		// What can be gathered is served, errors are only logged. (With
		// nothing at all gathered promhttp would print the error, but the Go
		// runtime's metrics are always there.)
		ErrorHandling:     promhttp.ContinueOnError,
		EnableOpenMetrics: true,
		CoalesceGather:    true,
	}), nil
}
