package sqlstore

import (
	"context"

	"esagate/registry"
)

var (
	countLaunches = scoped(`SELECT COUNT(*) FROM launches WHERE customer_id = $1 AND expires_at > $2`)
	insertLaunch  = scoped(`INSERT INTO launches (customer_id, token_hash, source, sealed, expires_at) VALUES ($1, $2, $3, $4, $5)`)

	// probeLaunch comes first, so that a made-up token costs no transaction.
	probeLaunch = global(`SELECT COUNT(*) FROM launches WHERE token_hash = $1`)
	// The customer is not known before: the token came from a browser.
	takeLaunch = global(`DELETE FROM launches WHERE token_hash = $1 RETURNING customer_id, source, sealed`)
)

// KeepLaunch keeps a launch into a managed source.
func (c customerStore) KeepLaunch(ctx context.Context, sourceID string, token [32]byte, launch registry.Launch) error {
	plain, err := encodeLaunch(launch)
	if err != nil {
		return err
	}
	err = failed("keep a launch", c.store.writing(ctx, c.customer, func(in scope) error {
		src, err := lockedSource(ctx, in, sourceID)
		switch {
		case err != nil:
			return err
		case src.Connection == nil:
			return registry.ErrNotFound
		case src.ID != launch.SourceRow:
			return registry.ErrStale
		}
		open, err := in.number(ctx, countLaunches, nullTime(c.store.instant()))
		switch {
		case err != nil:
			return err
		case open >= registry.MaxLaunches:
			return registry.ErrTooMany
		}
		sealed, err := c.store.seal(plain, identity("launches", c.customer, src.ID, string(token[:])))
		if err != nil {
			return err
		}
		_, err = in.exec(ctx, insertLaunch, token[:], src.ID, sealed, nullTime(launch.ExpiresAt))
		return err
	}))
	if err == nil {
		c.store.sweep(ctx, expiredLaunches)
	}
	return err
}

// TakeLaunch returns and deletes the launch of a token; of two calls at once one gets it. Its content and
// its expiry come from what was sealed, not from the row around it.
func (s *Store) TakeLaunch(ctx context.Context, token [32]byte) (*registry.TakenLaunch, error) {
	switch kept, err := s.reading(0).number(ctx, probeLaunch, token[:]); {
	case err != nil:
		return nil, failed("take a launch", err)
	case kept == 0:
		return nil, registry.ErrNotFound
	}
	taken, err := write(ctx, s, 0, "take a launch", func(in scope) (*registry.TakenLaunch, error) {
		return deleteLaunch(ctx, in, token)
	})
	if err == nil && taken == nil {
		return nil, registry.ErrNotFound
	}
	return taken, err
}

// deleteLaunch returns nil for a launch that is good no more; its row is deleted all the same.
func deleteLaunch(ctx context.Context, in scope, token [32]byte) (*registry.TakenLaunch, error) {
	var (
		source int64
		sealed []byte
		taken  registry.TakenLaunch
	)
	err := in.queryRow(ctx, takeLaunch, token[:]).Scan(&taken.CustomerID, &source, &sealed)
	if err != nil {
		return nil, found(err)
	}
	err = in.store.unsealInto(&taken.Launch, sealed, identity("launches", taken.CustomerID, source, string(token[:])))
	if err != nil {
		return nil, err
	}
	// The source is not locked: where a source is deleted, its lock comes before the launch's.
	src, err := scope{in.on, taken.CustomerID, in.store}.source(ctx, selectAnyByRow, source)
	if err != nil {
		return nil, err
	}
	if src.Connection == nil || src.ID != taken.Launch.SourceRow || !in.store.instant().Before(taken.Launch.ExpiresAt) {
		return nil, nil
	}
	taken.SourceID = src.SourceID
	return &taken, nil
}
