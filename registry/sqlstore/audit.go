package sqlstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"esagate/registry"
)

const auditColumns = `a.id, a.at, a.actor, a.operator, a.operation, a.source_id, a.esa_id, a.request_id, a.outcome, a.status, a.code, a.times, a.last_at`

var (
	insertAudit = scoped(`INSERT INTO audit (customer_id, id, at, actor, operation, source_id, esa_id, request_id, outcome, operator)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`)
	finishAudit = scoped(`UPDATE audit SET outcome = $3, status = $4, code = $5, source_id = COALESCE(source_id, $6), esa_id = COALESCE(esa_id, $7),
		fold = NULL WHERE customer_id = $1 AND id = $2`)
	// takeBegun and foldAudit end a refused write: its entry is taken away and comes back as the first of its kind,
	// or is counted in the first one.
	takeBegun = scoped(`DELETE FROM audit WHERE customer_id = $1 AND id = $2 AND outcome = 'begun'
		RETURNING at, actor, operator, operation, COALESCE(source_id, $3), COALESCE(esa_id, $4), request_id`)
	foldAudit = scoped(`INSERT INTO audit (customer_id, id, at, actor, operation, source_id, esa_id, request_id, outcome, status, code, fold, operator)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'refused', $9, $10, $11, $12)
		ON CONFLICT (customer_id, fold) WHERE fold IS NOT NULL
		DO UPDATE SET times = COALESCE(audit.times, 1) + 1, last_at = CASE WHEN excluded.at > COALESCE(audit.last_at, audit.at) THEN excluded.at ELSE audit.last_at END`)
	selectAudit   = scoped(`SELECT ` + auditColumns + ` FROM audit a WHERE a.customer_id = $1 AND a.id < $2 ORDER BY a.id DESC LIMIT $3`)
	selectAuditOf = scoped(`SELECT ` + auditColumns + ` FROM audit a WHERE a.customer_id = $1 AND a.source_id = $4 AND a.id < $2 ORDER BY a.id DESC LIMIT $3`)
)

// Limits of an audit entry's texts, in code points: what callers send is cut.
const (
	actorLength     = 255
	operationLength = 64
	requestIDLength = 64
	codeLength      = 64
)

// auditIDLength is the length of an entry's id: its time in microseconds, a count that
// orders those of one microsecond, and random bits, all in hexadecimal digits, whose
// order is that of their text under every collation.
const auditIDLength = 32

// auditCount orders the entries that a process makes in one microsecond.
var auditCount atomic.Uint32

var newestAudit = strings.Repeat("f", auditIDLength) // after all that are given

func auditID(at time.Time) string {
	var salt [5]byte
	_, _ = rand.Read(salt[:]) // it never fails
	return fmt.Sprintf("%016x%06x%x", max(at.UnixMicro(), 0), auditCount.Add(1)&0xffffff, salt)
}

// isAuditID reports whether a text could be an entry's id.
func isAuditID(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == auditIDLength && strings.ToLower(s) == s
}

// bounded returns a text as it is kept: storable, and cut.
func bounded(text string, length int) string { return cut(registry.Text(text), length) }

// auditSource and auditESA leave out what is no id: requests can name anything.
func auditSource(id string) sql.NullString {
	return sql.NullString{String: id, Valid: registry.StorableID(id)}
}

func auditESA(id int64) sql.NullInt64 {
	return sql.NullInt64{Int64: id, Valid: id > 0 && id <= registry.MaxESAID}
}

// BeginAudit records that a write begins.
func (c customerStore) BeginAudit(ctx context.Context, e registry.AuditEntry) (string, error) {
	at := c.store.instant()
	return write(ctx, c.store, c.customer, "begin an audit entry", func(in scope) (string, error) {
		return in.insertAudit(ctx, at, e, registry.AuditBegun)
	})
}

// insertAudit adds an entry and gives its id.
func (s scope) insertAudit(ctx context.Context, at time.Time, e registry.AuditEntry, outcome registry.AuditOutcome) (string, error) {
	id := auditID(at)
	_, err := s.exec(ctx, insertAudit, id, nullTime(at), bounded(e.Actor, actorLength), bounded(e.Operation, operationLength),
		auditSource(e.SourceID), auditESA(e.ESAID), nullText(bounded(e.RequestID, requestIDLength)), string(outcome), e.Operator)
	return id, err
}

