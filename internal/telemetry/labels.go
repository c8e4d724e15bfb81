package telemetry

import (
	"cmp"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"esagate/internal/word"
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

// optionCache keeps the options of the first limit keys; all later ones share
// those of other. Readers take no lock: a new key makes a new map.
type optionCache[K comparable] struct {
	known atomic.Pointer[map[K]*options]
	mu    sync.Mutex // held while a key is added
	limit int
	other *options
	set   func(K) attribute.Set
}

func newOptionCache[K comparable](limit int, other attribute.Set, set func(K) attribute.Set) *optionCache[K] {
	c := &optionCache[K]{limit: limit, other: newOptions(other), set: set}
	c.known.Store(&map[K]*options{})
	return c
}

func (c *optionCache[K]) get(key K) *options {
	known := *c.known.Load()
	if o, ok := known[key]; ok || len(known) >= c.limit {
		return cmp.Or(o, c.other)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known = *c.known.Load()
	if o, ok := known[key]; ok || len(known) >= c.limit {
		return cmp.Or(o, c.other)
	}
	more := maps.Clone(known)
	more[key] = newOptions(c.set(key))
	c.known.Store(&more)
	return more[key]
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
		if !word.Member.Is(segment) {
			return otherLabel
		}
	}
	return path
}

// taskID passes ids that are plain words.
func taskID(id string) string {
	if word.Name.Is(id) {
		return id
	}
	return otherLabel
}

// requestLimit bounds the combinations of route, method and status. It stays
// below the SDK's own limit, past which measurements lose all their labels.
const requestLimit = 1500

// otherMethod is what OpenTelemetry calls methods outside of HTTP's own.
const otherMethod = "_OTHER"

// Names of the request histogram's labels.
const (
	keyRoute  = attribute.Key("http.route")
	keyMethod = attribute.Key("http.request.method")
	keyStatus = attribute.Key("http.response.status_code")
)

// requestKey is what one series of the request histogram is about.
type requestKey struct {
	route, method string
	status        int
}

var otherRequest = attribute.NewSet(keyRoute.String(otherLabel), keyMethod.String(otherMethod))

func requestAttributes(k requestKey) attribute.Set {
	attrs := []attribute.KeyValue{keyMethod.String(k.method), keyStatus.Int(k.status)}
	if k.route != "" {
		attrs = append(attrs, keyRoute.String(k.route))
	}
	return attribute.NewSet(attrs...)
}

// knownMethod is the method when it is one of HTTP's own.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	}
	return otherMethod
}
