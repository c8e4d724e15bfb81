package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"esagate/internal/processtest"
)

// Signals that end a server (PostgreSQL, "Shutting Down the Server").
const (
	fast      = syscall.SIGINT  // open transactions are rolled back, what is committed is written out
	immediate = syscall.SIGQUIT // as in a crash: the next start recovers from the log
)

// Up starts the server again, on the port that it had, and waits until it answers.
func (c *Cluster) Up(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped || c.server != nil {
		return errors.New("pgtest: the server is up, or stopped for good")
	}
	// No socket file: its path would be longer than the system allows under some
	// temporary folders.
	args := []string{"-D", c.data(), "-p", strconv.Itoa(c.port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "shared_buffers=32MB", "-c", "max_connections=120",
		"-c", "log_checkpoints=off", "-c", "timezone=UTC"}
	if !c.durable {
		args = append(args, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	var err error
	c.server, err = c.start(ctx, c.command(context.WithoutCancel(ctx), "postgres", args...), c.URL(maintenance))
	return err
}

// start starts a server, which writes to the cluster's log, and waits until it answers at a URL.
func (c *Cluster) start(ctx context.Context, cmd *exec.Cmd, databaseURL string) (*processtest.Process, error) {
	log, err := os.OpenFile(c.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	defer log.Close() // the server has its own copy
	cmd.Stdout, cmd.Stderr = log, log
	s, err := processtest.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	if err := c.answer(ctx, s, databaseURL); err != nil {
		return nil, errors.Join(err, s.End(immediate))
	}
	return s, nil
}

// answer waits until a server accepts a connection.
func (c *Cluster) answer(ctx context.Context, s *processtest.Process, databaseURL string) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, databaseURL)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.Ended():
			return fmt.Errorf("pgtest: the server ended: %s", c.tail())
		case <-ctx.Done():
			return fmt.Errorf("pgtest: the server does not answer: %w: %s", ctx.Err(), c.tail())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Down stops the server in good order and keeps its data and its port.
func (c *Cluster) Down() error { return c.down(fast) }

// Crash stops the server in the middle of what it does, and keeps its data and port.
func (c *Cluster) Crash() error { return c.down(immediate) }

func (c *Cluster) down(how syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end(how)
}

// end ends the server, by its own id; c.mu is held.
func (c *Cluster) end(how syscall.Signal) error {
	s := c.server
	c.server = nil
	return s.End(how, immediate)
}

// Pause makes the server hang: what is sent to it gets no answer, and no error
// either, until Resume.
func (c *Cluster) Pause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil {
		return errors.New("pgtest: the server is down")
	}
	return pause(c.server.Pid())
}

// Resume lets a paused server go on where it was.
func (c *Cluster) Resume() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil {
		return errors.New("pgtest: the server is down")
	}
	return resume(c.server.Pid())
}

// run runs one of PostgreSQL's programs to its end.
func (c *Cluster) run(ctx context.Context, program string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	if out, err := c.command(ctx, program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("pgtest: %s: %w: %s", program, err, bytes.TrimSpace(out))
	}
	return nil
}

// command prepares one of PostgreSQL's programs, or another by its absolute path. Nothing of our
// environment reaches it: PGDATA and the like would change what it does.
func (c *Cluster) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	if !filepath.IsAbs(program) {
		program = filepath.Join(c.bin, program)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = c.dir
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=" + c.bin + string(os.PathListSeparator) + os.Getenv("PATH")}
	cmd.SysProcAttr = c.owner.attributes()
	return cmd
}

func (c *Cluster) log() string { return filepath.Join(c.dir, "log") }

// tail gives the end of the server's log.
func (c *Cluster) tail() []byte {
	const most = 2000
	text, err := os.ReadFile(c.log())
	if err != nil {
		return nil
	}
	return bytes.TrimSpace(text[max(0, len(text)-most):])
}
