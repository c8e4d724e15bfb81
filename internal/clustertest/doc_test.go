// Package clustertest has tests alone: two and three real gateways on a real PostgreSQL and a real Redis, before
// the simulated sales agent, under load, while something is taken from them. They take minutes and run by
// `.ci/run cluster`; see ESAGATE_TEST_CLUSTER.
package clustertest_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"esagate/internal/pgtest"
)

// clusterVariable names the environment variable that has these tests run: "required". Else they are skipped.
const clusterVariable = "ESAGATE_TEST_CLUSTER"

// binaries are the gateway with the race detector, and the one that it is replaced by in an upgrade, without.
var binaries struct{ watched, newer string }

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv(clusterVariable) != "required" {
		return m.Run()
	}
	folder, err := os.MkdirTemp("", "clustertest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	defer func() { _ = pgtest.StopShared() }()
	binaries.watched, binaries.newer = filepath.Join(folder, "watched"), filepath.Join(folder, "newer")
	// SQLite's engine is C turned into Go, and not used here.
	err = errors.Join(
		build("-race", "-gcflags=modernc.org/sqlite/lib=-race=false", "-gcflags=modernc.org/libc/...=-race=false", "-o", binaries.watched),
		build("-ldflags=-X main.version=9.9.9", "-o", binaries.newer))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func build(args ...string) error {
	if out, err := exec.Command("go", append(append([]string{"build"}, args...), "esagate/cmd/esagate")...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}
