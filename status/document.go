package status

import (
	"slices"
	"sync"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
)

// View is a document in the state that a reader sees it in. It is shared by all
// readers of that state and never changes.
type View struct {
	Status *api.Status

	envelope bool
	encode   sync.Once
	body     *api.Body
}

// Body gives Status, encoded; it is made when first asked for.
func (v *View) Body() *api.Body {
	v.encode.Do(func() {
		encoded := api.Encode(v.Status)
		if v.envelope {
			encoded = api.Enveloped(encoded)
		}
		v.body = api.NewBody(encoded)
	})
	return v.body
}

// document is one status of a tenant, with its views: one for each state that readers
// have seen it in, made when first asked for.
type document struct {
	status     *api.Status            // nil: no tenant yet
	streams    transform.StreamNames  // of status
	webhooks   *api.Webhooks          // the gateway's own count of deliveries (contract 4.6)
	subscribed *bool                  // nil: not known, or not wanted
	signal     registry.InventorySync // what it says of the last inventory sync; zero without a status
	at         time.Time              // the document's own time

	mu    sync.Mutex
	views []keyedView
}

// maxViews bounds the views of one document; the oldest goes.
const maxViews = 6

// viewState is what a view depends on beside its document and the source.
type viewState struct {
	stale     bool       // a refresh has failed since
	histories *histories // nil: none
	runs      int        // of each stream, with histories
}

// viewKey identifies a view of a document.
type viewKey struct {
	connection int64
	version    int64 // of the connection
	source     int64 // the source's last change, in Unix microseconds
	stalled    int   // streams that have been running for too long: this changes with the clock alone
	tasks      *transform.Tasks
	viewState
}

type keyedView struct {
	key viewKey
	*View
}

// Older implements snapshot.Document.
func (d *document) Older(than *document) bool { return d.at.Before(than.at) }

// Ahead reports whether the document's own time is yet to come: the sales agent's clock is or
// was ahead of ours.
func (d *document) Ahead(now time.Time) bool { return d.at.After(now) }

// view gives the document as it is seen with a source as it stands.
func (d *document) view(s *Service, src *registry.Source, state viewState) *View {
	now, stalled := d.at, 0
	if d.status != nil {
		now = time.Now()
		stalled = transform.Stalled(d.status.Syncs, now)
	}
	tasks := s.tasks.Load()
	key := viewKey{src.Connection.ID, src.Connection.Version, src.UpdatedAt.UnixMicro(), stalled, tasks, state}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.views {
		if d.views[i].key == key {
			return d.views[i].View
		}
	}
	webhooks := api.Webhooks{Last24h: api.WebhookCounts{SuccessRate: 1}}
	if d.webhooks != nil {
		webhooks = *d.webhooks
	}
	status, failed := tasks.Status(transform.StatusInput{
		Source: d.taught(src), Snapshot: withHistories(d.status, state.histories, state.runs),
		Webhooks: webhooks, Subscribed: d.subscribed, Stale: state.stale, Now: now,
	})
	for _, task := range failed {
		s.ins.TaskEvaluationError(task)
	}
	made := &View{Status: status, envelope: s.cfg.Envelope}
	if len(d.views) == maxViews {
		d.views = slices.Delete(d.views, 0, 1)
	}
	d.views = append(d.views, keyedView{key, made})
	return made
}
