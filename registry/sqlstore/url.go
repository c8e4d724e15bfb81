package sqlstore

import (
	"errors"
	"strings"
)

// memoryPath is the path of a database that lives and dies with its Store.
const memoryPath = ":memory:"

// sqlitePath reads a store URL: `sqlite://` and a path, which is taken as it
// stands, relative or absolute. No error repeats the URL: one that is meant for
// another database can hold a password.
func sqlitePath(url string) (string, error) {
	scheme, path, found := strings.Cut(url, "://")
	switch {
	case found && scheme == "sqlite":
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return "", errors.New("store url: PostgreSQL is not supported by this version; use sqlite://<path>")
	default:
		return "", errors.New("store url: must be sqlite://<path>, for instance sqlite://esagate.db")
	}
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
