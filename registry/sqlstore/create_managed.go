package sqlstore

import (
	"context"
	"fmt"
	"time"

	"esagate/registry"
)

var (
	insertManaged = scoped(`INSERT INTO sources (customer_id, id, source_id, name, name_from_api, execution_type, labels, created_at, updated_at)
		VALUES ($1, $2, $3, $4, TRUE, $5, '{}', $6, $6) ON CONFLICT DO NOTHING`)
	insertProvisioning = scoped(`INSERT INTO connections (customer_id, id, source, provisioning_status, ad_server, service_account_email,
		email_learned, last_test_passed, created_at, updated_at, operation_kind, operation_id, operation_begun_at, operation_until, epoch, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, FALSE, $8, $8, $9, $10, $11, $12, $13, 1)`)
)

// CreateManaged makes a managed source with its connection.
func (c customerStore) CreateManaged(ctx context.Context, s registry.NewManaged, once *registry.IdempotencyRecord) (registry.Creation, error) {
	operation, ok := keptOperation(&s.Operation)
	if !ok || !storableName(s.SourceID, s.Slug) || !storable(s.Name, s.ServiceAccountEmail) {
		return registry.Creation{}, registry.ErrInvalid
	}
	s.Operation = *operation
	return c.create(ctx, once, func(in scope, now time.Time) (int64, error) {
		return createManaged(ctx, in, s, now)
	})
}

// createManaged takes the two sequences in the order of an adoption, so that the two
// can't wait for each other.
func createManaged(ctx context.Context, in scope, entry registry.NewManaged, now time.Time) (int64, error) {
	esaID, err := giveESAID(ctx, in, 0)
	if err != nil {
		return 0, err
	}
	id, sourceID, err := giveSourceID(ctx, in, entry.SourceID, entry.Slug)
	if err != nil {
		return 0, err
	}
	made, err := in.exec(ctx, insertManaged, id, sourceID, entry.Name, string(registry.ExecutionManaged), nullTime(now))
	if err != nil {
		return 0, fmt.Errorf("insert source: %w", err)
	}
	if made == 0 {
		return 0, registry.ErrSourceTaken
	}
	adServer, err := encodeAdServer(viewOf(entry.AdServer))
	if err != nil {
		return 0, registry.ErrInvalid
	}
	o := entry.Operation
	// The e-mail is not the config's, so that no config takes it away (see followEmail).
	_, err = in.exec(ctx, insertProvisioning, esaID, id, string(registry.StatusProvisioning), adServer,
		nullText(entry.ServiceAccountEmail), entry.ServiceAccountEmail != "", nullTime(now),
		string(o.Kind), o.ID, nullTime(o.Begun), nullTime(o.Until), firstEpoch(now))
	if err != nil {
		return 0, fmt.Errorf("insert connection: %w", err)
	}
	return id, nil
}

// viewOf gives a view, nil for one of no type: none.
func viewOf(a registry.AdServer) *registry.AdServer {
	if a.Type == "" {
		return nil
	}
	return &a
}
