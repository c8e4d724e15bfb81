package transform

import (
	"strconv"

	"esagate/api"
	"esagate/registry"
)

// AuditPage gives a page of the record of writes; next is the cursor of the page that
// follows, empty where none does.
func AuditPage(entries []registry.AuditEntry, next string) *api.AuditPage {
	page := &api.AuditPage{Entries: make([]api.AuditEntry, len(entries)), NextCursor: optional(next)}
	for i := range entries {
		page.Entries[i] = auditEntry(&entries[i])
	}
	return page
}

func auditEntry(e *registry.AuditEntry) api.AuditEntry {
	out := api.AuditEntry{
		ID: e.ID, At: api.TimestampOf(e.At), Actor: e.Actor, Operator: e.Operator, Operation: e.Operation,
		SourceID: optional(e.SourceID), RequestID: optional(e.RequestID),
		Outcome: string(e.Outcome), ErrorCode: optional(e.Code),
		Count: int64(e.Count), LastAt: api.TimestampOf(e.LastAt),
	}
	if e.ESAID != 0 {
		out.ESAID = optional(strconv.FormatInt(e.ESAID, 10))
	}
	if e.Status != 0 {
		status := int64(e.Status)
		out.Status = &status
	}
	return out
}
