package sqlstore

import (
	"context"
	"fmt"

	"esagate/registry"
)

// deletions are in the order of their foreign keys. What says that a config entry was
// taken over, that an esaId was given and that a create was done stays for good, or
// for its time.
var deletions = []scopedStatement{
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
func (c customerStore) DeleteSource(ctx context.Context, sourceID string, allow func(*registry.Source) error) (*registry.Source, error) {
	var (
		was     *registry.Source
		refused error
	)
	err := c.store.writing(ctx, c.customer, func(in scope) error {
		refused = nil
		src, err := c.store.lockedSource(ctx, in, sourceID)
		if err != nil {
			return err
		}
		id := src.ID
		if refused = allow(src); refused != nil {
			return refused
		}
		if was, err = in.source(ctx, selectAnyByRow, id); err != nil { // allow may have written on its copy
			return err
		}
		for _, st := range deletions {
			if _, err := in.exec(ctx, st, id); err != nil {
				return fmt.Errorf("delete: %w", err)
			}
		}
		return nil
	})
	switch {
	case refused != nil:
		return nil, refused
	case err != nil:
		return nil, failed("delete a source", err)
	}
	return was, nil
}
