package redistest

import (
	"context"
	"os"
)

// RequiredVariable names the environment variable that says what a test does where redis-server is not
// installed: with "required" it fails, else it is skipped.
const RequiredVariable = "ESAGATE_TEST_REDIS"

// TB is what is needed of a testing.TB.
type TB interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Logf(format string, args ...any)
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Own gives a server for one test, which may do with it what it likes; it ends with the test. Where there
// is none to be had the test is skipped, or fails (RequiredVariable).
func Own(t TB, opts ...Option) *Server {
	t.Helper()
	s, err := Start(t.Context(), opts...)
	given(t, err, func() error { return s.Stop() })
	return s
}

// OwnSentinels gives a master with a number of replicas and three Sentinels for one test, as Own does.
func OwnSentinels(t TB, replicas int, opts ...Option) (*Sentinels, *Server) {
	t.Helper()
	master := Own(t, opts...)
	for range replicas {
		Own(t, append([]Option{ReplicaOf(master)}, opts...)...)
	}
	g, err := StartSentinels(t.Context(), 3, master, replicas)
	given(t, err, func() error { return g.Stop() })
	return g, master
}

// OwnCluster gives a cluster of three nodes for one test, as Own does.
func OwnCluster(t TB) []*Server {
	t.Helper()
	nodes, err := StartCluster(t.Context(), 3)
	given(t, err, func() error { return stopAll(nodes) })
	return nodes
}

// given ends a test that can't have what it needs, and else has that stopped with the test.
func given(t TB, err error, stop func() error) {
	t.Helper()
	switch {
	case err == nil:
		t.Cleanup(func() {
			if err := stop(); err != nil {
				t.Logf("%v", err)
			}
		})
	case err == ErrNotInstalled && os.Getenv(RequiredVariable) != "required":
		t.Skipf("%v", err)
	default:
		t.Fatalf("%v", err)
	}
}
