// Package events brings news of sources to those that follow them. A [Hub] has a topic for each
// customer, and one of all customers for operators; a [Reader] gets what is new in one of them,
// at its own pace. Of events with the same key only the latest is kept, so that a slow reader
// gets fewer events and not older ones. docs/decisions/0034-events.md has the reasons.
package events

import (
	"sync"
	"time"
)

const (
	maxKept = 1024             // events in a topic, each the latest of its key
	maxIdle = 256              // topics that nobody reads
	resumed = 10 * time.Minute // how long a topic that nobody reads is kept for those that come back
	maxTake = 64               // events given at once: what waits to be written can't be replaced by newer events
)

// Operators is the customer of the topic with the events of all customers.
const Operators = 0

// Event is news of a source.
type Event struct {
	Customer int64
	SourceID string
	Name     string // a name of package api
	Key      string // within the source: an event takes the place of the one before with its Key
	Data     []byte // one JSON value on one line, shared by all readers; never written to
}

// Watch is what a reader follows.
type Watch struct {
	Customer int64  // Operators: of any customer
	SourceID string // "": all sources
}

// Hub passes events on to readers. It holds no goroutine, and is safe for concurrent use.
type Hub struct {
	changed chan struct{}

	mu     sync.Mutex
	topics map[int64]*topic // by customer; those that were read within the time of resumed
}

// NewHub makes a Hub.
func NewHub() *Hub { return &Hub{changed: make(chan struct{}, 1), topics: map[int64]*topic{}} }

// Changed has a value when Watched may give something else than before. It is for one receiver.
func (h *Hub) Changed() <-chan struct{} { return h.changed }

// watchesChanged is called when a source has got its first reader, or lost its last one.
func (h *Hub) watchesChanged() {
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

// Publish passes an event on to its customer's readers and to operators, whose topics number it
// each on their own. It waits for no reader. Events of one source and Key must be published one
// after the other, in their order. An event that is not [Hub.Wanted] is dropped.
func (h *Hub) Publish(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, customer := range []int64{e.Customer, Operators} {
		if t := h.topic(customer); t != nil {
			t.add(e)
		}
	}
}

// Wanted reports whether an event of a customer has readers, or could have some that come back.
func (h *Hub) Wanted(customer int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.topic(customer) != nil || h.topic(Operators) != nil
}

// Watched lists what readers follow, each once, in no order.
func (h *Hub) Watched() []Watch {
	h.mu.Lock()
	defer h.mu.Unlock()
	var watched []Watch
	for customer, t := range h.topics {
		for id := range t.readers {
			watched = append(watched, Watch{customer, id})
		}
	}
	return watched
}

// Subscription says what a reader gets.
type Subscription struct {
	Customer int64    // Operators: the events of all
	Sources  []string // their ids; none: all sources
	Names    []string // of events; none: all. A resync comes in any case
	// After is the id of the last event that the reader got from an earlier subscription with the same
	// Sources and Names, or "". After an id that is not known the first event is a resync.
	After string
}

// Subscribe begins to read. The Reader must be closed.
func (h *Hub) Subscribe(s Subscription) *Reader {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topic(s.Customer)
	if t == nil {
		t = newTopic()
		h.topics[s.Customer] = t
	}
	r := &Reader{hub: h, topic: t, subscription: s, ready: make(chan struct{}, 1)}
	before := len(t.readers)
	t.enter(r)
	if len(t.readers) != before {
		h.watchesChanged()
	}
	return r
}

// topic gives a customer's topic, nil if there is none. One that nobody comes back to ends here.
func (h *Hub) topic(customer int64) *topic {
	t := h.topics[customer]
	if t != nil && t.expired() {
		delete(h.topics, customer)
		return nil
	}
	return t
}

// leave ends a reader, and the topics that there is no room for.
func (h *Hub) leave(r *Reader) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.closed {
		return
	}
	r.closed = true
	before := len(r.topic.readers)
	r.topic.leave(r)
	if len(r.topic.readers) != before {
		h.watchesChanged()
	}
	if len(r.topic.readers) > 0 {
		return
	}
	var oldest *topic
	var whose int64
	idle := 0
	for customer, t := range h.topics {
		switch {
		case len(t.readers) > 0:
		case t.expired():
			delete(h.topics, customer)
		default:
			if idle++; oldest == nil || t.left.Before(oldest.left) {
				oldest, whose = t, customer
			}
		}
	}
	if idle > maxIdle {
		delete(h.topics, whose)
	}
}
