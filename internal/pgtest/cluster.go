// Package pgtest runs a throw-away PostgreSQL server for tests and benchmarks: a
// cluster of its own in a temporary folder, on a free port of the loopback
// interface, from the programs that Debian's postgresql packages install. It never
// touches a server that is there already. It does not import testing, and nothing
// that serves requests may reach it.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"esagate/internal/processtest"
)

// ErrNotInstalled: this machine has no PostgreSQL server to run.
var ErrNotInstalled = errors.New("pgtest: PostgreSQL is not installed here: no initdb under /usr/lib/postgresql/*/bin or in PATH")

const (
	superuser   = "pgtest"
	maintenance = "postgres" // the database that initdb makes

	stepTimeout = 30 * time.Second // of one step: initdb, a start, a stop
	startTries  = 4                // a free port can be gone when the server asks for it
)

// Option changes how a cluster is made.
type Option func(*Cluster)

// Durable lets the server wait for the disk as it does by default. Without it a
// cluster is faster, and does not survive the machine, though it survives its own end.
func Durable() Option { return func(c *Cluster) { c.durable = true } }

// Cluster is a running PostgreSQL server with its data. Its methods are safe for
// concurrent use.
type Cluster struct {
	durable  bool
	bin      string // folder of the programs
	dir      string // folder of the cluster, its owner's alone
	owner    owner
	password string
	port     int

	mu         sync.Mutex
	server     *processtest.Process // nil while it is down
	pooler     *processtest.Process // nil until it is asked for
	poolerPort int
	stopped    bool
	databases  int
}

// Start makes a cluster and starts its server; ErrNotInstalled. The context bounds
// the start alone. The caller that starts a cluster stops it.
func Start(ctx context.Context, opts ...Option) (*Cluster, error) {
	bin, err := findPrograms()
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: bin, password: rand.Text()}
	for _, opt := range opts {
		opt(c)
	}
	if c.owner, err = findOwner(); err != nil {
		return nil, err
	}
	if err := c.make(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	for range startTries {
		if c.port, err = processtest.FreePort(); err != nil {
			break
		}
		if err = c.Up(ctx); err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// make makes the folder and the data in it.
func (c *Cluster) make(ctx context.Context) (err error) {
	if c.dir, err = os.MkdirTemp("", "pgtest-"); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	secret := filepath.Join(c.dir, "password")
	if err := os.WriteFile(secret, []byte(c.password), 0o600); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	for _, name := range []string{c.dir, secret} {
		if err := c.owner.own(name); err != nil {
			return fmt.Errorf("pgtest: %w", err)
		}
	}
	return c.run(ctx, "initdb", "--pgdata="+c.data(), "--username="+superuser, "--pwfile="+secret,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// URL gives the URL of a database, password included, as `store.url` takes it.
func (c *Cluster) URL(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, c.password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)),
		Path:     database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// NewDatabase makes an empty database and gives its URL.
func (c *Cluster) NewDatabase(ctx context.Context) (string, error) {
	c.mu.Lock()
	c.databases++
	name := fmt.Sprintf("fresh_%d", c.databases)
	c.mu.Unlock()
	if err := c.Exec(ctx, c.URL(maintenance), "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		return "", err
	}
	return c.URL(name), nil
}

// DropDatabase drops a database that NewDatabase made, also while it has connections.
func (c *Cluster) DropDatabase(ctx context.Context, databaseURL string) error {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return errors.New("pgtest: this is no URL of a database")
	}
	return c.Exec(ctx, c.URL(maintenance), "DROP DATABASE IF EXISTS "+pgx.Identifier{filepath.Base(u.Path)}.Sanitize()+" WITH (FORCE)")
}

// Exec runs one statement on a connection of its own, past whatever is under test.
func (c *Cluster) Exec(ctx context.Context, databaseURL, statement string, args ...any) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, statement, args...); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	return nil
}

// Stop ends the server and removes all that it kept. A second call does nothing.
func (c *Cluster) Stop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return nil
	}
	c.stopped = true
	err := errors.Join(c.pooler.End(immediate), c.end(immediate)) // nothing of it is needed any more
	if c.dir != "" {
		err = errors.Join(err, os.RemoveAll(c.dir))
	}
	return err
}
