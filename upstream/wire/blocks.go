package wire

import (
	"math"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The blocks of a status document but for syncs and setup_tasks. Each reader
// gives the zero Opt for a block that is absent, null or no object.

// adapter reports with ok whether type and connected were there.
func (r *reader) adapter() (a Adapter, ok bool) {
	r.in("adapter")
	defer r.out()
	if !r.open(jsontext.KindBeginObject) {
		return a, false
	}
	var kind Opt[string]
	var connected Opt[bool]
	for name, more := r.name(); more; name, more = r.name() {
		switch string(name) {
		case "type":
			r.word(&kind, "type")
		case "connected":
			r.flag(&connected, "connected")
		case "last_tested_at":
			r.time(&a.LastTestedAt, "last_tested_at")
		case "last_test_error":
			r.text(&a.LastTestError, "last_test_error")
		default:
			r.unknown(name)
		}
	}
	a.Type, a.Connected = kind.Value, connected.Value
	return a, kind.Set && connected.Set
}

func (r *reader) workflows() (o Opt[Workflows]) {
	r.in("workflows")
	defer r.out()
	if o.Set = r.open(jsontext.KindBeginObject); !o.Set {
		return o
	}
	for name, more := r.name(); more; name, more = r.name() {
		switch string(name) {
		case "open_count":
			r.count(&o.Value.OpenCount, "open_count")
		case "oldest_opened_at":
			r.time(&o.Value.OldestOpenedAt, "oldest_opened_at")
		case "by_kind":
			o.Value.ByKind = r.byKind()
		default:
			r.unknown(name)
		}
	}
	return o
}

// maxKinds bounds workflows.by_kind; what comes after that many is dropped.
const maxKinds = 10_000

// dropped marks a kind whose last value was no integer; no integer is this small.
const dropped = math.MinInt64

func (r *reader) byKind() []KindCount {
	r.in("by_kind")
	defer r.out()
	if !r.open(jsontext.KindBeginObject) {
		return nil
	}
	var kinds []KindCount
	for name, more := r.name(); more; name, more = r.name() {
		if len(kinds) == maxKinds {
			r.malformed("")
			r.skip()
			continue
		}
		kind := KindCount{Kind: intern(name), Count: dropped}
		var n Opt[int64]
		if r.count(&n, "*"); n.Set {
			kind.Count = n.Value
		}
		kinds = append(kinds, kind)
	}
	slices.SortStableFunc(kinds, func(a, b KindCount) int { return strings.Compare(a.Kind, b.Kind) })
	kept := kinds[:0]
	for i, k := range kinds {
		overruled := i+1 < len(kinds) && kinds[i+1].Kind == k.Kind
		if !overruled && k.Count != dropped {
			kept = append(kept, k)
		}
	}
	return kept
}

// counter is one field of a block that holds nothing but counters.
type counter struct {
	name string
	at   *Opt[int64]
}

// counters reads such a block; false when it is none.
func (r *reader) counters(block string, fields ...counter) bool {
	r.in(block)
	defer r.out()
	if !r.open(jsontext.KindBeginObject) {
		return false
	}
next:
	for name, more := r.name(); more; name, more = r.name() {
		for _, f := range fields {
			if string(name) == f.name {
				r.count(f.at, f.name)
				continue next
			}
		}
		r.unknown(name)
	}
	return true
}

func (r *reader) packages() (o Opt[Packages]) {
	v := &o.Value
	o.Set = r.counters("packages", counter{"active_count", &v.ActiveCount},
		counter{"paused_count", &v.PausedCount}, counter{"last_24h_impressions", &v.Last24hImpressions})
	return o
}

func (r *reader) products() (o Opt[Products]) {
	v := &o.Value
	o.Set = r.counters("products", counter{"active_count", &v.ActiveCount},
		counter{"draft_count", &v.DraftCount}, counter{"archived_count", &v.ArchivedCount})
	return o
}

func (r *reader) inventoryProfiles() (o Opt[InventoryProfiles]) {
	v := &o.Value
	o.Set = r.counters("inventory_profiles", counter{"total_count", &v.TotalCount}, counter{"complete_count", &v.CompleteCount},
		counter{"incomplete_count", &v.IncompleteCount}, counter{"wholesale_owned_count", &v.WholesaleOwnedCount})
	return o
}

func (r *reader) creatives() (o Opt[Creatives]) {
	v := &o.Value
	o.Set = r.counters("creatives", counter{"active_count", &v.ActiveCount},
		counter{"pending_review_count", &v.PendingReviewCount}, counter{"rejected_last_24h_count", &v.RejectedLast24hCount})
	return o
}

func (r *reader) webhooks() (o Opt[Webhooks]) {
	r.in("webhooks")
	defer r.out()
	if o.Set = r.open(jsontext.KindBeginObject); !o.Set {
		return o
	}
	for name, more := r.name(); more; name, more = r.name() {
		switch string(name) {
		case "last_24h":
			o.Value.Delivered, o.Value.Failed, o.Value.SuccessRate = Opt[int64]{}, Opt[int64]{}, Opt[float64]{}
			r.webhookCounts(&o.Value)
		case "last_failure_at":
			r.time(&o.Value.LastFailureAt, "last_failure_at")
		default:
			r.unknown(name)
		}
	}
	return o
}

func (r *reader) webhookCounts(w *Webhooks) {
	r.in("last_24h")
	defer r.out()
	if !r.open(jsontext.KindBeginObject) {
		return
	}
	for name, more := r.name(); more; name, more = r.name() {
		switch string(name) {
		case "delivered":
			r.count(&w.Delivered, "delivered")
		case "failed":
			r.count(&w.Failed, "failed")
		case "success_rate":
			r.number(&w.SuccessRate, "success_rate")
		default:
			r.unknown(name)
		}
	}
}
