package pgtest_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"esagate/internal/pgtest"
)

// value reads one text from a database.
func value(ctx context.Context, databaseURL, query string) (got string, err error) {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return got, conn.QueryRow(ctx, query).Scan(&got)
}

func TestCluster(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	if err := os.Chmod(filepath.Dir(os.Getenv("TMPDIR")), 0o755); err != nil { // the server's user has to get through
		t.Fatal(err)
	}
	if err := os.Chmod(os.Getenv("TMPDIR"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := pgtest.Own(t)
	ctx := t.Context()

	one, err := c.NewDatabase(ctx)
	if err != nil {
		t.Fatal(err)
	}
	two, err := c.NewDatabase(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Exec(ctx, one, `CREATE TABLE kept AS SELECT 'here' AS word`); err != nil {
		t.Fatal(err)
	}
	if got, err := value(ctx, one, `SELECT word FROM kept`); err != nil || got != "here" {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := value(ctx, two, `SELECT word FROM kept`); err == nil {
		t.Fatal("two databases share a table")
	}
	if got, err := value(ctx, one, `SHOW fsync`); err != nil || got != "off" {
		t.Fatalf("fsync %q, %v", got, err)
	}

	// Down and up again: same URL, same data; a crash loses nothing that was answered.
	for _, end := range []func() error{c.Down, c.Crash} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if _, err := value(ctx, one, `SELECT 'x'`); err == nil {
			t.Fatal("a server that is down answers")
		}
		if err := c.Up(ctx); err != nil {
			t.Fatal(err)
		}
		if got, err := value(ctx, one, `SELECT word FROM kept`); err != nil || got != "here" {
			t.Fatalf("after it came back: %q, %v", got, err)
		}
	}

	// A paused server gives no answer at all, on old connections and new ones.
	conn, err := pgx.Connect(ctx, one)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if err := c.Pause(); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if err := conn.Ping(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a paused server: %v", err)
	}
	if _, err := value(short, one, `SELECT 'x'`); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a paused server, newly asked: %v", err)
	}
	if err := c.Resume(); err != nil {
		t.Fatal(err)
	}
	if got, err := value(ctx, one, `SELECT word FROM kept`); err != nil || got != "here" {
		t.Fatalf("after the pause: %q, %v", got, err)
	}

	if err := c.DropDatabase(ctx, one); err != nil {
		t.Fatal(err)
	}
	if _, err := value(ctx, one, `SELECT 'x'`); err == nil {
		t.Fatal("a dropped database answers")
	}
	for range 2 {
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := c.Up(ctx); err == nil {
		t.Error("it starts after it was stopped for good")
	}
}

func TestDurable(t *testing.T) {
	c := pgtest.Own(t, pgtest.Durable())
	for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		if got, err := value(t.Context(), c.URL("postgres"), `SHOW `+setting); err != nil || got != "on" {
			t.Errorf("%s is %q, %v", setting, got, err)
		}
	}
}

// TestSharedDatabases: one server, a database for each test, which goes with it.
func TestSharedDatabases(t *testing.T) {
	var urls []string
	for range 2 {
		t.Run("a test", func(t *testing.T) {
			databaseURL := pgtest.Database(t)
			if err := pgtest.Shared(t).Exec(t.Context(), databaseURL, `CREATE TABLE mine (x INT)`); err != nil {
				t.Fatal(err)
			}
			urls = append(urls, databaseURL)
		})
	}
	if len(urls) != 2 {
		t.SkipNow() // as the tests inside were
	}
	parsed := make([]*url.URL, 2)
	for i := range urls {
		var err error
		if parsed[i], err = url.Parse(urls[i]); err != nil {
			t.Fatal(err)
		}
		if _, err := value(t.Context(), urls[i], `SELECT 'x'`); err == nil || !strings.Contains(err.Error(), "does not exist") {
			t.Errorf("the database of a test that is over: %v", err)
		}
	}
	if parsed[0].Host != parsed[1].Host || parsed[0].Path == parsed[1].Path {
		t.Errorf("%s and %s", parsed[0].Host+parsed[0].Path, parsed[1].Host+parsed[1].Path)
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := pgtest.StopShared(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
