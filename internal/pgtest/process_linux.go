package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// owner is the user that the programs run as; the zero value is the current user.
type owner struct{ credential *syscall.Credential }

// findOwner gives an unprivileged user where we are root, whom PostgreSQL refuses.
func findOwner() (owner, error) {
	if os.Geteuid() != 0 {
		return owner{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			continue
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			continue
		}
		return owner{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return owner{}, errors.New("pgtest: PostgreSQL does not run as root, and there is no user postgres or nobody")
}

// own gives a file to the owner.
func (o owner) own(name string) error {
	if o.credential == nil {
		return nil
	}
	return os.Chown(name, int(o.credential.Uid), int(o.credential.Gid))
}

// attributes makes a process the owner's, apart from a terminal's signals to us, and
// ends it (an immediate shutdown, of a server) when we end without having done so.
func (o owner) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: o.credential, Setpgid: true, Pdeathsig: immediate}
}

// pause stops a server and the processes that it has started. The server comes
// first, so that it starts no more of them.
func pause(server int) error {
	if err := syscall.Kill(server, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("pgtest: pause: %w", err)
	}
	return signalChildren(server, syscall.SIGSTOP)
}

func resume(server int) error {
	if err := signalChildren(server, syscall.SIGCONT); err != nil {
		return err
	}
	if err := syscall.Kill(server, syscall.SIGCONT); err != nil {
		return fmt.Errorf("pgtest: resume: %w", err)
	}
	return nil
}

func signalChildren(server int, signal syscall.Signal) error {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", server))
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	for _, text := range strings.Fields(string(children)) {
		pid, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("pgtest: %w", err)
		}
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("pgtest: %w", err)
		}
	}
	return nil
}
