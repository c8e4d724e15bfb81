package registry

import (
	"context"
	"errors"

	"esagate/internal/fault"
)

const (
	noAuditEntry = "There is no audit entry with this id."
	badCursor    = "The cursor is not one that was given out here."
)

// BeginAudit records that a write begins, as CustomerStore does: what can't be recorded
// could not be written either.
func (d *Directory) BeginAudit(ctx context.Context, customer int64, e AuditEntry) (id string, err error) {
	_, err = d.changeBy(ctx, sourceKey{customer: customer}, auditFault, func(ctx context.Context, c CustomerStore) (err error) {
		id, err = c.BeginAudit(ctx, e)
		return err
	})
	if err != nil {
		e := fault.As(err)
		if e.Kind == fault.Unavailable {
			e.Message = unreachable // what was to be recorded has not been begun
		}
		return "", e
	}
	return id, nil
}

// FinishAudit records what became of a write, as CustomerStore does.
func (d *Directory) FinishAudit(ctx context.Context, customer int64, id string, result AuditResult) error {
	_, err := d.changeBy(ctx, sourceKey{customer: customer}, auditFault, func(ctx context.Context, c CustomerStore) error {
		return c.FinishAudit(ctx, id, result)
	})
	return err
}

func auditFault(err error) error { return newsFault(err, noAuditEntry) }

// Audit gives a page of entries as CustomerStore does; from the store alone. BadRequest
// over ErrInvalid: the query holds what no Store gave out.
func (d *Directory) Audit(ctx context.Context, customer int64, q AuditQuery) (page []AuditEntry, more bool, err error) {
	type answer struct {
		page []AuditEntry
		more bool
	}
	got, err := readAlone(ctx, d, noAuditEntry, func(ctx context.Context) (answer, error) {
		page, more, err := d.store.Customer(customer).Audit(ctx, q)
		return answer{page, more}, err
	})
	if errors.Is(err, ErrInvalid) {
		return nil, false, fault.Wrap(fault.BadRequest, badCursor, err)
	}
	return got.page, got.more, err
}
