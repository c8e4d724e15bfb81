package events_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esagate/api"
	"esagate/internal/events"
)

// publish makes news of a source: its nth.
func publish(h *events.Hub, customer int64, source string, n int) {
	h.Publish(events.Event{
		Customer: customer, SourceID: source, Name: api.EventStatusChanged, Key: api.EventStatusChanged,
		Data: fmt.Appendf(nil, `"%d/%s/%d"`, customer, source, n),
	})
}

// take gives what a reader has to take now, and its last id.
func take(r *events.Reader) (data []string, id string) {
	for {
		select {
		case <-r.Ready():
		default:
			return data, id
		}
		for _, d := range r.Take() {
			if id = d.ID; d.Name == api.EventResync {
				data = append(data, "resync")
			} else {
				data = append(data, strings.Trim(string(d.Data), `"`))
			}
		}
	}
}

func expect(t *testing.T, r *events.Reader, want ...string) (id string) {
	t.Helper()
	got, id := take(r)
	if !slices.Equal(got, want) {
		t.Errorf("took %q, want %q", got, want)
	}
	return id
}

func subscribe(t *testing.T, h *events.Hub, s events.Subscription) *events.Reader {
	r := h.Subscribe(s)
	t.Cleanup(r.Close)
	return r
}

func TestReadersGetTheirCustomersEvents(t *testing.T) {
	h := events.NewHub()
	one := subscribe(t, h, events.Subscription{Customer: 1})
	two := subscribe(t, h, events.Subscription{Customer: 2})
	operator := subscribe(t, h, events.Subscription{Customer: events.Operators})
	some := subscribe(t, h, events.Subscription{Customer: 1, Sources: []string{"b", "c", "b"}})
	sneaky := subscribe(t, h, events.Subscription{Customer: 2, Sources: []string{"a", "b"}})
	publish(h, 1, "a", 1)
	publish(h, 1, "b", 1)
	publish(h, 1, "a", 2)
	publish(h, 2, "c", 1)
	publish(h, 3, "a", 1)
	first := expect(t, one, "1/b/1", "1/a/2")
	expect(t, two, "2/c/1")
	ofAll := expect(t, operator, "1/b/1", "1/a/2", "2/c/1", "3/a/1")
	expect(t, some, "1/b/1")
	expect(t, sneaky)
	if a, b, _ := strings.Cut(first, "-"); b != "3" || strings.HasPrefix(ofAll, a) {
		t.Errorf("the ids %s and %s", first, ofAll)
	}
}

func TestNamesAreChosen(t *testing.T) {
	h := events.NewHub()
	r := subscribe(t, h, events.Subscription{Customer: 1, Names: []string{api.EventSyncFailed}})
	publish(h, 1, "a", 1)
	select {
	case <-r.Ready():
		t.Error("woken for an event of another name")
	default:
	}
	h.Publish(events.Event{Customer: 1, SourceID: "a", Name: api.EventSyncFailed, Key: "x", Data: []byte(`"failed"`)})
	publish(h, 1, "a", 2)
	expect(t, r, "failed")
}

func TestResuming(t *testing.T) {
	h := events.NewHub()
	r := subscribe(t, h, events.Subscription{Customer: 1})
	other := subscribe(t, h, events.Subscription{Customer: 2})
	start, othersStart := r.Position(), other.Position()
	publish(h, 1, "a", 1)
	if p := r.Position(); p != "" {
		t.Errorf("the position %q before an event was taken", p)
	}
	id := expect(t, r, "1/a/1")
	if p := r.Position(); p != id {
		t.Errorf("the position %q after the event %q", p, id)
	}
	publish(h, 1, "b", 1)
	publish(h, 1, "c", 1)
	publish(h, 1, "b", 2)
	publish(h, 2, "a", 1)
	epoch, _, _ := strings.Cut(id, "-")
	for after, want := range map[string][]string{
		start:                      {"1/a/1", "1/c/1", "1/b/2"},
		id:                         {"1/c/1", "1/b/2"},
		epoch + "-3":               {"1/b/2"}, // its event was taken, in one with what came later
		epoch + "-4":               nil,
		epoch + "-5":               {"resync"}, // has not been yet
		epoch + "-04":              {"resync"},
		epoch + "-+4":              {"resync"},
		epoch + "-":                {"resync"},
		epoch:                      {"resync"},
		"4":                        {"resync"},
		othersStart:                {"resync"},
		"AAAA-4":                   {"resync"},
		"a\r\nb-\x00\xff":          {"resync"},
		strings.Repeat("9", 1<<16): {"resync"},
	} {
		again := subscribe(t, h, events.Subscription{Customer: 1, After: after})
		last := expect(t, again, want...)
		if len(want) > 0 && last != epoch+"-4" {
			t.Errorf("after %.40q the last id is %q", after, last)
		}
	}
}

