package telemetry

import (
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"esagate/internal/redact"
)

// otherLabel stands for label values past a bound, or not fit to be shown.
const otherLabel = "(other)"

// options are the prepared arguments of a measurement, in the shapes of both
// kinds of instrument: building them for each call would allocate.
type options struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

func newOptions(set attribute.Set) *options {
	o := metric.WithAttributeSet(set)
	return &options{[]metric.AddOption{o}, []metric.RecordOption{o}}
}

// optionCache keeps the options of at most limit keys; all later ones share
// those of "other". Readers take no lock: the map they see is never written
// again, a new key makes a new map.
type optionCache[K comparable] struct {
	seen  atomic.Pointer[map[K]*options]
	mu    sync.Mutex // held by whoever adds a key
	limit int
	other *options
	set   func(K) attribute.Set
}

func newOptionCache[K comparable](limit int, other attribute.Set, set func(K) attribute.Set) *optionCache[K] {
	c := &optionCache[K]{limit: limit, other: newOptions(other), set: set}
	c.seen.Store(&map[K]*options{})
	return c
}

func (c *optionCache[K]) get(key K) *options {
	seen := *c.seen.Load()
	if o, ok := seen[key]; ok {
		return o
	}
	if len(seen) >= c.limit {
		return c.other
	}
	return c.learn(key)
}

func (c *optionCache[K]) learn(key K) *options {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := *c.seen.Load()
	if o, ok := seen[key]; ok {
		return o
	}
	if len(seen) >= c.limit {
		return c.other
	}
	grown := make(map[K]*options, len(seen)+1)
	for k, o := range seen {
		grown[k] = o
	}
	o := newOptions(c.set(key))
	grown[key] = o
	c.seen.Store(&grown)
	return o
}

// labelled is a counter with one label whose values come from outside.
type labelled struct {
	counter metric.Int64Counter
	values  *optionCache[string]
	shown   func(string) string
}

func (l labelled) add(value string) {
	l.counter.Add(background, 1, l.values.get(l.shown(value)).add...)
}

// fieldPath passes dotted plain words, with "[]" after a list and "*" or "?"
// for a segment that is data; the rest might be data too and becomes
// otherLabel.
func fieldPath(path string) string {
	if len(path) > 128 {
		return otherLabel
	}
	for segment := range strings.SplitSeq(path, ".") {
		for strings.HasSuffix(segment, "[]") {
			segment = strings.TrimSuffix(segment, "[]")
		}
		if segment == "*" || segment == "?" {
			continue
		}
		word := strings.TrimLeft(segment, "_")
		if !redact.Word(word) || strings.Contains(word, "-") {
			return otherLabel
		}
	}
	return path
}

// taskID passes ids that are plain words.
func taskID(id string) string {
	if redact.Word(id) {
		return id
	}
	return otherLabel
}
