package registry

import (
	"context"
	"time"
)

// noSnapshot is the message when nothing was kept.
const noSnapshot = "There is no kept snapshot of this tenant."

// Snapshot returns what was kept of a tenant, as SnapshotStore does, from the store alone:
// NotFound without. While the store is away it fails at once, as do KeepSnapshots,
// ForgetSnapshot and KeepStandings: nobody has asked for them.
func (d *Directory) Snapshot(ctx context.Context, tenantID string) (*Snapshot, error) {
	if d.health.away.Load() {
		return nil, storeFault(errAway, noSnapshot)
	}
	return readUncached(ctx, d, noSnapshot, func(ctx context.Context) (*Snapshot, error) {
		return d.store.Snapshot(ctx, tenantID)
	})
}

// KeepSnapshots keeps snapshots as SnapshotStore does.
func (d *Directory) KeepSnapshots(ctx context.Context, batch []Snapshot, lapsed time.Time) error {
	return writeBehind(ctx, d, func(ctx context.Context) error { return d.store.KeepSnapshots(ctx, batch, lapsed) })
}

// ForgetSnapshot deletes what was kept of a tenant.
func (d *Directory) ForgetSnapshot(ctx context.Context, tenantID string) error {
	return writeBehind(ctx, d, func(ctx context.Context) error { return d.store.ForgetSnapshot(ctx, tenantID) })
}

// KeepStandings keeps how sources stand as SnapshotStore does.
func (d *Directory) KeepStandings(ctx context.Context, batch []Standing, lapsed time.Time) error {
	return writeBehind(ctx, d, func(ctx context.Context) error { return d.store.KeepStandings(ctx, batch, lapsed) })
}

// writeBehind makes a write that no caller waits for.
func writeBehind(ctx context.Context, d *Directory, run func(context.Context) error) error {
	if d.health.away.Load() {
		return storeFault(errAway, noSnapshot)
	}
	bounded, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err := run(bounded)
	switch {
	case err == nil:
		return nil
	case ctx.Err() == nil && !answered(err):
		d.health.startPing(err)
	}
	return storeFault(err, noSnapshot)
}
