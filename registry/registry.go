// Package registry holds what the gateway keeps itself: inventory sources and
// the connections of managed ones. Values are immutable once returned: they are
// shared between requests.
package registry

import (
	"maps"
	"reflect"
	"time"
)

// ExecutionType says what runs a source.
type ExecutionType string

// Execution types.
const (
	ExecutionAgent   ExecutionType = "AGENT"
	ExecutionManaged ExecutionType = "MANAGED_SALES_AGENT"
)

// Source is one slot of a storefront: a managed one has a Connection, an AGENT one
// an Agent. ID is the row's own, unique over all customers and never given twice;
// SourceID is unique within a customer.
type Source struct {
	ID            int64
	CustomerID    int64
	SourceID      string
	Name          string
	ExecutionType ExecutionType
	Labels        map[string]string
	CreatedAt     time.Time
	UpdatedAt     time.Time
	Agent         *Agent      // nil for a managed source
	Connection    *Connection // nil for an AGENT source
}

// Clone returns a copy that shares nothing with s.
func (s *Source) Clone() *Source {
	c := *s
	c.Labels = maps.Clone(s.Labels)
	c.Agent = cloned(s.Agent)
	if c.Connection = cloned(s.Connection); c.Connection == nil {
		return &c
	}
	conn := c.Connection
	conn.Operation = cloned(conn.Operation)
	if conn.AdServer = cloned(conn.AdServer); conn.AdServer != nil {
		a := conn.AdServer
		a.DefaultDemandPartnerID, a.AgencyID, a.CPMLimit = cloned(a.DefaultDemandPartnerID), cloned(a.AgencyID), cloned(a.CPMLimit)
	}
	if conn.InventorySync = cloned(conn.InventorySync); conn.InventorySync != nil {
		conn.InventorySync.ItemCount = cloned(conn.InventorySync.ItemCount)
	}
	return &c
}

func cloned[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// ProvisioningStatus is the status of a connection.
type ProvisioningStatus string

// Provisioning statuses (contract 5.2).
const (
	StatusPending      ProvisioningStatus = "pending"
	StatusProvisioning ProvisioningStatus = "provisioning"
	StatusActive       ProvisioningStatus = "active"
	StatusFailed       ProvisioningStatus = "failed"
	StatusDeactivated  ProvisioningStatus = "deactivated"
)

// Connection is the record of a managed source's tenant. Empty strings and zero
// times are "none". Version grows by one with every change that a reader could
// see, so a document built from one version stays true as long as it stands.
type Connection struct {
	ID                  int64 // esaId
	CustomerID          int64
	Provisioning        ProvisioningStatus
	TenantID            string
	ExternalOrgID       string
	MCPURL              string // empty with a tenant: one that we did not provision
	A2AURL              string
	AdServer            *AdServer // nil: none saved, or not known yet
	AdServerSavedAt     time.Time // when a config was last saved through us
	ServiceAccountEmail string
	LastError           string
	LastErrorCode       string
	LastTestedAt        time.Time // when our own last test of the connection began
	LastTestTime        string    // the time of that test as its answer gave it, in RFC 3339; may be empty
	LastTestPassed      bool      // its outcome; false when there was none
	ProvisionedAt       time.Time
	DeactivatedAt       time.Time
	CreatedAt           time.Time
	UpdatedAt           time.Time
	InventorySync       *InventorySync // nil until the first signal
	Operation           *Operation     // a change of the tenant that is under way; nil: none
	// UnsettledSince is when the last provisioning began whose outcome is not known:
	// there may be a tenant, or come to be one. Zero: every outcome is known.
	UnsettledSince time.Time
	// Epoch grows with every write or delivery that makes snapshots of the tenant old,
	// in all replicas (contract 4.12).
	Epoch   int64
	Version int64
}

// AdServer is the non-secret part of an ad-server config, whatever its type.
// There is no field for a credential, so none can be kept.
type AdServer struct {
	Type                   string   `json:"type"`
	NetworkCode            string   `json:"networkCode,omitempty"`
	NetworkID              string   `json:"networkId,omitempty"`
	ClientID               string   `json:"clientId,omitempty"`
	Username               string   `json:"username,omitempty"`
	Email                  string   `json:"email,omitempty"`
	Environment            string   `json:"environment,omitempty"`
	DefaultAdvertiserID    string   `json:"defaultAdvertiserId,omitempty"`
	ExecutionCurrency      string   `json:"executionCurrency,omitempty"`
	DefaultDemandPartnerID *int64   `json:"defaultDemandPartnerId,omitempty"`
	RateCurrency           string   `json:"rateCurrency,omitempty"`
	AgencyID               *int64   `json:"agencyId,omitempty"`
	BaseURL                string   `json:"baseUrl,omitempty"`
	ForecastingBaseURL     string   `json:"forecastingBaseUrl,omitempty"`
	DefaultCurrency        string   `json:"defaultCurrency,omitempty"`
	CPMLimit               *float64 `json:"cpmLimit,omitempty"`
}

// Sync statuses of InventorySync.
const (
	SyncUnknown  = "unknown"
	SyncNeverRun = "never_run"
	SyncRunning  = "running"
	SyncSuccess  = "success"
	SyncFailed   = "failed"
)

// InventorySync is the last known state of a connection's inventory sync.
// UpdatedAt is the time of the signal that last changed anything in it;
// ObservedAt that of the newest signal, changed or not: an older one is ignored.
type InventorySync struct {
	Status      string
	LastRunAt   time.Time
	CompletedAt time.Time
	ItemCount   *int64
	Error       string
	UpdatedAt   time.Time
	ObservedAt  time.Time
}

// Following returns the state that follows last with this signal: what is known of the
// start of the run that both tell of is kept (contract 5.1).
func (s InventorySync) Following(last *InventorySync) InventorySync {
	if last != nil && !last.LastRunAt.IsZero() && !s.CompletedAt.IsZero() && s.Status == last.Status &&
		s.CompletedAt.Equal(last.CompletedAt) && (s.LastRunAt.IsZero() || last.LastRunAt.Before(s.LastRunAt)) {
		s.LastRunAt = last.LastRunAt
	}
	return s
}

// SameState reports whether two states differ in nothing but when they were seen. Their
// times are as a Store keeps them.
func (s *InventorySync) SameState(o *InventorySync) bool {
	if s == nil || o == nil {
		return s == o
	}
	shown := *o
	shown.UpdatedAt, shown.ObservedAt = s.UpdatedAt, s.ObservedAt
	return reflect.DeepEqual(s, &shown)
}
