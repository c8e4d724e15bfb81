package status

import (
	"context"
	"time"

	"esagate/registry"
)

// standings are sources whose standing waits to be written, or was written less than savePause ago,
// by connection. They are guarded by the tier's lock.
type standings map[int64]*standingSave

type standingSave struct {
	newest *known // nil: it is written
	state  string // as it was written last
	issue  string
	due    time.Time
}

func (s standings) waits() bool {
	for _, of := range s {
		if of.newest != nil {
			return true
		}
	}
	return false
}

// stand has the registry keep how a source stands: at the next tick if it has changed its state or
// its worst issue, else at most once in savePause. Where it is to be kept no more, it replaces one that waits.
func (t *tier) stand(k *known, keep keeping) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := k.src.Connection.ID
	of, ok := t.standings[id]
	if keep >= keepChanges && (!ok || of.newest == nil) {
		return
	}
	if !ok {
		if len(t.standings) >= t.places {
			return // the next judgement will do
		}
		of = &standingSave{}
		t.standings[id] = of
	}
	if of.newest = k; keep == keepNow || k.state != of.state || k.issue() != of.issue {
		of.due = time.Time{}
	}
	t.woken()
}

// forget has nothing more written of a source that is gone: the registry forgets it itself.
func (t *tier) forget(connection int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.standings, connection)
}

// saveStandings writes what is due by a time, and reports whether the registry took it.
func (t *tier) saveStandings(ctx context.Context, by time.Time) bool {
	for due := t.standingsDue(by); len(due) > 0; due = due[min(saveRows, len(due)):] {
		batch := make([]registry.Standing, 0, saveRows)
		for _, k := range due[:min(saveRows, len(due))] {
			batch = append(batch, k.standing())
		}
		if err := t.directory.Snapshots().KeepStandings(ctx, batch, time.Now().Add(-t.lapse)); err != nil {
			t.standingsBack(due)
			t.warn(ctx, err)
			return false
		}
	}
	return true
}

// standingsDue gives what is due by a time, and forgets what was written and is not news.
func (t *tier) standingsDue(by time.Time) (due []*known) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, of := range t.standings {
		switch k := of.newest; {
		case of.due.After(by):
		case k == nil:
			delete(t.standings, id)
		default:
			due = append(due, k)
			*of = standingSave{state: k.state, issue: k.issue(), due: by.Add(savePause)}
		}
	}
	return due
}

// standingsBack keeps what could not be written for the next time, but for what is known better by now.
func (t *tier) standingsBack(due []*known) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range due {
		if of := t.standings[k.src.Connection.ID]; of != nil { // nil: it is gone
			if of.newest == nil {
				of.newest = k
			}
			of.due = time.Time{}
		}
	}
}
