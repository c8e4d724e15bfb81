package sqlstore

import (
	"context"
	"time"

	"esagate/registry"
)

var (
	// takeLease is one statement, so that of two at once the second sees what the first
	// has left: it waits for the row, and asks again whether it is anybody's.
	takeLease = global(`INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE leases.holder = excluded.holder OR leases.until <= $4 OR leases.until > $5`)
	dropLease = global(`DELETE FROM leases WHERE name = $1 AND holder = $2`)
)

// leaseSkew is how far ahead of ours another holder's clock may be. A lease that ends
// later than that was taken by a clock that is wrong, and would keep all others away.
const leaseSkew = 10 * time.Minute

// Lease takes a lease of a name, or extends the holder's own.
func (s *Store) Lease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error) {
	if name == "" || holder == "" || !storable(name, holder) {
		return false, registry.ErrInvalid
	}
	return write(ctx, s, 0, "take a lease", func(in scope) (bool, error) {
		now := s.instant()
		taken, err := in.exec(ctx, takeLease, name, holder, nullTime(now.Add(ttl)), nullTime(now), nullTime(now.Add(ttl+leaseSkew)))
		return taken == 1, err
	})
}

// Unlease ends a lease.
func (s *Store) Unlease(ctx context.Context, name, holder string) error {
	if !storable(name, holder) {
		return nil // no replica has it
	}
	return failed("give a lease back", s.writing(ctx, 0, func(in scope) error {
		_, err := in.exec(ctx, dropLease, name, holder)
		return err
	}))
}
