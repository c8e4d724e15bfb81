package sqlstore_test

import (
	"database/sql"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"esagate/registry/sqlstore"
)

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

// plain are the columns whose name could make one think of a secret and that hold none.
var plain = []string{"sources.authentication_type", "sources.oauth_audience", "sources.auth_version"}

// TestSchemaHasNoRoomForSecrets lists the columns: a new one has to be thought of
// here. What is secret stands in columns named `sealed`, which are encrypted, or is a
// hash.
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
	secret := regexp.MustCompile(`secret|password|token|credential|key|auth|cert|private|answer|verifier|state`)
	var tables, binary []string
	for rows.Next() {
		var table, column, kind string
		if err := rows.Scan(&table, &column, &kind); err != nil {
			t.Fatal(err)
		}
		name := table + "." + column
		tables = append(tables, table)
		switch {
		case kind == "BYTEA":
			binary = append(binary, name)
		case secret.MatchString(column) && !slices.Contains(plain, name):
			t.Errorf("%s could hold a secret", name)
		case (strings.HasSuffix(column, "_at") || strings.HasSuffix(column, "_until")) && kind != "TEXT":
			t.Errorf("%s is a %s: the driver would read times its own way", name, kind)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(tables)
	if got := slices.Compact(tables); !slices.Equal(got, []string{"adopted", "api_keys", "audit", "connections", "consents", "credentials",
		"esa_ids", "idempotency", "kept_settings", "leases", "sequences", "sources", "subscriptions", "vault_check", "webhook_events"}) {
		t.Errorf("tables %v", got)
	}
	slices.Sort(binary)
	if !slices.Equal(binary, []string{"api_keys.sha256", "consents.sealed", "consents.state_hash", "credentials.sealed",
		"idempotency.fingerprint", "idempotency.sealed", "kept_settings.sealed", "subscriptions.sealed", "vault_check.sealed"}) {
		t.Errorf("binary columns %v", binary)
	}
}
