package sqlstore_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"esagate/registry"
	"esagate/registry/sqlstore"
)

// TestDeletedStaysDeleted deletes a source as the API will.
func TestDeletedStaysDeleted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	s := open(t, "sqlite://"+path)
	first, err := s.Adopt(t.Context(), entry())
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	exec(t, path, `DELETE FROM connections`)
	exec(t, path, `DELETE FROM sources`)

	s = open(t, "sqlite://"+path)
	defer s.Close()
	got, err := s.Adopt(t.Context(), entry())
	if err != nil || got.Outcome != registry.AdoptionDeleted || got.Managed != nil {
		t.Fatalf("%+v, %v, want deleted", got, err)
	}
	if _, err := s.Customer(31).ManagedSource(t.Context(), "radio"); !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("it came back: %v", err)
	}
	// The tenant is free for another entry; the ids are not.
	other := entry()
	other.SourceID, other.ESAID = "radio-2", first.Managed.Connection.ID
	if _, err := s.Adopt(t.Context(), other); !errors.Is(err, registry.ErrIDTaken) {
		t.Fatalf("%v, want ErrIDTaken", err)
	}
	other.ESAID = 0
	second, err := s.Adopt(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	if second.Managed.Connection.ID <= first.Managed.Connection.ID || second.Managed.Source.ID <= first.Managed.Source.ID {
		t.Fatalf("an id came back: %+v after %+v", second.Managed, first.Managed)
	}
}

func TestNameFromTheAPIStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	s := open(t, "sqlite://"+path)
	if _, err := s.Adopt(t.Context(), entry()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	exec(t, path, `UPDATE sources SET name = 'By a user', name_from_api = TRUE`)

	s = open(t, "sqlite://"+path)
	defer s.Close()
	got, err := s.Adopt(t.Context(), entry())
	if err != nil || got.Outcome != registry.AdoptionUnchanged || got.Managed.Source.Name != "By a user" {
		t.Fatalf("%+v, %v", got, err)
	}
	e := entry()
	e.Name, e.Labels = "Config again", nil
	got, err = s.Adopt(t.Context(), e)
	if err != nil || got.Outcome != registry.AdoptionUpdated || got.Managed.Source.Name != "By a user" || len(got.Managed.Source.Labels) != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
}

// TestAgentSourceKeepsAnEntryOut has an AGENT source, as the API will make them.
func TestAgentSourceKeepsAnEntryOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	open(t, "sqlite://"+path).Close()
	exec(t, path, `INSERT INTO sources (id, customer_id, source_id, name, name_from_api, execution_type, labels, created_at, updated_at)
		VALUES (500, 31, 'radio', 'Agent', TRUE, 'AGENT', '{}', '2030-01-01T00:00:00.000000Z', '2030-01-01T00:00:00.000000Z')`)
	s := open(t, "sqlite://"+path)
	got, err := s.Adopt(t.Context(), entry())
	if err != nil || got.Outcome != registry.AdoptionNotManaged || got.Managed != nil {
		t.Fatalf("%+v, %v, want not_managed", got, err)
	}
	if _, err := s.Customer(31).ManagedSource(t.Context(), "radio"); !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("an AGENT source read as managed: %v", err)
	}
	s.Close()
	exec(t, path, `DELETE FROM sources`)

	s = open(t, "sqlite://"+path)
	defer s.Close()
	if got, err = s.Adopt(t.Context(), entry()); err != nil || got.Outcome != registry.AdoptionCreated {
		t.Fatalf("with the way free: %+v, %v", got, err)
	}
}

// TestEveryColumnSurvivesAChange fills what nothing writes yet.
func TestEveryColumnSurvivesAChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	s := open(t, "sqlite://"+path)
	if _, err := s.Adopt(t.Context(), entry()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	exec(t, path, `UPDATE connections SET mcp_url = '/mcp/x', a2a_url = '/a2a/x', ad_server_saved_at = '2030-06-01T02:03:04.000500Z'`)

	s = open(t, "sqlite://"+path)
	defer s.Close()
	c := s.Customer(31)
	before, err := c.ManagedSource(t.Context(), "radio")
	if err != nil {
		t.Fatal(err)
	}
	conn := before.Connection
	if conn.MCPURL != "/mcp/x" || conn.A2AURL != "/a2a/x" || !conn.AdServerSavedAt.Equal(time.Date(2030, 6, 1, 2, 3, 4, 500_000, time.UTC)) {
		t.Fatalf("read %+v", conn)
	}
	after, err := c.ObserveInventorySync(t.Context(), conn.ID, registry.InventorySync{Status: registry.SyncRunning, ObservedAt: time.Unix(2e9, 0)})
	if err != nil {
		t.Fatal(err)
	}
	conn.InventorySync, conn.Version = after.Connection.InventorySync, after.Connection.Version
	if !reflect.DeepEqual(conn, after.Connection) {
		t.Fatalf("\n got %+v\nwant %+v", after.Connection, conn)
	}
}

func TestClock(t *testing.T) {
	now := time.Date(2029, 2, 3, 4, 5, 6, 123_456_789, time.FixedZone("", 3600))
	s := open(t, "sqlite://:memory:", sqlstore.WithClock(func() time.Time { return now }))
	defer s.Close()
	got, err := s.Adopt(t.Context(), entry())
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2029, 2, 3, 3, 5, 6, 123_456_000, time.UTC); got.Managed.Connection.ProvisionedAt != want {
		t.Fatalf("%v, want %v", got.Managed.Connection.ProvisionedAt, want)
	}
}

// TestSchemaHasNoRoomForSecrets lists the columns: a new one has to be thought of here.
func TestSchemaHasNoRoomForSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	open(t, "sqlite://"+path).Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	secret := regexp.MustCompile(`secret|password|token|credential|key|auth|cert|private`)
	var tables []string
	for rows.Next() {
		var table, column, kind string
		if err := rows.Scan(&table, &column, &kind); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, table)
		if secret.MatchString(column) {
			t.Errorf("%s.%s could hold a credential", table, column)
		}
		if strings.HasSuffix(column, "_at") && kind != "TEXT" {
			t.Errorf("%s.%s is a %s: the driver would read times its own way", table, column, kind)
		}
	}
	slices.Sort(tables)
	if got := slices.Compact(tables); !slices.Equal(got, []string{"adopted", "connections", "esa_ids", "sequences", "sources"}) {
		t.Errorf("tables %v", got)
	}
}
