// Package config reads the gateway's configuration: one YAML file, references to
// the environment inside of it, and environment variables that win over it.
// Everything that is wrong is reported at once, by path and line, and no report
// ever holds a value of the file or of the environment. docs/configuration.md
// is the reference for operators.
//
// A new key is a field here with two tags, `config` (its name) and `rule` (see rules.go), its
// default in [Default], and a row of docs/configuration.md; what a tag can't say, such as values
// that depend on each other, is checked in load.go or in the file of its section. parse.go reads
// YAML, bind.go and env.go give values their types.
package config

import (
	"cmp"
	"crypto/sha256"
	"net/netip"
	"net/url"
	"time"

	"esagate/internal/serviceaccount"
	"esagate/registry"
)

// Config is a whole configuration, valid when it comes from Load: every bound of
// docs/configuration.md holds. The tags `config` are the keys of the file,
// and `rule` says what each may hold.
type Config struct {
	Server        Server         `config:"server"`
	Upstream      Upstream       `config:"upstream"`
	Snapshot      Snapshot       `config:"snapshot"`
	Limits        Limits         `config:"limits"`
	Store         Store          `config:"store"`
	Telemetry     Telemetry      `config:"telemetry"`
	Provisioning  Provisioning   `config:"provisioning"`
	Sandbox       Sandbox        `config:"sandbox"`
	Agents        Agents         `config:"agents"`
	Webhooks      Webhooks       `config:"webhooks"`
	Reconcile     Reconcile      `config:"reconcile"`
	PlatformTasks []PlatformTask `config:"platform_tasks"`

	Auth            Auth                    // read through authSection
	Outbound        Outbound                // read through outboundSection
	ServiceAccounts []serviceaccount.Entry  // read through serviceAccountEntry; their key files were good
	Sources         []registry.ConfigSource // read through sourceEntry; each has a Name

	// Warnings are sentences about what is allowed but probably not meant, by path. They
	// hold no value but names of keys.
	Warnings []string

	places map[string]place // by path, of what the file sets
}

// FaultAt makes a fault of what another package checks, such as the expression
// in a platform task, with the place that the path has in the file. The message
// must not repeat a value.
func (c *Config) FaultAt(path, message string) Fault {
	return faultAt(path, message, placeOf(c.places, path))
}

// Server is the HTTP edge.
type Server struct {
	Address                  string        `config:"address" rule:"host:port"`                      // host:port to listen on; port 0 takes a free one
	AdminAddress             string        `config:"admin_address" rule:"optional host:port"`       // of metrics, readiness and profiles; empty: no such listener
	PublicURL                string        `config:"public_url" rule:"url-without-path"`            // for browsers and webhooks; without a trailing slash
	ConsoleURL               string        `config:"console_url" rule:"optional url-without-path"`  // an origin of its own for the admin UI; empty: PublicURL
	StorefrontURL            string        `config:"storefront_url" rule:"optional url"`            // of the storefront's own pages, without a trailing slash; empty: not known
	Envelope                 bool          `config:"envelope"`                                      // wrap every success (contract 8.1)
	AllowedOrigins           []string      `config:"allowed_origins" rule:"origin"`                 // for CORS, in lower case, default port left out
	MaxConnections           int           `config:"max_connections" rule:"16..1000000"`            // at once
	MaxConnectionsPerAddress int           `config:"max_connections_per_address" rule:"1..1000000"` // at most MaxConnections count
	ShutdownDelay            time.Duration `config:"shutdown_delay" rule:"0s..5m"`                  // from the signal to stop until no more connections are taken
	TrustedProxies           []string      `config:"trusted_proxies" rule:"prefix"`                 // addresses and prefixes; see Server.Proxies
}

// Upstream is the sales agent, and how long its calls may take.
type Upstream struct {
	BaseURL      string        `config:"base_url" rule:"url"`                     // may carry a path; without a trailing slash
	APIKey       Secret        `config:"api_key" rule:"required ascii 4096"`      // fit for a header
	AdminURL     string        `config:"admin_url" rule:"optional url"`           // its admin UI is below it, at /tenant/…; without a trailing slash; empty: BaseURL
	AgentURL     string        `config:"agent_url" rule:"optional url"`           // where it speaks MCP and A2A; without a trailing slash; empty: the origin of BaseURL
	IdentityKey  Secret        `config:"identity_key" rule:"optional ascii 4096"` // signs the identities that it is told; empty: they are not signed
	Timeout      time.Duration `config:"timeout" rule:"1ms..1h"`                  // of a reader without a copy, retries included
	FetchTimeout time.Duration `config:"fetch_timeout" rule:"1ms..1h"`            // the shared fetch; at least Timeout
	ProbeTimeout time.Duration `config:"probe_timeout" rule:"1ms..1h"`            // provision, adapter-config, test-connection
	Attempts     int           `config:"attempts" rule:"1..10"`                   // of one read, the first included
	Concurrency  int           `config:"concurrency" rule:"1..1000"`              // calls at once, a breaker's probes included
	Breaker      Breaker       `config:"breaker"`
}

