package sqlstore

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// plain are the columns whose name could make one think of a secret and that hold none.
var plain = []string{"sources.authentication_type", "sources.oauth_audience", "sources.auth_version", "standings.state", "state_changes.state"}

// TestSchemaHasNoRoomForSecrets looks at the columns: every one of bytes is rewritten with
// a new key, or a hash of what need not be kept, and no other has the name of a secret.
func TestSchemaHasNoRoomForSecrets(t *testing.T) {
	s := fileStore(t)
	columns := lines(t, s, s.read, `SELECT m.name || '.' || c.name || ' ' || c.type FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%'`)
	secret := regexp.MustCompile(`\..*(secret|password|token|credential|key|auth|cert|private|answer|verifier|state)`)
	var tables, binary []string
	for _, column := range columns {
		name, kind, _ := strings.Cut(column, " ")
		table, _, _ := strings.Cut(name, ".")
		tables = append(tables, table)
		switch {
		case kind == "BYTEA":
			binary = append(binary, name)
		case !slices.Contains([]string{"TEXT", "BIGINT", "INTEGER", "BOOLEAN"}, kind):
			t.Errorf("%s is a %s", name, kind)
		case secret.MatchString(name) && !slices.Contains(plain, name):
			t.Errorf("%s could hold a secret", name)
		case (strings.HasSuffix(name, "_at") || strings.HasSuffix(name, "_until")) && kind != "TEXT":
			t.Errorf("%s is a %s: the driver would read times its own way", name, kind)
		}
	}
	slices.Sort(tables)
	if got := slices.Compact(tables); !slices.Equal(got, []string{"adopted", "api_keys", "asked_tenants", "audit", "changes", "connections", "consents", "credentials",
		"esa_ids", "idempotency", "kept_settings", "launches", "leases", "sequences", "snapshots", "sources", "standings", "state_changes", "subscriptions", "vault_check", "webhook_events"}) {
		t.Errorf("tables %v", got)
	}
	known := []string{"api_keys.sha256", "consents.state_hash", "launches.token_hash"}
	for _, table := range sealedTables {
		known = append(known, table.name+"."+table.column)
	}
	slices.Sort(known)
	slices.Sort(binary)
	if !slices.Equal(binary, known) {
		t.Errorf("columns of bytes %q, known are %q", binary, known)
	}
}
