package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"time"
)

// document is the whole file: Config as far as it is read as it stands, and the
// lists whose entries are checked and turned into something else.
type document struct {
	Config
	Auth            authSection           `config:"auth"`
	Outbound        outboundSection       `config:"outbound"`
	ServiceAccounts []serviceAccountEntry `config:"service_accounts"`
	Sources         []sourceEntry         `config:"sources"`
}

// newDocument is the document of an empty file.
func newDocument() document {
	return document{Config: Default(), Auth: authSection{OIDC: &OIDC{CustomerClaim: "customer_id", AccessClaim: "access", AudienceParameter: "none"}}}
}

func newLoader(path string, environ []string) *loader {
	return &loader{env: readEnviron(environ), folder: filepath.Dir(path),
		bad: map[string]bool{}, places: map[string]place{}, origins: map[string]string{}}
}

// Check finds faults that another package knows of, such as in the expression of a
// platform task. The Config it sees may have faults of other kinds. It makes its
// own with Config.FaultAt.
type Check func(*Config) []Fault

// Load reads the file at path and the environment (NAME=value pairs, as
// os.Environ gives them), and lets the checks see what was read. With any fault
// there is no Config.
func Load(path string, environ []string, checks ...Check) (*Config, Faults) {
	data, problem := readFile(path)
	if problem != "" {
		return nil, Faults{{Message: problem}}
	}
	l := newLoader(path, environ)
	file, readable := l.parse(data)
	if !readable {
		return nil, l.sorted()
	}
	doc := newDocument()
	l.section(reflect.ValueOf(&doc).Elem(), file, "", false)

	c := doc.Config
	l.sections(&c)
	c.Auth = l.auth(doc.Auth, c.Server.PublicURL)
	c.Outbound.Allow = l.outbound(doc.Outbound.Allow)
	c.ServiceAccounts = l.serviceAccounts(doc.ServiceAccounts)
	c.Sources = l.sources(doc.Sources)
	c.places = l.places
	for _, check := range checks {
		l.faults = append(l.faults, check(&c)...)
	}
	if faults := l.sorted(); len(faults) > 0 {
		return nil, faults
	}
	c.Warnings = l.warnings
	return &c, nil
}

// sections holds values against each other, and writes URLs in their one form.
func (l *loader) sections(c *Config) {
	c.Server.PublicURL = strings.TrimRight(c.Server.PublicURL, "/")
	c.Server.StorefrontURL = strings.TrimRight(c.Server.StorefrontURL, "/")
	c.Server.ConsoleURL = strings.TrimRight(c.Server.ConsoleURL, "/")
	c.Upstream.BaseURL = strings.TrimRight(c.Upstream.BaseURL, "/")
	c.Upstream.AdminURL = strings.TrimRight(c.Upstream.AdminURL, "/")
	c.Upstream.AgentURL = strings.TrimRight(c.Upstream.AgentURL, "/")
	for i, allowed := range c.Server.AllowedOrigins {
		c.Server.AllowedOrigins[i] = canonicalOrigin(allowed)
	}
	if l.good("server.public_url") && issuer(c.Server.PublicURL, 0) != "" {
		l.warn("server.public_url", "is not https: people can sign in to /ops on the gateway's own machine alone, at localhost")
	}
	for i, p := range c.Server.Proxies() {
		if p.Bits() == 0 {
			l.warn(item("server.trusted_proxies", i), "trusts every client's own word about its address: "+
				"the limit of wrong keys counts for nothing")
		}
	}
	u, s := &c.Upstream, &c.Snapshot
	l.ordered("upstream.timeout", u.Timeout, "upstream.fetch_timeout", u.FetchTimeout)
	l.ordered("snapshot.fresh", s.Fresh, "snapshot.stale_while_revalidate", s.StaleWhileRevalidate)
	l.ordered("snapshot.stale_while_revalidate", s.StaleWhileRevalidate, "snapshot.stale_if_error", s.StaleIfError)
	if l.good("snapshot.patience", "upstream.timeout") && s.Patience > u.Timeout {
		l.add("snapshot.patience", "must be at most upstream.timeout")
	}
	if p, problem := readPostgres(c.Store.URL.Reveal()); problem == "" && !p.encrypted {
		l.warn("store.url", "the connection to the database may be unencrypted: "+
			"add sslmode=verify-full, or at least sslmode=require")
	}
	l.provisioning(&c.Provisioning)
	l.together("sandbox.operator", c.Sandbox.Operator, "sandbox.brand_domain", c.Sandbox.BrandDomain)
	https := strings.HasPrefix(strings.ToLower(c.Server.PublicURL), "https:")
	if c.Webhooks.Subscribe == "always" && l.good("server.public_url") && !https {
		l.add("webhooks.subscribe", "must not be always while server.public_url is not an https:// URL: "+
			"the sales agent calls no other")
	}
}

func (l *loader) ordered(lower string, least time.Duration, upper string, value time.Duration) {
	if l.good(lower, upper) && value < least {
		l.add(upper, "must be at least "+lower)
	}
}

// together holds that both texts are given, or neither.
func (l *loader) together(one, first, other, second string) {
	switch {
	case !l.good(one, other) || (first == "") == (second == ""):
	case first == "":
		l.add(one, "is required beside "+other)
	default:
		l.add(other, "is required beside "+one)
	}
}

func (l *loader) warn(path, message string) {
	l.warnings = append(l.warnings, path+": "+message)
}

// readFile gives the file, a byte more than the bound at most, or what is wrong
// with it. The error of the system repeats the path, which is the caller's to name.
func readFile(path string) (data []byte, problem string) {
	file, err := os.Open(path)
	if err == nil {
		defer file.Close()
		data, err = io.ReadAll(io.LimitReader(file, maxFileSize+1))
	}
	switch {
	case err == nil:
		return data, ""
	case errors.Is(err, fs.ErrNotExist):
		return nil, "does not exist"
	case errors.Is(err, fs.ErrPermission):
		return nil, "may not be read: permission denied"
	case errors.Is(err, syscall.EISDIR):
		return nil, "is a directory"
	}
	return nil, "can't be read"
}
