package upstreamtest

import (
	"encoding/json"
	"time"
)

// olderDocument is what a build from before setup tasks and products writes.
type olderDocument struct {
	Adapter   adapterBlock                `json:"adapter"`
	Syncs     map[string]olderStreamBlock `json:"syncs"`
	Workflows workflowsBlock              `json:"workflows"`
	MediaBuys mediaBuysBlock              `json:"media_buys"`
	Packages  olderPackagesBlock          `json:"packages"`
	Creatives creativesBlock              `json:"creatives"`
	Webhooks  json.RawMessage             `json:"webhooks"`
	FetchedAt string                      `json:"fetched_at"`
}

type olderStreamBlock struct {
	LastRunAt *string `json:"last_run_at"`
	Status    string  `json:"status"`
	ItemCount *int    `json:"item_count"`
	Error     *string `json:"error"`
}

type olderPackagesBlock struct {
	packagesBlock
	Last24hImpressions int `json:"last_24h_impressions"`
}

// olderStreams are the streams that older builds know.
var olderStreams = map[string]bool{"inventory": true, "custom_targeting": true, "advertisers": true}

func (t *tenantState) olderDocument(c calendar, fetchedAt time.Time) olderDocument {
	now := t.currentDocument(c, fetchedAt)
	d := olderDocument{
		Adapter: now.Adapter, Syncs: map[string]olderStreamBlock{}, Workflows: now.Workflows,
		MediaBuys: now.MediaBuys, Creatives: now.Creatives, Webhooks: now.Webhooks, FetchedAt: now.FetchedAt,
		Packages: olderPackagesBlock{now.Packages, t.Status.Packages.Last24hImpressions},
	}
	for name, b := range now.Syncs {
		if olderStreams[name] {
			d.Syncs[name] = olderStreamBlock{LastRunAt: b.LastRunAt, Status: b.Status, ItemCount: b.ItemCount, Error: b.Error}
		}
	}
	return d
}

// newerBuild is a current document with what a later build might add. The outer
// fields stand in for the embedded ones of the same JSON name.
type newerBuild struct {
	statusDocument
	Adapter    newerAdapterBlock           `json:"adapter"`
	Syncs      map[string]newerStreamBlock `json:"syncs"`
	SetupTasks newerTasksBlock             `json:"setup_tasks"`
	Rollout    rolloutBlock                `json:"rollout"`
}

type newerAdapterBlock struct {
	adapterBlock
	OAuthRefreshToken string           `json:"oauth_refresh_token"`
	Credentials       credentialsBlock `json:"credentials"`
}

type credentialsBlock struct {
	PrivateKey string   `json:"private_key"`
	History    []string `json:"history"`
}

type newerStreamBlock struct {
	streamBlock
	CursorToken string `json:"cursor_token"`
}

type newerTasksBlock struct {
	tasksBlock
	Items []newerTaskBlock `json:"items"`
}

type newerTaskBlock struct {
	taskBlock
	InternalNote string `json:"internal_note"`
}

type rolloutBlock struct {
	Ring        string             `json:"ring"`
	AccessToken string             `json:"access_token"`
	Steps       []rolloutStepBlock `json:"steps"`
}

type rolloutStepBlock struct {
	Name   string `json:"name"`
	Secret string `json:"secret"`
}

func newerDocument(d statusDocument) newerBuild {
	n := newerBuild{
		statusDocument: d,
		Adapter: newerAdapterBlock{d.Adapter, Canary + "-1-refresh-token", credentialsBlock{
			"-----BEGIN PRIVATE KEY-----\n" + Canary + "\n-----END PRIVATE KEY-----", []string{Canary + "-old-key"},
		}},
		Syncs:      map[string]newerStreamBlock{},
		SetupTasks: newerTasksBlock{tasksBlock: d.SetupTasks, Items: []newerTaskBlock{}},
		Rollout:    rolloutBlock{"north", Canary + "-rollout-token", []rolloutStepBlock{{"first", Canary + "-step"}}},
	}
	for name, b := range d.Syncs {
		n.Syncs[name] = newerStreamBlock{b, Canary + "-cursor-" + name}
	}
	for _, item := range d.SetupTasks.Items {
		n.SetupTasks.Items = append(n.SetupTasks.Items, newerTaskBlock{item, Canary + "-note"})
	}
	return n
}
