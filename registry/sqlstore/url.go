package sqlstore

import (
	"errors"
	"io/fs"
	"regexp"
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

// postgresParameters may follow the ? of a PostgreSQL URL; they mean what libpq
// says they do, and default_query_exec_mode what pgx says. The driver would send
// any other one to the server, a misspelt sslmode too.
var postgresParameters = []string{
	"user", "password", "host", "port", "dbname", // as parts of the URL, or here
	"sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslnegotiation", "sslsni",
	"channel_binding", "require_auth", "target_session_attrs", "passfile",
	"connect_timeout", "application_name", "search_path", "default_query_exec_mode",
}

var (
	hostName    = regexp.MustCompile(`^([A-Za-z0-9._:%-]+|/[^@?#]*)$`) // or the folder of a socket
	errEncoding = errors.New("store url: not a PostgreSQL URL like postgres://user:password@host:5432/database?sslmode=verify-full;" +
		" what is not a letter or a digit in a user, a password or a database has to be percent-encoded")
)

// postgresConfig reads a PostgreSQL URL. What it does not say comes from where
// libpq takes it: PGPASSWORD and its like, and ~/.pgpass.
func postgresConfig(url string) (*pgx.ConnConfig, error) {
	if !unambiguous(url) {
		return nil, errEncoding
	}
	var options pgx.ParseConfigOptions
	options.ConnStringAllowedKeys = postgresParameters
	cfg, err := pgx.ParseConfigWithOptions(url, options)
	var file *fs.PathError
	switch {
	case errors.As(err, &file):
		return nil, errors.New("store url: a certificate or key file that it names can't be read: " + plainCause(file.Err))
	case err != nil && strings.Contains(err.Error(), "ConnStringAllowedKeys"): // pgx has no value for it
		return nil, errors.New("store url: it has a parameter that is not supported; there are " + strings.Join(postgresParameters, ", "))
	case err != nil:
		return nil, errors.New(errEncoding.Error() + "; and every parameter needs a value that libpq knows")
	}
	for _, at := range attempts(&cfg.Config) {
		if !hostName.MatchString(at.Host) {
			return nil, errEncoding
		}
	}
	if cfg.ConnectTimeout <= 0 { // 0 would be for ever
		cfg.ConnectTimeout = connectTimeout
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "esagate"
	}
	return cfg, nil
}

// unambiguous reports whether a URL has one reading. A password with a bare @ / or ?
// would be cut there, and its rest taken for a host, which errors name.
func unambiguous(url string) bool {
	_, rest, _ := strings.Cut(url, "://")
	authority, after := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, after = rest[:i], rest[i:]
	}
	path, _, _ := strings.Cut(after, "?")
	return strings.Count(authority, "@") <= 1 && !strings.Contains(after, "@") && strings.Count(path, "/") <= 1 &&
		strings.IndexFunc(url, func(r rune) bool { return r <= ' ' || r == 0x7f }) < 0
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
