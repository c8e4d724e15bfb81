package transform

import (
	"strconv"

	"slices"

	"esagate/api"
	"esagate/internal/redact"
	"esagate/upstream/wire"
)

// unknownWord stands for vocabulary that can't be read.
const unknownWord = "unknown"

// Snapshot gives the api document of a status document, before what the gateway
// adds: Operational is zero, Webhooks nil when upstream has no valid block, and
// SetupTasks holds upstream's items as they came, with counts 0. The document is
// immutable from then on. malformed lists what was degraded, by path: the
// decoder's notes and what was judged here; bounded, each path once.
func Snapshot(doc *wire.Status) (snapshot *api.Status, malformed []string) {
	j := judge{malformed: slices.Clip(doc.Notes.Malformed)}
	s := &api.Status{
		Adapter: api.Adapter{
			Type:          j.word(doc.Adapter.Type, unknownWord, "adapter.type"),
			Connected:     doc.Adapter.Connected,
			LastTestedAt:  api.Timestamp(doc.Adapter.LastTestedAt),
			LastTestError: freeText(doc.Adapter.LastTestError, textTestFailed),
		},
		Syncs:     j.syncs(doc.Syncs),
		Workflows: workflows(doc.Workflows.Value),
		Packages: api.Packages{
			ActiveCount:        doc.Packages.Value.ActiveCount.Value,
			PausedCount:        doc.Packages.Value.PausedCount.Value,
			Last24hImpressions: doc.Packages.Value.Last24hImpressions.Value,
		},
		Creatives: api.Creatives{
			ActiveCount:          doc.Creatives.Value.ActiveCount.Value,
			PendingReviewCount:   doc.Creatives.Value.PendingReviewCount.Value,
			RejectedLast24hCount: doc.Creatives.Value.RejectedLast24hCount.Value,
		},
		Webhooks:   webhooks(doc.Webhooks),
		FetchedAt:  api.Timestamp(doc.FetchedAt),
		SetupTasks: api.SetupTasks{Items: j.setupTasks(doc.SetupTasks.Value)},
	}
	if p := doc.Products; p.Set {
		s.Products = &api.Products{
			ActiveCount:   p.Value.ActiveCount.Value,
			DraftCount:    p.Value.DraftCount.Value,
			ArchivedCount: p.Value.ArchivedCount.Value,
		}
	}
	if p := doc.InventoryProfiles; p.Set {
		s.InventoryProfiles = &api.InventoryProfiles{
			TotalCount:          p.Value.TotalCount.Value,
			CompleteCount:       p.Value.CompleteCount.Value,
			IncompleteCount:     p.Value.IncompleteCount.Value,
			WholesaleOwnedCount: p.Value.WholesaleOwnedCount.Value,
		}
	}
	return s, j.malformed
}

// judge collects the paths of what it had to degrade.
type judge struct{ malformed []string }

const maxMalformed = 64

func (j *judge) note(path string) {
	if len(j.malformed) < maxMalformed && !slices.Contains(j.malformed, path) {
		j.malformed = append(j.malformed, path)
	}
}

// word passes a vocabulary word, and replaces what is none.
func (j *judge) word(s, instead, path string) string {
	if redact.Word(s) {
		return s
	}
	j.note(path)
	return instead
}

// freeText treats optional free text. An empty one says nothing: it is null.
func freeText(o wire.Opt[string], instead string) *string {
	if o.Value == "" {
		return nil
	}
	text := shown(o.Value, instead)
	return &text
}

func workflows(w wire.Workflows) api.Workflows {
	out := api.Workflows{
		OpenCount:      w.OpenCount.Value,
		OldestOpenedAt: api.Timestamp(w.OldestOpenedAt),
		ByKind:         make(api.ByKind, len(w.ByKind)),
	}
	for i, k := range w.ByKind { // in key order already
		out.ByKind[i] = api.KindCount(k)
	}
	return out
}

// webhooks gives upstream's block when it has its three numbers (rule 6).
func webhooks(o wire.Opt[wire.Webhooks]) *api.Webhooks {
	w := o.Value
	if !w.Delivered.Set || !w.Failed.Set || !w.SuccessRate.Set {
		return nil
	}
	return &api.Webhooks{
		Last24h: api.WebhookCounts{
			Delivered:   w.Delivered.Value,
			Failed:      w.Failed.Value,
			SuccessRate: w.SuccessRate.Value,
		},
		LastFailureAt: api.Timestamp(w.LastFailureAt),
	}
}

// Bounds of a task's wording, in code points.
const (
	maxTaskName        = 200
	maxTaskDescription = 2000
)

// setupTasks gives upstream's items, in its order.
func (j *judge) setupTasks(tasks []wire.Task) []api.SetupTask {
	items := make([]api.SetupTask, 0, len(tasks))
	paths := make([]string, 0, len(tasks)) // one allocation for all; it never grows
	for i := range tasks {
		t := &tasks[i]
		id := t.ID
		if !redact.Word(id) { // the task stays: it may be what keeps a source from going live
			j.note("setup_tasks.items[].id")
			id = "unnamed_" + strconv.Itoa(i+1)
		}
		item := api.SetupTask{
			ID:          id,
			Name:        bounded(t.Name.Value, maxTaskName, textTaskName),
			Severity:    "warning",
			Scope:       scopePublisher,
			Description: bounded(t.Description.Value, maxTaskDescription, textTaskDetails),
			IsComplete:  t.IsComplete.Value,
		}
		if item.Name == "" {
			item.Name = id
		}
		switch t.Severity.Value {
		case "blocker", "warning", "info":
			item.Severity = t.Severity.Value
		default:
			if t.Severity.Set {
				j.note("setup_tasks.items[].severity")
			}
		}
		switch t.Scope.Value {
		case scopePlatform, scopePublisher:
			item.Scope = t.Scope.Value
		default:
			if t.Scope.Set {
				j.note("setup_tasks.items[].scope")
			}
		}
		if t.ConfigurePath.Set {
			if safePath(t.ConfigurePath.Value) {
				paths = append(paths, t.ConfigurePath.Value)
				item.ConfigurePath = &paths[len(paths)-1]
			} else {
				j.note("setup_tasks.items[].configure_path")
			}
		}
		items = append(items, item)
	}
	return items
}
