package registry

import (
	"context"
	"crypto/sha256"
	"time"
)

// OperatorID stands in an APIKey for the customer where the key is an operator's.
const OperatorID = 0

// Identity is as whom the owner of a key is known to the sales agent. Empty parts are not said.
type Identity struct {
	Role        string // admin, member or viewer; empty: by the key's access
	Email       string
	PrincipalID string // as whom they buy; empty: they can't
}

// APIKey is a key that was made at run time. Only the hash of the key is kept.
type APIKey struct {
	ID         int64
	CustomerID int64  // OperatorID: it is an operator's
	Name       string // unique among a customer's keys that are not revoked, and among the operators'
	Write      bool
	Identity   Identity
	SHA256     [sha256.Size]byte // of the clear key's bytes
	CreatedAt  time.Time
	RevokedAt  time.Time // zero: it is good
	LastUsedAt time.Time // to the hour; zero: never
}

// KeyStore keeps API keys. Operators ask it for all customers at once; no caller of
// the HTTP interface reaches it.
type KeyStore interface {
	// CreateKey keeps a new key; ID and CreatedAt are given by the store.
	// ErrNameTaken, ErrInvalid.
	CreateKey(ctx context.Context, key APIKey) (APIKey, error)
	// Keys lists the keys by id, the revoked ones included.
	Keys(ctx context.Context) ([]APIKey, error)
	// RevokeKey revokes a key for good; ErrNotFound. Revoking it again changes nothing.
	RevokeKey(ctx context.Context, id int64) (APIKey, error)
	// GoodKeys returns the keys that are not revoked and the generation of that set,
	// which grows with every key made or revoked.
	GoodKeys(ctx context.Context) (keys []APIKey, generation int64, err error)
	// KeyGeneration returns the generation alone, at the cost of one row.
	KeyGeneration(ctx context.Context) (int64, error)
	// TouchKeys records when keys were last used, by id. A time only moves forward.
	TouchKeys(ctx context.Context, used map[int64]time.Time) error
}
