package status

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"esagate/transform"
)

// Facets say what there is among the sources of an overview, whatever its filters.
type Facets struct {
	AdServers, Issues, Customers []Facet // the commonest, by their values

	NotRead     int64     // nothing was ever heard of so many
	OldestLive  time.Time // when that was heard which is the oldest of all that live sources show; zero: nothing is
	NewlyLive   int64     // so many are live since less than an hour
	LongPending time.Time // since when that source is pending which is so the longest; zero: not known
}

// Facet is a value of which so many sources are.
type Facet struct {
	Value string
	Count int64
}

// maxFacets bounds the values of one kind: upstream's words for ad servers, and customers, can be many.
const maxFacets = 200

// needsHand reports whether somebody has to look at a source. One that was not read yet comes by itself.
func (r *overviewRow) needsHand() bool {
	switch r.state {
	case transform.StateDown, transform.StateBlocked, transform.StateDegraded:
		return true
	case transform.StateUnknown:
		return !r.notRead()
	}
	return false
}

// notRead reports whether nothing was ever heard of a source that the sales agent is asked for.
func (r *overviewRow) notRead() bool {
	return r.state == transform.StateUnknown && r.facts.Issue == nil
}

func facetsOf(rows []overviewRow, now time.Time) *Facets {
	f := &Facets{}
	adServers, issues, customers := map[string]int64{}, map[string]int64{}, map[int64]int64{}
	for i := range rows {
		r := &rows[i]
		customers[r.CustomerID]++
		if t := r.facts.AdServer; t != nil {
			adServers[*t]++
		}
		if issue := r.facts.Issue; issue != nil {
			issues[issue.Code]++
		}
		switch {
		case r.notRead():
			f.NotRead++
		case r.state == transform.StatePending:
			f.LongPending = earlier(f.LongPending, r.since)
		case r.state == transform.StateLive:
			f.OldestLive = earlier(f.OldestLive, r.heardAt())
			if !r.since.IsZero() && now.Sub(r.since) < time.Hour {
				f.NewlyLive++
			}
		}
	}
	word := func(s string) string { return s }
	f.AdServers, f.Issues = facets(adServers, word), facets(issues, word)
	f.Customers = facets(customers, func(id int64) string { return strconv.FormatInt(id, 10) })
	return f
}

// facets gives the commonest values, in their order.
func facets[V cmp.Ordered](counts map[V]int64, write func(V) string) []Facet {
	values := slices.SortedFunc(maps.Keys(counts), func(a, b V) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	values = values[:min(len(values), maxFacets)]
	slices.Sort(values)
	out := make([]Facet, len(values))
	for i, v := range values {
		out[i] = Facet{write(v), counts[v]}
	}
	return out
}

// earlier gives the earlier of two times, of which a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
