// Package api holds the documents that the gateway serves, as Go types, and the
// published contract of them (openapi.yaml). Field order is the order on the wire.
package api

// Status is the snapshot of one managed source (contract 4).
type Status struct {
	Operational       Operational        `json:"operational"`
	Adapter           Adapter            `json:"adapter"`
	Syncs             Syncs              `json:"syncs"`
	Workflows         Workflows          `json:"workflows"`
	Packages          Packages           `json:"packages"`
	Creatives         Creatives          `json:"creatives"`
	Webhooks          *Webhooks          `json:"webhooks"` // never null in an answer
	FetchedAt         Timestamp          `json:"fetchedAt"`
	Products          *Products          `json:"products,omitzero"`
	InventoryProfiles *InventoryProfiles `json:"inventoryProfiles,omitzero"`
	SetupTasks        SetupTasks         `json:"setupTasks"`
}

// Operational is the state derived from the rest of the snapshot (contract 4.8).
type Operational struct {
	IsLive            bool               `json:"isLive"`
	DiscoveryDegraded bool               `json:"discoveryDegraded"`
	DeliveryDegraded  bool               `json:"deliveryDegraded"`
	Summary           string             `json:"summary"`
	Issues            []OperationalIssue `json:"issues"` // never null
}

// OperationalIssue is one reason why a source is not well.
type OperationalIssue struct {
	Code          string   `json:"code"`
	Severity      string   `json:"severity"` // warning or critical
	Message       string   `json:"message"`
	Affects       []string `json:"affects"` // of discovery, delivery, setup
	ConfigurePath *string  `json:"configurePath,omitzero"`
}

// Adapter is the health of the ad-server connection.
type Adapter struct {
	Type          string    `json:"type"`
	Connected     bool      `json:"connected"`
	LastTestedAt  Timestamp `json:"lastTestedAt"`
	LastTestError *string   `json:"lastTestError"`
}

// Syncs holds the sync streams by their camelCase names: inventory, customTargeting and advertisers
// always, first and in this order; then the others by name. One entry a name.
type Syncs = Members[SyncBlock]

// SyncBlock is the state of one sync stream.
type SyncBlock struct {
	Status        string      `json:"status"`
	Severity      string      `json:"severity"` // ok, warning or critical
	LastSuccessAt Timestamp   `json:"lastSuccessAt"`
	Issue         *SyncIssue  `json:"issue"`
	LastRunAt     Timestamp   `json:"lastRunAt"`
	LastStartedAt Timestamp   `json:"lastStartedAt"` // upstream has none
	ItemCount     *int64      `json:"itemCount"`
	Error         *string     `json:"error"`
	History       SyncHistory `json:"history"`
}

// SyncIssue says what is wrong with a stream.
type SyncIssue struct {
	Code       string  `json:"code"`
	Category   string  `json:"category"`
	Message    string  `json:"message"`
	Retryable  bool    `json:"retryable"`
	Action     *string `json:"action"`
	Capability *string `json:"capability,omitzero"`
}

// SyncHistory sums up a stream's last 10 runs. Its zero value is "not asked for", or
// not known; RecentRuns is there exactly when it was asked for and is known, also when
// there was no run.
type SyncHistory struct {
	RecentRunCount          int64     `json:"recentRunCount"`
	RecentFailureCount      int64     `json:"recentFailureCount"`
	ConsecutiveFailureCount int64     `json:"consecutiveFailureCount"`
	LatestFailureAt         Timestamp `json:"latestFailureAt"`
	LatestError             *string   `json:"latestError"`
	RecentRuns              []SyncRun `json:"recentRuns,omitzero"` // newest first
}

// Workflows counts what waits for a person.
type Workflows struct {
	OpenCount      int64     `json:"openCount"`
	OldestOpenedAt Timestamp `json:"oldestOpenedAt"`
	ByKind         ByKind    `json:"byKind"`
}

// ByKind holds counters in the order of their names, which are upstream's byte for byte.
type ByKind = Members[int64]

// Packages counts packages.
type Packages struct {
	ActiveCount        int64 `json:"activeCount"`
	PausedCount        int64 `json:"pausedCount"`
	Last24hImpressions int64 `json:"last24hImpressions"`
}

// Creatives counts creatives.
type Creatives struct {
	ActiveCount          int64 `json:"activeCount"`
	PendingReviewCount   int64 `json:"pendingReviewCount"`
	RejectedLast24hCount int64 `json:"rejectedLast24hCount"`
}

// Webhooks counts webhook deliveries.
type Webhooks struct {
	Last24h       WebhookCounts `json:"last24h"`
	LastFailureAt Timestamp     `json:"lastFailureAt"`
}

// WebhookCounts covers the last 24 hours; SuccessRate is a fraction, 1 when
// nothing was delivered.
type WebhookCounts struct {
	Delivered   int64   `json:"delivered"`
	Failed      int64   `json:"failed"`
	SuccessRate float64 `json:"successRate"`
}

// Products counts products.
type Products struct {
	ActiveCount   int64 `json:"activeCount"`
	DraftCount    int64 `json:"draftCount"`
	ArchivedCount int64 `json:"archivedCount"`
}

// InventoryProfiles counts inventory profiles.
type InventoryProfiles struct {
	TotalCount          int64 `json:"totalCount"`
	CompleteCount       int64 `json:"completeCount"`
	IncompleteCount     int64 `json:"incompleteCount"`
	WholesaleOwnedCount int64 `json:"wholesaleOwnedCount"`
}

// SetupTasks is the merged list of setup tasks (contract 4.7); the counts are of the
// open items.
type SetupTasks struct {
	BlockerCount int64       `json:"blockerCount"`
	WarningCount int64       `json:"warningCount"`
	Items        []SetupTask `json:"items"` // never null
}

// SetupTask is one thing to do before a source can sell.
type SetupTask struct {
	ID            string  `json:"id"`
	Name          string  `json:"name"`
	Severity      string  `json:"severity"` // blocker, warning or info
	Scope         string  `json:"scope"`    // platform or publisher
	Description   string  `json:"description"`
	IsComplete    bool    `json:"isComplete"`
	ConfigurePath *string `json:"configurePath"`
}
