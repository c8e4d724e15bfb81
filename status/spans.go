package status

import (
	"slices"
	"time"

	"esagate/api"
	"esagate/registry"
)

// historySpan is how far back the history of an overview goes.
const historySpan = 24 * time.Hour

// spans gives the states of a source since a time, by those that were kept of it, in order, and as it
// stands. What began before begins there.
func (k *known) spans(kept []registry.StateChange, since time.Time) []api.StateSpan {
	spans := make([]api.StateSpan, 0, len(kept)+1)
	add := func(state, issue string, from time.Time) {
		from = shownTime(from)
		for n := len(spans); n > 0 && !from.After(spans[n-1].From.Time); n-- { // it was another in the same moment
			spans = spans[:n-1]
		}
		if n := len(spans); n > 0 {
			if spans[n-1].State == state {
				spans[n-1].To = api.Timestamp{}
				return
			}
			spans[n-1].To = api.TimestampOf(from)
		}
		span := api.StateSpan{State: state, From: api.TimestampOf(from)}
		if issue != "" {
			span.Issue = &issue
		}
		spans = append(spans, span)
	}
	for i := range kept {
		add(kept[i].State, kept[i].Issue, kept[i].At)
	}
	if !k.since.IsZero() {
		from := k.since
		if n := len(kept); n > 0 && from.Before(kept[n-1].At) {
			from = kept[n-1].At
		}
		add(k.state, k.issue(), from)
	}
	spans = slices.DeleteFunc(spans, func(s api.StateSpan) bool { return !s.To.IsZero() && !s.To.Time.After(since) })
	if len(spans) > 0 && spans[0].From.Time.Before(since) {
		spans[0].From = api.TimestampOf(since)
	}
	return spans
}

// shownTime gives a time as overviews show it.
func shownTime(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// ofConnection gives the changes of one connection, of a list in the order of connections.
func ofConnection(changes []registry.StateChange, esaID int64) []registry.StateChange {
	byID := func(c registry.StateChange, id int64) int {
		switch {
		case c.ESAID < id:
			return -1
		case c.ESAID > id:
			return 1
		}
		return 0
	}
	from, _ := slices.BinarySearchFunc(changes, esaID, byID)
	to, _ := slices.BinarySearchFunc(changes, esaID+1, byID)
	return changes[from:to]
}
