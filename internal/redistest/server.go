// Package redistest runs throw-away Redis servers for tests and benchmarks, from Debian's redis-server: one
// alone, a replica of another, Sentinels, a cluster. Each has a free port of the loopback interface and a
// temporary folder, and ends with the test program. It never touches a server that is there already. It
// does not import testing, and nothing that serves requests may reach it.
package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"esagate/internal/processtest"
)

// ErrNotInstalled: this machine has no Redis server to run.
var ErrNotInstalled = errors.New("redistest: redis-server is not in PATH")

const (
	stepTimeout = 20 * time.Second // of a start, or of a change that is waited for
	startTries  = 4                // a free port can be gone when the server asks for it
	pollPause   = 10 * time.Millisecond
)

// Option changes how a server is made.
type Option func(*Server)

// Password has the server want a password of its clients, and replicas of one another.
func Password(p string) Option { return func(s *Server) { s.password = p } }

// MaxMemory bounds what the server keeps, in bytes; beyond it writes are refused (noeviction).
func MaxMemory(bytes int) Option {
	return func(s *Server) {
		s.args = append(s.args, "--maxmemory", strconv.Itoa(bytes), "--maxmemory-policy", "noeviction")
	}
}

// ReplicaOf makes the server a replica of another, which takes reads alone.
func ReplicaOf(other *Server) Option {
	return func(s *Server) { s.args = append(s.args, "--replicaof", "127.0.0.1", strconv.Itoa(other.port)) }
}

// Durable has the server keep what it has over Down and Up. Else it comes back empty.
func Durable() Option {
	return func(s *Server) { s.args = append(s.args, "--appendonly", "yes", "--appendfsync", "always") }
}

// WithTLS has the server speak TLS alone, with a certificate for 127.0.0.1 of an authority of its own: [Server.CA].
func WithTLS() Option { return func(s *Server) { s.tls = true } }

// Server is a Redis server. Its methods are safe for concurrent use.
type Server struct {
	args     []string
	settings string // of a Sentinel, which writes to its file
	bus      int    // port on which the nodes of a cluster talk
	password string
	tls      bool
	dir      string
	port     int

	mu      sync.Mutex
	process *processtest.Process // nil while it is down
}

// Start starts a server and waits until it answers; ErrNotInstalled. The context bounds the start alone. The
// caller that starts a server stops it.
func Start(ctx context.Context, opts ...Option) (*Server, error) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return nil, ErrNotInstalled
	}
	s := &Server{}
	for _, opt := range opts {
		opt(s)
	}
	var err error
	if s.dir, err = os.MkdirTemp("", "redistest-"); err != nil {
		return nil, fmt.Errorf("redistest: %w", err)
	}
	if s.tls {
		if err := writeCertificates(s.dir); err != nil {
			return nil, errors.Join(err, s.Stop())
		}
	}
	for range startTries {
		if s.port, err = processtest.FreePort(); err != nil {
			break
		}
		if err = s.Up(ctx); err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Addr is the server's host and port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the server's address, password included, as `snapshot.redis_url` takes it.
func (s *Server) URL() string {
	u := url.URL{Scheme: "redis", Host: s.Addr()}
	if s.tls {
		u.Scheme = "rediss"
	}
	if s.password != "" {
		u.User = url.UserPassword("", s.password)
	}
	return u.String()
}

// CA is the file with the certificate of the authority that signed the server's (WithTLS).
func (s *Server) CA() string { return filepath.Join(s.dir, "ca.pem") }

// Up starts the server again, on the port that it had, and waits until it answers.
func (s *Server) Up(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		return errors.New("redistest: the server is up")
	}
	port := strconv.Itoa(s.port)
	var args []string
	if s.settings != "" {
		name := filepath.Join(s.dir, "sentinel.conf")
		if err := os.WriteFile(name, []byte(s.settings), 0o600); err != nil {
			return fmt.Errorf("redistest: %w", err)
		}
		args = append(args, name, "--sentinel")
	}
	args = append(args, "--bind", "127.0.0.1", "--dir", s.dir, "--logfile", filepath.Join(s.dir, "log"))
	if s.settings == "" {
		args = append(args, "--save", "", "--repl-diskless-sync-delay", "0")
	}
	if s.tls {
		file := func(name string) string { return filepath.Join(s.dir, name) }
		args = append(args, "--port", "0", "--tls-port", port, "--tls-cert-file", file("cert.pem"), "--tls-key-file", file("key.pem"),
			"--tls-ca-cert-file", file("ca.pem"), "--tls-auth-clients", "no")
	} else {
		args = append(args, "--port", port)
	}
	if s.password != "" {
		args = append(args, "--requirepass", s.password, "--masterauth", s.password)
	}
	cmd := exec.Command("redis-server", append(args, s.args...)...)
	cmd.Dir = s.dir
	p, err := processtest.Start(cmd)
	if err != nil {
		return err
	}
	if err := s.answers(ctx, p); err != nil {
		return errors.Join(err, p.End())
	}
	s.process = p
	return nil
}

// answers waits until the server takes connections.
func (s *Server) answers(ctx context.Context, p *processtest.Process) error {
	return s.wait(ctx, "the server does not answer", func() (bool, error) {
		select {
		case <-p.Ended():
			return false, errors.New("redistest: the server ended")
		default:
		}
		conn, err := net.Dial("tcp", s.Addr())
		if err != nil {
			return false, nil
		}
		return true, conn.Close()
	})
}

// wait waits until done, and tells the end of the log where that takes too long.
func (s *Server) wait(ctx context.Context, otherwise string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	for {
		ok, err := done()
		if ok && err == nil {
			return nil
		}
		if err == nil {
			select {
			case <-time.After(pollPause):
				continue
			case <-ctx.Done():
				err = fmt.Errorf("redistest: %s: %w", otherwise, ctx.Err())
			}
		}
		const most = 1500
		text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("%w: %s", err, text[max(0, len(text)-most):])
	}
}

// Down ends the server at once, as a crash does, and keeps its port. It comes back empty unless it is Durable.
func (s *Server) Down() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.process
	s.process = nil
	return p.End(os.Kill)
}

// Pause makes the server hang: what is sent to it gets no answer, and no error either, until Resume.
func (s *Server) Pause() error { return s.signal((*processtest.Process).Pause) }

// Resume lets a paused server go on where it was.
func (s *Server) Resume() error { return s.signal((*processtest.Process).Resume) }

func (s *Server) signal(send func(*processtest.Process) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return errors.New("redistest: the server is down")
	}
	return send(s.process)
}

// Do sends one command on a connection of its own, past whatever is under test. It does not know TLS.
func (s *Server) Do(ctx context.Context, args ...any) (any, error) {
	c := redis.NewClient(&redis.Options{Addr: s.Addr(), Password: s.password})
	defer func() { _ = c.Close() }()
	answer, err := c.Do(ctx, args...).Result()
	if err != nil {
		return nil, fmt.Errorf("redistest: %v: %w", args[0], err)
	}
	return answer, nil
}

// Stop ends the server and removes all that it kept. A second call does nothing.
func (s *Server) Stop() error {
	s.mu.Lock()
	p := s.process
	s.process = nil
	s.mu.Unlock()
	return errors.Join(p.End(syscall.SIGKILL), os.RemoveAll(s.dir))
}
