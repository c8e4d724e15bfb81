//go:build !linux

package processtest

import "syscall"

func attributes() *syscall.SysProcAttr { return nil }
