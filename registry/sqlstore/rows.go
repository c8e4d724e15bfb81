package sqlstore

import (
	"database/sql"
	"errors"

	"esagate/registry"
)

// What a row of a source is read from: its own columns, those of an AGENT source,
// and those of a managed one's connection.
const (
	sourceColumns = `s.id, s.source_id, s.name, s.name_from_api, s.execution_type, s.labels, s.created_at, s.updated_at`

	agentColumns = `s.status, s.agent_id, s.agent_type, s.endpoint_url, s.protocol, s.description,
	s.authentication_type, s.oauth_audience, s.auth_version`

	connectionColumns = `c.id, c.provisioning_status, c.tenant_id, c.external_org_id, c.mcp_url, c.a2a_url, c.ad_server, c.ad_server_saved_at,
	c.service_account_email, c.email_learned, c.last_error, c.last_error_code, c.last_tested_at, c.last_test_passed,
	c.provisioned_at, c.deactivated_at, c.created_at, c.updated_at, c.sync_status, c.sync_last_run_at, c.sync_completed_at,
	c.sync_item_count, c.sync_error, c.sync_updated_at, c.sync_observed_at,
	c.operation_kind, c.operation_id, c.operation_begun_at, c.operation_until, c.unsettled_since, c.epoch, c.version`

	// What scanRecord reads: of sources of both kinds, where r are their credentials, and
	// of managed ones alone.
	anyColumns     = sourceColumns + `, ` + agentColumns + `, r.id, ` + connectionColumns
	managedColumns = sourceColumns + `, ` + agentColumns + `, NULL, ` + connectionColumns
)

// row is one row of an answer.
type row interface{ Scan(dest ...any) error }

// record is a source with what its rows hold for the store alone.
type record struct {
	registry.Source
	nameFromAPI  bool
	emailLearned bool
}

// sourceRow holds the columns of a row; finish makes a record of them.
type sourceRow struct {
	rec              record
	agent            registry.Agent
	conn             registry.Connection
	sync             registry.InventorySync
	operation        registry.Operation
	labels, adServer string
}

func (s *sourceRow) sourceFields() []any {
	src := &s.rec.Source
	return []any{&src.ID, &src.SourceID, &src.Name, &s.rec.nameFromAPI, &src.ExecutionType, &s.labels,
		instantColumn{&src.CreatedAt}, instantColumn{&src.UpdatedAt}}
}

func (s *sourceRow) agentFields() []any {
	a := &s.agent
	return []any{orZero(&a.Status), orZero(&a.AgentID), orZero(&a.Type), orZero(&a.EndpointURL),
		orZero(&a.Protocol), orZero(&a.Description), orZero(&a.Authentication),
		orZero(&a.OAuthAudience), orZero(&a.AuthVersion), orZero(&a.CredentialID)}
}

// connectionFields also take NULL everywhere: there is no connection then, and its id is 0.
func (s *sourceRow) connectionFields() []any {
	conn := &s.conn
	return []any{orZero(&conn.ID), orZero(&conn.Provisioning), orZero(&conn.TenantID), orZero(&conn.ExternalOrgID),
		orZero(&conn.MCPURL), orZero(&conn.A2AURL), orZero(&s.adServer), instantColumn{&conn.AdServerSavedAt},
		orZero(&conn.ServiceAccountEmail), orZero(&s.rec.emailLearned), orZero(&conn.LastError), orZero(&conn.LastErrorCode),
		instantColumn{&conn.LastTestedAt}, orZero(&conn.LastTestPassed),
		instantColumn{&conn.ProvisionedAt}, instantColumn{&conn.DeactivatedAt},
		instantColumn{&conn.CreatedAt}, instantColumn{&conn.UpdatedAt},
		orZero(&s.sync.Status), instantColumn{&s.sync.LastRunAt}, instantColumn{&s.sync.CompletedAt}, &s.sync.ItemCount, orZero(&s.sync.Error),
		instantColumn{&s.sync.UpdatedAt}, instantColumn{&s.sync.ObservedAt},
		orZero(&s.operation.Kind), orZero(&s.operation.ID), instantColumn{&s.operation.Begun}, instantColumn{&s.operation.Until},
		instantColumn{&conn.UnsettledSince}, orZero(&conn.Epoch), orZero(&conn.Version)}
}

// finish decodes what is more than a column's value.
func (s *sourceRow) finish(customer int64) (err error) {
	src, conn := &s.rec.Source, &s.conn
	src.CustomerID, conn.CustomerID = customer, customer
	if src.Labels, err = decodeLabels(s.labels); err != nil {
		return err
	}
	if conn.AdServer, err = decodeAdServer(s.adServer); err != nil {
		return err
	}
	if s.sync.Status != "" {
		sync := s.sync
		conn.InventorySync = &sync
	}
	if s.operation.Kind != "" {
		operation := s.operation
		conn.Operation = &operation
	}
	return nil
}

// scanRecord reads a row of anyColumns or managedColumns.
func scanRecord(r row, customer int64) (*record, error) { return scanRecordAfter(r, &customer) }

// scanRecordAfter is scanRecord for rows with more columns in front, which are read
// into dest; customer is read after that.
func scanRecordAfter(r row, customer *int64, dest ...any) (*record, error) {
	var s sourceRow
	columns := append(append(append(dest, s.sourceFields()...), s.agentFields()...), s.connectionFields()...)
	if err := found(r.Scan(columns...)); err != nil {
		return nil, err
	}
	if err := s.finish(*customer); err != nil {
		return nil, err
	}
	rec := s.rec // a copy, so that the rest of the row can be freed
	if rec.ExecutionType == registry.ExecutionAgent {
		agent := s.agent
		rec.Agent = &agent
	}
	if s.conn.ID != 0 {
		conn := s.conn
		rec.Connection = &conn
	}
	return &rec, nil
}

// found turns sql.ErrNoRows into registry.ErrNotFound.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return registry.ErrNotFound
	}
	return err
}
