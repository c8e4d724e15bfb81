package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"esagate/registry"
)

// customerStore is a Store narrowed to one customer.
type customerStore struct {
	store    *Store
	customer int64
}

// managedColumns are what scanManaged reads, in its order.
const managedColumns = `s.id, s.source_id, s.name, s.name_from_api, s.execution_type, s.labels, s.created_at, s.updated_at,
	c.id, c.provisioning_status, c.tenant_id, c.external_org_id, c.mcp_url, c.a2a_url, c.ad_server, c.ad_server_saved_at,
	c.service_account_email, c.email_learned, c.last_error, c.last_error_code, c.last_tested_at, c.last_test_passed,
	c.provisioned_at, c.deactivated_at, c.created_at, c.updated_at, c.sync_status, c.sync_last_run_at, c.sync_completed_at,
	c.sync_item_count, c.sync_error, c.sync_updated_at, c.sync_observed_at, c.version`

// managedRows are sources that have a connection: exactly the managed ones. Both
// tables are narrowed by name, so that each is read through its own index.
const managedRows = ` FROM connections c JOIN sources s ON s.customer_id = c.customer_id AND s.id = c.source
	WHERE c.customer_id = $1 AND s.customer_id = $1`

var (
	selectBySourceID = scoped(`SELECT ` + managedColumns + managedRows + ` AND s.source_id = $2`)
	selectByID       = scoped(`SELECT ` + managedColumns + managedRows + ` AND c.id = $2`)
	selectPage       = scoped(`SELECT ` + managedColumns + managedRows + ` ORDER BY c.id LIMIT $2 OFFSET $3`)
	countManaged     = scoped(`SELECT COUNT(*) FROM connections WHERE customer_id = $1`)
)

// record is a managed source with what of its rows is no caller's business.
type record struct {
	registry.ManagedSource
	nameFromAPI  bool
	emailLearned bool
}

// row is a *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

func scanManaged(r row, customer int64) (*record, error) {
	var (
		rec              record
		sync             registry.InventorySync
		labels, adServer string
		syncStatus       sql.NullString
		count            sql.NullInt64
		src, conn        = &rec.Source, &rec.Connection
	)
	err := r.Scan(&src.ID, &src.SourceID, &src.Name, &rec.nameFromAPI, &src.ExecutionType, &labels,
		instantColumn{&src.CreatedAt}, instantColumn{&src.UpdatedAt},
		&conn.ID, &conn.Provisioning, textColumn{&conn.TenantID}, textColumn{&conn.ExternalOrgID},
		textColumn{&conn.MCPURL}, textColumn{&conn.A2AURL}, textColumn{&adServer}, instantColumn{&conn.AdServerSavedAt},
		textColumn{&conn.ServiceAccountEmail}, &rec.emailLearned, textColumn{&conn.LastError}, textColumn{&conn.LastErrorCode},
		instantColumn{&conn.LastTestedAt}, &conn.LastTestPassed,
		instantColumn{&conn.ProvisionedAt}, instantColumn{&conn.DeactivatedAt},
		instantColumn{&conn.CreatedAt}, instantColumn{&conn.UpdatedAt},
		&syncStatus, instantColumn{&sync.LastRunAt}, instantColumn{&sync.CompletedAt}, &count, textColumn{&sync.Error},
		instantColumn{&sync.UpdatedAt}, instantColumn{&sync.ObservedAt}, &conn.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, registry.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	src.CustomerID, conn.CustomerID = customer, customer
	if src.Labels, err = decodeLabels(labels); err != nil {
		return nil, err
	}
	if conn.AdServer, err = decodeAdServer(adServer); err != nil {
		return nil, err
	}
	if syncStatus.Valid {
		sync.Status = syncStatus.String
		if count.Valid {
			sync.ItemCount = &count.Int64
		}
		conn.InventorySync = &sync
	}
	return &rec, nil
}

// ManagedSource finds a managed source by its sourceId.
func (c customerStore) ManagedSource(ctx context.Context, sourceID string) (*registry.ManagedSource, error) {
	if !registry.StorableID(sourceID) {
		return nil, registry.ErrNotFound
	}
	return c.one(ctx, selectBySourceID, sourceID)
}

// ManagedSourceByID finds a managed source by its connection's id.
func (c customerStore) ManagedSourceByID(ctx context.Context, esaID int64) (*registry.ManagedSource, error) {
	return c.one(ctx, selectByID, esaID)
}

func (c customerStore) one(ctx context.Context, st scopedStatement, id any) (*registry.ManagedSource, error) {
	rec, err := scanManaged(c.store.reading(c.customer).queryRow(ctx, st, id), c.customer)
	if err != nil {
		return nil, failed("read a managed source", err)
	}
	return &rec.ManagedSource, nil
}

// ManagedSources lists managed sources by connection id.
func (c customerStore) ManagedSources(ctx context.Context, skip, take int) ([]*registry.ManagedSource, int, error) {
	in := c.store.reading(c.customer)
	var total int
	if err := in.queryRow(ctx, countManaged).Scan(&total); err != nil {
		return nil, 0, failed("count managed sources", err)
	}
	skip, take = max(skip, 0), min(max(take, 0), registry.MaxPage)
	page := make([]*registry.ManagedSource, 0, min(take, total))
	rows, err := in.query(ctx, selectPage, take, skip)
	if err != nil {
		return nil, 0, failed("list managed sources", err)
	}
	defer rows.Close()
	for rows.Next() {
		rec, err := scanManaged(rows, c.customer)
		if err != nil {
			return nil, 0, failed("list managed sources", err)
		}
		page = append(page, &rec.ManagedSource)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, failed("list managed sources", err)
	}
	// Rows that came between the two statements: the total never contradicts the page.
	return page, max(total, min(skip, total)+len(page)), nil
}

// failed names what could not be done; the registry's own errors pass as they are.
func failed(what string, err error) error {
	for _, sentinel := range []error{registry.ErrNotFound, registry.ErrTenantTaken, registry.ErrIDTaken, registry.ErrInvalid} {
		if errors.Is(err, sentinel) {
			return err
		}
	}
	return fmt.Errorf("registry: %s: %w", what, err)
}
