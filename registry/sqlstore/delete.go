package sqlstore

import (
	"context"

	"esagate/registry"
)

// deletions are in the order of their foreign keys. What says that a config entry was
// taken over, that an esaId was given and that a create was done stays for good, or
// for its time.
var deletions = []statement{
	deleteConsents, deleteCredential,
	scoped(`DELETE FROM kept_settings` + ofSource),
	scoped(`DELETE FROM subscriptions` + ofSource),
	scoped(`DELETE FROM webhook_events` + ofSource),
	scoped(`DELETE FROM connections WHERE customer_id = $1 AND source = $2`),
	scoped(`DELETE FROM sources WHERE customer_id = $1 AND id = $2`),
}

// ofSource narrows to what hangs on the connection of a source.
const ofSource = ` WHERE customer_id = $1 AND connection = (SELECT id FROM connections WHERE customer_id = $1 AND source = $2)`

// DeleteSource deletes a source of either kind with all that hangs on it.
func (c customerStore) DeleteSource(ctx context.Context, sourceID string,
	allow func(*registry.Source) error) (*registry.Source, error) {
	return write(ctx, c.store, c.customer, "delete a source", func(in scope) (*registry.Source, error) {
		src, err := lockedSource(ctx, in, sourceID)
		if err != nil {
			return nil, err
		}
		if err := allow(src.Clone()); err != nil {
			return nil, decisionError{err}
		}
		for _, st := range deletions {
			if _, err := in.exec(ctx, st, src.ID); err != nil {
				return nil, err
			}
		}
		return src, nil
	})
}
