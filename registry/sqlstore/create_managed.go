package sqlstore

import (
	"context"
	"time"

	"esagate/registry"
)

var (
	insertSource = scoped(`INSERT INTO sources (customer_id, id, source_id, name, name_from_api, execution_type, labels,
		created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT DO NOTHING`)
	insertConnection = scoped(`INSERT INTO connections (customer_id, id, source, provisioning_status, tenant_id, ad_server,
		service_account_email, email_learned, last_test_passed, provisioned_at, created_at, updated_at,
		operation_kind, operation_id, operation_begun_at, operation_until, epoch, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, FALSE, $9, $10, $10, $11, $12, $13, $14, $15, 1) ON CONFLICT DO NOTHING`)
)

// CreateManaged makes a managed source with its connection.
func (c customerStore) CreateManaged(ctx context.Context, s registry.NewManaged,
	once *registry.IdempotencyRecord) (registry.Creation, error) {
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
	conn := &registry.Connection{ID: esaID, Provisioning: registry.StatusProvisioning,
		ServiceAccountEmail: entry.ServiceAccountEmail, Operation: &entry.Operation}
	if entry.AdServer.Type != "" {
		conn.AdServer = &entry.AdServer
	}
	return id, insertManaged(ctx, in, record{
		Source:      registry.Source{ID: id, SourceID: sourceID, Name: entry.Name, Connection: conn},
		nameFromAPI: true,
		// The e-mail is not the config's, so that no config takes it away (see followEmail).
		emailLearned: entry.ServiceAccountEmail != "",
	}, now)
}

// insertManaged inserts a managed source and its connection, whose ids are new.
// ErrSourceTaken, ErrTenantTaken; ErrInvalid for an ad server with a number that JSON
// can't express.
func insertManaged(ctx context.Context, in scope, rec record, now time.Time) error {
	src, conn := rec.Source, rec.Connection
	labels, err := encodeLabels(src.Labels)
	if err != nil {
		return err
	}
	adServer, err := encodeAdServer(conn.AdServer)
	if err != nil {
		return registry.ErrInvalid
	}
	made, err := in.exec(ctx, insertSource, src.ID, src.SourceID, src.Name, rec.nameFromAPI,
		string(registry.ExecutionManaged), labels, nullTime(now))
	switch {
	case err != nil:
		return err
	case made == 0:
		return registry.ErrSourceTaken
	}
	var o registry.Operation
	if conn.Operation != nil {
		o = *conn.Operation
	}
	// Later than the epochs of any connection that had the tenant before: its snapshots
	// are kept by tenant.
	epoch := now.UnixMilli()
	made, err = in.exec(ctx, insertConnection, conn.ID, src.ID, string(conn.Provisioning), nullText(conn.TenantID), adServer,
		nullText(conn.ServiceAccountEmail), rec.emailLearned, nullTime(conn.ProvisionedAt), nullTime(now),
		nullText(o.Kind), nullText(o.ID), nullTime(o.Begun), nullTime(o.Until), epoch)
	if err == nil && made == 0 {
		err = registry.ErrTenantTaken
	}
	return err
}
