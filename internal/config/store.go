package config

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"esagate/internal/cluster"
	"esagate/internal/vault"
)

// encryptionKey is the rule for a key that credentials are encrypted with.
func encryptionKey(s string, _ int) string {
	_, err := vault.New(s)
	var problem vault.KeyError
	switch {
	case errors.As(err, &problem):
		return string(problem)
	case err != nil:
		return "can't be used"
	}
	return ""
}

// Describe names the database for a log: `sqlite esagate.db`, or
// `postgres host:port/name` with no user, password or parameter.
func (s Store) Describe() string {
	text := s.URL.Reveal()
	if path, ok := strings.CutPrefix(text, "sqlite://"); ok {
		return "sqlite " + path
	}
	p, problem := readPostgres(text)
	if problem != "" {
		return "a database that can't be named" // Load lets no such URL pass
	}
	return "postgres " + p.host + "/" + p.name
}

func redisURL(s string, _ int) string {
	if cluster.CheckURL(s) != nil || len(s) > 4096 {
		return "must be redis://<host>:<port>, or rediss:// for TLS; with ?master_name=<name>&addr=<host>:<port> for Sentinels " +
			"and ?addr=<host>:<port> for a cluster"
	}
	return ""
}

func storeURL(s string, _ int) string {
	if strings.HasPrefix(s, "postgres://") || strings.HasPrefix(s, "postgresql://") {
		_, problem := readPostgres(s)
		return problem
	}
	switch path, found := strings.CutPrefix(s, "sqlite://"); {
	case !found || path == "":
		return "must be sqlite://<path>, such as sqlite://esagate.db, " +
			"or postgres://<user>:<password>@<host>:<port>/<database>"
	case strings.ContainsAny(path, "?#"):
		return "must be a path without ? and #: SQLite has no parameters here"
	}
	return plainText(s, 1, 4096)
}

// postgres is what the checks and Describe need of a PostgreSQL URL.
type postgres struct {
	host      string // as written, with its port; or the folder of a Unix socket
	name      string // of the database
	encrypted bool   // as far as it leaves the machine
}

// postgresParameters are those of the driver's that make sense for one database
// and hold no secret.
var postgresParameters = []string{
	"application_name", "channel_binding", "connect_timeout", "default_query_exec_mode", "host", "port",
	"search_path", "sslcert", "sslkey", "sslmode", "sslnegotiation", "sslrootcert",
}

// sslModes are the driver's, the weakest first.
var sslModes = []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}

// readPostgres reads a PostgreSQL URL strictly: what can't be read well could be a
// password in the wrong place. The problem is in words of ours and never repeats a
// part of it, nor the name of a parameter.
func readPostgres(s string) (p postgres, problem string) {
	u, err := url.Parse(s)
	// The driver ends the password at the first @ and net/url at the last one.
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") || len(s) > 4096 || u.Opaque != "" || strings.Contains(s, "#") ||
		strings.Count(s, "@") > 1 || strings.Contains(u.EscapedPath()+u.RawQuery, "@") {
		return p, "must be a PostgreSQL URL; in a user or password, write special characters percent-encoded (@ is %40)"
	}
	parameters, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return p, "has parameters that can't be read"
	}
	for name, values := range parameters {
		switch {
		case !slices.Contains(postgresParameters, name):
			return p, "has a parameter that is not allowed; these are: " + strings.Join(postgresParameters, ", ")
		case len(values) > 1:
			return p, "has the same parameter twice"
		case plainText(values[0], 1, 1024) != "":
			return p, "has a parameter that is empty, too long or holds control characters"
		}
	}
	password, _ := u.User.Password()
	if plainText(u.User.Username(), 0, 1024) != "" || plainText(password, 0, 1024) != "" {
		return p, "has a user or password that is too long or holds control characters"
	}
	host, problem := postgresHost(u, parameters.Get("host"), parameters.Get("port"))
	if problem != "" {
		return p, problem
	}
	p.host, p.name = host, strings.TrimPrefix(u.Path, "/")
	if strings.Contains(p.name, "/") || plainText(p.name, 1, 63) != "" {
		return p, "must name a database after the host: /<database>, 1 to 63 characters"
	}
	mode := slices.Index(sslModes, parameters.Get("sslmode"))
	if parameters.Has("sslmode") && mode < 0 {
		return p, "must have an sslmode that is " + list(sslModes)
	}
	// With "prefer", the driver's default, anyone in between can say that the server has no TLS.
	p.encrypted = u.Host == "" || loopback(u.Hostname()) || mode >= slices.Index(sslModes, "require")
	return p, ""
}

// postgresHost takes the host from before the path, or the folder of a Unix socket from
// the parameters, where PostgreSQL has it.
func postgresHost(u *url.URL, folder, port string) (host, problem string) {
	switch {
	case u.Host == "" && folder == "":
		return "", "must name a host, or the folder of a Unix socket as ?host=/run/postgresql"
	case u.Host != "" && (folder != "" || port != ""):
		return "", "must name host and port once: before the path, or for a Unix socket as parameters"
	case folder != "" && !strings.HasPrefix(folder, "/"):
		return "", "must have as its parameter host the folder of a Unix socket; a host's name stands before the path"
	case port != "" && !validPort(port, 1), !soundPort(u):
		return "", badPort
	case u.Host != "" && !validHost(u.Hostname()):
		return "", "must have one host: a name or an IP address"
	case port != "":
		return folder + ":" + port, ""
	}
	return u.Host + folder, "" // one of them is empty
}
