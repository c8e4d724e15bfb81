package sqlstore

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestScopedRefusesWideStatements(t *testing.T) {
	for _, text := range []string{
		`SELECT * FROM sources`,
		`SELECT * FROM sources WHERE customer_id = $2`,
		`SELECT * FROM sources WHERE id = $1`,
		`DELETE FROM connections WHERE id = $2`,
		`INSERT INTO sources (id, customer_id) VALUES ($1, $2)`,
		`INSERT INTO sources (customer_id, id) VALUES ($2, $1)`,
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("accepted: %s", text)
				}
			}()
			scoped(text)
		}()
	}
	scoped(`SELECT * FROM sources WHERE customer_id = $1`)
	scoped(`INSERT INTO sources (customer_id, id) VALUES ($1, $2)`)
}

// TestCustomersRowsTakeScopedStatements: what is given a statement for a customer's rows
// does not compile with a global one.
func TestCustomersRowsTakeScopedStatements(t *testing.T) {
	either := reflect.TypeFor[anyStatement]()
	for name, f := range map[string]any{
		"read": customerStore.read, "list": customerStore.list, "source": scope.source, "locked": locked,
	} {
		taken := 0
		for i := range reflect.TypeOf(f).NumIn() {
			if in := reflect.TypeOf(f).In(i); in.Implements(either) {
				taken++
				if in != reflect.TypeFor[statement]() {
					t.Errorf("%s takes a %v", name, in)
				}
			}
		}
		if taken == 0 {
			t.Errorf("%s takes no statement", name)
		}
	}
}

// TestStatementsRunThroughTheScope: no other file talks to the database itself.
func TestStatementsRunThroughTheScope(t *testing.T) {
	// They set a session, listen on a connection of their own, make tables as a migration does, and pass on or move the log.
	allowed := map[string]int{"changes_tables.go": 1, "notices.go": 3, "postgres.go": 1, "scrub.go": 3}
	direct := regexp.MustCompile(`\.(Exec|Query|QueryRow|Prepare)(Context)?\(`)
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if name == "scope.go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		must(t)(err)
		if n := len(direct.FindAll(text, -1)); n != allowed[name] {
			t.Errorf("%s talks to the database %d times past its scope, want %d", name, n, allowed[name])
		}
	}
}

// TestPragmas: what durability rests on is set on every connection.
func TestPragmas(t *testing.T) {
	s := fileStore(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": busyTimeout, "secure_delete": "1"} {
		for pool, db := range map[string]runner{"read": s.read, "write": s.write} {
			var got string
			if err := db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s pool: %s is %q, %v, want %q", pool, pragma, got, err, want)
			}
		}
	}
	if _, err := s.read.ExecContext(t.Context(), "DELETE FROM adopted"); err == nil {
		t.Error("the read pool can write")
	}
}
