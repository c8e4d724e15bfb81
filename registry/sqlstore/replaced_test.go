package sqlstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"esagate/registry"
)

// TestTheFileIsTakenAway: no write is acknowledged, and nothing is read, of a file that is not
// the one on disk any more.
func TestTheFileIsTakenAway(t *testing.T) {
	for name, test := range map[string]struct {
		take func(t *testing.T, folder, path string)
		back func(t *testing.T, folder, path string) // nil: nothing helps
	}{
		"deleted":     {func(t *testing.T, _, path string) { must(t)(os.Remove(path)) }, nil},
		"log deleted": {func(t *testing.T, _, path string) { must(t)(os.Remove(path + "-wal")) }, nil},
		"replaced by another": {func(t *testing.T, folder, path string) {
			other := filepath.Join(folder, "other.db")
			s := open(t, "sqlite://"+other)
			must(t)(s.Close())
			must(t)(os.Rename(other, path))
		}, nil},
		"emptied": {func(t *testing.T, _, path string) {
			must(t)(os.Remove(path))
			must(t)(os.WriteFile(path, nil, 0o600))
		}, nil},
		"folder renamed": {
			func(t *testing.T, folder, _ string) { must(t)(os.Rename(folder, folder+"-moved")) },
			func(t *testing.T, folder, _ string) { must(t)(os.Rename(folder+"-moved", folder)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "data")
			must(t)(os.Mkdir(folder, 0o700))
			path := filepath.Join(folder, "registry.db")
			s := open(t, "sqlite://"+path, withKey(t, "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k="))
			must(t)(s.Adopt(t.Context(), entry()))
			test.take(t, folder, path)
			refused := func(err error) {
				t.Helper()
				if err == nil || registry.Refusal(err) || !strings.Contains(err.Error(), "moved, deleted or replaced") {
					t.Errorf("%v", err)
				}
			}
			_, err := s.Customer(31).BeginAudit(t.Context(), registry.AuditEntry{Actor: "a"})
			refused(err)
			_, err = s.Customer(31).Source(t.Context(), "radio")
			refused(err)
			_, _, err = s.Customer(31).Sources(t.Context(), 0, 9)
			refused(err)
			refused(s.Ping(t.Context()))
			if test.back == nil {
				return
			}
			test.back(t, folder, path)
			must(t)(s.Ping(t.Context()))
			must(t)(s.Customer(31).Source(t.Context(), "radio"))
			if page, _, err := s.Customer(31).Audit(t.Context(), registry.AuditQuery{Take: 9}); err != nil || len(page) != 0 {
				t.Errorf("%+v, %v", page, err)
			}
		})
	}
}

// TestTheFileIsTakenAwayInAWrite: a commit that went into a file which is not there any more is
// none that a caller is told of as made.
func TestTheFileIsTakenAwayInAWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	s := open(t, "sqlite://"+path)
	got, err := s.Adopt(t.Context(), entry())
	must(t)(err)
	_, err = s.Customer(31).ChangeConnection(t.Context(), got.Managed.Connection.ID, func(src *registry.Source) (*registry.Connection, error) {
		must(t)(os.Remove(path))
		next := *src.Connection
		next.LastError = "x"
		return &next, nil
	})
	if err == nil || registry.Refusal(err) || errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("%v", err)
	}
}

// TestTheLogInItsPlace: the log of the file that was put in the place of another stays when that is closed.
func TestTheLogInItsPlace(t *testing.T) {
	folder := t.TempDir()
	path, other := filepath.Join(folder, "registry.db"), filepath.Join(folder, "other.db")
	s := open(t, "sqlite://"+path)
	must(t)(s.Adopt(t.Context(), entry()))
	next := open(t, "sqlite://"+other)
	must(t)(next.Adopt(t.Context(), entry()))
	for _, end := range []string{"", "-wal"} {
		text, err := os.ReadFile(other + end)
		must(t)(err)
		must(t)(os.Remove(path + end))
		must(t)(os.WriteFile(path+end, text, 0o600))
	}
	log, err := os.ReadFile(path + "-wal")
	must(t)(err)
	must(t)(s.Close())
	if left, err := os.ReadFile(path + "-wal"); err != nil || string(left) != string(log) {
		t.Errorf("%d bytes of %d, %v", len(left), len(log), err)
	}
}

// TestAFileThatIsAwayIsNotMadeAnew: SQLite would remove the log that lies beside it, and with that
// what was committed.
func TestAFileThatIsAwayIsNotMadeAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	s := open(t, "sqlite://"+path)
	must(t)(s.Adopt(t.Context(), entry()))
	must(t)(os.Rename(path, path+"-moved"))
	var reads sync.WaitGroup
	for range 50 { // more than there are connections
		reads.Go(func() {
			if _, err := s.Customer(31).Source(t.Context(), "radio"); err == nil || !strings.Contains(err.Error(), "moved, deleted or replaced") {
				t.Errorf("%v", err)
			}
		})
	}
	reads.Wait()
	if _, err := os.Stat(path); err == nil {
		t.Error("there is another file in its place")
	}
	must(t)(os.Rename(path+"-moved", path))
	must(t)(s.Ping(t.Context()))
	must(t)(s.Customer(31).Source(t.Context(), "radio"))
}
