package registry_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"esagate/internal/fault"
	"esagate/registry"
)

// newsWrites are all writes of deliveries and of the record, each about a connection or
// an entry that needs not be there.
func newsWrites(d *registry.Directory, esaID int64) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"ChangeSubscription": func(ctx context.Context) error {
			_, err := d.ChangeSubscription(ctx, customer, esaID, func(*registry.Subscription) (*registry.Subscription, error) { return nil, nil })
			return err
		},
		"RecordEvent": func(ctx context.Context) error {
			_, _, err := d.RecordEvent(ctx, customer, esaID, registry.Event{ID: "e"})
			return err
		},
		"BeginAudit": func(ctx context.Context) error {
			_, err := d.BeginAudit(ctx, customer, registry.AuditEntry{Actor: "a"})
			return err
		},
		"FinishAudit": func(ctx context.Context) error {
			return d.FinishAudit(ctx, customer, strings.Repeat("0", 32), registry.AuditResult{Outcome: registry.AuditFailed})
		},
	}
}

// TestDirectoryNewsFaults: every answer of a store comes in words for clients.
func TestDirectoryNewsFaults(t *testing.T) {
	const noSource, away = "There is no managed source with this id.", "The registry can't be reached."
	const unknown = "The registry did not answer: whether the change was made is not known."
	odd := errors.New("odd")
	for _, c := range []struct {
		is      error
		kind    fault.Kind
		message string
		but     map[string]string // other messages
	}{
		{registry.ErrNotFound, fault.NotFound, noSource, map[string]string{
			"BeginAudit": "There is no audit entry with this id.", "FinishAudit": "There is no audit entry with this id."}},
		{registry.ErrInvalid, fault.Internal, "The registry refused a value.", nil},
		{registry.ErrSecret, fault.Internal, "The stored credentials can't be read.", nil},
		{registry.ErrOutcomeUnknown, fault.Unavailable, unknown, map[string]string{"BeginAudit": away}},
		{odd, fault.Unavailable, away, nil},
	} {
		bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
			f.refuses(fmt.Errorf("in the store: %w", c.is))
			for name, write := range newsWrites(d, 1) {
				message := c.message
				if other := c.but[name]; other != "" {
					message = other
				}
				err := write(t.Context())
				says(t, name, err, c.kind, message, c.is)
				if again := fault.As(err).RetryAfter; (c.kind == fault.Unavailable) != (again > 0) {
					t.Errorf("%s: again after %v", name, again)
				}
				synctest.Wait()
				if !d.StoreAvailable() {
					t.Fatalf("%s: the store is taken to be away", name)
				}
			}
		})
	}
}
