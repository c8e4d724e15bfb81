package transform

import (
	"strconv"
	"time"

	"esagate/api"
	"esagate/internal/adserver"
	"esagate/internal/word"
	"esagate/registry"
	"esagate/upstream/wire"
)

// Where a tenant that we did not provision answers, on the sales agent's host.
const (
	defaultMCPPath = "/mcp/"
	defaultA2APath = "/a2a"
)

// Connection gives the api document of a managed source's connection (contract 5).
func Connection(m *registry.Source) *api.Connection {
	c := m.Connection
	out := &api.Connection{
		ID:                  strconv.FormatInt(c.ID, 10),
		CustomerID:          c.CustomerID,
		ProvisioningStatus:  string(c.Provisioning),
		TenantID:            optional(c.TenantID),
		MCPURL:              optional(c.MCPURL),
		A2AURL:              optional(c.A2AURL),
		AdServer:            adserver.View(c.AdServer),
		ServiceAccountEmail: optional(c.ServiceAccountEmail),
		LastErrorCode:       errorCode(c.LastErrorCode),
		LastTestedAt:        lastTestedAt(c),
		ProvisionedAt:       api.TimestampOf(c.ProvisionedAt),
		DeactivatedAt:       api.TimestampOf(c.DeactivatedAt),
		CreatedAt:           api.TimestampOf(c.CreatedAt),
		UpdatedAt:           api.TimestampOf(c.UpdatedAt),
		InventorySync:       inventorySync(c.InventorySync),
		SourceID:            m.SourceID,
		Name:                m.Name,
	}
	if c.LastError != "" {
		out.LastError = optional(safeText(c.LastError, adserver.ErrorText(c.LastErrorCode, adserver.AnyConfig)))
	}
	switch {
	case c.TenantID == "":
		out.MCPURL, out.A2AURL = nil, nil
	case c.MCPURL == "":
		out.MCPURL = optional(defaultMCPPath)
		if c.A2AURL == "" {
			out.A2AURL = optional(defaultA2APath)
		}
	}
	return out
}

// lastTestedAt is the time that the answer to the last test gave.
func lastTestedAt(c *registry.Connection) api.Timestamp {
	if t, ok := wire.ParseTime(c.LastTestTime); ok {
		return api.Timestamp(t)
	}
	return api.TimestampOf(c.LastTestedAt)
}

// optional gives nil for an empty string.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// errorCode passes a code; what is no word is a fault of ours.
func errorCode(code string) *string {
	if code != "" && !word.Name.Is(code) {
		code = adserver.ErrorInternal
	}
	return optional(code)
}

func inventorySync(s *registry.InventorySync) *api.InventorySync {
	if s == nil {
		return nil
	}
	out := &api.InventorySync{
		Status:      s.Status,
		LastRunAt:   api.TimestampOf(s.LastRunAt),
		CompletedAt: api.TimestampOf(s.CompletedAt),
		ItemCount:   s.ItemCount,
		UpdatedAt:   api.TimestampOf(s.UpdatedAt),
	}
	if s.Error != "" {
		out.Error = optional(safeText(s.Error, syncText("")))
	}
	return out
}

// InventorySync gives the state of the inventory sync in a status document, as the registry records it
// (contract 5.1). The signal's time is fetchedAt.
func InventorySync(s *api.Status) registry.InventorySync {
	out := registry.InventorySync{
		Status:     registry.SyncUnknown,
		UpdatedAt:  s.FetchedAt.Time,
		ObservedAt: s.FetchedAt.Time,
	}
	at := s.Syncs.Index(nameOfInventory)
	if at < 0 {
		return out
	}
	b := &s.Syncs[at].Value
	out.LastRunAt = lastStart(b)
	switch b.Status {
	case statusSuccess:
		out.Status, out.CompletedAt = registry.SyncSuccess, b.LastSuccessAt.Time
	case statusFailed:
		out.Status, out.CompletedAt = registry.SyncFailed, b.LastRunAt.Time
	case statusRunning, statusNeverRun: // the registry's words are the same
		out.Status = b.Status
	}
	if b.Error != nil {
		out.Error = *b.Error
	}
	out.ItemCount = copied(b.ItemCount)
	return out
}

// copied gives what does not keep the document of n in memory.
func copied(n *int64) *int64 {
	if n == nil {
		return nil
	}
	c := *n
	return &c
}

// InventorySyncFromEvent gives the state of the inventory sync after the event of a finished run
// (contract 5.1): status is the event's own word, and occurredAt the signal's time. Times that are
// not known are zero, itemCount may be nil, errorMessage is upstream's free text.
func InventorySyncFromEvent(
	status string, startedAt, completedAt, occurredAt time.Time, itemCount *int64, errorMessage string,
) registry.InventorySync {
	if completedAt.IsZero() {
		completedAt = occurredAt
	}
	if startedAt.IsZero() {
		startedAt = completedAt
	}
	out := registry.InventorySync{
		Status: registry.SyncUnknown, LastRunAt: startedAt, CompletedAt: completedAt,
		UpdatedAt: occurredAt, ObservedAt: occurredAt, ItemCount: copied(itemCount),
	}
	switch runStatus(status) {
	case statusSuccess:
		out.Status = registry.SyncSuccess
	case statusFailed:
		out.Status = registry.SyncFailed
		if errorMessage != "" {
			out.Error = safeText(errorMessage, syncText(""))
		}
	}
	return out
}
