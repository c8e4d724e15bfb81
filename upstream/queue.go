package upstream

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

// urgency orders the calls of one customer that wait: first those of somebody who waits
// without a copy, then by the age of the copy, the background last; equal ones as they came.
type urgency struct {
	background bool
	copyFrom   time.Time // zero: there is none
	seq        int64
}

func (u urgency) before(other urgency) bool { return u.compare(other) < 0 }

func (u urgency) compare(other urgency) int {
	return cmp.Or(compareBools(u.background, other.background),
		u.copyFrom.Compare(other.copyFrom), cmp.Compare(u.seq, other.seq))
}

// forReader reports whether somebody waits without a copy.
func (u urgency) forReader() bool { return !u.background && u.copyFrom.IsZero() }

// compareBools orders false before true.
func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// queue is claims in the order of their urgency.
type queue []*claim

func (q *queue) insert(w *claim) {
	at, _ := q.find(w)
	*q = slices.Insert(*q, at, w)
}

// remove removes a claim; false if it is not there.
func (q *queue) remove(w *claim) bool {
	at, found := q.find(w)
	if found {
		*q = slices.Delete(*q, at, at+1)
	}
	return found
}

func (q *queue) find(w *claim) (at int, found bool) {
	return slices.BinarySearchFunc(*q, w.urgency, func(other *claim, u urgency) int { return other.urgency.compare(u) })
}

// readers counts the claims that are not of the background.
func (q queue) readers() int {
	return sort.Search(len(q), func(i int) bool { return q[i].urgency.background })
}

func (q *queue) last() *claim {
	if len(*q) == 0 {
		return nil
	}
	return (*q)[len(*q)-1]
}

// drop removes a claim from a list; false if it is not there.
func drop(list *[]*claim, w *claim) bool {
	at := slices.Index(*list, w)
	if at < 0 {
		return false
	}
	*list = slices.Delete(*list, at, at+1)
	return true
}
