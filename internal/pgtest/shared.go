package pgtest

import (
	"context"
	"os"
	"sync"
)

// RequiredVariable names the environment variable that says what a test does where
// PostgreSQL is not installed: with "required" it fails, else it is skipped.
const RequiredVariable = "ESAGATE_TEST_POSTGRES"

// TB is what is needed of a testing.TB.
type TB interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Logf(format string, args ...any)
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// shared is the one cluster of a test program.
var shared struct {
	sync.Mutex
	cluster *Cluster
	err     error
}

// Shared gives the test program's own cluster, started when it is first asked for;
// StopShared, called by TestMain, ends it. Where there is no PostgreSQL the test is
// skipped, or fails (RequiredVariable).
func Shared(t TB) *Cluster {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil && shared.err == nil {
		// Not the test's context: the cluster stays when the test is over.
		shared.cluster, shared.err = Start(context.WithoutCancel(t.Context()))
	}
	return given(t, shared.cluster, shared.err)
}

// StopShared ends the cluster that Shared has started, if it did.
func StopShared() error {
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil {
		return nil
	}
	return shared.cluster.Stop()
}

// Own gives a cluster for one test alone, which may take it down; it ends with the
// test.
func Own(t TB, opts ...Option) *Cluster {
	t.Helper()
	c, err := Start(t.Context(), opts...)
	if err == nil {
		t.Cleanup(func() {
			if err := c.Stop(); err != nil {
				t.Logf("%v", err)
			}
		})
	}
	return given(t, c, err)
}

func given(t TB, c *Cluster, err error) *Cluster {
	t.Helper()
	switch {
	case err == nil:
	case (err == ErrNotInstalled || err == ErrNoPooler) && os.Getenv(RequiredVariable) != "required":
		t.Skipf("%v", err)
	default:
		t.Fatalf("%v", err)
	}
	return c
}

// Database gives the URL of an empty database of the shared cluster, which is
// dropped when the test is over.
func Database(t TB) string {
	t.Helper()
	c := Shared(t)
	databaseURL, err := c.NewDatabase(t.Context())
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stepTimeout)
		defer cancel()
		if err := c.DropDatabase(ctx, databaseURL); err != nil {
			t.Logf("%v", err)
		}
	})
	return databaseURL
}
