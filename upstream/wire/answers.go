package wire

// AdapterConfig is the part of `GET T/adapter-config` that is no secret. The fields that hold or
// stand for credentials are not read at all.
type AdapterConfig struct {
	Type                string      `json:"type" required:"true"`
	Configured          bool        `json:"configured" required:"true"`
	NetworkCode         Opt[string] `json:"network_code"`
	ServiceAccountEmail Opt[string] `json:"service_account_email" word:"email"`
}

// Tenant is the part of `GET T`, of an entry of `GET /tenants` and of the answers to
// `POST T/deactivate` and `T/reactivate` that the gateway follows.
type Tenant struct {
	TenantID       string      `json:"tenant_id" required:"nonempty" word:"id"`
	ExternalOrgID  Opt[string] `json:"external_org_id"`
	ExternalSource Opt[string] `json:"external_source"`
	IsActive       Opt[bool]   `json:"is_active"`
	CreatedAt      Time        `json:"created_at"`
}

// Provisioned is the part of the answer to `POST /tenants/provision` that the gateway follows. The
// principal's access token is not read at all.
type Provisioned struct {
	TenantID       string      `json:"tenant_id" required:"nonempty" word:"id"`
	ExternalOrgID  Opt[string] `json:"external_org_id"`
	ExternalSource Opt[string] `json:"external_source"`
	MCPURL         Opt[string] `json:"mcp_url" word:"address"`
	A2AURL         Opt[string] `json:"a2a_url" word:"address"`
}

// TestResult is the answer to `POST T/adapter-config/test-connection`.
type TestResult struct {
	Success          bool              `json:"success" required:"true"`
	Error            Opt[string]       `json:"error"` // free text
	ErrorCode        Opt[string]       `json:"error_code"`
	Remediation      Opt[string]       `json:"remediation"`
	Details          Details           `json:"details"`
	CapabilityChecks []CapabilityCheck `json:"capability_checks" max:"200"`
	TestedAt         Time              `json:"tested_at"`
}

// CapabilityCheck is one entry of a test's capability_checks.
type CapabilityCheck struct {
	Capability  string      `json:"capability" required:"nonempty"`
	Status      string      `json:"status" required:"nonempty"`
	Message     Opt[string] `json:"message"` // free text
	ErrorCode   Opt[string] `json:"error_code"`
	Remediation Opt[string] `json:"remediation"`
	Details     Details     `json:"details"`
}

// Details are the members of a test's `details` that the gateway knows. Upstream puts anything
// beside them, the submitted credentials included (contract 4.11).
type Details struct {
	AdapterType Opt[string] `json:"adapter_type"`
	Remediation Opt[string] `json:"remediation"`
	VendorFault VendorFault `json:"vendor_fault"`
}

// VendorFault is what the ad server itself said, without what the sales agent asked it and how
// (contract 2.5).
type VendorFault struct {
	Vendor        Opt[string] `json:"vendor"`
	Phase         Opt[string] `json:"phase"`
	VendorStatus  Opt[int64]  `json:"vendor_status" text:"true"` // of HTTP, where there was one
	VendorMessage Opt[string] `json:"vendor_message"`            // free text
	_             struct{}    `ignored:"endpoint"`
	_             struct{}    `ignored:"gam"`
}

// Refresh is the answer to `POST T/refresh`: a 202, or a 409 sync_already_running.
type Refresh struct {
	AlreadyRunning   bool            `json:"error" is:"sync_already_running"`
	SyncRunIDs       Members[string] `json:"sync_run_ids" max:"64" word:"run"` // by stream, in snake_case
	RunningSyncTypes []string        `json:"running_sync_types" max:"64"`
	StartedAt        Time            `json:"started_at"`
}

// SyncHistory is the answer to `GET T/sync-history`, with the most runs that may be asked for.
type SyncHistory struct {
	Runs       []SyncRun   `json:"runs" required:"true" max:"500"`
	Count      Opt[int64]  `json:"count"`
	NextCursor Opt[string] `json:"next_cursor" word:"cursor"`
}

// SyncRun is one run of a stream.
type SyncRun struct {
	SyncID          string      `json:"sync_id" required:"nonempty" word:"run"`
	SyncType        string      `json:"sync_type" required:"nonempty"` // snake_case
	Status          string      `json:"status" required:"nonempty"`
	StartedAt       Time        `json:"started_at"`
	CompletedAt     Time        `json:"completed_at"`
	DurationSeconds Opt[int64]  `json:"duration_seconds"`
	ItemsProcessed  Opt[int64]  `json:"items_processed"`
	ItemsFailed     Opt[int64]  `json:"items_failed"`
	ErrorSummary    Opt[string] `json:"error_summary"` // free text, tracebacks included
}

// Webhook is one subscription of `GET T/webhooks`, or the answer to `POST T/webhooks`, whose secret
// is ours and not read back.
type Webhook struct {
	WebhookID string `json:"webhook_id" required:"nonempty" word:"id"`
	URL       string `json:"url"`
	IsActive  bool   `json:"is_active"`
}
