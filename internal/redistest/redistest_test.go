package redistest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"esagate/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func do(t *testing.T, s *redistest.Server, args ...any) any {
	t.Helper()
	answer, err := s.Do(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// TestServer: what is kept over an end, a pause, and nothing that stays behind.
func TestServer(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, durable := range []bool{false, true} {
		opts := []redistest.Option{redistest.Password("CANARY")}
		if durable {
			opts = append(opts, redistest.Durable())
		}
		s := redistest.Own(t, opts...)
		do(t, s, "SET", "kept", "here")
		if err := errors.Join(s.Down(), s.Up(t.Context())); err != nil {
			t.Fatal(err)
		}
		if got := do(t, s, "EXISTS", "kept"); (got == int64(1)) != durable {
			t.Errorf("durable %v: after it came back there are %v", durable, got)
		}
		if err := s.Pause(); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := s.Do(short, "PING"); err == nil {
			t.Error("a paused server answers")
		}
		if err := s.Resume(); err != nil {
			t.Fatal(err)
		}
		do(t, s, "PING")
		if err := errors.Join(s.Stop(), s.Stop()); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestLimits: a full server and a replica refuse writes.
func TestLimits(t *testing.T) {
	master := redistest.Own(t)
	for word, opt := range map[string]redistest.Option{"OOM": redistest.MaxMemory(1), "READONLY": redistest.ReplicaOf(master)} {
		s := redistest.Own(t, opt)
		if _, err := s.Do(t.Context(), "SET", "a", "b"); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", word, err)
		}
	}
}

// TestTLS: the server speaks TLS alone, with a certificate that its authority vouches for.
func TestTLS(t *testing.T) {
	s := redistest.Own(t, redistest.WithTLS())
	ca, err := os.ReadFile(s.CA())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatal("no certificate")
	}
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", s.Addr(), &tls.Config{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(s.URL(), "rediss://") {
		t.Error(s.URL())
	}
}

// TestSentinels: when the master ends another server is it.
func TestSentinels(t *testing.T) {
	g, master := redistest.OwnSentinels(t, 1, redistest.Password("CANARY"))
	if addr, err := g.Master(t.Context()); err != nil || addr != master.Addr() {
		t.Fatalf("%s, %v", addr, err)
	}
	if err := master.Down(); err != nil {
		t.Fatal(err)
	}
	for {
		addr, err := g.Master(t.Context())
		if err != nil {
			t.Fatal(err) // the test's own deadline included
		}
		if addr != master.Addr() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestCluster: each node has its part of the keys.
func TestCluster(t *testing.T) {
	nodes := redistest.OwnCluster(t)
	o, err := redis.ParseClusterURL(redistest.ClusterURL(nodes))
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClusterClient(o)
	defer func() { _ = c.Close() }()
	for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		if err := c.Set(t.Context(), key, key, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range nodes {
		if n := do(t, s, "DBSIZE"); n == int64(0) || n == int64(8) {
			t.Errorf("%v keys", n)
		}
	}
}
