package transform

import (
	"cmp"
	"slices"
	"strconv"

	"esagate/api"
	"esagate/internal/redact"
	"esagate/internal/word"
	"esagate/upstream/wire"
)

// unknownWord stands for vocabulary that can't be read.
const unknownWord = "unknown"

// Types of ad servers that a rule names.
const (
	googleAdManager = "google_ad_manager"
	noAdServer      = "none" // none is configured
)

// Snapshot gives the api document of a status document, before what the gateway adds: Operational is
// zero, Webhooks nil when upstream has no valid block, and SetupTasks holds upstream's items as they
// came, with counts 0. The document is immutable from then on. malformed lists by path what was
// malformed, for the decoder or here; bounded, each path once.
func Snapshot(doc *wire.Status) (snapshot *api.Status, malformed []string) {
	c := checker{malformed: slices.Clip(doc.Notes.Malformed)}
	s := &api.Status{
		Adapter: api.Adapter{
			Type:          c.word(doc.Adapter.Type, unknownWord, "adapter", "type"),
			Connected:     doc.Adapter.Connected,
			LastTestedAt:  api.Timestamp(doc.Adapter.LastTestedAt),
			LastTestError: freeText(doc.Adapter.LastTestError, "The last test of the ad server connection failed."),
		},
		Syncs:             c.syncs(doc.Syncs),
		Workflows:         c.workflows(doc.Workflows),
		Packages:          api.Packages(doc.Packages),
		Creatives:         api.Creatives(doc.Creatives),
		Webhooks:          webhooks(doc.Webhooks),
		FetchedAt:         api.Timestamp(doc.FetchedAt),
		Products:          (*api.Products)(pointer(doc.Products)),
		InventoryProfiles: (*api.InventoryProfiles)(pointer(doc.InventoryProfiles)),
		SetupTasks:        api.SetupTasks{Items: c.setupTasks(doc.SetupTasks.Items)},
	}
	return s, c.malformed
}

// checker checks the words of a document, and collects the paths of those that it replaced.
type checker struct{ malformed []string }

const maxMalformed = 64

// note adds the path of a block's field.
func (c *checker) note(block, field string) {
	if path := block + "." + field; len(c.malformed) < maxMalformed && !slices.Contains(c.malformed, path) {
		c.malformed = append(c.malformed, path)
	}
}

// word passes a vocabulary word, and replaces what is none.
func (c *checker) word(s, fallback, block, field string) string {
	if word.Name.Is(s) {
		return s
	}
	c.note(block, field)
	return fallback
}

// optionalWord passes a vocabulary word, and drops what is none.
func (c *checker) optionalWord(o wire.Opt[string], block, field string) *string {
	if o.Set && !word.Name.Is(o.Value) {
		c.note(block, field)
		return nil
	}
	return pointer(o)
}

// oneOf passes one of the known words, and replaces any other.
func (c *checker) oneOf(o wire.Opt[string], fallback, block, field string, known ...string) string {
	if slices.Contains(known, o.Value) {
		return o.Value
	}
	if o.Set {
		c.note(block, field)
	}
	return fallback
}

// pointer gives nil for what is absent.
func pointer[T any](o wire.Opt[T]) *T {
	if !o.Set {
		return nil
	}
	value := o.Value // a copy, so that the whole document does not stay in memory
	return &value
}

// freeText treats optional free text. An empty one says nothing: it is null.
func freeText(o wire.Opt[string], fallback string) *string {
	if o.Value == "" {
		return nil
	}
	text := safeText(o.Value, fallback)
	return &text
}

// Bounds of the kinds of workflows.
const (
	maxKinds    = 200
	maxKindName = 128 // bytes
)

// workflows gives the kinds whose names can be shown, byte for byte, and of too many the first by name.
func (c *checker) workflows(w wire.Workflows) api.Workflows {
	kinds := make(api.Members[int64], 0, len(w.ByKind))
	for _, k := range w.ByKind {
		if text, ok := redact.Text(k.Name); ok && text == k.Name && len(text) <= maxKindName {
			kinds = append(kinds, api.Member[int64](k))
		}
	}
	kinds.Sort()
	kinds = slices.Clip(kinds[:min(len(kinds), maxKinds)])
	if len(kinds) < len(w.ByKind) {
		c.note("workflows", "by_kind")
	}
	return api.Workflows{
		OpenCount:      w.OpenCount.Value,
		OldestOpenedAt: api.Timestamp(w.OldestOpenedAt),
		ByKind:         kinds,
	}
}

// webhooks gives upstream's block when it has its three numbers (contract 4.6).
func webhooks(w wire.Webhooks) *api.Webhooks {
	if !w.Last24h.Delivered.Set || !w.Last24h.Failed.Set || !w.Last24h.SuccessRate.Set {
		return nil
	}
	return &api.Webhooks{
		Last24h: api.WebhookCounts{
			Delivered:   w.Last24h.Delivered.Value,
			Failed:      w.Last24h.Failed.Value,
			SuccessRate: w.Last24h.SuccessRate.Value,
		},
		LastFailureAt: api.Timestamp(w.LastFailureAt),
	}
}

// Bounds of a task's wording, in code points.
const (
	maxTaskName        = 200
	maxTaskDescription = 2000
)

const setupTask = "setup_tasks.items[]" // the path of its items

// setupTasks gives upstream's items, in its order.
func (c *checker) setupTasks(tasks []wire.Task) []api.SetupTask {
	items := make([]api.SetupTask, len(tasks))
	for i := range tasks {
		t := &tasks[i]
		// A task whose id can't be shown stays: it may be what keeps a source from going live.
		id := c.word(t.ID, "unnamed_"+strconv.Itoa(i+1), setupTask, "id")
		items[i] = api.SetupTask{
			ID:          id,
			Name:        cmp.Or(safeProse(t.Name.Value, maxTaskName, "Setup task"), id),
			Severity:    c.oneOf(t.Severity, severityWarning, setupTask, "severity", severityBlocker, severityWarning, severityInfo),
			Scope:       c.oneOf(t.Scope, scopePublisher, setupTask, "scope", scopePlatform, scopePublisher),
			Description: safeProse(t.Description.Value, maxTaskDescription, "Open the task for its details."),
			IsComplete:  t.IsComplete.Value,

			ConfigurePath: pointer(t.ConfigurePath),
		}
	}
	return items
}
