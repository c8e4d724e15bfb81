package events

import (
	"container/list"
	"crypto/rand"
	"strconv"
	"strings"
	"time"
)

// topic is the events of a customer, or of all. Its epoch is random and its numbers are its own:
// an id tells nothing of other customers, and is good in no other topic and after no restart.
type topic struct {
	epoch string
	last  uint64 // number given to an event
	floor uint64 // the highest number of an event that was dropped; what stands after it is whole

	kept   list.List // of *entry in the order of their numbers: for each key the latest event
	latest map[key]*list.Element

	readers map[string]map[*Reader]struct{} // by the sources that they follow; "": all
	left    time.Time                       // when the last reader closed
}

type key struct {
	customer       int64
	sourceID, name string
}

type entry struct {
	Event
	number uint64
}

func newTopic() *topic {
	return &topic{epoch: rand.Text(), latest: map[key]*list.Element{}, readers: map[string]map[*Reader]struct{}{}}
}

// expired reports whether nobody has read the topic for so long that nobody will come back.
func (t *topic) expired() bool { return len(t.readers) == 0 && time.Since(t.left) > resumed }

// add keeps an event in the place of its predecessor, and wakes its readers.
func (t *topic) add(e Event) {
	t.last++
	k := key{e.Customer, e.SourceID, e.Key}
	if before := t.latest[k]; before != nil {
		t.kept.Remove(before)
	} else if t.kept.Len() == maxKept {
		dropped := t.kept.Remove(t.kept.Front()).(*entry)
		delete(t.latest, key{dropped.Customer, dropped.SourceID, dropped.Key})
		t.floor = dropped.number
	}
	t.latest[k] = t.kept.PushBack(&entry{e, t.last})
	for r := range t.readers[e.SourceID] {
		r.offer(e.Name, t.last)
	}
	for r := range t.readers[""] {
		r.offer(e.Name, t.last)
	}
}

// enter takes a reader in, who goes on after the event that it names.
func (t *topic) enter(r *Reader) {
	r.seen = t.last
	if r.subscription.After != "" {
		number, ok := t.number(r.subscription.After)
		r.lost = !ok
		if ok {
			r.seen = number
		}
		r.wake()
	}
	for _, id := range r.sources() {
		if t.readers[id] == nil {
			t.readers[id] = map[*Reader]struct{}{}
		}
		t.readers[id][r] = struct{}{}
	}
}

func (t *topic) leave(r *Reader) {
	for _, id := range r.sources() {
		delete(t.readers[id], r)
		if len(t.readers[id]) == 0 {
			delete(t.readers, id)
		}
	}
	t.left = time.Now()
}

// id names the event with a number.
func (t *topic) id(number uint64) string { return t.epoch + "-" + strconv.FormatUint(number, 10) }

// number reads an id; false if it is none of this topic's.
func (t *topic) number(id string) (uint64, bool) {
	digits, ok := strings.CutPrefix(id, t.epoch+"-")
	if !ok {
		return 0, false
	}
	number, err := strconv.ParseUint(digits, 10, 64)
	return number, err == nil && number <= t.last && t.id(number) == id
}
