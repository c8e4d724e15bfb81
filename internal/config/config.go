// Package config reads the gateway's configuration: one YAML file, references to
// the environment inside of it, and environment variables that win over it.
// Everything that is wrong is reported at once, by path and line, and no report
// ever holds a value of the file or of the environment. docs/configuration.md
// is the reference for operators.
package config

import (
	"crypto/sha256"
	"net/netip"
	"time"

	"esagate/internal/serviceaccount"
	"esagate/registry"
)

// Config is a whole configuration, valid once Load gave it: every bound of
// docs/configuration.md holds. The `config` tags are the keys of the file.
type Config struct {
	Server        Server         `config:"server"`
	Upstream      Upstream       `config:"upstream"`
	Snapshot      Snapshot       `config:"snapshot"`
	Store         Store          `config:"store"`
	Telemetry     Telemetry      `config:"telemetry"`
	Provisioning  Provisioning   `config:"provisioning"`
	Webhooks      Webhooks       `config:"webhooks"`
	Reconcile     Reconcile      `config:"reconcile"`
	PlatformTasks []PlatformTask `config:"platform_tasks"`

	Auth            Auth                    // read through authSection
	Outbound        Outbound                // read through outboundSection
	ServiceAccounts []serviceaccount.Entry  // read through serviceAccountEntry; their key files were good
	Sources         []registry.ConfigSource // read through sourceEntry; each has a Name

	// Warnings are sentences about what is allowed but hardly meant, by path. They
	// hold no value but names of keys.
	Warnings []string

	lines map[string]int // by path, of what the file sets
}

// FaultAt makes a fault for what only others can judge, such as the expression
// in a platform task, with the line that the path has in the file. The message
// must not repeat a value.
func (c *Config) FaultAt(path, message string) Fault {
	return Fault{Path: path, Message: message, Line: lineOf(c.lines, path)}
}

// Server is the HTTP edge.
type Server struct {
	Address        string   `config:"address"`         // host:port to listen on; port 0 takes a free one
	PublicURL      string   `config:"public_url"`      // how browsers and webhooks reach us, without a trailing slash
	Envelope       bool     `config:"envelope"`        // wrap every success (contract, "Envelope")
	AllowedOrigins []string `config:"allowed_origins"` // CORS: scheme://host[:port] in lower case, default port left out
}

// Upstream is the sales agent and how patiently it is asked.
type Upstream struct {
	BaseURL      string        `config:"base_url"`      // may carry a path; without a trailing slash
	APIKey       Secret        `config:"api_key"`       // fit for a header
	Timeout      time.Duration `config:"timeout"`       // a reader without a copy waits this long, retries included
	FetchTimeout time.Duration `config:"fetch_timeout"` // the shared fetch; at least Timeout
	ProbeTimeout time.Duration `config:"probe_timeout"` // provision, adapter-config, test-connection
	Attempts     int           `config:"attempts"`      // of one read, the first included
	Breaker      Breaker       `config:"breaker"`
}

// Breaker says when calls to upstream are given up for a while.
type Breaker struct {
	ConsecutiveFailures int           `config:"consecutive_failures"` // so many in a row open it
	FailureRatio        float64       `config:"failure_ratio"`        // as does this share of failures, above 0 to 1,
	MinimumRequests     int           `config:"minimum_requests"`     // once so many calls were made
	Window              time.Duration `config:"window"`               // within this time
	OpenFor             time.Duration `config:"open_for"`             // until it is tried again
}

// Snapshot bounds the age of status documents since their receipt (contract,
// "Freshness"): Fresh <= StaleWhileRevalidate <= StaleIfError.
type Snapshot struct {
	Fresh                time.Duration `config:"fresh"`
	StaleWhileRevalidate time.Duration `config:"stale_while_revalidate"`
	StaleIfError         time.Duration `config:"stale_if_error"`
	Patience             time.Duration `config:"patience"`  // a reader with a copy waits this long; at most Upstream.Timeout
	RedisURL             string        `config:"redis_url"` // always empty in this version
}

