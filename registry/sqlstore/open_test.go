package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esagate/registry"
	"esagate/registry/sqlstore"
)

func TestOpenRefusesURLs(t *testing.T) {
	dir := t.TempDir()
	tests := []struct{ url, want string }{
		{"", "sqlite://<path>"},
		{"esagate.db", "sqlite://<path>"},
		{"sqlite:esagate.db", "sqlite://<path>"},
		{"mysql://root:CANARY@db/x", "sqlite://<path>"},
		{"CANARY://x", "sqlite://<path>"},
		{"sqlite://", "no such file or directory"},
		{"sqlite://" + filepath.Join(dir, "none", "x.db"), "no such file or directory"},
		{"sqlite://" + dir, "is not a regular file"},
	}
	for _, test := range tests {
		s, err := sqlstore.Open(t.Context(), test.url)
		if err == nil {
			t.Errorf("%q: opened", test.url)
			s.Close()
			continue
		}
		if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%q: %q, want %q and no value", test.url, err, test.want)
		}
	}
}

func TestOpenPaths(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, path := range []string{"plain.db", "./dot.db", filepath.Join(dir, "absolute.db"), "with space.db", "per%20cent.db", "a&b=c;d.db", "日本.db", "file:x.db"} {
		s := open(t, "sqlite://"+path)
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: the file is not there: %v", path, err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 8 {
		t.Errorf("%d files after closing, %v: %v", len(files), err, files)
	}
}

func TestFileModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	s := open(t, "sqlite://"+path)
	must(t)(s.Adopt(t.Context(), entry()))
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want 0600", name, info.Mode(), err)
		}
	}
	s.Close()
	if err := os.Chmod(path, 0o640); err != nil { // a mode that somebody chose stays
		t.Fatal(err)
	}
	open(t, "sqlite://"+path).Close()
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("the mode became %v", info.Mode())
	}
}

func TestOpenRefusesForeignFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "not.db")
	text := strings.Repeat("this is no database\n", 100)
	must(t)(os.WriteFile(path, []byte(text), 0o600))
	if s, err := sqlstore.Open(t.Context(), "sqlite://"+path); err == nil {
		s.Close()
		t.Fatal("opened a file that is no database")
	}
	if got, _ := os.ReadFile(path); string(got) != text {
		t.Fatal("the file was changed")
	}
}

// TestWaitingEndsWithTheContext holds the write lock as another process would.
func TestWaitingEndsWithTheContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	s := open(t, "sqlite://"+path)
	other, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	must(t)(err)
	defer other.Close()
	tx, err := other.Begin()
	must(t)(err)
	defer tx.Rollback()
	// Longer than the driver waits in one go, far shorter than all goes together.
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	if _, err := s.Adopt(ctx, entry()); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v, want context.DeadlineExceeded", err)
	}
	// Reads go on meanwhile.
	if _, err := s.Customer(1).Source(t.Context(), "x"); !errors.Is(err, registry.ErrNotFound) {
		t.Fatal(err)
	}
	tx.Rollback()
	if _, err := s.Adopt(t.Context(), entry()); err != nil {
		t.Fatalf("after the lock went: %v", err)
	}
}

func entry() registry.ConfigSource {
	return registry.ConfigSource{CustomerID: 31, SourceID: "radio", Name: "Radio", TenantID: "tenant-radio",
		AdServer: &registry.AdServer{Type: "google_ad_manager", NetworkCode: "8080"}, Labels: map[string]string{"a": "b"}}
}

// alter changes a database behind its Store's back.
func alter(t *testing.T, url, statement string) {
	t.Helper()
	driver, name := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		driver, name = "sqlite", path
	}
	db, err := sql.Open(driver, name)
	must(t)(err)
	defer db.Close()
	must(t)(db.ExecContext(t.Context(), statement))
}

func TestClock(t *testing.T) {
	now := time.Date(2029, 2, 3, 4, 5, 6, 123_456_789, time.FixedZone("", 3600))
	s := open(t, "sqlite://:memory:", sqlstore.WithClock(func() time.Time { return now }))
	got, err := s.Adopt(t.Context(), entry())
	must(t)(err)
	if want := time.Date(2029, 2, 3, 3, 5, 6, 123_456_000, time.UTC); got.Managed.Connection.ProvisionedAt != want {
		t.Fatalf("%v, want %v", got.Managed.Connection.ProvisionedAt, want)
	}
}
