package sqlstore

import (
	"context"
	"errors"
	"time"

	"esagate/registry"
)

// upkeepPage is a query for connections that want something done, in the order of their
// ids: $1 is the id before them, $2 how many.
//
// A round of background work asks page after page. What is unsettled has an index of its
// own, and is little. The others go along the primary key, from where the page before has
// ended until the page is full, so a whole round reads each connection once: an index on
// what they look for would have to be written with nearly every signal, for a walk that is
// taken every few minutes; no caller waits for it, and it keeps no writer waiting.
func upkeepPage(where string) globalStatement {
	return global(`SELECT c.customer_id, ` + managedColumns + `
	FROM connections c CROSS JOIN sources s
	WHERE c.id > $1 AND ` + where + ` AND s.customer_id = c.customer_id AND s.id = c.source ORDER BY c.id LIMIT $2`)
}

// subscriptionOf looks at a connection's subscription n. It is no join: PostgreSQL would
// join both tables whole for each page.
func subscriptionOf(condition, without string) string {
	return `COALESCE((SELECT ` + condition + ` FROM subscriptions n WHERE n.connection = c.id), ` + without + `)`
}

const (
	liveTenant = `c.provisioning_status = 'active' AND c.tenant_id IS NOT NULL`
	mayRetry   = `(n.retry_at IS NULL OR n.retry_at <= $3)`
)

var (
	upkeepUnsettled = upkeepPage(`(c.operation_kind IS NOT NULL OR c.unsettled_since IS NOT NULL)`)
	upkeepStale     = upkeepPage(liveTenant + ` AND (c.sync_observed_at IS NULL OR c.sync_observed_at < $3)`)
	upkeepSubscribe = upkeepPage(liveTenant + ` AND ` +
		subscriptionOf(mayRetry+` AND (n.webhook_id IS NULL OR n.dead OR n.url <> $4)`, `TRUE`))
	upkeepUnsubscribe = upkeepPage(`c.provisioning_status <> 'active' AND ` +
		subscriptionOf(mayRetry+` AND n.webhook_id IS NOT NULL`, `FALSE`))
	// A time that lies further ahead than clocks may differ is of a wrong clock.
	upkeepTenants = upkeepPage(`c.provisioning_status IN ('active', 'deactivated') AND c.tenant_id IS NOT NULL AND c.operation_kind IS NULL AND
		COALESCE((SELECT k.tenant_id <> c.tenant_id OR k.asked_at < $3 OR k.asked_at > $4 FROM asked_tenants k WHERE k.connection = c.id), TRUE)`)
	keepAsked = scoped(`INSERT INTO asked_tenants (customer_id, connection, tenant_id, asked_at)
		SELECT c.customer_id, c.id, c.tenant_id, CAST($4 AS TEXT) FROM connections c WHERE c.customer_id = $1 AND c.id = $2 AND c.tenant_id = $3
		ON CONFLICT (connection) DO UPDATE SET tenant_id = excluded.tenant_id, asked_at = excluded.asked_at`)
)

// Upkeep lists managed sources of all customers that want something done.
func (s *Store) Upkeep(ctx context.Context, want registry.Upkeep, after int64, take int) ([]*registry.Source, error) {
	before := registry.Instant(want.Before).Format(timeLayout)
	var (
		st   globalStatement
		args []any
	)
	switch want.Kind {
	case registry.UpkeepUnsettled:
		st = upkeepUnsettled
	case registry.UpkeepStale:
		st, args = upkeepStale, []any{before}
	case registry.UpkeepSubscribe:
		st, args = upkeepSubscribe, []any{before, want.URL}
	case registry.UpkeepUnsubscribe:
		st, args = upkeepUnsubscribe, []any{before}
	case registry.UpkeepTenants:
		st, args = upkeepTenants, []any{before, nullTime(s.instant().Add(clockSkew))}
	default:
		return nil, failed("list for upkeep", errors.New("no such kind"))
	}
	if !registry.Storable(want.URL) {
		return nil, registry.ErrInvalid
	}
	take = min(max(take, 0), registry.MaxPage)
	page, err := query(ctx, s.reading(0), st, func(r row) (*registry.Source, error) {
		var customer int64
		return scanSource(r, &customer, &customer)
	}, append([]any{after, take}, args...)...)
	return page, failed("list for upkeep", err)
}

// TenantAsked records that the sales agent was asked how a connection's tenant stands.
func (s *Store) TenantAsked(ctx context.Context, customerID, esaID int64, tenantID string) error {
	if !registry.StorableID(tenantID) {
		return nil // nobody has it
	}
	return failed("record that a tenant was asked about", s.writing(ctx, customerID, func(in scope) error {
		_, err := in.exec(ctx, keepAsked, esaID, tenantID, nullTime(s.instant()))
		return err
	}))
}

var (
	// takeLease is one statement, so that of two at once the second sees what the first
	// has left: it waits for the row, and asks again whether it is free.
	takeLease = global(`INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE leases.holder = excluded.holder OR leases.until <= $4 OR leases.until > $5`)
	dropLease = global(`DELETE FROM leases WHERE name = $1 AND holder = $2`)
)

// clockSkew is how far ahead of ours another replica's clock may be. A lease that ends
// later than that was taken by a clock that is wrong, and would keep all others away.
const clockSkew = 10 * time.Minute

// Lease takes a lease of a name, or extends the holder's own.
func (s *Store) Lease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error) {
	if name == "" || holder == "" || !storable(name, holder) {
		return false, registry.ErrInvalid
	}
	return write(ctx, s, 0, "take a lease", func(in scope) (bool, error) {
		now := s.instant()
		taken, err := in.exec(ctx, takeLease, name, holder, nullTime(now.Add(ttl)), nullTime(now), nullTime(now.Add(ttl+clockSkew)))
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
