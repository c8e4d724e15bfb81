package upstreamtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// The document of a current build. Older and newer ones are in builds.go.
type statusDocument struct {
	Adapter           adapterBlock           `json:"adapter"`
	Syncs             map[string]streamBlock `json:"syncs"`
	Workflows         workflowsBlock         `json:"workflows"`
	MediaBuys         mediaBuysBlock         `json:"media_buys"`
	Packages          packagesBlock          `json:"packages"`
	Products          productsBlock          `json:"products"`
	InventoryProfiles profilesBlock          `json:"inventory_profiles"`
	Creatives         creativesBlock         `json:"creatives"`
	Webhooks          json.RawMessage        `json:"webhooks"`
	SetupTasks        tasksBlock             `json:"setup_tasks"`
	FetchedAt         string                 `json:"fetched_at"`
}

type adapterBlock struct {
	Type          string  `json:"type"`
	Connected     bool    `json:"connected"`
	LastTestedAt  *string `json:"last_tested_at"`
	LastTestError *string `json:"last_test_error"`
}

type streamBlock struct {
	LastRunAt     *string `json:"last_run_at"`
	Status        string  `json:"status"`
	Severity      string  `json:"severity"`
	LastSuccessAt *string `json:"last_success_at"`
	Issue         *Issue  `json:"issue"`
	ItemCount     *int    `json:"item_count"`
	Error         *string `json:"error"`
}

type workflowsBlock struct {
	OpenCount      int            `json:"open_count"`
	OldestOpenedAt *string        `json:"oldest_opened_at"`
	ByKind         map[string]int `json:"by_kind"`
}

type mediaBuysBlock struct {
	ActiveCount          int `json:"active_count"`
	PendingApprovalCount int `json:"pending_approval_count"`
}

type packagesBlock struct {
	ActiveCount int `json:"active_count"`
	PausedCount int `json:"paused_count"`
}

type productsBlock struct {
	ActiveCount   int `json:"active_count"`
	DraftCount    int `json:"draft_count"`
	ArchivedCount int `json:"archived_count"`
}

type profilesBlock struct {
	TotalCount          int `json:"total_count"`
	CompleteCount       int `json:"complete_count"`
	IncompleteCount     int `json:"incomplete_count"`
	WholesaleOwnedCount int `json:"wholesale_owned_count"`
}

type creativesBlock struct {
	ActiveCount          int `json:"active_count"`
	PendingReviewCount   int `json:"pending_review_count"`
	RejectedLast24hCount int `json:"rejected_last_24h_count"`
}

type tasksBlock struct {
	BlockerCount int         `json:"blocker_count"`
	WarningCount int         `json:"warning_count"`
	Items        []taskBlock `json:"items"`
}

type taskBlock struct {
	ID            string  `json:"id"`
	Name          string  `json:"name"`
	Severity      string  `json:"severity"`
	Scope         string  `json:"scope"`
	Description   string  `json:"description"`
	IsComplete    bool    `json:"is_complete"`
	ConfigurePath *string `json:"configure_path"`
}

// document writes the tenant's status document, in the words of its build.
func (t *tenantState) document(now, fetchedAt time.Time) []byte {
	c := calendar{since: t.since, now: now, zone: t.zone()}
	switch t.Status.Build {
	case Older:
		return encode(t.olderDocument(c, fetchedAt))
	case Newer:
		return encode(newerDocument(t.currentDocument(c, fetchedAt)))
	}
	return encode(t.currentDocument(c, fetchedAt))
}

func (t *tenantState) currentDocument(c calendar, fetchedAt time.Time) statusDocument {
	s := t.Status
	d := statusDocument{
		Adapter:    t.adapterBlock(c),
		Syncs:      make(map[string]streamBlock, len(s.Streams)),
		Workflows:  s.Workflows.block(c),
		MediaBuys:  mediaBuysBlock{s.MediaBuys.Active, s.MediaBuys.PendingApproval},
		Packages:   packagesBlock{s.Packages.Active, s.Packages.Paused},
		Products:   productsBlock{s.Products.Active, s.Products.Draft, s.Products.Archived},
		Creatives:  creativesBlock{s.Creatives.Active, s.Creatives.PendingReview, s.Creatives.RejectedLast24h},
		SetupTasks: tasksBlock{Items: make([]taskBlock, 0, len(s.Tasks))},
		Webhooks:   s.Webhooks,
		FetchedAt:  stamp(fetchedAt, c.zone),
		InventoryProfiles: profilesBlock{
			s.Profiles.Complete + s.Profiles.Incomplete,
			s.Profiles.Complete, s.Profiles.Incomplete, s.Profiles.WholesaleOwned,
		},
	}
	for _, stream := range s.Streams {
		d.Syncs[stream.Name] = t.streamBlock(stream, c)
	}
	for _, task := range s.Tasks {
		switch task.ID {
		case "products_created":
			task.Complete = s.Products.Active > s.Products.Wholesale
		case defaultAdvertiser:
			task.Complete = task.Complete || t.DefaultAdvertiserID != ""
		}
		d.SetupTasks.add(task)
	}
	return d
}

func (t *tenantState) adapterBlock(c calendar) adapterBlock {
	b := adapterBlock{Type: t.adapterType()}
	if t.AdServer.Configured { // upstream knows no more of a test than when the config was written
		b.Connected, b.LastTestError = t.Status.Refused == "", orNull(t.Status.Refused)
		b.LastTestedAt = c.at(t.configuredAt)
	}
	return b
}

func (s Stream) block(c calendar) streamBlock {
	b := streamBlock{
		Status: s.Status, Severity: s.Severity, Issue: s.Issue,
		Error: orNull(s.Error), LastSuccessAt: c.ago(s.SuccessAgo),
	}
	if s.Items >= 0 {
		b.ItemCount = &s.Items
	}
	if s.RunAgo > 0 {
		end := c.lastEnd(s.RunAgo, s.Every)
		b.LastRunAt = c.at(end.Add(-s.Took))
		if s.Status == "success" {
			b.LastSuccessAt = c.at(end)
		}
	}
	return b
}

func (w Workflows) block(c calendar) workflowsBlock {
	b := workflowsBlock{OldestOpenedAt: c.ago(w.OldestAgo), ByKind: w.ByKind}
	if b.ByKind == nil {
		b.ByKind = map[string]int{}
	}
	for _, n := range w.ByKind {
		b.OpenCount += n
	}
	return b
}

func (b *tasksBlock) add(t Task) {
	item := taskBlock{
		ID: t.ID, Name: t.Name, Severity: t.Severity, Scope: "publisher", Description: t.Description,
		IsComplete: t.Complete, ConfigurePath: orNull(t.ConfigurePath),
	}
	switch {
	case t.Complete:
		item.Severity = "info"
	case t.Severity == "blocker":
		b.BlockerCount++
	case t.Severity == "warning":
		b.WarningCount++
	}
	b.Items = append(b.Items, item)
}

// encode writes JSON as the agent does: compact, and with < and > as they are.
func encode(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("upstreamtest: a document of ours does not encode: %v", err)) // types of this package only
	}
	return buf.Bytes()
}