// Store is the registry's database.
type Store struct {
	URL           Secret `config:"url"`            // sqlite://<path>, or a PostgreSQL URL, which can hold a password
	EncryptionKey Secret `config:"encryption_key"` // as vault.New takes it
}

// Telemetry is what the gateway says about itself.
type Telemetry struct {
	LogFormat    string  `config:"log_format"`    // json or text
	LogLevel     string  `config:"log_level"`     // debug, info, warn or error
	OTLPEndpoint string  `config:"otlp_endpoint"` // http(s) URL of a collector; empty: traces stay here
	TraceRatio   float64 `config:"trace_ratio"`   // share of traces begun here that is sampled, 0 to 1
}

// Auth is who may ask, beside those whose keys were made at run time.
type Auth struct {
	Keys []Key
	OIDC *OIDC // nil: no access tokens
}

// OIDC is the issuer whose access tokens are good (OpenID Connect Discovery 1.0).
type OIDC struct {
	Issuer        string `config:"issuer"`         // as its tokens write it: a slash at the end counts
	Audience      string `config:"audience"`       // must be among a token's
	CustomerClaim string `config:"customer_claim"` // the claim that holds the customer's id
	AccessClaim   string `config:"access_claim"`   // the claim that holds the access
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
	ExternalSource string `config:"external_source"`  // the name that the sales agent knows this product by
	ExternalOrgID  string `config:"external_org_id"`  // a template with {customer_id}, {esa_id}, {source_id}
	ContactEmail   string `config:"contact_email"`    // empty: no tenant can be made
	PublicAgentURL string `config:"public_agent_url"` // empty: the sales agent's own default
}

// Webhooks says whether news of sync runs is asked for.
type Webhooks struct {
	Subscribe string `config:"subscribe"` // auto, always or never; Config.Subscribes judges
}

// Reconcile is the reading in the background that makes up for lost news.
type Reconcile struct {
	Interval    time.Duration `config:"interval"`    // older news is read anew; 0: never
	Concurrency int           `config:"concurrency"` // so many sources at once
}

// Access is what a key may do.
type Access string

// Kinds of access; write includes read.
const (
	AccessRead  Access = "read"
	AccessWrite Access = "write"
)

// Key is an API key. Names and hashes are unique. The clear key is not kept.
type Key struct {
	Name       string
	CustomerID int64
	Access     Access
	SHA256     [sha256.Size]byte // of the clear key's bytes
}

// PlatformTask is a setup task of the operator's: one of their own, or an
// override of a built-in one by id (contract, status rule 7). Nil: not set.
type PlatformTask struct {
	ID            string  `config:"id"` // unique
	Name          *string `config:"name"`
	Severity      *string `config:"severity"` // blocker, warning or info
	Description   *string `config:"description"`
	ConfigurePath *string `config:"configure_path"` // a path of the host product
	Enabled       *bool   `config:"enabled"`
	CompleteWhen  *string `config:"complete_when"` // CEL, compiled by its user
}

// Default is the configuration of an empty file: the one place for defaults. It
// is not valid yet: upstream.api_key and store.encryption_key have none.
func Default() Config {
	return Config{
		Server: Server{
			Address:   "127.0.0.1:8080",
			PublicURL: "http://127.0.0.1:8080",
		},
		Upstream: Upstream{
			BaseURL:      "http://127.0.0.1:3091",
			Timeout:      3 * time.Second,
			FetchTimeout: 10 * time.Second,
			ProbeTimeout: 75 * time.Second,
			Attempts:     3,
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
		Store:     Store{URL: NewSecret("sqlite://esagate.db")},
		Telemetry: Telemetry{LogFormat: "json", LogLevel: "info", TraceRatio: 0.01},
		Provisioning: Provisioning{
			ExternalSource: "esagate",
			ExternalOrgID:  "{customer_id}-{esa_id}",
		},
		Webhooks:  Webhooks{Subscribe: subscribeAuto},
		Reconcile: Reconcile{Interval: 5 * time.Minute, Concurrency: 4},
	}
}
