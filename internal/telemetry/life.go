package telemetry

import (
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// worded is a counter whose labels have fixed words, which come as words from the
// packages that count. What is not among them is not counted.
type worded[K comparable] struct {
	counter metric.Int64Counter
	words   map[K]*options
}

func newWorded[K comparable](b *builder, name, description string, words []K, set func(K) attribute.Set) worded[K] {
	c := worded[K]{counter: b.counter(name, description), words: make(map[K]*options, len(words))}
	for _, word := range words {
		o := newOptions(set(word))
		c.counter.Add(background, 0, o.add...)
		c.words[word] = o
	}
	return c
}

func (c worded[K]) add(word K) {
	if o := c.words[word]; o != nil {
		c.counter.Add(background, 1, o.add...)
	}
}

// operation is what was done and how it ended.
type operation struct{ kind, outcome string }

func pairs(kinds, outcomes []string) (all []operation) {
	for _, kind := range kinds {
		for _, outcome := range outcomes {
			all = append(all, operation{kind, outcome})
		}
	}
	return all
}

// The words of the instruments about the life of connections.
var (
	operationKinds    = []string{"provision", "configure", "deactivate", "reactivate"}
	operationOutcomes = []string{"done", "adopted", "refused", "rejected", "not_sent", "unknown", "lost"}

	deliveryOutcomes = []string{"recorded", "duplicate", "ignored", "test", "invalid", "busy", "unavailable",
		"unsigned", "stale", "unreadable", "unknown", "no_secret", "mismatch"}
	subscriptionSteps = []string{"subscribe", "unsubscribe", "dead"}
	okOutcomes        = []string{"ok", "failed"}
)

// life are the instruments about connections and what tells of them.
type life struct {
	operations    worded[operation]
	deliveries    worded[string]
	subscriptions worded[operation]
	reconciled    worded[string]
	leads         atomic.Pointer[func() int64]
}

func (l *life) make(b *builder) {
	outcome := func(word string) attribute.Set { return attribute.NewSet(attribute.String("outcome", word)) }
	two := func(o operation) attribute.Set {
		return attribute.NewSet(attribute.String("operation", o.kind), attribute.String("outcome", o.outcome))
	}
	l.operations = newWorded(b, "esagate.connections.operations", "Changes of tenants at the sales agent, by how they ended.",
		pairs(operationKinds, operationOutcomes), two)
	l.deliveries = newWorded(b, "esagate.webhooks.deliveries", "Deliveries of the sales agent, by what became of them.", deliveryOutcomes, outcome)
	l.subscriptions = newWorded(b, "esagate.webhooks.subscriptions", "Changes of subscriptions to the sales agent's news.",
		pairs(subscriptionSteps, okOutcomes), two)
	l.reconciled = newWorded(b, "esagate.reconcile.reads", "Statuses read because their news was old.", okOutcomes, outcome)
	b.gauge("esagate.leader", "1 while this replica does the background work, else 0.", &l.leads)
}

// Operation counts how a change of a tenant ended, by the words of package lifecycle.
func (in *Instruments) Operation(kind, outcome string) {
	in.life.operations.add(operation{kind, outcome})
}

// Delivery counts a webhook delivery, by the words of package webhooks.
func (in *Instruments) Delivery(outcome string) { in.life.deliveries.add(outcome) }

// Subscription counts a step with a subscription, by the words of package webhooks.
func (in *Instruments) Subscription(step string, ok bool) {
	in.life.subscriptions.add(operation{step, okWord(ok)})
}

// Reconciled counts a status that was read because its news was old.
func (in *Instruments) Reconciled(ok bool) { in.life.reconciled.add(okWord(ok)) }

func okWord(ok bool) string {
	if ok {
		return "ok"
	}
	return "failed"
}

// Leads sets where it is read, at each scrape, whether this replica leads.
func (in *Instruments) Leads(is func() bool) { in.life.leads.Store(flag(is)) }
