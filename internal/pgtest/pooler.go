package pgtest

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
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNoPooler: this machine has no PgBouncer to run.
var ErrNoPooler = errors.New("pgtest: PgBouncer is not installed here: no pgbouncer under /usr/sbin or in PATH")

// poolSize is how many connections to the server a pooler shares among all clients of a database.
const poolSize = 8

// Pooled gives the URL of a database by way of a PgBouncer that gives a connection for each transaction;
// ErrNoPooler. The cluster starts one when it is first asked for, and ends it with itself.
func (c *Cluster) Pooled(ctx context.Context, databaseURL string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", errors.New("pgtest: this is no URL of a database")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pooler == nil {
		if err := c.pool(ctx); err != nil {
			return "", err
		}
	}
	u.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(c.poolerPort))
	return u.String(), nil
}

// pool starts the pooler; c.mu is held.
func (c *Cluster) pool(ctx context.Context) error {
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; !exists(program) {
			return ErrNoPooler
		}
	}
	if c.poolerPort, err = freePort(); err != nil {
		return err
	}
	settings, users := filepath.Join(c.dir, "pooler.ini"), filepath.Join(c.dir, "pooler.users")
	for name, text := range map[string]string{
		users: fmt.Sprintf("%q %q\n", superuser, c.password),
		settings: fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = scram-sha-256
auth_file = %s
pool_mode = transaction
default_pool_size = %d
`, c.port, c.poolerPort, users, poolSize),
	} {
		if err := errors.Join(os.WriteFile(name, []byte(text), 0o600), c.owner.own(name)); err != nil {
			return fmt.Errorf("pgtest: %w", err)
		}
	}
	if c.pooler, err = launch(c.command(context.WithoutCancel(ctx), program, settings)); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	at, _ := url.Parse(c.URL(maintenance)) // it is a URL
	at.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(c.poolerPort))
	for {
		conn, err := pgx.Connect(ctx, at.String())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-c.pooler.ended:
			return errors.New("pgtest: the pooler ended")
		case <-ctx.Done():
			return fmt.Errorf("pgtest: the pooler does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// PooledDatabase is Database by way of a PgBouncer. Where there is none the test is skipped, or fails
// (RequiredVariable).
func PooledDatabase(t TB) string {
	t.Helper()
	databaseURL := Database(t)
	c := Shared(t)
	pooled, err := c.Pooled(t.Context(), databaseURL)
	given(t, c, err)
	return pooled
}