// Admin gives below which address the sales agent's admin UI is.
func (u Upstream) Admin() string { return cmp.Or(u.AdminURL, u.BaseURL) }

// Agent gives the address at which the sales agent speaks MCP and A2A.
func (u Upstream) Agent() string {
	base, err := url.Parse(u.BaseURL)
	if u.AgentURL != "" || err != nil {
		return u.AgentURL
	}
	return base.Scheme + "://" + base.Host
}

// Breaker says when calls to upstream stop for a while.
type Breaker struct {
	ConsecutiveFailures int           `config:"consecutive_failures" rule:"1..1000"` // so many in a row open it
	FailureRatio        float64       `config:"failure_ratio" rule:">0..1"`          // as does this share of failures, above 0 to 1,
	MinimumRequests     int           `config:"minimum_requests" rule:"1..100000"`   // once so many calls were made
	Window              time.Duration `config:"window" rule:"1ms..1h"`               // within this time
	OpenFor             time.Duration `config:"open_for" rule:"1ms..1h"`             // until it is tried again
}

// Snapshot bounds the age of status documents since their receipt (contract
// 4.12): Fresh <= StaleWhileRevalidate <= StaleIfError.
type Snapshot struct {
	Fresh                time.Duration `config:"fresh" rule:"100ms..168h"`
	StaleWhileRevalidate time.Duration `config:"stale_while_revalidate" rule:"1ms..168h"`
	StaleIfError         time.Duration `config:"stale_if_error" rule:"1ms..168h"`
	Patience             time.Duration `config:"patience" rule:"0s..1h"`              // of a reader with a copy; at most Upstream.Timeout
	Memory               Size          `config:"memory" rule:"0|16MiB..16TiB"`        // of what is kept of sources; 0: a quarter of what the process may use
	RedisURL             Secret        `config:"redis_url" rule:"optional redis-url"` // as cluster.Open takes it; empty: replicas share none
}

// Size is a number of bytes, written with a unit such as MiB or GB.
type Size int64

// Limits are how often callers may ask this replica.
type Limits struct {
	Reads     Limit `config:"reads"`      // of a customer
	Writes    Limit `config:"writes"`     // of a customer
	WrongKeys Limit `config:"wrong_keys"` // from an address; a request without a key counts too
}

// Limit is a token bucket.
type Limit struct {
	Rate  float64 `config:"rate" rule:"0|0.02..100000"` // requests a second; 0: no limit
	Burst int     `config:"burst" rule:"1..1000000"`    // at once
}

// Store is the registry's database.
type Store struct {
	URL           Secret `config:"url" rule:"store-url"`                 // sqlite://<path>, or a PostgreSQL URL with its password
	EncryptionKey Secret `config:"encryption_key" rule:"encryption-key"` // as vault.New takes it
	// AuditRetention is how long entries of the audit are kept.
	AuditRetention time.Duration `config:"audit_retention" rule:"24h..87600h"`
}

// Telemetry is what the gateway says about itself.
type Telemetry struct {
	LogFormat    string  `config:"log_format" rule:"json|text"`            // json or text
	LogLevel     string  `config:"log_level" rule:"debug|info|warn|error"` // debug, info, warn or error
	OTLPEndpoint string  `config:"otlp_endpoint" rule:"optional url"`      // http(s) URL of a collector; empty: traces stay here
	TraceRatio   float64 `config:"trace_ratio" rule:"0..1"`                // share of traces begun here that is sampled, 0 to 1
}

// Auth says which callers are let in, beside those with keys made at run time.
type Auth struct {
	Keys []Key
	OIDC *OIDC // nil: no access tokens
}

// OIDC is the issuer whose access tokens are accepted (OpenID Connect Discovery 1.0).
type OIDC struct {
	Issuer        string `config:"issuer" rule:"required issuer"`      // as its tokens write it: a slash at the end counts
	Audience      string `config:"audience" rule:"required printable"` // must be among a token's
	CustomerClaim string `config:"customer_claim" rule:"printable"`    // the claim that holds the customer's id
	AccessClaim   string `config:"access_claim" rule:"printable"`      // the claim that holds the access

	// How people sign in to the pages by the authorization code flow.
	ClientID          string   `config:"client_id" rule:"optional ascii 255"`              // empty: they don't
	ClientSecret      Secret   `config:"client_secret" rule:"optional ascii 4096"`         // empty: a public client
	Scopes            []string `config:"scopes" rule:"scope"`                              // asked for beside openid
	AudienceParameter string   `config:"audience_parameter" rule:"none|audience|resource"` // what tells the issuer the audience
}

// Outbound is what requests to addresses that callers name may reach.
type Outbound struct {
	// Allow are addresses that are not public and may be reached all the same. None
	// holds a link-local address, where clouds keep their metadata, unless the file
	// names link-local addresses and nothing else in that entry.
	Allow []netip.Prefix
}

