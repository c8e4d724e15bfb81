package events

import (
	"slices"

	"esagate/api"
)

// Reader gets the events of a subscription: what has come up since it last took some, of each key
// the latest, in the order in which they were published. Its methods but Close are for one
// goroutine.
type Reader struct {
	hub          *Hub
	topic        *topic
	subscription Subscription
	ready        chan struct{}

	// The hub's lock guards these.
	seen    uint64 // all events up to this number were taken, or are of no interest
	pending bool   // there may be events of interest after seen
	lost    bool   // it asked to go on after an id that is not known
	closed  bool
}

// Delivery is an event for a reader.
type Delivery struct {
	ID   string
	Name string
	Data []byte // shared; never written to
}

// sources lists the keys of topic.readers where the reader stands.
func (r *Reader) sources() []string {
	if len(r.subscription.Sources) == 0 {
		return []string{""}
	}
	return r.subscription.Sources
}

// offer tells of a new event of a source that the reader follows.
func (r *Reader) offer(name string, number uint64) {
	if !r.pending && r.wants(name) {
		r.seen = number - 1 // what lies between was of no interest
		r.wake()
	}
}

func (r *Reader) wants(name string) bool { return has(r.subscription.Names, name) }

// has reports whether a word is on a list; an empty one has all.
func has(list []string, word string) bool { return len(list) == 0 || slices.Contains(list, word) }

func (r *Reader) wake() {
	r.pending = true
	select {
	case r.ready <- struct{}{}:
	default:
	}
}

// Ready receives when there may be something to take. It is never closed.
func (r *Reader) Ready() <-chan struct{} { return r.ready }

// Take gives the next events, none if there is nothing new. If more are left it makes Ready
// receive again. Where events are missing, because more keys have changed than are kept or because
// the reader came with an unknown id, it gives one resync, and after it what is newer.
func (r *Reader) Take() []Delivery {
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	if !r.pending || r.closed {
		return nil
	}
	r.pending = false
	t := r.topic
	if r.lost || r.seen < t.floor {
		r.lost, r.seen = false, t.last
		return []Delivery{{t.id(t.last), api.EventResync, []byte("{}")}}
	}
	next := t.kept.Back()
	for next != nil && next.Value.(*entry).number > r.seen {
		next = next.Prev()
	}
	if next == nil {
		next = t.kept.Front()
	} else {
		next = next.Next()
	}
	var taken []Delivery
	for ; next != nil; next = next.Next() {
		e := next.Value.(*entry)
		if !r.wants(e.Name) || !has(r.subscription.Sources, e.SourceID) {
			continue
		}
		if len(taken) == maxTake {
			r.wake()
			return taken
		}
		taken = append(taken, Delivery{t.id(e.number), e.Name, e.Data})
		r.seen = e.number
	}
	return taken
}

// Position gives the id to go on after for one that has taken all that there is; "" while there
// may be something to take.
func (r *Reader) Position() string {
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	if r.pending {
		return ""
	}
	return r.topic.id(r.topic.last)
}

// Close ends the reading.
func (r *Reader) Close() { r.hub.leave(r) }
