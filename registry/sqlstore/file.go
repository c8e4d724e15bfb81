package sqlstore

import (
	"context"
	"database/sql/driver"
	"fmt"
	"os"
	"sync/atomic"
)

// errReplaced: what is written would be lost. It is so until the file is back, or the process
// is started again.
var errReplaced error = ownError("the SQLite file, or its log, was moved, deleted or replaced since it was opened: " +
	"put it back, or restart to use what is there now")

// dbFile is a SQLite file as it was opened. SQLite goes on with a file that has been taken
// away: what is committed to it is lost with the process.
type dbFile struct {
	path string
	file os.FileInfo
	log  atomic.Pointer[os.FileInfo] // of the connection that writes; nil: it has written nothing yet
}

func newFile(path string) (*dbFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return &dbFile{path: path, file: info}, nil
}

func logOf(path string) string { return path + "-wal" }

// committed is there after a commit: the first one of a connection has made the log, if there was none.
func (f *dbFile) committed() error {
	if f != nil && f.log.Load() == nil {
		if info, err := os.Stat(logOf(f.path)); err == nil {
			f.log.Store(&info)
		}
	}
	return f.there()
}

// there gives errReplaced unless the path leads to the file that was opened, and beside it to the
// log that is written. It costs some microseconds, a synced commit a hundred times as much (see BenchmarkFileLook).
func (f *dbFile) there() error {
	if f == nil {
		return nil // PostgreSQL, or in memory
	}
	if info, err := os.Stat(f.path); err != nil || !os.SameFile(info, f.file) {
		return errReplaced
	}
	if log := f.log.Load(); log != nil {
		if info, err := os.Stat(logOf(f.path)); err != nil || !os.SameFile(info, *log) {
			return errReplaced
		}
	}
	return nil
}

// connector opens connections to the file that was opened first, and to no other in its place.
type connector struct {
	driver driver.Driver
	name   string
	file   *dbFile
	writes bool
}

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c.driver }

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.name)
	if err != nil {
		if away := c.file.there(); away != nil {
			err = away
		}
		return nil, err
	}
	if c.writes { // another connection may have another log
		c.file.log.Store(nil)
	}
	if err := c.file.there(); err != nil {
		return nil, both(err, conn.Close())
	}
	return conn, nil
}
