package sqlstore

import (
	"errors"
	"testing"
	"time"

	"esagate/registry"
)

// TestAnOldReplicaOnTheNewTables: what the versions before snapshots and counts, and before standings and launches, write and
// delete goes on working while replicas are replaced one after the other, and is read by the new one.
func TestAnOldReplicaOnTheNewTables(t *testing.T) {
	for name, database := range Databases {
		t.Run(name, func(t *testing.T) {
			s := opened(t, database(t), newKey(t))
			made, err := s.Adopt(t.Context(), registry.ConfigSource{CustomerID: 5, SourceID: "radio", Name: "Radio", TenantID: "tnt_radio"})
			must(t)(err)
			at := s.instant()
			must(t)(s.KeepSnapshots(t.Context(), []registry.Snapshot{{TenantID: "tnt_radio", At: at, ReceivedAt: at, Document: []byte("{}")}}, at.Add(-time.Hour)))
			c := s.Customer(5)
			must(t)(s.KeepStandings(t.Context(), []registry.Standing{{CustomerID: 5, ESAID: made.Managed.Connection.ID, State: "live", Since: at, ReceivedAt: at}}, at))
			must(t)(c.KeepLaunch(t.Context(), "radio", [32]byte{1}, registry.Launch{SourceRow: made.Managed.ID, ExpiresAt: at.Add(time.Hour)}))
			folded := func() string {
				id, err := c.BeginAudit(t.Context(), registry.AuditEntry{Actor: "a", Operation: "o"})
				must(t)(err)
				must(t)(c.FinishAudit(t.Context(), id, registry.AuditResult{Outcome: registry.AuditRefused, Status: 409, Code: "CONFLICT"}))
				return id
			}
			folded()
			execute(t, s,
				`INSERT INTO audit (customer_id, id, at, actor, operation, source_id, esa_id, request_id, outcome)
					VALUES (5, '00000000000000000000000000000001', '2032-01-02T03:04:05.000000Z', 'a', 'o', NULL, NULL, NULL, 'begun')`,
				`UPDATE audit SET outcome = 'refused', status = 409, code = 'CONFLICT', source_id = COALESCE(source_id, NULL), esa_id = COALESCE(esa_id, NULL)
					WHERE customer_id = 5 AND id = '00000000000000000000000000000001'`)
			folded()
			page, _, err := c.Audit(t.Context(), registry.AuditQuery{Take: 9})
			if must(t)(err); len(page) != 2 || page[0].Count != 2 || page[1].Count != 1 || !page[1].LastAt.Equal(page[1].At) {
				t.Errorf("%+v", page)
			}
			execute(t, s, `DELETE FROM connections WHERE customer_id = 5`, `DELETE FROM sources WHERE customer_id = 5`) // as those versions delete
			if _, err := s.Snapshot(t.Context(), "tnt_radio"); !errors.Is(err, registry.ErrNotFound) || countRows(t, s, "snapshots")+countRows(t, s, "standings")+countRows(t, s, "state_changes")+countRows(t, s, "launches") != 0 {
				t.Errorf("the snapshot, the standing, its states or the launch are left: %v", err)
			}
		})
	}
}
