package api

import "github.com/go-json-experiment/json/jsontext"

// Connection is the gateway's record of a managed source's tenant (contract 5). ID is a BIGINT written as a string.
type Connection struct {
	ID                  string         `json:"id"`
	CustomerID          int64          `json:"customerId"`
	ProvisioningStatus  string         `json:"provisioningStatus"`
	TenantID            *string        `json:"tenantId"`
	MCPURL              *string        `json:"mcpUrl"`
	A2AURL              *string        `json:"a2aUrl"`
	AdServer            AdServer       `json:"adServer"` // nil: none saved
	ServiceAccountEmail *string        `json:"serviceAccountEmail"`
	LastError           *string        `json:"lastError"`
	LastErrorCode       *string        `json:"lastErrorCode"`
	LastTestedAt        Timestamp      `json:"lastTestedAt"`
	ProvisionedAt       Timestamp      `json:"provisionedAt"`
	DeactivatedAt       Timestamp      `json:"deactivatedAt"`
	CreatedAt           Timestamp      `json:"createdAt"`
	UpdatedAt           Timestamp      `json:"updatedAt"`
	InventorySync       *InventorySync `json:"inventorySync"` // nil until the first signal
	SourceID            string         `json:"sourceId"`
	Name                string         `json:"name"` // the source's
}

// InventorySync is the last known state of a source's inventory sync.
type InventorySync struct {
	Status      string    `json:"status"` // unknown, never_run, running, success or failed
	LastRunAt   Timestamp `json:"lastRunAt"`
	CompletedAt Timestamp `json:"completedAt"`
	ItemCount   *int64    `json:"itemCount"`
	Error       *string   `json:"error"`
	UpdatedAt   Timestamp `json:"updatedAt"`
}

// AdServer is the non-secret view of an ad-server config, by the allow-list of its type: `type`, and
// texts and numbers or null by their names. It is nil when none is saved.
type AdServer []Member[any]

// MarshalJSONTo implements json.MarshalerTo.
func (a AdServer) MarshalJSONTo(enc *jsontext.Encoder) error {
	if a == nil {
		return enc.WriteToken(jsontext.Null)
	}
	return Members[any](a).MarshalJSONTo(enc)
}
