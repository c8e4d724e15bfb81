package transform

import (
	"time"

	"esagate/api"
	"esagate/internal/adserver"
	"esagate/registry"
)

// StatusInput is what a status document is made of.
type StatusInput struct {
	Source     *registry.Source // a managed one
	Snapshot   *api.Status      // nil when no tenant exists yet (contract 4.9); never modified
	Webhooks   api.Webhooks     // the gateway's own count, used when Snapshot has none
	Stale      bool             // a refresh has failed and the copy is older than its freshness
	Subscribed *bool            // whether a live webhook subscription exists; nil: not known yet
	// Now is the time by our clock; without a Snapshot that at which the document was made.
	Now time.Time
}

// Status gives the document as it is served: the snapshot with webhooks filled in (contract 4.6), setup
// tasks merged (contract 4.7) and operational state derived (contract 4.8). It shares what it does not
// change with the snapshot. evalErrors names the tasks whose complete_when failed; they count as not
// complete.
func (t *Tasks) Status(in StatusInput) (doc *api.Status, evalErrors []string) {
	doc = new(api.Status)
	if in.Snapshot != nil {
		*doc = *in.Snapshot
	} else {
		*doc = emptySnapshot(&in)
	}
	if doc.Webhooks == nil {
		w := in.Webhooks
		if w.Last24h.Delivered == 0 && w.Last24h.Failed == 0 {
			w.Last24h.SuccessRate = 1
		}
		doc.Webhooks = &w
	}
	sides, evalErrors := t.platform(&in, doc)
	doc.SetupTasks = mergeTasks(sides, t.wanted(doc.SetupTasks.Items))
	doc.Operational = operational(&in, doc)
	return doc, evalErrors
}

// emptySnapshot is the document of a source without a tenant (contract 4.9).
func emptySnapshot(in *StatusInput) api.Status {
	adapter := api.Adapter{Type: noAdServer}
	if saved := in.Source.Connection.AdServer; saved != nil {
		adapter.Type = adserver.TypeName(saved)
	}
	return api.Status{
		Adapter:    adapter,
		Syncs:      emptySyncs(),
		FetchedAt:  api.TimestampOf(in.Now.Truncate(time.Millisecond)),
		SetupTasks: api.SetupTasks{Items: []api.SetupTask{}},
	}
}
