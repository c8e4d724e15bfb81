package wire

// Provisioned is the part of the answer to `POST /tenants/provision` that the gateway
// follows. TenantID is never empty. The principal's access token is not read at all.
type Provisioned struct {
	TenantID string
	MCPURL   Opt[string]
	A2AURL   Opt[string]
}

// TestResult is the answer to `POST T/adapter-config/test-connection`. Of what it holds
// only Success is sure to be there.
type TestResult struct {
	Success          bool
	Error            Opt[string] // free text
	ErrorCode        Opt[string]
	Remediation      Opt[string]
	Details          Details
	CapabilityChecks []CapabilityCheck // at most maxChecks
	TestedAt         Time
}

// CapabilityCheck is one entry of a test's capability_checks; Capability and Status are
// never empty.
type CapabilityCheck struct {
	Capability  string
	Status      string
	Message     Opt[string] // free text
	ErrorCode   Opt[string]
	Remediation Opt[string]
	Details     Details
}

// Details are the members of a test's `details` that the gateway knows; all others are
// not read (contract, status rule 11).
type Details struct {
	AdapterType Opt[string]
	Remediation Opt[string]
	FaultString Opt[string] // of vendor_fault; free text
}

// Refresh is the answer to `POST T/refresh`: a 202, or a 409 sync_already_running.
type Refresh struct {
	AlreadyRunning   bool
	SyncRunIDs       []SyncRunID // in document order, one entry a stream; at most maxRunIDs
	RunningSyncTypes []string    // snake_case; at most maxRunIDs
	StartedAt        Time
}

// SyncRunID is a stream (snake_case) and the id of its run.
type SyncRunID struct{ SyncType, ID string }

// SyncHistory is the answer to `GET T/sync-history`.
type SyncHistory struct {
	Runs       []SyncRun // those that can be read; at most maxRuns
	Count      Opt[int64]
	NextCursor Opt[string]
}

// SyncRun is one run of a stream; SyncID, SyncType and Status are never empty.
type SyncRun struct {
	SyncID          string
	SyncType        string // snake_case
	Status          string
	StartedAt       Time
	CompletedAt     Time
	DurationSeconds Opt[int64]
	ItemsProcessed  Opt[int64]
	ItemsFailed     Opt[int64]
	ErrorSummary    Opt[string] // free text, tracebacks included
}

// Settings are an adapter's runtime settings (`GET T/adapters/{type}/config`). Raw is
// the object as upstream gave it: it goes back there and nowhere else. Printed or
// logged, settings are one word.
type Settings struct{ Raw []byte }

// Webhook is one subscription of `GET T/webhooks`, or the answer to `POST T/webhooks`,
// whose secret is ours and not read back. WebhookID is never empty.
type Webhook struct {
	WebhookID string
	URL       string
	IsActive  bool
}
