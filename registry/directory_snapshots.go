package registry

import (
	"context"
	"time"
)

// noSnapshot is the message when nothing was kept.
const noSnapshot = "There is no kept snapshot of this tenant."

// Snapshots returns what the store keeps of snapshots and standings. Nothing of it is cached, and its errors
// are *fault.Error: NotFound where a tenant has no snapshot. While the store is away it fails at once: no
// caller has asked for it.
func (d *Directory) Snapshots() SnapshotStore { return snapshotsOf{d} }

// snapshotsOf is a Directory's way to its store's snapshots.
type snapshotsOf struct{ d *Directory }

// Snapshot returns what was kept of a tenant.
func (s snapshotsOf) Snapshot(ctx context.Context, tenantID string) (*Snapshot, error) {
	if s.d.health.away.Load() {
		return nil, storeFault(errAway, noSnapshot)
	}
	return readUncached(ctx, s.d, noSnapshot, func(ctx context.Context) (*Snapshot, error) {
		return s.d.store.Snapshot(ctx, tenantID)
	})
}

// KeepSnapshots keeps snapshots.
func (s snapshotsOf) KeepSnapshots(ctx context.Context, batch []Snapshot, lapsed time.Time) error {
	return writeNow(ctx, s.d, noSnapshot, func(ctx context.Context) error { return s.d.store.KeepSnapshots(ctx, batch, lapsed) })
}

// ForgetSnapshot deletes what was kept of a tenant.
func (s snapshotsOf) ForgetSnapshot(ctx context.Context, tenantID string) error {
	return writeNow(ctx, s.d, noSnapshot, func(ctx context.Context) error { return s.d.store.ForgetSnapshot(ctx, tenantID) })
}

// KeepStandings keeps how sources stand.
func (s snapshotsOf) KeepStandings(ctx context.Context, batch []Standing, lapsed time.Time) error {
	return writeNow(ctx, s.d, noSnapshot, func(ctx context.Context) error { return s.d.store.KeepStandings(ctx, batch, lapsed) })
}

// writeNow makes a write that changes no source, now or not at all: it does not wait for a store that is
// away. none is the message when there is nothing to write to.
func writeNow(ctx context.Context, d *Directory, none string, run func(context.Context) error) error {
	if d.health.away.Load() {
		return storeFault(errAway, none)
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
	return storeFault(err, none)
}
