package sqlstore

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// No error here repeats a URL or a part of one: any part can be a piece of a
// password that was not percent-encoded.

// memoryPath is the path of a database that lives and dies with its Store.
const memoryPath = ":memory:"

// sqlitePath reads what follows `sqlite://`: a path, which is taken as it stands,
// relative or absolute.
func sqlitePath(path string) (string, error) {
	switch {
	case path == "":
		return "", errors.New("store url: the path after sqlite:// is missing")
	case strings.ContainsAny(path, "?#"):
		return "", errors.New("store url: a path with ? or # is not supported, and there are no parameters")
	case strings.IndexByte(path, 0) >= 0:
		return "", errors.New("store url: the path holds a zero byte")
	}
	return path, nil
}

// postgresConfig reads a PostgreSQL URL that the config has accepted: there are the
// rules of what one may hold. What it does not say comes from where libpq takes it:
// PGPASSWORD and its like, and ~/.pgpass.
func postgresConfig(url string) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(url)
	var file *fs.PathError
	switch {
	case errors.As(err, &file):
		return nil, errors.New("store url: a certificate or key file that it names can't be read: " + plainCause(file.Err))
	case err != nil:
		return nil, errors.New("store url: not a PostgreSQL URL like postgres://user:password@host:5432/database?sslmode=verify-full," +
			" or a parameter has a value that libpq does not know")
	}
	if cfg.ConnectTimeout <= 0 { // 0 would be for ever
		cfg.ConnectTimeout = connectTimeout
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "esagate"
	}
	return cfg, nil
}

// attempts are the hosts that a connection is tried with, in their order.
func attempts(cfg *pgconn.Config) []*pgconn.FallbackConfig {
	return append([]*pgconn.FallbackConfig{{Host: cfg.Host, Port: cfg.Port}}, cfg.Fallbacks...)
}

// plainCause returns the operating system's words for an error, and no others.
func plainCause(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return "its content is not what it should be"
}

// connectTimeout bounds how long one host has to let us in, unless the URL's
// connect_timeout says otherwise.
const connectTimeout = 5 * time.Second
