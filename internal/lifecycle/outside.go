package lifecycle

import (
	"context"

	"esagate/registry"
)

// Expire makes the snapshots of a source's tenant old, in all replicas: something was changed, in another way than by a
// Lifecycle, that its status shows. While the store is away they become old when it is back.
func (c *core) Expire(ctx context.Context, m *registry.Source) {
	_, _ = c.expireSnapshots(ctx, targetOf(m), unchanged)
}

// Free gives the Conflict of a connection on which an operation is under way, in whatever process; nil: there is none.
func Free(c *registry.Connection) error {
	if inProgress(c) {
		return errBusy(c.Operation, now())
	}
	return nil
}
