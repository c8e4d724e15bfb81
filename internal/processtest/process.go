// Package processtest runs other programs for tests and benchmarks: servers that end with the test program,
// whatever way that ends, and can be made to hang. It does not import testing, and nothing that serves
// requests may reach it.
package processtest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

const endTimeout = 30 * time.Second // after each signal

// Process is a running program. Its methods are safe for concurrent use.
type Process struct {
	process *os.Process
	ended   chan struct{} // closed when it has ended and was waited for
	state   *os.ProcessState
}

// Start starts a program. One without attributes of its own gets a process group of its own, apart from a
// terminal's signals to us, and is killed when we end without having ended it: the kernel ties that to the
// thread that started it, which therefore waits with it.
func Start(cmd *exec.Cmd) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = attributes()
	}
	p := &Process{ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		p.process = cmd.Process
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
			p.state = cmd.ProcessState
		}
		close(p.ended)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("processtest: %w", err)
	}
	return p, nil
}

// Pid is the process's id.
func (p *Process) Pid() int { return p.process.Pid }

// Ended is closed when the program has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Succeeded reports whether the program has ended with status 0.
func (p *Process) Succeeded() bool {
	select {
	case <-p.ended:
		return p.state != nil && p.state.Success()
	default:
		return false
	}
}

// End sends signals, each when the one before has not ended the program in 30 s, and waits for its end; the
// last resort is SIGKILL. A nil Process has ended.
func (p *Process) End(signals ...os.Signal) error {
	if p == nil {
		return nil
	}
	for _, signal := range append(signals, os.Kill) {
		if err := p.process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("processtest: %w", err)
		}
		select {
		case <-p.ended:
			return nil
		case <-time.After(endTimeout):
		}
	}
	return errors.New("processtest: the program does not end")
}

// Pause makes the program hang until Resume: what is sent to it gets no answer, and no error either.
func (p *Process) Pause() error { return p.process.Signal(syscall.SIGSTOP) }

// Resume lets a paused program go on where it was.
func (p *Process) Resume() error { return p.process.Signal(syscall.SIGCONT) }

// FreePort gives a port of the loopback interface that was free a moment ago.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("processtest: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
