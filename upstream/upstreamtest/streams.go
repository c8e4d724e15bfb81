package upstreamtest

import (
	"slices"
	"strings"
	"time"
)

// streamBlock is what the status document says of a stream: its last run, if the
// stream's own schedule has none that is newer.
func (t *tenantState) streamBlock(s Stream, c calendar) streamBlock {
	b := s.block(c)
	r := t.last(s.Name)
	if r == nil || (!r.open() && s.RunAgo > 0 && c.lastEnd(s.RunAgo, s.Every).Add(-s.Took).After(r.StartedAt)) {
		return b
	}
	b.LastRunAt, b.Severity, b.Error, b.Issue = orNull(stamp(r.StartedAt, c.zone)), "ok", nil, nil
	if good := t.last(s.Name, runCompleted); good != nil {
		b.LastSuccessAt = orNull(stamp(good.CompletedAt, c.zone))
	}
	switch r.Status {
	case runCompleted:
		b.Status, b.ItemCount = "success", &r.Items
	case runFailed:
		b.Status, b.Severity, b.ItemCount, b.Error, b.Issue = "failed", "critical", nil, orNull(r.Error), r.issue()
	default: // a pending run reads as a running one
		b.Status = "running"
	}
	return b
}

// severity is the severity of a stream by what is over.
func (t *tenantState) severity(name string) string {
	if r := t.last(name, runCompleted, runFailed); r != nil {
		if r.Status == runCompleted {
			return "ok"
		}
		return "critical"
	}
	for _, s := range t.Status.Streams {
		if s.Name == name && s.Severity != "" {
			return s.Severity
		}
	}
	return "warning"
}

// last gives the last run of a stream in one of these states, for none in any; nil without.
func (t *tenantState) last(name string, states ...string) *run {
	for _, r := range slices.Backward(t.runs) {
		if r.Stream == name && (states == nil || slices.Contains(states, r.Status)) {
			return r
		}
	}
	return nil
}

// latest gives the last run of a stream, its own schedule's among them; nil without.
func (t *tenantState) latest(name string, now time.Time) *run {
	r := t.last(name)
	for _, s := range t.Status.Streams {
		own := s.scheduled(t.ID, calendar{since: t.since, now: now, zone: t.zone()}, 1)
		if s.Name == name && own != nil && (r == nil || !r.open() && own[0].StartedAt.After(r.StartedAt)) {
			r = &own[0]
		}
	}
	return r
}

// category says who can mend a failed run: auth, transient or permanent.
func (r *run) category() string {
	words := strings.ToLower(r.publicError())
	for _, w := range []string{"auth", "credential", "permission", "let it in"} {
		if strings.Contains(words, w) {
			return "auth"
		}
	}
	for _, w := range []string{"limit", "quota", "timeout", "away", "connection"} {
		if strings.Contains(words, w) {
			return "transient"
		}
	}
	return "permanent"
}

func (r *run) issue() *Issue {
	switch r.category() {
	case "auth":
		return &Issue{Code: "adapter_auth_failed", Category: "auth", Action: "reconnect_adapter", Message: "The ad server does not accept the saved account."}
	case "transient":
		return &Issue{Code: "sync_failed", Category: "transient", Action: "retry_sync", Retryable: true, Message: "The run ended early; another one may go well."}
	}
	return &Issue{Code: "sync_failed", Category: "permanent", Action: "contact_support", Message: "The run failed."}
}

// publicError is the first line of the error, as webhooks say it.
func (r *run) publicError() string {
	line, _, _ := strings.Cut(r.Error, "\n")
	return line
}

// scheduled gives the runs that a stream's own schedule has made, newest first, at
// most that many.
func (s Stream) scheduled(tenantID string, c calendar, most int) []run {
	if s.RunAgo <= 0 {
		return nil
	}
	var runs []run
	for end := c.lastEnd(s.RunAgo, s.Every); len(runs) < most; end = end.Add(-s.Every) {
		r := run{
			ID: idOf("sync_", tenantID, s.Name, end.UnixNano()), Stream: s.Name, Trigger: scheduled,
			StartedAt: end.Add(-s.Took), CompletedAt: end, Status: runCompleted, Items: max(s.Items, 0),
		}
		switch {
		case s.Status == "running" && len(runs) == 0:
			r.Status, r.CompletedAt, r.Items = runRunning, time.Time{}, 0
		case s.Status == "failed" && (s.SuccessAgo == 0 || end.After(c.since.Add(-s.SuccessAgo))):
			r.Status, r.Items, r.ItemsFailed, r.Error = runFailed, 0, 1, s.Error
		}
		runs = append(runs, r)
		if s.Every <= 0 {
			break
		}
	}
	return runs
}
