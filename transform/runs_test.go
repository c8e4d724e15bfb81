package transform_test

import (
	"strings"
	"testing"
	"time"

	"esagate/api"
	"esagate/transform"
)

// TestNewRuns lists what two successive states of a stream tell of its runs.
func TestNewRuns(t *testing.T) {
	at := func(minute int) api.Timestamp {
		if minute == 0 {
			return api.Timestamp{}
		}
		return api.TimestampOf(time.Date(2026, 3, 1, 12, minute, 0, 0, time.UTC))
	}
	type state struct {
		status       string
		run, success int // minutes; 0: null
	}
	for _, c := range []struct {
		was, is state
		news    string
		at      int
	}{
		{state{"success", 1, 2}, state{"success", 1, 2}, "", 0},
		{state{"never_run", 0, 0}, state{"running", 1, 0}, "sync.started", 1},
		{state{"running", 1, 0}, state{"running", 1, 0}, "", 0},
		{state{"running", 1, 0}, state{"success", 1, 2}, "sync.completed", 2},
		{state{"running", 1, 0}, state{"failed", 1, 0}, "sync.failed", 1},
		{state{"failed", 1, 0}, state{"failed", 1, 0}, "", 0},
		{state{"failed", 1, 0}, state{"failed", 3, 0}, "sync.failed", 3},
		{state{"success", 1, 2}, state{"success", 3, 4}, "sync.completed", 4},
		{state{"success", 1, 2}, state{"failed", 3, 2}, "sync.failed", 3},
		{state{"running", 1, 0}, state{"running", 3, 2}, "sync.completed sync.started", 2},
		{state{"success", 1, 2}, state{"unknown", 3, 2}, "", 0},
	} {
		var names []string
		news := transform.NewRuns(&api.OverviewSync{Status: c.was.status, LastRunAt: at(c.was.run), LastSuccessAt: at(c.was.success)},
			&api.SyncBlock{Status: c.is.status, LastRunAt: at(c.is.run), LastSuccessAt: at(c.is.success)})
		for _, n := range news {
			names = append(names, n.Event)
		}
		if strings.Join(names, " ") != c.news || c.at > 0 && news[0].At != at(c.at) {
			t.Errorf("%v, then %v: %+v", c.was, c.is, news)
		}
	}
}
