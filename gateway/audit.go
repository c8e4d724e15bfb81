package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/transform"
)

// auditTimeout bounds how long the answer of a write waits for its record.
const auditTimeout = 2 * time.Second

// auditSource records which source a write is about; connection is nil for one that is
// not managed.
func (r *request) auditSource(sourceID string, connection *registry.Connection) {
	if r.audit == nil {
		return
	}
	r.audit.SourceID = sourceID
	if connection != nil {
		r.audit.ESAID = connection.ID
	}
}

// beginAudit records that a write begins; without the record there is no write. The
// outcome is recorded before it is answered, so that a client that has the answer finds
// the record.
func (g *Gateway) beginAudit(r *request, operation string) error {
	entry := registry.AuditEntry{Actor: r.caller.Name, Operator: r.caller.Operator, Operation: operation, RequestID: r.id}
	if sourceID, err := parseSourceID(r.vars["sourceId"]); err == nil {
		entry.SourceID = sourceID
	}
	if esaID, err := parseESAID(r.vars["esaId"]); err == nil {
		entry.ESAID = esaID
	}
	id, err := g.deps.Directory.BeginAudit(detached(r), r.caller.CustomerID, entry)
	if err != nil {
		return err
	}
	r.audit = &registry.AuditResult{}
	r.answer.begins = func(status int) { g.endAudit(r, id, status) }
	return nil
}

// endAudit records the outcome of a write. One that can't be ended stays "begun".
func (g *Gateway) endAudit(r *request, id string, status int) {
	result := r.audit
	result.Status, result.Outcome = status, registry.AuditSucceeded
	switch {
	case status >= 500 || status == statusClientGone:
		result.Outcome = registry.AuditFailed
	case status >= 400:
		result.Outcome = registry.AuditRefused
	}
	if f := r.failure; f != nil {
		result.Code = answerOf[f.Kind].code
		if f.ESAID != 0 {
			result.ESAID, result.SourceID = f.ESAID, f.SourceID
		}
	}
	ctx, cancel := context.WithTimeout(detached(r), auditTimeout)
	defer cancel()
	if err := g.deps.Directory.FinishAudit(ctx, r.caller.CustomerID, id, *result); err != nil {
		g.log.LogAttrs(ctx, slog.LevelWarn, "the end of a write could not be recorded",
			slog.String("request_id", r.id), slog.String("route", r.route), slog.Any("error", err))
	}
}

// Bounds of a page of the audit.
const (
	maxAudit     = registry.MaxPage
	defaultAudit = 50
)

func (g *Gateway) listAudit(w http.ResponseWriter, r *request) error {
	q := parseQuery(r.URL.RawQuery, "sourceId", "limit", "cursor")
	query := registry.AuditQuery{Take: q.integer("limit", 1, maxAudit, defaultAudit), Before: q.cursor()}
	if given, ok := q.values["sourceId"]; ok {
		query.SourceID = given[0]
		if !registry.StorableID(query.SourceID) {
			q.fail("query.sourceId", "sourceId must be 1 to 255 characters.")
		}
	}
	if err := q.err(); err != nil {
		return err
	}
	entries, more, err := g.deps.Directory.Audit(r.Context(), r.caller.CustomerID, query)
	if errors.Is(err, registry.ErrInvalid) {
		return fault.Invalid(fault.Issue{Path: "query.cursor", Message: badCursor})
	}
	if err != nil {
		return err
	}
	next := ""
	if more {
		next = entries[len(entries)-1].ID
	}
	g.answer(w, r, http.StatusOK, api.Encode(transform.AuditPage(entries, next)))
	return nil
}
