package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"esagate/internal/config"
	"esagate/internal/terminal"
	"esagate/internal/word"
)

// listen listens on an address, and says what to do where that can't be had.
func listen(address, setBy string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	var malformed *net.AddrError
	switch {
	case err == nil:
		return l, nil
	case errors.As(err, &malformed):
		return nil, unfit{fmt.Errorf("%s must be host:port, as 127.0.0.1:8080 (%s)", address, setBy)}
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is taken by another process, perhaps another esagate: end that, or set another address (%s)", address, setBy)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("%s is no address of this machine: set another one (%s)", address, setBy)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s may not be listened on without privileges: set a port of 1024 or above (%s)", address, setBy)
	}
	return nil, err
}

// missing says what a file that is not there was perhaps meant to be; "" where it is there, or
// nothing in its folder is called alike.
func missing(path string) string {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	folder, name := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Join(folder, "."))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	if near := word.Closest(name, names); near != "" {
		return ": did you mean " + terminal.Safe(folder+near) + "?"
	}
	return ""
}

// fileFault says why a file that was named can't be read.
func fileFault(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %s%s", path, missing(path))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s may not be read: permission denied", path)
	}
	return fmt.Errorf("%s can't be read", path)
}

// folderThere says that the folder of the database's file is missing, where it is: SQLite says no
// more than that it could not open the file.
func folderThere(cfg *config.Config) error {
	file, ok := strings.CutPrefix(cfg.Store.URL.Reveal(), "sqlite://")
	if !ok {
		return nil
	}
	folder := filepath.Dir(file)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: there is no folder %s for the database %s: make it, or set store.url", folder, filepath.Base(file))
	}
	return nil
}
