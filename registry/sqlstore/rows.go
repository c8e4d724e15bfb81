package sqlstore

import (
	"database/sql"
	"errors"
	"time"

	"esagate/registry"
)

// What a row of a source is read from: its own columns, those of an AGENT source,
// and those of a managed one's connection.
const (
	sourceColumns = `s.id, s.source_id, s.name, s.name_from_api, s.execution_type, s.labels, s.created_at, s.updated_at`

	agentColumns = `s.status, s.agent_id, s.agent_type, s.endpoint_url, s.protocol, s.description,
	s.authentication_type, s.oauth_audience, s.auth_version, s.refused_at, s.refused_id`

	connectionColumns = `c.id, c.provisioning_status, c.tenant_id, c.external_org_id, c.mcp_url, c.a2a_url, c.ad_server, c.ad_server_saved_at,
	c.service_account_email, c.email_learned, c.last_error, c.last_error_code, c.last_tested_at, c.last_test_passed, c.last_test_time,
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

// scanRecord reads a row of anyColumns or managedColumns. Columns in front of them are read
// into before; customer is read after that.
func scanRecord(r row, customer *int64, before ...any) (*record, error) {
	rec, a, c := &record{}, &registry.Agent{}, &registry.Connection{}
	sync, operation := &registry.InventorySync{}, &registry.Operation{}
	src := &rec.Source
	var labels, adServer, refusedID string
	err := r.Scan(append(before, &src.ID, &src.SourceID, &src.Name, &rec.nameFromAPI, &src.ExecutionType, &labels,
		instantColumn{&src.CreatedAt}, instantColumn{&src.UpdatedAt},

		orZero(&a.Status), orZero(&a.AgentID), orZero(&a.Type), orZero(&a.EndpointURL), orZero(&a.Protocol), orZero(&a.Description),
		orZero(&a.Authentication), orZero(&a.OAuthAudience), orZero(&a.AuthVersion),
		instantColumn{&a.RefusedAt}, orZero(&refusedID), orZero(&a.CredentialID),

		// All of these can be NULL: there is no connection then.
		orZero(&c.ID), orZero(&c.Provisioning), orZero(&c.TenantID), orZero(&c.ExternalOrgID), orZero(&c.MCPURL), orZero(&c.A2AURL),
		orZero(&adServer), instantColumn{&c.AdServerSavedAt}, orZero(&c.ServiceAccountEmail), orZero(&rec.emailLearned),
		orZero(&c.LastError), orZero(&c.LastErrorCode), instantColumn{&c.LastTestedAt}, orZero(&c.LastTestPassed), orZero(&c.LastTestTime),
		instantColumn{&c.ProvisionedAt}, instantColumn{&c.DeactivatedAt}, instantColumn{&c.CreatedAt}, instantColumn{&c.UpdatedAt},
		orZero(&sync.Status), instantColumn{&sync.LastRunAt}, instantColumn{&sync.CompletedAt}, &sync.ItemCount, orZero(&sync.Error),
		instantColumn{&sync.UpdatedAt}, instantColumn{&sync.ObservedAt},
		orZero(&operation.Kind), orZero(&operation.ID), instantColumn{&operation.Begun}, instantColumn{&operation.Until},
		instantColumn{&c.UnsettledSince}, orZero(&c.Epoch), orZero(&c.Version))...)
	if err != nil {
		return nil, found(err)
	}
	src.CustomerID = *customer
	if src.Labels, err = decodeLabels(labels); err != nil {
		return nil, err
	}
	if src.ExecutionType == registry.ExecutionAgent {
		src.Agent = a
		if refusedID != a.CredentialID { // it has others by now
			a.RefusedAt = time.Time{}
		}
	}
	if c.ID == 0 {
		return rec, nil
	}
	src.Connection, c.CustomerID = c, *customer
	if sync.Status != "" {
		c.InventorySync = sync
	}
	if operation.Kind != "" {
		c.Operation = operation
	}
	c.AdServer, err = decodeAdServer(adServer)
	return rec, err
}

// found turns sql.ErrNoRows into registry.ErrNotFound.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return registry.ErrNotFound
	}
	return err
}
