package telemetry

import (
	"context"
	"errors"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// detached is the context of all measurements: they are never cancelled and
// belong to no trace.
var detached = context.Background()

// counter counts events by fixed words. Each starts at 0, so that the first
// event is seen as a rise. Other words are not counted.
type counter[W comparable] struct {
	metric.Int64Counter
	words map[W]*options
}

func (c counter[W]) add(word W) {
	if o := c.words[word]; o != nil {
		c.Add(detached, 1, o.add...)
	}
}

// newCounter makes a counter with one label.
func newCounter[W ~string](b *builder, name, description, label string, words []W) counter[W] {
	return countBy(b, name, description, words, func(w W) attribute.Set {
		return attribute.NewSet(attribute.String(label, string(w)))
	})
}

// newOperations makes a counter of operations and their outcomes.
func newOperations(b *builder, name, description string, words []operation) counter[operation] {
	return countBy(b, name, description, words, func(o operation) attribute.Set {
		return attribute.NewSet(attribute.String("operation", o.name), attribute.String("outcome", o.outcome))
	})
}

func countBy[W comparable](b *builder, name, description string, words []W, set func(W) attribute.Set) counter[W] {
	c := counter[W]{b.counter(name, description), make(map[W]*options, len(words))}
	for _, word := range words {
		c.words[word] = newOptions(set(word))
		c.Add(detached, 0, c.words[word].add...)
	}
	return c
}

// labelled is a counter with one label whose values come from outside.
type labelled struct {
	metric.Int64Counter
	values *optionCache[string]
	shown  func(string) string
}

func (l labelled) add(value string) { l.Add(detached, 1, l.values.get(l.shown(value)).add...) }

// gauge is read at each scrape from its source; until there is one, there is
// no such metric.
type gauge struct{ source atomic.Pointer[func() int64] }

func (g *gauge) read(source func() int64) { g.source.Store(&source) }

func (g *gauge) readBool(source func() bool) {
	g.read(func() int64 {
		if source() {
			return 1
		}
		return 0
	})
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

func (b *builder) gauge(g *gauge, name, description string) {
	_, err := b.meter.Int64ObservableGauge(name, metric.WithDescription(description),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			if source := g.source.Load(); source != nil {
				o.Observe((*source)())
			}
			return nil
		}))
	b.err = errors.Join(b.err, err)
}

func (b *builder) labelled(name, description, label string, limit int, shown func(string) string) labelled {
	attributes := func(value string) attribute.Set { return attribute.NewSet(attribute.String(label, value)) }
	return labelled{b.counter(name, description), newOptionCache(limit, attributes(otherLabel), attributes), shown}
}
