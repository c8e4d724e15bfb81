package sqlstore

import (
	"path/filepath"
	"testing"

	"esagate/internal/pgtest"
	"esagate/internal/vault"
)

// must ends the test unless the last of some results is no error: must(t)(s.Call(…)).
func must(t testing.TB) func(results ...any) {
	return func(results ...any) {
		t.Helper()
		if err := results[len(results)-1]; err != nil {
			t.Fatal(err)
		}
	}
}

// opened opens a Store that the test closes.
func opened(t *testing.T, url string, opts ...Option) *Store {
	t.Helper()
	s, err := Open(t.Context(), url, opts...)
	must(t)(err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func fileStore(t *testing.T, opts ...Option) *Store {
	t.Helper()
	return opened(t, NewFile(t), opts...)
}

// NewFile returns the URL of a new SQLite file.
func NewFile(t *testing.T) string {
	t.Helper()
	return "sqlite://" + filepath.Join(t.TempDir(), "registry.db")
}

// Databases return the URL of a new database of each kind. Where there is no PostgreSQL its
// one skips the test that it is given, which therefore is the subtest.
var Databases = map[string]func(t *testing.T) string{
	"sqlite":   NewFile,
	"postgres": func(t *testing.T) string { return pgtest.Database(t) },
}

// WithPooler are Databases and one behind a PgBouncer, for what that could break.
var WithPooler = map[string]func(t *testing.T) string{
	"sqlite":   Databases["sqlite"],
	"postgres": Databases["postgres"],
	"pooler":   func(t *testing.T) string { return pgtest.PooledDatabase(t) },
}

// newKey gives a Store a key of its own.
func newKey(t testing.TB) Option {
	t.Helper()
	v, err := vault.New(vault.Generate())
	must(t)(err)
	return WithVault(v)
}

// execute runs statements in one transaction.
func execute(t *testing.T, s *Store, texts ...string) {
	t.Helper()
	must(t)(s.writing(t.Context(), 5, func(in scope) error {
		for _, text := range texts {
			if _, err := in.exec(t.Context(), global(text)); err != nil {
				return err
			}
		}
		return nil
	}))
}

func countRows(t *testing.T, s *Store, table string) int64 {
	t.Helper()
	n, err := s.reading(0).number(t.Context(), global(`SELECT COUNT(*) FROM `+table))
	must(t)(err)
	return n
}

// lines returns an answer of one text a row, such as a plan.
func lines(t *testing.T, s *Store, on runner, text string, args ...any) []string {
	t.Helper()
	all, err := query(t.Context(), scope{on: on, store: s}, global(text), func(r row) (line string, err error) {
		err = r.Scan(&line)
		return line, err
	}, args...)
	must(t)(err)
	return all
}
