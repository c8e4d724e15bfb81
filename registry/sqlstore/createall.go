package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"esagate/registry"
)

// insertedAtOnce is how many rows one statement inserts: SQLite looks for each of its parameters among all of them.
const insertedAtOnce = 20

// errNotAllNew rolls back: some of many entries can't be created as they are, or are known.
var errNotAllNew = errors.New("not all are new")

var takeIDs = global(`UPDATE sequences SET last_value = last_value + $2 WHERE name = $1 RETURNING last_value`)

// createAll creates what entries of the config name, with some statements for all of them. errNotAllNew where one of
// them is known, was deleted, or is in the way of another: each is to be looked at alone then.
func createAll(ctx context.Context, in scope, entries []registry.ConfigSource) error {
	now, n := in.store.instant(), int64(len(entries))
	esaID, err := in.number(ctx, takeIDs, "esa", n)
	if err != nil {
		return err
	}
	id, err := in.number(ctx, takeIDs, "source", n)
	if err != nil {
		return err
	}
	if esaID > registry.MaxESAID {
		return errNotAllNew
	}
	var adopted, ids, sources, connections []any
	for i, e := range entries {
		labels, err := encodeLabels(e.Labels)
		if err != nil {
			return err
		}
		adServer, err := encodeAdServer(e.AdServer)
		if err != nil || e.ESAID != 0 {
			return errNotAllNew
		}
		esaID, id := esaID-n+1+int64(i), id-n+1+int64(i)
		status, provisioned := registry.StatusPending, time.Time{}
		if e.TenantID != "" {
			status, provisioned = registry.StatusActive, now
		}
		adopted = append(adopted, e.CustomerID, e.SourceID, nullTime(now))
		ids = append(ids, esaID)
		sources = append(sources, e.CustomerID, id, e.SourceID, e.Name, false, string(registry.ExecutionManaged), labels, nullTime(now), nullTime(now))
		connections = append(connections, e.CustomerID, esaID, id, string(status), nullText(e.TenantID), adServer, nullText(e.ServiceAccountEmail),
			false, false, nullTime(provisioned), nullTime(now), nullTime(now), now.UnixMilli(), 1)
	}
	for _, insert := range []struct {
		into string
		rows []any
	}{
		{"adopted (customer_id, source_id, adopted_at)", adopted},
		{"esa_ids (id)", ids},
		{"sources (customer_id, id, source_id, name, name_from_api, execution_type, labels, created_at, updated_at)", sources},
		{`connections (customer_id, id, source, provisioning_status, tenant_id, ad_server, service_account_email, email_learned,
			last_test_passed, provisioned_at, created_at, updated_at, epoch, version)`, connections},
	} {
		columns := len(insert.rows) / len(entries)
		for rows := range slices.Chunk(insert.rows, insertedAtOnce*columns) {
			made, err := in.exec(ctx, insertRows(insert.into, len(rows)/columns, columns), rows...)
			if err != nil {
				return err
			}
			if made != int64(len(rows)/columns) {
				return errNotAllNew
			}
		}
	}
	return nil
}

// insertRows inserts rows of some columns, those that nothing is in the way of.
func insertRows(into string, rows, columns int) globalStatement {
	values := make([]string, rows)
	for i := range values {
		values[i] = "(" + placeholders(1+i*columns, columns) + ")"
	}
	return global(fmt.Sprintf(`INSERT INTO %s VALUES %s ON CONFLICT DO NOTHING`, into, strings.Join(values, ", ")))
}
