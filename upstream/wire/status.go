package wire

// Status is `GET T/status`. Every block but the adapter may be absent (contract 4.1, 4.4).
type Status struct {
	Adapter           Adapter                `json:"adapter" required:"true"`
	FetchedAt         Time                   `json:"fetched_at" required:"true"`
	Syncs             Members[Stream]        `json:"syncs" max:"58" keep:"inventory custom_targeting advertisers reporting signal_coverage pricing_availability"`
	Workflows         Workflows              `json:"workflows"`
	Packages          Packages               `json:"packages"`
	Products          Opt[Products]          `json:"products"`
	InventoryProfiles Opt[InventoryProfiles] `json:"inventory_profiles"`
	Creatives         Creatives              `json:"creatives"`
	Webhooks          Webhooks               `json:"webhooks"`
	SetupTasks        SetupTasks             `json:"setup_tasks"`
	_                 struct{}               `ignored:"media_buys"` // not part of what we serve
	Notes             Notes                  `json:"-"`
}

// Adapter is the adapter block.
type Adapter struct {
	Type          string      `json:"type" required:"true"`
	Connected     bool        `json:"connected" required:"true"`
	LastTestedAt  Time        `json:"last_tested_at"`
	LastTestError Opt[string] `json:"last_test_error"` // free text
}

// Stream is one entry of the syncs block.
type Stream struct {
	Status        Opt[string] `json:"status"`
	Severity      Opt[string] `json:"severity"`
	LastRunAt     Time        `json:"last_run_at"`
	LastSuccessAt Time        `json:"last_success_at"`
	ItemCount     Opt[int64]  `json:"item_count"`
	Error         Opt[string] `json:"error"` // free text
	Issue         Opt[Issue]  `json:"issue"`
}

// Issue is a stream's issue.
type Issue struct {
	Code       Opt[string] `json:"code"`
	Category   Opt[string] `json:"category"`
	Message    Opt[string] `json:"message"` // free text
	Action     Opt[string] `json:"action"`
	Capability Opt[string] `json:"capability"`
	Retryable  Opt[bool]   `json:"retryable"`
}

// Workflows is the summary of open workflows. The names of ByKind are data (contract 4.2).
type Workflows struct {
	OpenCount      Opt[int64]     `json:"open_count"`
	OldestOpenedAt Time           `json:"oldest_opened_at"`
	ByKind         Members[int64] `json:"by_kind" max:"10000"`
}

// Packages holds package counters; absent ones are 0 (contract 4.4).
type Packages struct {
	ActiveCount        int64 `json:"active_count"`
	PausedCount        int64 `json:"paused_count"`
	Last24hImpressions int64 `json:"last_24h_impressions"`
}

// Products holds product counters.
type Products struct {
	ActiveCount   int64 `json:"active_count"`
	DraftCount    int64 `json:"draft_count"`
	ArchivedCount int64 `json:"archived_count"`
}

// InventoryProfiles holds inventory-profile counters.
type InventoryProfiles struct {
	TotalCount          int64 `json:"total_count"`
	CompleteCount       int64 `json:"complete_count"`
	IncompleteCount     int64 `json:"incomplete_count"`
	WholesaleOwnedCount int64 `json:"wholesale_owned_count"`
}

// Creatives holds creative counters.
type Creatives struct {
	ActiveCount          int64 `json:"active_count"`
	PendingReviewCount   int64 `json:"pending_review_count"`
	RejectedLast24hCount int64 `json:"rejected_last_24h_count"`
}

// Webhooks is the summary of outbound webhooks.
type Webhooks struct {
	Last24h       WebhookCounts `json:"last_24h"`
	LastFailureAt Time          `json:"last_failure_at"`
}

// WebhookCounts counts deliveries.
type WebhookCounts struct {
	Delivered   Opt[int64]   `json:"delivered"`
	Failed      Opt[int64]   `json:"failed"`
	SuccessRate Opt[float64] `json:"success_rate"`
}

// SetupTasks is the list of setup tasks. The counters beside it are counted again (contract 4.7).
type SetupTasks struct {
	Items []Task   `json:"items" max:"1000"`
	_     struct{} `ignored:"blocker_count"`
	_     struct{} `ignored:"warning_count"`
}

// Task is one setup task.
type Task struct {
	ID            string      `json:"id" required:"true"`
	Name          Opt[string] `json:"name"`
	Severity      Opt[string] `json:"severity"`
	Scope         Opt[string] `json:"scope"`
	Description   Opt[string] `json:"description"`
	IsComplete    Opt[bool]   `json:"is_complete"`
	ConfigurePath Opt[string] `json:"configure_path" word:"path"`
}
