package sqlstore

import (
	"context"
	"errors"

	"esagate/registry"
)

var (
	selectSubscription = scoped(`SELECT webhook_id, url, subscribed_at, announced_at, dead, retry_at, sealed FROM subscriptions
		WHERE customer_id = $1 AND connection = $2`)
	insertSubscription = scoped(`INSERT INTO subscriptions (customer_id, connection, webhook_id, url, subscribed_at, announced_at, dead, retry_at, sealed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`)
	// All but the secret: where that is another one, the row is another one too.
	updateSubscription = scoped(`UPDATE subscriptions SET webhook_id = $3, url = $4, subscribed_at = $5, announced_at = $6, dead = $7, retry_at = $8
		WHERE customer_id = $1 AND connection = $2`)
	deleteSubscription = scoped(`DELETE FROM subscriptions WHERE customer_id = $1 AND connection = $2`)

	// A delivery names a tenant and no customer.
	selectTarget = global(`SELECT c.customer_id, c.id, s.source_id, w.connection, w.sealed FROM connections c
		JOIN sources s ON s.customer_id = c.customer_id AND s.id = c.source
		LEFT JOIN subscriptions w ON w.customer_id = c.customer_id AND w.connection = c.id WHERE c.tenant_id = $1`)
)

// subscription reads a subscription. One whose secret can't be opened comes without it,
// and with ErrSecret.
func (s scope) subscription(ctx context.Context, esaID int64) (*registry.Subscription, error) {
	var (
		sub    registry.Subscription
		sealed []byte
	)
	err := s.queryRow(ctx, selectSubscription, esaID).Scan(orZero(&sub.WebhookID), &sub.URL,
		instantColumn{&sub.SubscribedAt}, instantColumn{&sub.AnnouncedAt}, &sub.Dead, instantColumn{&sub.RetryAt}, &sealed)
	if err != nil {
		return nil, found(err)
	}
	plain, err := s.store.unseal(sealed, identity("subscriptions", s.customer, esaID, ""))
	sub.Secret = string(plain)
	return &sub, err
}

// Subscription returns a connection's subscription.
func (c customerStore) Subscription(ctx context.Context, esaID int64) (*registry.Subscription, error) {
	sub, err := c.store.reading(c.customer).subscription(ctx, esaID)
	if err != nil {
		return nil, failed("read a subscription", err)
	}
	return sub, nil
}

// ChangeSubscription changes a connection's subscription. A secret that can't be opened
// is given as an empty one, and stays as it is if it is left empty: with another one
// the subscription is of use again.
func (c customerStore) ChangeSubscription(ctx context.Context, esaID int64,
	decide func(*registry.Subscription) (*registry.Subscription, error)) (*registry.Subscription, error) {
	return write(ctx, c.store, c.customer, "change a subscription", func(in scope) (*registry.Subscription, error) {
		rec, err := locked(ctx, in, selectManagedByID, esaID)
		if err != nil {
			return nil, err
		}
		was, err := in.subscription(ctx, esaID)
		if err != nil && !errors.Is(err, registry.ErrNotFound) && !errors.Is(err, registry.ErrSecret) {
			return nil, err
		}
		given := was
		if was != nil {
			other := *was // the answer is compared with the original
			given = &other
		}
		next, err := decide(given)
		switch {
		case err != nil:
			return nil, decisionError{err}
		case next == nil:
			return was, nil
		}
		return subscribe(ctx, in, rec, was, *next)
	})
}

// subscribe writes a locked connection's subscription. Whether events can be expected is
// part of what is shown of the connection, so a change of that is a new version.
func subscribe(ctx context.Context, in scope, rec *record, was *registry.Subscription,
	next registry.Subscription) (*registry.Subscription, error) {
	if !storable(next.WebhookID, next.Secret, next.URL) {
		return nil, registry.ErrInvalid
	}
	next.SubscribedAt, next.AnnouncedAt, next.RetryAt = registry.Instant(next.SubscribedAt), registry.Instant(next.AnnouncedAt), registry.Instant(next.RetryAt)
	values := []any{rec.Connection.ID, nullText(next.WebhookID), next.URL, nullTime(next.SubscribedAt), nullTime(next.AnnouncedAt),
		next.Dead, nullTime(next.RetryAt)}
	var err error
	switch {
	case was == nil || was.Secret != next.Secret:
		err = replaceSubscription(ctx, in, rec.Connection.ID, next.Secret, values)
	case *was == next:
	default:
		_, err = in.exec(ctx, updateSubscription, values...)
	}
	if err == nil && was.Lives() != next.Lives() {
		_, err = in.exec(ctx, raiseVersion, rec.Source.ID)
	}
	if err != nil {
		return nil, err
	}
	return &next, nil
}

// replaceSubscription deletes the old secret's row, like one of credentials: what is
// overwritten is not erased.
func replaceSubscription(ctx context.Context, in scope, esaID int64, secret string, values []any) error {
	sealed, err := in.store.seal([]byte(secret), identity("subscriptions", in.customer, esaID, ""))
	if err != nil {
		return err
	}
	if _, err := in.exec(ctx, deleteSubscription, esaID); err != nil {
		return err
	}
	_, err = in.exec(ctx, insertSubscription, append(values, sealed)...)
	return err
}

// WebhookTarget tells who deliveries for a tenant are for.
func (s *Store) WebhookTarget(ctx context.Context, tenantID string) (*registry.WebhookTarget, error) {
	if !registry.StorableID(tenantID) {
		return nil, registry.ErrNotFound
	}
	var (
		target     registry.WebhookTarget
		subscribed int64 // 0: never
		sealed     []byte
	)
	err := s.reading(0).queryRow(ctx, selectTarget, tenantID).Scan(&target.CustomerID, &target.ESAID, &target.SourceID, orZero(&subscribed), &sealed)
	if err != nil {
		return nil, failed("find a tenant", found(err))
	}
	if subscribed == 0 {
		return &target, nil
	}
	plain, err := s.unseal(sealed, identity("subscriptions", target.CustomerID, target.ESAID, ""))
	if err != nil {
		return nil, failed("find a tenant", err)
	}
	target.Secret = string(plain)
	return &target, nil
}
