package api

// InventorySource is one slot of a storefront: an agent of somebody's (AGENT) or a
// managed sales agent. What does not apply to its kind is null. ID is a BIGINT
// written as a string.
type InventorySource struct {
	ID                      string        `json:"id"`
	SourceID                string        `json:"sourceId"`
	Name                    string        `json:"name"`
	ExecutionType           string        `json:"executionType"`
	Status                  string        `json:"status"` // PENDING, ACTIVE or DISABLED
	AgentID                 *string       `json:"agentId"`
	CreatedAt               Timestamp     `json:"createdAt"`
	UpdatedAt               Timestamp     `json:"updatedAt"`
	Type                    *string       `json:"type"`
	EndpointURL             *string       `json:"endpointUrl"`
	Protocol                *string       `json:"protocol"`
	Description             *string       `json:"description"`
	AuthenticationType      *string       `json:"authenticationType"`
	AuthConfigured          bool          `json:"authConfigured"` // exactly while credentials are stored
	OAuth                   *OAuth        `json:"oauth,omitzero"`
	ManagedSA               *ManagedAgent `json:"managedSa"`
	LinkedStorefront        *struct{}     `json:"linkedStorefront"` // always nil
	ReportingType           *string       `json:"reportingType"`
	ReportingPollingCadence *string       `json:"reportingPollingCadence"`
	IsAdapterSource         bool          `json:"isAdapterSource"`
}

// OAuth is the consent that somebody has to give, in answers to requests that
// began one. The URL is good for ten minutes, once.
type OAuth struct {
	AuthorizationURL string `json:"authorizationUrl"`
	AgentID          string `json:"agentId"`
	AgentName        string `json:"agentName"`
}

// ManagedAgent is the connection of a managed source in short.
type ManagedAgent struct {
	ConnectionID  string    `json:"connectionId"` // esaId
	TenantID      *string   `json:"tenantId"`
	AdServer      AdServer  `json:"adServer"` // nil: none saved
	LastError     *string   `json:"lastError"`
	LastErrorCode *string   `json:"lastErrorCode"`
	LastTestedAt  Timestamp `json:"lastTestedAt"`
	ProvisionedAt Timestamp `json:"provisionedAt"`
	DeactivatedAt Timestamp `json:"deactivatedAt"`
}
