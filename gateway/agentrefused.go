package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/transform"
)

const (
	marksEach = time.Minute // between two records of one source
	maxMarks  = 4096        // sources whose last record is remembered
)

// agentMark is a source whose agent was found to refuse its credentials, or to accept them again.
type agentMark struct {
	customer int64
	sourceID string
}

// agentMarks remembers when sources were recorded.
type agentMarks struct {
	*lru.Cache[agentMark, time.Time]
}

func newAgentMarks() agentMarks {
	c, _ := lru.New[agentMark, time.Time](maxMarks) // fails for a size below 1 alone
	return agentMarks{c}
}

// due reports whether a source may be recorded now, and remembers that it is.
func (m agentMarks) due(mark agentMark) bool {
	now := time.Now()
	if last, ok := m.Get(mark); ok && now.Sub(last) < marksEach {
		return false
	}
	m.Add(mark, now)
	return true
}

// agentAnswered is told how the agent of an AGENT source has answered to credentials, those with an id. With a 401
// their access token is replaced before the next call, and the source is marked until a 2xx comes: in the registry,
// and in the audit (contract 13.9). At most once a minute for a source something is recorded, in at most two seconds;
// where that fails, a later answer tries again.
func (g *Gateway) agentAnswered(r *request, src *registry.Source, credentialID string, status int) {
	refused := status == http.StatusUnauthorized
	if refused {
		g.deps.Agents.Refused(src.CustomerID, src.SourceID, credentialID)
	}
	known := !src.Agent.RefusedAt.IsZero() && src.Agent.CredentialID == credentialID
	if refused == known || !refused && status/100 != 2 {
		return
	}
	if !g.agentMarks.due(agentMark{src.CustomerID, src.SourceID}) {
		return
	}
	ctx, cancel := context.WithTimeout(detached(r), auditTimeout)
	defer cancel()
	if err := g.recordAgent(ctx, r, src, credentialID, status); err != nil {
		g.log.LogAttrs(ctx, slog.LevelWarn, "how an agent takes its credentials could not be recorded",
			slog.String("request_id", r.id), slog.String("source_id", src.SourceID), slog.Any("error", err))
	}
}

// recordAgent marks a source, or takes its mark away, and writes that down.
func (g *Gateway) recordAgent(ctx context.Context, r *request, src *registry.Source, credentialID string, status int) error {
	entry := registry.AuditEntry{Actor: registry.ActorAgent, Operation: registry.AuditAgentAccepts, SourceID: src.SourceID, RequestID: r.id}
	result := registry.AuditResult{Status: status, Outcome: registry.AuditSucceeded}
	at := time.Time{}
	if status == http.StatusUnauthorized {
		at = registry.Instant(time.Now())
		entry.Operation = registry.AuditAgentRefuses
		result.Outcome, result.Code = registry.AuditRefused, transform.IssueAgentUnauthorized
	}
	marked, err := g.deps.Directory.MarkRefused(ctx, src.CustomerID, src.SourceID, credentialID, at)
	switch {
	case fault.Is(err, fault.Conflict), fault.Is(err, fault.NotFound): // it has other credentials by now, or was deleted
		return nil
	case err != nil:
		return err
	case !marked.Agent.RefusedAt.Equal(at): // another replica was first
		return nil
	}
	id, err := g.deps.Directory.BeginAudit(ctx, src.CustomerID, entry)
	if err != nil {
		return err
	}
	return g.deps.Directory.FinishAudit(ctx, src.CustomerID, id, result)
}
