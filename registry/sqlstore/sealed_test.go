package sqlstore

import (
	"regexp"
	"slices"
	"testing"
)

// TestSealedColumns: every column of bytes is one that is rewritten with a new key, or
// a hash of what nobody has to keep.
func TestSealedColumns(t *testing.T) {
	s := fileStore(t)
	rows, err := s.read.QueryContext(t.Context(), `SELECT t.name || '.' || c.name FROM sqlite_master t, pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT IN ('sqlite_sequence', 'goose_db_version') AND upper(c.type) NOT IN ('TEXT', 'BIGINT', 'INTEGER', 'BOOLEAN')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var columns []string
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			t.Fatal(err)
		}
		columns = append(columns, column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	known := []string{"api_keys.sha256", "consents.state_hash"}
	save := regexp.MustCompile(`^UPDATE (\w+) SET (\w+) = \$1 `)
	for _, table := range sealedTables {
		names := save.FindStringSubmatch(table.save().text)
		if names == nil {
			t.Fatalf("not understood: %s", table.save().text)
		}
		known = append(known, names[1]+"."+names[2])
	}
	slices.Sort(known)
	slices.Sort(columns)
	if !slices.Equal(columns, known) {
		t.Errorf("columns of bytes %q, known are %q", columns, known)
	}
}