// foldWindow is how long equal refusals are one entry: they are those of one clock hour.
const foldWindow = time.Hour

// foldOf gives a short text for what refused writes have in common that are one entry.
func foldOf(e *registry.AuditEntry) string {
	text := fmt.Appendf(nil, "%q %q %q %d %d %q %d",
		e.Actor, e.Operation, e.SourceID, e.ESAID, e.Status, e.Code, e.At.Truncate(foldWindow).Unix())
	if e.Operator { // without it the text is that of the versions that knew no operators
		text = append(text, " operator"...)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// fold ends a refused write in the entry of those that are alike; ErrNotFound if it is not begun.
func (s scope) fold(ctx context.Context, id string, r registry.AuditResult) error {
	e := registry.AuditEntry{Status: r.Status, Code: bounded(r.Code, codeLength)}
	err := s.queryRow(ctx, takeBegun, id, auditSource(r.SourceID), auditESA(r.ESAID)).Scan(
		instantColumn{&e.At}, &e.Actor, &e.Operator, &e.Operation, orZero(&e.SourceID), orZero(&e.ESAID), orZero(&e.RequestID))
	if err != nil {
		return found(err)
	}
	_, err = s.exec(ctx, foldAudit, id, nullTime(e.At), e.Actor, e.Operation, auditSource(e.SourceID), auditESA(e.ESAID),
		nullText(e.RequestID), auditStatus(e.Status), nullText(e.Code), foldOf(&e), e.Operator)
	return err
}

func auditStatus(status int) sql.NullInt64 {
	return sql.NullInt64{Int64: int64(status), Valid: status != 0}
}

// FinishAudit records what became of a write. Of two ends of one entry the later stands.
func (c customerStore) FinishAudit(ctx context.Context, id string, r registry.AuditResult) error {
	switch {
	case r.Outcome != registry.AuditSucceeded && r.Outcome != registry.AuditRefused && r.Outcome != registry.AuditFailed:
		return registry.ErrInvalid
	case !isAuditID(id):
		return registry.ErrNotFound
	}
	return failed("finish an audit entry", c.store.writing(ctx, c.customer, func(in scope) error {
		if r.Outcome == registry.AuditRefused {
			if err := in.fold(ctx, id, r); !errors.Is(err, registry.ErrNotFound) {
				return err
			}
		}
		ended, err := in.exec(ctx, finishAudit, id, string(r.Outcome), auditStatus(r.Status),
			nullText(bounded(r.Code, codeLength)), auditSource(r.SourceID), auditESA(r.ESAID))
		if err == nil && ended == 0 {
			return registry.ErrNotFound
		}
		return err
	}))
}

// Audit returns a page of entries, newest first. ErrInvalid for a Before that no Store gave.
func (c customerStore) Audit(ctx context.Context, q registry.AuditQuery) ([]registry.AuditEntry, bool, error) {
	if q.Before == "" {
		q.Before = newestAudit
	}
	if !isAuditID(q.Before) {
		return nil, false, registry.ErrInvalid
	}
	if q.SourceID != "" && !registry.StorableID(q.SourceID) {
		return nil, false, nil // no entry has it
	}
	take := min(max(q.Take, 0), registry.MaxPage)
	page, err := c.auditPage(ctx, q, take+1)
	if err != nil {
		return nil, false, failed("read audit entries", err)
	}
	if len(page) > take {
		return page[:take:take], true, nil
	}
	return page, false, nil
}

func (c customerStore) auditPage(ctx context.Context, q registry.AuditQuery, take int) ([]registry.AuditEntry, error) {
	st, args := selectAudit, []any{q.Before, take}
	if q.SourceID != "" {
		st, args = selectAuditOf, append(args, q.SourceID)
	}
	return query(ctx, c.store.reading(c.customer), st, func(r row) (e registry.AuditEntry, err error) {
		err = r.Scan(&e.ID, instantColumn{&e.At}, &e.Actor, &e.Operator, &e.Operation, orZero(&e.SourceID), orZero(&e.ESAID),
			orZero(&e.RequestID), orZero(&e.Outcome), orZero(&e.Status), orZero(&e.Code), orZero(&e.Count), instantColumn{&e.LastAt})
		e.Count = max(e.Count, 1)
		if e.LastAt.IsZero() {
			e.LastAt = e.At
		}
		return e, err
	}, args...)
}
