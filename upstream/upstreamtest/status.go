package upstreamtest

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Build is the age of the agent's software, as its status documents show it.
type Build int

// The builds.
const (
	Current Build = iota // fits the published schema
	Older                // without products, inventory_profiles, setup_tasks, severity, last_success_at, issue; timestamps without a zone
	Newer                // unknown fields, an unknown stream and an unknown block, with canaries planted
)

// Status is what a tenant's status document says. Times are given as "ago",
// counted back from the moment the tenant was set; 0 stands for null, but for TestedAgo.
type Status struct {
	Build     Build
	TestedAgo time.Duration // when the config was written; SetTenant's, if it was not written since
	Refused   string        // last_test_error, and not connected; "": connected as soon as a config is saved
	Streams   []Stream
	Workflows Workflows
	MediaBuys MediaBuys
	Packages  Packages
	Products  Products          // not in older builds
	Profiles  InventoryProfiles // not in older builds
	Creatives Creatives
	Tasks     []Task          // not in older builds
	Webhooks  json.RawMessage // nil: null, as every real build says
}

// Stream is one sync stream. With Every its runs go on by the agent's clock, one
// each period and all with the same outcome.
type Stream struct {
	Name       string        // custom_targeting
	Status     string        // success, failed, running or never_run
	Severity   string        // ok, warning or critical
	RunAgo     time.Duration // when the last run ended; 0: it never ran
	Took       time.Duration // how long a run takes; last_run_at is its start
	Every      time.Duration // 0: no run follows
	SuccessAgo time.Duration // the last success where the last run was none
	Items      int           // below 0: null
	Error      string        // "": null
	Issue      *Issue
}

// Issue is what a status document says of a failed stream.
type Issue struct {
	Code      string `json:"code"`
	Category  string `json:"category"` // auth, transient, permanent, stale or unknown
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"`
	Action    string `json:"action"` // reconnect_adapter, retry_sync, wait or contact_support
}

// Workflows sums up what waits for a person.
type Workflows struct {
	OldestAgo time.Duration
	ByKind    map[string]int // open_count is their sum
}

// MediaBuys counts media buys, which the gateway has no field for.
type MediaBuys struct{ Active, PendingApproval int }

// Packages counts packages. Only older builds say Last24hImpressions.
type Packages struct{ Active, Paused, Last24hImpressions int }

// Products counts products. Those of Active that are sold wholesale do not complete the task
// products_created: without others it stays open for good.
type Products struct{ Active, Draft, Archived, Wholesale int }

// InventoryProfiles counts inventory profiles; total_count is the sum of the first two.
type InventoryProfiles struct{ Complete, Incomplete, WholesaleOwned int }

// Creatives counts creatives.
type Creatives struct{ Active, PendingReview, RejectedLast24h int }

// defaultAdvertiser is the id of the setup task that a default advertiser completes.
const defaultAdvertiser = "gam_default_advertiser"

// Task is a setup task; the document's counters are counted from the open ones.
type Task struct {
	ID            string
	Name          string
	Severity      string // blocker, warning or info; a complete task says info
	Description   string
	Complete      bool   // not of products_created: see Products
	ConfigurePath string // "": null
}

// clone copies what the caller could still change.
func (s Status) clone() Status {
	s.Streams = slices.Clone(s.Streams)
	s.Workflows.ByKind = maps.Clone(s.Workflows.ByKind)
	s.Tasks = slices.Clone(s.Tasks)
	return s
}
