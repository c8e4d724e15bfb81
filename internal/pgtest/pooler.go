package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"esagate/internal/processtest"
)

// ErrNoPooler: this machine has no PgBouncer to run.
var ErrNoPooler = errors.New("pgtest: PgBouncer is not installed here: no pgbouncer under /usr/sbin or in PATH")

// poolSize is how many connections to the server a pooler shares among all clients of a database.
const poolSize = 8

// pool starts the pooler unless it runs; ErrNoPooler.
func (c *Cluster) pool(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pooler != nil {
		return nil
	}
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; !exists(program) {
			return ErrNoPooler
		}
	}
	if c.poolerPort, err = processtest.FreePort(); err != nil {
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
	c.pooler, err = c.start(ctx, c.command(context.WithoutCancel(ctx), program, settings), c.pooledURL(c.URL(maintenance)))
	return err
}

// pooledURL gives the URL of a database by way of the pooler.
func (c *Cluster) pooledURL(databaseURL string) string {
	return strings.Replace(databaseURL, fmt.Sprintf(":%d/", c.port), fmt.Sprintf(":%d/", c.poolerPort), 1)
}

// PooledDatabase is Database by way of a PgBouncer that gives a connection for each transaction. Where
// there is none the test is skipped, or fails (RequiredVariable). The shared cluster starts one when it is
// first asked for, and ends it with itself.
func PooledDatabase(t TB) string {
	t.Helper()
	databaseURL := Database(t)
	c := Shared(t)
	given(t, c, c.pool(t.Context()))
	return c.pooledURL(databaseURL)
}
