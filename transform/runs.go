package transform

import (
	"cmp"

	"esagate/api"
)

// RunNews is what two successive documents tell of a run of a sync stream.
type RunNews struct {
	Event     string        // the name of the sync event of package api
	At        api.Timestamp // of its start or end; null where that is not known
	ItemCount *int64        // of a completed run
	Error     *string       // of a failed run
}

// NewRuns gives which runs of a stream have started or ended between two documents, in their order.
func NewRuns(was *api.OverviewSync, is *api.SyncBlock) (news []RunNews) {
	again := is.LastRunAt.Time.After(was.LastRunAt.Time)
	switch {
	case is.Status == statusSuccess && (was.Status != statusSuccess || is.LastSuccessAt.Time.After(was.LastSuccessAt.Time)):
		news = append(news, RunNews{Event: api.EventSyncCompleted, At: is.LastSuccessAt, ItemCount: is.ItemCount})
	case is.LastSuccessAt.Time.After(was.LastSuccessAt.Time): // and another run has begun since
		news = append(news, RunNews{Event: api.EventSyncCompleted, At: is.LastSuccessAt})
	}
	switch {
	case is.Status == statusFailed && (was.Status != statusFailed || again):
		news = append(news, RunNews{Event: api.EventSyncFailed, At: is.LastRunAt, Error: is.Error})
	case is.Status == statusRunning && (was.Status != statusRunning || again):
		news = append(news, RunNews{Event: api.EventSyncStarted, At: cmp.Or(is.LastStartedAt, is.LastRunAt)})
	}
	return news
}
