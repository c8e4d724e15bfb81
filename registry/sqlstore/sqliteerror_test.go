package sqlstore

import (
	"errors"
	"strings"
	"testing"

	"modernc.org/sqlite"

	"esagate/internal/redact"
)

// TestWordsOfDatabaseErrors: what went wrong can be shown without what the database says,
// and the error stays what it was.
func TestWordsOfDatabaseErrors(t *testing.T) {
	s, err := Open(t.Context(), "sqlite://"+t.TempDir()+"/registry.db", newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for statement, want := range map[string]string{
		`CREATE TABLE canary (a)`: "sqlite: the file can't be written (code 8)", // readers may not
		`SELECT canary`:           "sqlite: it failed (code 1)",
	} {
		_, err := s.reading(0).exec(t.Context(), global(statement))
		var own interface{ OwnWords() string }
		if !errors.As(err, &own) || own.OwnWords() != want {
			t.Errorf("%s: %v, want the words %q", statement, err, want)
		}
		var theirs *sqlite.Error
		if !errors.As(err, &theirs) {
			t.Errorf("%s: SQLite's error is lost", statement)
		}
	}
	// None of them looks like a secret, or logs would leave it out.
	for _, words := range []map[string]string{stateWords, classWords} {
		for code, w := range words {
			shown(t, newPgError("postgres at db.example", w, code, nil).OwnWords())
		}
	}
	for _, w := range resultWords {
		shown(t, (&sqliteError{words: w}).OwnWords())
	}
	for _, err := range []error{errReplaced, errNewerSchema, errMigrating} {
		var own interface{ OwnWords() string }
		if !errors.As(err, &own) {
			t.Errorf("%v has no words of its own", err)
			continue
		}
		shown(t, own.OwnWords())
	}
}

func shown(t *testing.T, words string) {
	t.Helper()
	if _, ok := redact.Text(words); !ok || strings.Contains(words, "db.example") {
		t.Errorf("%q would not be logged", words)
	}
}
