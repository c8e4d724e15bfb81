package upstream

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever comes and ends: no bound is exceeded, nobody waits for a slot that could be had,
// and the next slot goes to the customer with the fewest calls.
func TestBulkheadProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBulkhead(boundsOf(rapid.SampledFrom([]int{1, 2, 7, 8, 16, 64, 1000}).Draw(t, "concurrency")))
		b.queue = rapid.IntRange(1, 60).Draw(t, "queue")
		var waiting, running []*claim
		start := func() {
			for {
				before := fewest(b)
				w := b.next()
				if w == nil {
					return
				}
				at := slices.Index(waiting, w)
				if at < 0 {
					t.Fatal("a claim that does not wait was started")
				}
				waiting = slices.Delete(waiting, at, at+1)
				running = append(running, w)
				if w.class <= classOther && !w.urgency.background && b.customers[w.customer].running-1 > before {
					t.Fatalf("a customer with %d calls had its turn before one with %d", b.customers[w.customer].running-1, before)
				}
			}
		}
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			default:
				w := &claim{
					class:    class(rapid.SampledFrom([]int{0, 0, 0, 1, 1, 2, 3, 4}).Draw(t, "class")),
					customer: int64(rapid.IntRange(1, 5).Draw(t, "customer")),
					tenant:   rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "tenant"),
					urgency:  urgency{background: rapid.Bool().Draw(t, "background")},
				}
				waiting = append(waiting, w)
				if away := b.add(w); away != nil {
					waiting = slices.DeleteFunc(waiting, func(w *claim) bool { return w == away })
				}
			case 1:
				if len(waiting) > 0 {
					at := rapid.IntRange(0, len(waiting)-1).Draw(t, "gone")
					if !b.remove(waiting[at]) {
						t.Fatal("a claim that waits is not known")
					}
					waiting = slices.Delete(waiting, at, at+1)
				}
			case 2:
				if len(running) > 0 {
					at := rapid.IntRange(0, len(running)-1).Draw(t, "ended")
					b.end(running[at])
					running = slices.Delete(running, at, at+1)
				}
			}
			start()
			holdBounds(t, b, waiting, running)
		}
		for len(running) > 0 {
			b.end(running[0])
			running = running[1:]
			start()
		}
		if len(b.waiting()) > 0 || b.total() != 0 {
			t.Fatalf("%d wait and %d run when all has ended", len(b.waiting()), b.total())
		}
	})
}

// fewest gives the fewest calls under way of a customer for whom somebody waits whose call
// could be started.
func fewest(b *bulkhead) int {
	n := 1 << 30
	for _, c := range b.customers {
		if w := b.first(c); w != nil && !w.urgency.background && b.roomFor(c) {
			n = min(n, c.running)
		}
	}
	return n
}

func holdBounds(t *rapid.T, b *bulkhead, waiting, running []*claim) {
	t.Helper()
	if b.total() != len(running) || len(b.waiting()) != len(waiting) {
		t.Fatalf("%d of %d run, %d of %d wait", b.total(), len(running), len(b.waiting()), len(waiting))
	}
	others, of, tenants := 0, map[int64]int{}, map[string]int{}
	for _, w := range running {
		if w.class == classOther {
			others++
			of[w.customer]++
			if w.tenant != "" {
				tenants[fmt.Sprint(w.customer, w.tenant)]++
			}
		}
	}
	for _, n := range of {
		if n > b.bounds.customer {
			t.Fatalf("%d other calls of a customer", n)
		}
	}
	for _, n := range tenants {
		if n > b.bounds.tenant {
			t.Fatalf("%d other calls of a tenant", n)
		}
	}
	switch {
	case len(running) > b.all, b.general() > b.all-b.probes, others > b.bounds.other, b.queued > b.bounds.queue:
		t.Fatalf("%d run, %d others, %d wait", len(running), others, b.queued)
	case b.room(b.few):
		for _, w := range waiting {
			if w.class == classStatus {
				t.Fatal("a status read waits although a slot is free")
			}
		}
	}
}

// The numbers of the documentation.
func TestBounds(t *testing.T) {
	for concurrency, want := range map[int]bounds{
		1:    {all: 1, patient: 1, quick: 1, other: 1, customer: 1, tenant: 1},
		7:    {all: 7, patient: 1, quick: 1, other: 5, customer: 3, tenant: 3},
		8:    {all: 8, probes: 1, few: 1, patient: 2, quick: 2, other: 6, customer: 4, tenant: 4},
		64:   {all: 64, probes: 4, last: 1, few: 2, patient: 16, quick: 16, other: 48, customer: 32, tenant: 4},
		1000: {all: 1000, probes: 62, last: 1, few: 31, patient: 250, quick: 250, other: 750, customer: 32, tenant: 4},
	} {
		want.queue = maxQueued
		if got := boundsOf(concurrency); got != want {
			t.Errorf("%d: %+v, want %+v", concurrency, got, want)
		}
	}
}

// Within a customer comes first who waits without a copy, then the oldest copy; the
// background comes after all readers. What gives way is the least urgent of the customer
// with most that wait.
func TestOrderOfTurns(t *testing.T) {
	at := time.Unix(1000, 0)
	b := newBulkhead(bounds{all: 1, other: 1, customer: 1, tenant: 1, queue: 6})
	names := map[*claim]string{}
	add := func(name string, class class, customer int64, u urgency) *claim {
		w := &claim{class: class, customer: customer, tenant: "t", urgency: u}
		names[w] = name
		return b.add(w)
	}
	add("running", classStatus, 1, urgency{})
	running := b.next()
	add("polled", classStatus, 2, urgency{background: true})
	add("newer copy", classStatus, 1, urgency{copyFrom: at.Add(time.Second)})
	add("older copy", classOther, 1, urgency{copyFrom: at})
	add("a write", classOther, 1, urgency{})
	add("a read", classStatus, 1, urgency{})
	add("another's", classStatus, 3, urgency{copyFrom: at.Add(time.Minute)})
	if away := add("one too many", classStatus, 3, urgency{}); names[away] != "newer copy" {
		t.Errorf("%q gave way", names[away])
	}
	var order []string
	for running != nil {
		b.end(running)
		if running = b.next(); running != nil {
			order = append(order, names[running])
		}
	}
	want := []string{"one too many", "a write", "another's", "a read", "older copy", "polled"}
	if !slices.Equal(order, want) {
		t.Errorf("%q, want %q", order, want)
	}
}
