package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"esagate/internal/background"
)

// How the issuer's keys are kept up to date.
const (
	keysRenewed  = 50 * time.Minute // so that they are never older than an hour while the issuer is there
	keysStand    = 24 * time.Hour   // how long they go on while it is away
	fetchSpacing = 10 * time.Second // of fetches, whatever tokens come
	fetchTimeout = 5 * time.Second  // of one, both documents together
	retryLatest  = time.Minute      // the longest time between tries while it is away
	// fetchPatience is how long a token waits for a fetch that may bring its key.
	fetchPatience = 2 * time.Second
)

// issuer holds the keys of an OpenID Connect issuer.
type issuer struct {
	name      string  // exactly as in its documents and tokens
	signIn    *Client // nil: nobody signs in there
	client    *http.Client
	log       *slog.Logger
	fetched   func(ok bool)
	refresh   *refresher
	set       atomic.Pointer[keySet] // nil: never obtained
	available atomic.Bool            // the last fetch was good

	warned bool // that it is away; like retry, of the refresher's runs alone
	retry  time.Duration
}

// keySet is what one fetch gave.
type keySet struct {
	keys   []webKey
	server *server // nil: nobody can sign in there
	at     time.Time
}

// errIssuer: the configured issuer can't be one.
var errIssuer = errors.New("auth: the issuer must be an https URL without user info, query and fragment")

func newIssuer(cfg OIDC, deps Deps, log *slog.Logger, work *background.Group) (*issuer, error) {
	u, err := url.Parse(cfg.Issuer)
	if err != nil || !fetchable(u) || u.RawQuery != "" || u.ForceQuery || strings.Contains(cfg.Issuer, "#") {
		return nil, errIssuer
	}
	i := &issuer{name: cfg.Issuer, signIn: cfg.Client, client: guarded(deps.HTTP), log: log, fetched: deps.IssuerFetched}
	i.refresh = newRefresher(work, &refresher{run: i.renew, spacing: fetchSpacing, timeout: fetchTimeout, joins: true})
	return i, nil
}

// fetchable reports whether documents may be had from there: by https, and by http
// from this machine alone.
func fetchable(u *url.URL) bool {
	if u.Host == "" || u.User != nil || u.Opaque != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())
}

// loopback reports whether a host is this machine: an address by its kind, or
// localhost, which no resolver may answer otherwise (RFC 6761, section 6.3).
func loopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}

// known gives what was read of the issuer, if it still counts; else nil.
func (i *issuer) known() *keySet {
	if set := i.set.Load(); set != nil && time.Since(set.at) < keysStand {
		return set
	}
	return nil
}

// keys gives the issuer's keys; ok is false when there are none that still count.
func (i *issuer) keys() (keys []webKey, ok bool) {
	set := i.known()
	if set == nil {
		return nil, false
	}
	return set.keys, true
}

// retryAfter is when to come again while there are no keys.
func (i *issuer) retryAfter() time.Duration { return max(i.refresh.untilFree(), time.Second) }

// renew fetches the keys and gives when to do it again.
func (i *issuer) renew(ctx context.Context) time.Duration {
	began := time.Now()
	set, failure := i.fetch(ctx)
	if errors.Is(ctx.Err(), context.Canceled) { // all ends
		return retryLatest
	}
	if i.fetched != nil {
		i.fetched(failure == nil)
	}
	i.available.Store(failure == nil)
	if failure != nil {
		if ctx.Err() != nil {
			failure.reason = "timeout"
		}
		if !i.warned {
			i.log.Warn("the issuer's keys can't be had: the last known ones stand",
				slog.String("reason", failure.reason), slog.Int("status", failure.status))
		}
		i.warned = true
		i.retry = min(max(2*i.retry, fetchSpacing), retryLatest)
		return i.retry
	}
	switch keys := set.keys; {
	case len(keys) == 0: // its word counts: there is nothing to verify with
		i.log.Warn("the issuer names no key that tokens can be verified with")
	case i.warned || i.set.Load() == nil:
		i.log.Info("the issuer's keys were read", slog.Int("keys", len(keys)))
	}
	i.warned, i.retry = false, 0
	set.at = began
	i.set.Store(set)
	return keysRenewed
}

// fetch asks for the discovery document (OpenID Connect Discovery 1.0, section 4)
// and for the keys that it points to.
func (i *issuer) fetch(ctx context.Context) (*keySet, *failure) {
	raw, failure := i.get(ctx, strings.TrimSuffix(i.name, "/")+"/.well-known/openid-configuration")
	if failure != nil {
		return nil, failure
	}
	var found struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
		serverMetadata
	}
	if json.Unmarshal(raw, &found) != nil {
		return nil, failed("discovery_invalid")
	}
	if found.Issuer != i.name { // else one issuer could speak for another
		return nil, failed("discovery_of_another")
	}
	u, err := url.Parse(found.JWKSURI)
	if err != nil || !fetchable(u) {
		return nil, failed("jwks_uri_refused")
	}
	if raw, failure = i.get(ctx, found.JWKSURI); failure != nil {
		return nil, failure
	}
	keys, err := readKeySet(raw)
	if err != nil {
		return nil, failed("jwks_invalid")
	}
	return &keySet{keys: keys, server: i.server(&found.serverMetadata)}, nil
}
