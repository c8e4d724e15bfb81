package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startTimeout = 15 * time.Second
	stopTimeout  = 10 * time.Second // after SIGTERM; then the child is killed
)

// child is a server that runs in a process of its own.
type child struct {
	name    string
	address string // host:port

	cmd   *exec.Cmd
	stdin io.WriteCloser // orders to a profiled child
	log   *childLog
	once  sync.Once
	err   error
}

// launch runs a program.
func launch(name string, env []string, program string, args ...string) (*child, error) {
	c := &child{name: name, cmd: exec.Command(program, args...), log: newChildLog()}
	// What is set for the gateway on this machine is not meant for this one.
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ESAGATE_") {
			c.cmd.Env = append(c.cmd.Env, v)
		}
	}
	c.cmd.Env = append(c.cmd.Env, env...)
	c.cmd.Stderr = c.log
	c.cmd.WaitDelay = stopTimeout
	var err error
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	c.log.watch(func() { _ = c.cmd.Wait() })
	return c, nil
}

// startChild runs a program and waits until it says on stderr, in a JSON line
// with the message "serving", which address it has taken.
func startChild(ctx context.Context, name string, env []string, program string, args ...string) (*child, error) {
	c, err := launch(name, env, program, args...)
	if err != nil {
		return nil, err
	}
	select {
	case c.address = <-c.log.address:
		return c, nil
	case <-c.log.ended:
		err = errors.New("it ended")
	case <-time.After(startTimeout):
		err = errors.New("it did not say where it serves")
	case <-ctx.Done():
		err = ctx.Err()
	}
	_ = c.stop() // the reason for stopping is the one to tell
	return nil, fmt.Errorf("start %s: %w\n%s", name, err, c.log.tail())
}

// startSelf runs this program as one of its own servers.
func startSelf(ctx context.Context, name string, env []string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return startChild(ctx, name, env, self, args...)
}

// stop ends the child by its own process id and waits for it.
func (c *child) stop() error {
	c.once.Do(func() {
		_ = c.stdin.Close()
		_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		select {
		case <-c.log.ended:
		case <-time.After(stopTimeout):
			_ = c.cmd.Process.Kill()
			<-c.log.ended
			c.err = fmt.Errorf("%s did not stop in %s and was killed", c.name, stopTimeout)
		}
	})
	return c.err
}

// order writes a line to the child's standard input.
func (c *child) order(line string) error {
	_, err := io.WriteString(c.stdin, line+"\n")
	return err
}