// Provisioning is what the gateway says of itself and of a connection when it has the
// sales agent make a tenant.
type Provisioning struct {
	ExternalSource string `config:"external_source" rule:"ascii 64"`                // the name that the sales agent knows this product by
	ExternalOrgID  string `config:"external_org_id" rule:"org-id"`                  // a template with {customer_id}, {esa_id}, {source_id}
	ContactEmail   string `config:"contact_email" rule:"optional email"`            // empty: no tenant can be made
	PublicAgentURL string `config:"public_agent_url" rule:"optional agent-url 500"` // empty: the sales agent's own default
}

// Sandbox names the owner of the sandbox accounts that the gateway makes. The sales agent knows an account by both
// fields: with others, it makes another one. Both are empty, or neither: without them no account can be made.
type Sandbox struct {
	Operator    string `config:"operator" rule:"optional printable"`
	BrandDomain string `config:"brand_domain" rule:"optional host-name"`
}

// Agents is how MCP and A2A calls are passed on, to managed sales agents and to those of AGENT sources.
type Agents struct {
	Proxy     string        `config:"proxy" rule:"on|off"`       // on: connections name the gateway's own addresses; see Server.PublicURL
	FirstByte time.Duration `config:"first_byte" rule:"1s..1h"`  // until an answer begins
	Idle      time.Duration `config:"idle" rule:"1s..24h"`       // without a byte of it, either way
	Streams   int           `config:"streams" rule:"1..10000"`   // calls of one customer at once, in each replica
	Allow     []string      `config:"allow" rule:"agent-method"` // methods, and names behind a colon; none: all that Deny does not name
	Deny      []string      `config:"deny" rule:"agent-method"`  // the same; wins over Allow
}

// Webhooks says whether the gateway subscribes to the sales agent's sync events.
type Webhooks struct {
	Subscribe string `config:"subscribe" rule:"auto|always|never"` // auto, always or never; see Config.Subscribes
}

// Reconcile is the polling in the background, which makes up for lost sync events.
type Reconcile struct {
	Interval    time.Duration `config:"interval" rule:"0|1m..168h"` // a source not heard of for so long is polled; 0: never
	Concurrency int           `config:"concurrency" rule:"1..64"`   // so many sources at once
}

// Key is an API key. Names and hashes are unique. The clear key is not kept.
type Key struct {
	Name       string
	CustomerID int64             // 0: an operator's
	Write      bool              // else it may read alone
	Operator   bool              // it is for all customers
	Identity   registry.Identity // as whom its owner is known to the sales agent
	SHA256     [sha256.Size]byte // of the clear key's bytes
}

// PlatformTask is a setup task of the operator's: one of their own, or an
// override of a built-in one by id (contract 4.7). Nil: not set.
type PlatformTask struct {
	ID            string  `config:"id" rule:"required text 128"` // unique
	Name          *string `config:"name" rule:"text 255"`
	Severity      *string `config:"severity" rule:"blocker|warning|info"` // blocker, warning or info
	Description   *string `config:"description" rule:"paragraph 2000"`
	ConfigurePath *string `config:"configure_path"` // a path of the host product
	Enabled       *bool   `config:"enabled"`
	CompleteWhen  *string `config:"complete_when" rule:"paragraph 4096"` // CEL, compiled by its user
	Decides       *string `config:"decides" rule:"both|platform"`        // who judges a task that upstream has too
}

// Default is the configuration of an empty file: the one place for defaults. It
// is not valid yet: upstream.api_key and store.encryption_key have none.
func Default() Config {
	return Config{
		Server: Server{
			Address:        "127.0.0.1:8080",
			PublicURL:      "http://127.0.0.1:8080",
			MaxConnections: 2048, MaxConnectionsPerAddress: 1024,
		},
		Upstream: Upstream{
			BaseURL:      "http://127.0.0.1:3091",
			Timeout:      3 * time.Second,
			FetchTimeout: 10 * time.Second,
			ProbeTimeout: 75 * time.Second,
			Attempts:     3,
			Concurrency:  64,
			Breaker: Breaker{
				ConsecutiveFailures: 5,
				FailureRatio:        0.5,
				MinimumRequests:     20,
				Window:              30 * time.Second,
				OpenFor:             30 * time.Second,
			},
		},
		Snapshot: Snapshot{
			Fresh:                5 * time.Second,
			StaleWhileRevalidate: time.Minute,
			StaleIfError:         15 * time.Minute,
			Patience:             300 * time.Millisecond,
		},
		Limits: Limits{
			Reads:     Limit{Rate: 1000, Burst: 5000},
			Writes:    Limit{Rate: 50, Burst: 200},
			WrongKeys: Limit{Rate: 20, Burst: 200},
		},
		Store:     Store{URL: NewSecret("sqlite://esagate.db"), AuditRetention: registry.AuditKept},
		Telemetry: Telemetry{LogFormat: "json", LogLevel: "info", TraceRatio: 0.01},
		Provisioning: Provisioning{
			ExternalSource: "esagate",
			ExternalOrgID:  "{customer_id}-{esa_id}",
		},
		Agents:    Agents{Proxy: "off", FirstByte: 75 * time.Second, Idle: 5 * time.Minute, Streams: 64},
		Webhooks:  Webhooks{Subscribe: "auto"},
		Reconcile: Reconcile{Interval: 5 * time.Minute, Concurrency: 4},
	}
}
