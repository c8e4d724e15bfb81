package api

// TestResult is the outcome of a connection test. A failed test is an answer like
// any other, with Success false.
type TestResult struct {
	Success          bool              `json:"success"`
	Error            *string           `json:"error"`
	ErrorCode        *string           `json:"errorCode"` // ADAPTER_… or INTERNAL_ERROR; nil on success
	Remediation      *string           `json:"remediation"`
	Details          *TestDetails      `json:"details"`
	CapabilityChecks []CapabilityCheck `json:"capabilityChecks"` // never null
	TestedAt         Timestamp         `json:"testedAt"`         // never null
}

// CapabilityCheck is what a test found out about one capability of the ad server.
type CapabilityCheck struct {
	Capability  string       `json:"capability"`
	Status      string       `json:"status"` // passed, failed or not_checked
	Message     *string      `json:"message"`
	ErrorCode   *string      `json:"errorCode"`
	Remediation *string      `json:"remediation"`
	Details     *TestDetails `json:"details"`
}

// TestDetails are the parts of upstream's details that may be shown (contract 4.11).
type TestDetails struct {
	AdapterType *string      `json:"adapterType,omitzero"`
	Remediation *string      `json:"remediation,omitzero"`
	VendorFault *VendorFault `json:"vendorFault,omitzero"`
}

// VendorFault is what the ad server itself said.
type VendorFault struct {
	Vendor        *string `json:"vendor,omitzero"`
	Phase         *string `json:"phase,omitzero"`
	VendorStatus  *int64  `json:"vendorStatus,omitzero"` // of HTTP
	VendorMessage *string `json:"vendorMessage,omitzero"`
}

// RefreshResult says which sync runs a refresh started, or found running.
type RefreshResult struct {
	Status           string     `json:"status"` // started or already_running
	SyncRunIDs       SyncRunIDs `json:"syncRunIds"`
	RunningSyncTypes []string   `json:"runningSyncTypes,omitzero"` // of already_running
	StartedAt        Timestamp  `json:"startedAt"`
}

// SyncRunIDs holds ids of runs by the camelCase names of their streams, in the order of these.
type SyncRunIDs = Members[string]

// SyncRunPage is one page of a source's sync history, newest first.
type SyncRunPage struct {
	Runs       []SyncRun `json:"runs"` // never null
	Count      int64     `json:"count"`
	NextCursor *string   `json:"nextCursor"` // upstream's own
}

// SyncRun is one run of a sync stream.
type SyncRun struct {
	SyncID          string    `json:"syncId"`
	SyncType        string    `json:"syncType"` // camelCase
	StartedAt       Timestamp `json:"startedAt"`
	CompletedAt     Timestamp `json:"completedAt"`
	Status          string    `json:"status"` // success, in_progress, failed, cancelled
	DurationSeconds *int64    `json:"durationSeconds"`
	ItemsProcessed  int64     `json:"itemsProcessed"`
	ItemsFailed     int64     `json:"itemsFailed"`
	ErrorSummary    *string   `json:"errorSummary"`
	ErrorCategory   *string   `json:"errorCategory"` // upstream has none
}

// CapabilityRecheck is the answer to a recheck of a capability, which upstream has
// no way to probe.
type CapabilityRecheck struct {
	Capability      string     `json:"capability"`      // reporting or forecasting
	CapabilityState string     `json:"capabilityState"` // unknown
	Status          string     `json:"status"`          // not_probeable
	ProbePerformed  bool       `json:"probePerformed"`
	Issue           *SyncIssue `json:"issue"` // nil
	RecoveryStarted bool       `json:"recoveryStarted"`
	SyncRunID       *string    `json:"syncRunId"`
	Message         string     `json:"message"`
}

// ServiceAccount names the service account that a customer has to give access to.
type ServiceAccount struct {
	ServiceAccountEmail *string `json:"serviceAccountEmail"`
}

// Launch is a link into the sales agent's admin UI that works once (contract 13.1). URL holds its token.
type Launch struct {
	URL string `json:"url"`
}

// AuditPage is one page of the record of writes, newest first.
type AuditPage struct {
	Entries    []AuditEntry `json:"entries"` // never null
	NextCursor *string      `json:"nextCursor"`
}

// AuditEntry is the record of one write, or of refused ones that are alike.
type AuditEntry struct {
	ID        string    `json:"id"`
	At        Timestamp `json:"at"`
	Actor     string    `json:"actor"`
	Operator  bool      `json:"operator"`  // the actor acted for the customer
	Operation string    `json:"operation"` // the operationId of openapi.yaml
	SourceID  *string   `json:"sourceId"`
	ESAID     *string   `json:"esaId"`
	RequestID *string   `json:"requestId"`
	Outcome   string    `json:"outcome"` // begun, succeeded, refused or failed
	Status    *int64    `json:"status"`
	ErrorCode *string   `json:"errorCode"`
	Count     int64     `json:"count"`
	LastAt    Timestamp `json:"lastAt"`
}
