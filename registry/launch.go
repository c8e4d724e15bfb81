package registry

import (
	"context"
	"time"
)

// Limits of launches.
const (
	// MaxLaunches is how many links of a customer may wait to be opened; some more when
	// several are made at once.
	MaxLaunches = 1000
	// MaxLaunchPath bounds the path of a launch, in bytes (contract 13.1, with what is
	// put before and behind it).
	MaxLaunchPath = 8 << 10
)

// Launch is a link into a managed source's admin UI that has not been opened (contract
// 13.1). A Store keeps it encrypted and finds it by the SHA-256 of its token alone.
type Launch struct {
	hidden
	SourceRow int64     `json:"sourceRow"` // Source.ID: a sourceId can belong to another source by then
	Session   string    `json:"session"`   // whose it is, as they go on in the browser; sealed by who made it
	Path      string    `json:"path"`      // where it leads
	ExpiresAt time.Time `json:"expiresAt"`
}

// TakenLaunch is a launch with its customer and source.
type TakenLaunch struct {
	hidden
	CustomerID int64
	SourceID   string
	Launch     Launch
}

const noLaunch = "There is no launch link of this token."

// KeepLaunch keeps a launch as CustomerStore does. NotFound where no managed source has the sourceId,
// Conflict over ErrStale, RateLimited over ErrTooMany.
func (d *Directory) KeepLaunch(ctx context.Context, customer int64, sourceID string, token [32]byte, launch Launch) error {
	return writeOnly(ctx, d, target{customer: customer, none: noManaged}, func(ctx context.Context, c CustomerStore) error {
		return c.KeepLaunch(ctx, sourceID, token, launch)
	})
}

// TakeLaunch returns and forgets a launch as Store does: NotFound for one that is good no more, as for a
// token that was made up. While the store is away it fails at once, and the launch is still there.
func (d *Directory) TakeLaunch(ctx context.Context, token [32]byte) (taken *TakenLaunch, err error) {
	err = writeNow(ctx, d, noLaunch, func(ctx context.Context) (err error) {
		taken, err = d.store.TakeLaunch(ctx, token)
		return err
	})
	if err != nil {
		return nil, writeFault(err)
	}
	return taken, nil
}