func TestMoreKeysThanAreKeptAreOneResync(t *testing.T) {
	h := events.NewHub()
	slow := subscribe(t, h, events.Subscription{Customer: 1})
	calm := subscribe(t, h, events.Subscription{Customer: 1, Sources: []string{"calm"}})
	start := slow.Position()
	for n := range 3 {
		for i := range 1024 {
			publish(h, 1, fmt.Sprint("s", i), n)
		}
	}
	if got, _ := take(slow); len(got) != 1024 || got[0] != "1/s0/2" || got[1023] != "1/s1023/2" {
		t.Errorf("%d events: %q", len(got), got)
	}
	publish(h, 1, "calm", 1)
	for i := range 1024 {
		publish(h, 1, fmt.Sprint("s", i), 4)
	}
	expect(t, slow, "resync")
	publish(h, 1, "s7", 5)
	expect(t, slow, "1/s7/5")
	expect(t, calm, "resync")
	expect(t, subscribe(t, h, events.Subscription{Customer: 1, After: start}), "resync")
	for i := range 2000 { // what others do is no lag of a reader that waits
		publish(h, 1, fmt.Sprint("t", i), 1)
	}
	publish(h, 1, "calm", 2)
	expect(t, calm, "1/calm/2")
}

// A reader is given few events at once: what it has not taken is still replaced.
func TestWhatIsNotTakenIsReplaced(t *testing.T) {
	h := events.NewHub()
	r := subscribe(t, h, events.Subscription{Customer: 1})
	for i := range 200 {
		publish(h, 1, fmt.Sprint("s", i), 1)
	}
	<-r.Ready()
	if n := len(r.Take()); n != 64 {
		t.Fatalf("%d events at once", n)
	}
	for i := range 200 {
		publish(h, 1, fmt.Sprint("s", i), 2)
	}
	got, _ := take(r)
	if len(got) != 200 || slices.ContainsFunc(got, func(s string) bool { return !strings.HasSuffix(s, "/2") }) {
		t.Errorf("%d events: %q", len(got), got)
	}
}

func TestWantedAndWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := events.NewHub()
		wanted := func(want ...int64) {
			t.Helper()
			for _, customer := range []int64{1, 2} {
				if got := h.Wanted(customer); got != slices.Contains(want, customer) {
					t.Errorf("customer %d: %v", customer, got)
				}
			}
		}
		wanted()
		publish(h, 1, "a", 1) // to nobody
		r := h.Subscribe(events.Subscription{Customer: 1, Sources: []string{"a", "b"}})
		expect(t, r)
		all := h.Subscribe(events.Subscription{Customer: 1})
		wanted(1)
		operator := h.Subscribe(events.Subscription{Customer: events.Operators, Sources: []string{"a"}})
		wanted(1, 2)
		watched := h.Watched()
		slices.SortFunc(watched, func(a, b events.Watch) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		if want := []events.Watch{{0, "a"}, {1, "a"}, {1, "b"}, {1, ""}}; !slices.Equal(watched, want) {
			t.Errorf("watched: %v", watched)
		}
		operator.Close()
		r.Close()
		r.Close()
		wanted(1, 2) // the operator may come back
		publish(h, 1, "a", 2)
		expect(t, r)
		id := expect(t, all, "1/a/2")
		all.Close()
		if len(h.Watched()) > 0 {
			t.Errorf("watched: %v", h.Watched())
		}
		time.Sleep(10 * time.Minute)
		publish(h, 1, "b", 1)
		back := h.Subscribe(events.Subscription{Customer: 1, After: id})
		expect(t, back, "1/b/1")
		back.Close()
		time.Sleep(10*time.Minute + 1)
		wanted()
		back = h.Subscribe(events.Subscription{Customer: 1, After: id})
		expect(t, back, "resync")
		back.Close()
	})
}

func TestTopicsWithoutReadersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := events.NewHub()
		stays := h.Subscribe(events.Subscription{Customer: 1})
		for customer := range int64(1000) {
			h.Subscribe(events.Subscription{Customer: customer + 2}).Close()
			time.Sleep(time.Millisecond)
		}
		kept := 0
		for customer := range int64(1001) {
			if h.Wanted(customer + 1) {
				kept++
			}
		}
		if kept != 257 || !h.Wanted(1) || h.Wanted(2) || !h.Wanted(1001) {
			t.Errorf("%d customers are wanted", kept)
		}
		publish(h, 1, "a", 1)
		expect(t, stays, "1/a/1")
	})
}
