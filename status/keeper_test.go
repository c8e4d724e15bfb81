package status_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"esagate/internal/events"
	"esagate/registry"
)

// TestKeptFresh: what is watched is read once in each interval, whatever the number of watchers and
// whatever they watch; what nobody watches is not read.
func TestKeptFresh(t *testing.T) {
	for name, watch := range map[string]events.Subscription{
		"the source": {Customer: customer, Sources: []string{sourceID}}, "all of the customer's": {Customer: customer},
		"all": {Customer: events.Operators},
	} {
		for _, watchers := range []int{1, 1000} {
			t.Run(fmt.Sprint(name, " ", watchers), func(t *testing.T) {
				inWorld(t, nil, func(w *world) {
					var calls int
					if w.pass(10 * time.Minute); w.calls(&calls) != 0 {
						t.Errorf("%d calls, and nobody watches", calls)
					}
					readers := make([]*events.Reader, watchers)
					for i := range readers {
						readers[i] = w.hub.Subscribe(watch)
					}
					if w.pass(200 * time.Millisecond); w.calls(&calls) != 1 {
						t.Errorf("%d calls at once", calls)
					}
					w.pass(5 * time.Minute)
					if n := w.calls(&calls); n < 53 || n > 67 { // fresh for 4.5 to 5.5 s
						t.Errorf("%d calls in 60 intervals", n)
					}
					for _, r := range readers {
						r.Close()
					}
					w.pass(200 * time.Millisecond)
					w.calls(&calls)
					if w.pass(10 * time.Minute); w.calls(&calls) != 0 {
						t.Error("it is read after the last watcher left")
					}
				})
			})
		}
	}
}

// TestNobodyWatches: a service that is idle has no timer that fires.
func TestNobodyWatches(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.hub.Subscribe(events.Subscription{Customer: customer}).Close()
		w.pass(time.Minute)
		before := runtime.NumGoroutine()
		w.pass(100 * 24 * time.Hour)
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d goroutines, then %d", before, n)
		}
	})
}

// TestWebhookIsImmediate: a delivery for a watched source has it read at once, also a second one soon
// after, and one for another source has nothing read.
func TestWebhookIsImmediate(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		deliver := func(id string) {
			t.Helper()
			_, _, err := w.directory.RecordEvent(w.Context(), customer, w.source(sourceID).Connection.ID, registry.Event{ID: id, OccurredAt: time.Now()})
			w.must(err)
		}
		var calls int
		w.pass(time.Minute)
		deliver("1")
		if w.pass(time.Minute); w.calls(&calls) != 0 {
			t.Error("it is read and not watched")
		}
		l := w.listen(sourceID)
		w.pass(time.Second)
		w.calls(&calls)
		for i := range 10 {
			w.pass(time.Second)
			deliver(fmt.Sprint("now", i))
			if w.pass(0); w.calls(&calls) != 1 {
				t.Errorf("%d calls", calls)
			}
		}
		for i := range 100 {
			deliver(fmt.Sprint("flood", i))
			w.pass(10 * time.Millisecond)
		}
		w.pass(2 * time.Second)
		if n := w.calls(&calls); n < 1 || n > 4 {
			t.Errorf("%d calls for a flood of a second", n)
		}
		l.Close()
	})
}

// TestManyWatched: the sources that one reader watches together are read at a pace that does not grow with
// their number, and one that is watched by its id is not held up by them.
func TestManyWatched(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		const sources = 240
		for i := range sources {
			id := fmt.Sprint("s", i)
			w.adopt(id, id) // of which the sales agent knows nothing, which is quick
		}
		defer w.hub.Subscribe(events.Subscription{Customer: events.Operators}).Close()
		w.pass(4 * time.Second)
		if n := w.agent.Calls(""); n < 100 || n > 125 {
			t.Errorf("%d calls in 4 s", n)
		}
		w.pass(6 * time.Second)
		for i := range sources {
			if n := w.agent.Calls(fmt.Sprint("s", i)); n < 1 || n > 2 {
				t.Errorf("s%d was read %d times in 10 s", i, n)
			}
		}
		defer w.hub.Subscribe(events.Subscription{Customer: customer, Sources: []string{"s7"}}).Close()
		w.pass(200 * time.Millisecond)
		named, all := w.agent.Calls("s7"), w.agent.Calls("")
		w.pass(20 * time.Second)
		if n := w.agent.Calls("s7") - named; n < 3 || n > 5 {
			t.Errorf("it was read %d times in 20 s", n)
		}
		if n := w.agent.Calls("") - all; n > 20*32 {
			t.Errorf("%d calls in 20 s", n)
		}
	})
}

// TestWatchedOutage: while a refresh fails the sales agent is asked at the back-off's pace, and it is told
// that the row is stale, once; and that it is not, soon after the end.
func TestWatchedOutage(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		l := w.listen(sourceID)
		w.pass(10 * time.Second)
		l.next()
		w.agent.SetDown(true)
		w.pass(5 * time.Minute)
		if all := l.next(); len(all) == 0 || !all[0].row.Stale || all[len(all)-1].row.State != "live" || len(all) > 2 {
			t.Errorf("%+v", all)
		}
		w.agent.SetDown(false)
		w.pass(20 * time.Second)
		if row := l.row(); row.Stale || row.Breaker != "closed" {
			t.Errorf("%+v", row)
		}
	})
}
