package registry_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// directoryWrite is a write of a Directory, and its message when what it is about does not
// exist.
type directoryWrite struct {
	none  string
	write func() error
}

func allWrites(t *testing.T, d *registry.Directory) map[string]directoryWrite {
	const source, managed, entry = "There is no inventory source with this id.", "There is no managed source with this id.", "There is no audit entry with this id."
	ctx := t.Context()
	return map[string]directoryWrite{
		"CreateSource":  {source, func() error { _, err := d.CreateSource(ctx, customer, agent("a"), nil); return err }},
		"CreateManaged": {source, func() error { _, err := d.CreateManaged(ctx, customer, newManaged("m"), nil); return err }},
		"KeepAnswer":    {source, func() error { return d.KeepAnswer(ctx, customer, "k", []byte("{}")) }},
		"ClaimIdempotencyKey": {source, func() error {
			_, err := d.ClaimIdempotencyKey(ctx, customer, registry.IdempotencyRecord{Key: "k"})
			return err
		}},
		"ReleaseIdempotencyKey": {source, func() error { return d.ReleaseIdempotencyKey(ctx, customer, "k") }},
		"UpdateSource":          {source, func() error { _, err := d.UpdateSource(ctx, customer, "a", rename("b")); return err }},
		"DeleteSource":          {source, func() error { _, err := d.DeleteSource(ctx, customer, "a", allow); return err }},
		"EndConsent":            {source, func() error { _, err := d.EndConsent(ctx, customer, "a", registry.Consent{}, tokens); return err }},
		"ReplaceCredential":     {source, func() error { _, err := d.ReplaceCredential(ctx, customer, "a", "id", nil); return err }},
		"ChangeConnection":      {managed, func() error { _, err := d.ChangeConnection(ctx, customer, 1, lastError("x")); return err }},
		"KeepSettings":          {managed, func() error { return d.KeepSettings(ctx, customer, 1, []byte("x")) }},
		"ChangeSubscription": {managed, func() error {
			_, err := d.ChangeSubscription(ctx, customer, 1, func(*registry.Subscription) (*registry.Subscription, error) { return nil, nil })
			return err
		}},
		"RecordEvent": {managed, func() error { _, _, err := d.RecordEvent(ctx, customer, 1, registry.Event{ID: "e"}); return err }},
		"BeginAudit":  {entry, func() error { _, err := d.BeginAudit(ctx, customer, registry.AuditEntry{Actor: "a"}); return err }},
		"FinishAudit": {entry, func() error {
			return d.FinishAudit(ctx, customer, strings.Repeat("0", 32), registry.AuditResult{Outcome: registry.AuditFailed})
		}},
	}
}

// TestDirectoryWriteFaults: every error of a store reaches the caller of every write in
// words for clients, and none of them makes the store count as away.
func TestDirectoryWriteFaults(t *testing.T) {
	const away, unknown = "The registry can't be reached.", "The registry did not answer: whether the change was made is not known."
	for _, c := range []struct {
		err            error
		kind           fault.Kind
		message, field string // message is empty: the write's own for what does not exist
	}{
		{registry.ErrNotFound, fault.NotFound, "", ""},
		{registry.ErrSourceTaken, fault.Conflict, "There is a source with this sourceId already.", "sourceId"},
		{registry.ErrTenantTaken, fault.Conflict, "The tenant belongs to another connection.", ""},
		{registry.ErrKeyReused, fault.Conflict, "This Idempotency-Key was used for another request already.", ""},
		{registry.ErrAnswerPending, fault.Conflict, "The first request with this Idempotency-Key is still being answered.", ""},
		{registry.ErrStale, fault.Conflict, "The source has been changed meanwhile.", ""},
		{registry.ErrSecret, fault.Internal, "The stored credentials can't be read.", ""},
		{registry.ErrInvalid, fault.Internal, "The registry refused a value.", ""},
		{errBroken, fault.Unavailable, away, ""},
		{registry.ErrOutcomeUnknown, fault.Unavailable, unknown, ""},
	} {
		t.Run(c.err.Error(), func(t *testing.T) {
			bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
				f.refuses(fmt.Errorf("in the store: %w", c.err))
				for name, w := range allWrites(t, d) {
					message := c.message
					switch {
					case message == "":
						message = w.none
					case message == unknown && name == "BeginAudit":
						message = away // what was to be recorded has not begun
					}
					err := w.write()
					says(t, name, err, c.kind, message, c.err)
					e := fault.As(err)
					soon := c.kind == fault.Unavailable || errors.Is(c.err, registry.ErrAnswerPending)
					if e.Field != c.field || soon != (e.RetryAfter > 0) || e.RetryAfter > 10*time.Second {
						t.Errorf("%s: field %q, again after %v", name, e.Field, e.RetryAfter)
					}
					synctest.Wait()
					if !d.StoreAvailable() {
						t.Errorf("%s: the store is taken to be away", name)
					}
				}
			})
		})
	}
}
