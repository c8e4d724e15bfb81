package telemetry

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// detached is the context of all measurements: they are never cancelled and
// belong to no trace.
var detached = context.Background()

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

// requests records durations by route, method and status.
func (b *builder) requests(name, description string) func(route, method string, status int, d time.Duration) {
	h := b.histogram(name, description)
	known := newOptionCache(requestLimit, otherRequest, requestAttributes)
	return func(route, method string, status int, d time.Duration) {
		if status < 100 || status > 599 {
			status = http.StatusInternalServerError
		}
		h.Record(detached, d.Seconds(), known.get(requestKey{route, knownMethod(method), status}).record...)
	}
}

// events counts without a label, from 0.
func (b *builder) events(name, description string) func() {
	c := b.counter(name, description)
	c.Add(detached, 0)
	return func() { c.Add(detached, 1) }
}

// count counts by fixed words. Each starts at 0, so that the first event is seen as a
// rise.
func count[W ~string](b *builder, name, description, label string, words []W) func(W) {
	return countBy(b, name, description, words, func(w W) attribute.Set {
		return attribute.NewSet(attribute.String(label, string(w)))
	})
}

// operations counts what was done, by how it ended.
func (b *builder) operations(name, description string, words []operation) func(operation) {
	return countBy(b, name, description, words, func(o operation) attribute.Set {
		return attribute.NewSet(attribute.String("operation", o.name), attribute.String("outcome", o.outcome))
	})
}

// attempts counts what succeeded and what failed.
func (b *builder) attempts(name, description string) func(ok bool) {
	add := count(b, name, description, "outcome", okOutcomes)
	return func(ok bool) { add(okWord(ok)) }
}

func countBy[W comparable](b *builder, name, description string, words []W, set func(W) attribute.Set) func(W) {
	c := b.counter(name, description)
	known := make(map[W]*options, len(words))
	for _, word := range words {
		known[word] = newOptions(set(word))
		c.Add(detached, 0, known[word].add...)
	}
	return func(word W) {
		if o := known[word]; o != nil {
			c.Add(detached, 1, o.add...)
		}
	}
}

// labelled counts by a label whose values come from outside.
func (b *builder) labelled(name, description, label string, limit int, shown func(string) string) func(string) {
	attributes := func(value string) attribute.Set { return attribute.NewSet(attribute.String(label, value)) }
	c, known := b.counter(name, description), newOptionCache(limit, attributes(otherLabel), attributes)
	return func(value string) { c.Add(detached, 1, known.get(shown(value)).add...) }
}

// gauge gives the function that makes the gauge: until its source is known there is none.
func (b *builder) gauge(name, description string) func(source func() int) {
	return func(source func() int) {
		_, err := b.meter.Int64ObservableGauge(name, metric.WithDescription(description),
			metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
				o.Observe(int64(source()))
				return nil
			}))
		if err != nil { // the name is not valid
			otel.Handle(err)
		}
	}
}

// levels sets a gauge for each of fixed words. Until it was set there is none.
func (b *builder) levels(name, description, label string, words []string) func(word string, n int64) {
	g, err := b.meter.Int64Gauge(name, metric.WithDescription(description))
	b.err = errors.Join(b.err, err)
	known := make(map[string]metric.MeasurementOption, len(words))
	for _, word := range words {
		known[word] = metric.WithAttributeSet(attribute.NewSet(attribute.String(label, word)))
	}
	return func(word string, n int64) {
		if o, ok := known[word]; ok {
			g.Record(detached, n, o)
		}
	}
}

// flag is a gauge of 1 for true and 0 for false.
func (b *builder) flag(name, description string) func(is func() bool) {
	read := b.gauge(name, description)
	return func(is func() bool) {
		read(func() int {
			if is() {
				return 1
			}
			return 0
		})
	}
}
