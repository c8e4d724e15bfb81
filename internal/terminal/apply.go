package terminal

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
)

// apply takes an event over into the wall, and shows it. What can't be read is left out: the
// next read of the whole wall has it.
func (w *Watch) apply(n news) {
	e := n.event
	if !jsontext.Value(e.data).IsValid() {
		return
	}
	switch e.name {
	case api.EventStatusChanged:
		now := Row{readAt: time.Now()}
		if json.Unmarshal(e.data, &now.OverviewItem) != nil || !w.isAsked(now.id()) {
			return
		}
		before := w.row(now.id())
		var was Row
		if before != nil {
			was = *before
			now.History = was.History
			*before = now
		} else {
			w.wall.Rows = append(w.wall.Rows, now)
		}
		if w.moved = true; w.source != nil {
			w.source = &w.wall.Rows[0]
		}
		w.needWords = w.needWords || w.source != nil || was.State != now.State
		w.print(n, change(&was, &now), was.State, now.State)
	case api.EventSyncStarted, api.EventSyncCompleted, api.EventSyncFailed:
		var sync api.SyncEvent
		if json.Unmarshal(e.data, &sync) != nil {
			return
		}
		row := w.row(sourceID{sync.CustomerID, sync.SourceID})
		if row == nil {
			return
		}
		takeSync(row, e.name, &sync)
		w.needWords = w.needWords || w.source != nil
		w.print(n, syncText(e.name, &sync), row.State)
	case api.EventConnectionChanged:
		var connection api.ConnectionEvent
		if json.Unmarshal(e.data, &connection) != nil {
			return
		}
		w.takeConnection(n, &connection)
	}
}

// isAsked reports whether a source is among those that were asked for.
func (w *Watch) isAsked(id sourceID) bool { return w.source == nil || w.source.id() == id }

func (w *Watch) row(id sourceID) *Row {
	for i := range w.wall.Rows {
		if w.wall.Rows[i].id() == id {
			return &w.wall.Rows[i]
		}
	}
	return nil
}

// arrange brings what follows from the rows up to date.
func (w *Watch) arrange() {
	if !w.moved {
		return
	}
	w.moved = false
	var c api.StateCounts
	counters := []*int64{&c.Down, &c.Blocked, &c.Unknown, &c.Degraded, &c.Pending, &c.Live, &c.Deactivated}
	for i := range w.wall.Rows {
		if at := rank(w.wall.Rows[i].State); at >= 0 {
			*counters[at]++
		}
	}
	w.wall.Counts = c
	w.wall.sort()
}

// takeSync takes over what a sync event says of a stream, in the words of the overview.
func takeSync(row *Row, name string, sync *api.SyncEvent) {
	at := row.Syncs.Index(sync.Stream)
	if at < 0 {
		row.Syncs = append(row.Syncs, api.Member[api.OverviewSync]{Name: sync.Stream})
		at = len(row.Syncs) - 1
	}
	s := &row.Syncs[at].Value
	switch name {
	case api.EventSyncStarted:
		s.Status, s.LastRunAt = "running", sync.At
	case api.EventSyncCompleted:
		s.Status, s.LastRunAt, s.LastSuccessAt, s.ItemCount = "success", sync.At, sync.At, sync.ItemCount
	case api.EventSyncFailed:
		s.Status, s.LastRunAt = "failed", sync.At
	}
}

// takeConnection takes over that a source was made, changed or deleted.
func (w *Watch) takeConnection(n news, c *api.ConnectionEvent) {
	id := sourceID{c.CustomerID, c.SourceID}
	if !w.isAsked(id) {
		return
	}
	row := w.row(id)
	switch {
	case row == nil && !c.Deleted, w.source != nil:
		w.needAll = true // of a source that is gone, that says so
		w.print(n, connectionText(c))
	case c.Deleted:
		w.wall.Rows = slices.DeleteFunc(w.wall.Rows, func(r Row) bool { return r.id() == id })
		w.moved, w.needWords = true, true
		w.print(n, connectionText(c))
	default:
		row.Name = c.Name
		w.print(n, connectionText(c), row.State)
	}
}

// print shows what an event says, as a line or as JSON.
func (w *Watch) print(n news, text string, states ...string) {
	switch {
	case w.Screen != nil || len(states) > 0 && !w.wanted(states...):
	case w.JSON:
		w.event(n.event.name, n.id, JSON(n.event.data, false))
	case text != "":
		fmt.Fprintf(w.Out, "%s %s\n", time.Now().UTC().Format(time.RFC3339), text)
	}
}

// compare shows how the wall differs from what it was before it was read again.
func (w *Watch) compare(before *Wall) {
	was := make(map[sourceID]*Row, len(before.Rows))
	for i := range before.Rows {
		was[before.Rows[i].id()] = &before.Rows[i]
	}
	say := func(text string, states ...string) {
		if text != "" && w.wanted(states...) {
			fmt.Fprintf(w.Out, "%s %s\n", time.Now().UTC().Format(time.RFC3339), text)
		}
	}
	for i := range w.wall.Rows {
		now := &w.wall.Rows[i]
		old := was[now.id()]
		if delete(was, now.id()); old == nil {
			old = &Row{}
		}
		say(change(old, now), old.State, now.State)
	}
	for _, old := range was {
		say(Safe(old.SourceID)+" is gone", old.State)
	}
}

// change says in what a row differs from what it was, the zero Row from nothing; "" for what no
// reader of lines asks about.
func change(was, now *Row) string {
	code := func(r *Row) string {
		if r.Issue == nil {
			return ""
		}
		return r.Issue.Code
	}
	text := Safe(now.SourceID) + " "
	switch {
	case was.State == "":
		text += "is new: " + Safe(now.State)
	case was.State != now.State:
		text += Safe(was.State) + " -> " + Safe(now.State)
	case code(was) != code(now) || was.Stale != now.Stale:
		text += Safe(now.State)
	default:
		return ""
	}
	if now.Stale {
		text += ", stale"
	}
	if issue := issueOf(now); issue != "" {
		text += ": " + issue
	}
	return text
}

func syncText(name string, s *api.SyncEvent) string {
	text := Safe(s.SourceID + " " + name + " " + s.Stream)
	if s.ItemCount != nil {
		text += fmt.Sprintf(", %d items", *s.ItemCount)
	}
	if s.Error != nil {
		text += ": " + Safe(*s.Error)
	}
	return text
}

func connectionText(c *api.ConnectionEvent) string {
	if c.Deleted {
		return Safe(c.SourceID) + " is gone"
	}
	return Safe(c.SourceID + " connection " + c.ProvisioningStatus)
}
