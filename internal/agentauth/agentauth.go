// Package agentauth authorizes requests to the agents of AGENT sources (contract 13.9), and gets and
// keeps the OAuth tokens of those whose agents want OAuth (contract 6.4): it finds an agent's authorization server (RFC 9728,
// RFC 8414), registers the gateway there (RFC 7591), begins a consent (PKCE S256,
// RFC 8707), answers the redirect that comes back and refreshes tokens when they are
// used. [Agents.Authorize] gives what requests to the agents of all sources carry.
//
// Agents and authorization servers are strangers: nothing that they write reaches a
// log or an error. Errors are [*Error], whose text is ours alone.
package agentauth

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"time"

	"esagate/internal/background"
	"esagate/registry"
)

const (
	consentLife = 10 * time.Minute // how long a state lives
	workLimit   = 15 * time.Second // a whole Begin or Finish, and a refresh once its lease is held
	askLimit    = 10 * time.Second // a token request in it: what it brings has to be stored as well
	stepLimit   = 5 * time.Second  // one request of a discovery, which may take many
)

// What one customer may have under way at once, since agents and their servers can take
// all of workLimit: exchanges of the outbound client, callbacks and refreshes.
const (
	beginsEach    = 4
	exchangesEach = 4
	refreshesEach = 16
)

// Config is what is fixed when the gateway starts.
type Config struct {
	RedirectURI string // public_url + /oauth/callback
	ClientName  string // what a consent page calls us
}

// Deps is what Agents works with. All are needed.
type Deps struct {
	Store registry.Store
	// Directory makes the writes that change what a source shows, so that readers see
	// them in its memory too. It stands before Store.
	Directory *registry.Directory
	// HTTP is the guarded client for addresses that strangers supply: it dials
	// nothing but what the operator lets it. It is given no credentials.
	HTTP *http.Client
	// Direct is the same for requests that carry credentials (codes, refresh tokens,
	// client secrets): neither it nor its Transport follows a redirect.
	Direct *http.Client
	// CheckURL says what is wrong with an address before it is dialled, its length and
	// a fragment included; empty: nothing.
	CheckURL func(string) string
	Logger   *slog.Logger
}

// Agents does OAuth with agents. It is safe for concurrent use; Close ends it.
type Agents struct {
	cfg  Config
	deps Deps
	log  *slog.Logger

	begins, exchanges, refreshes *background.Shares[int64]

	clients  memory[clientKey, *registry.OAuthClient]
	failures memory[flightKey, *Error]
	fields   fields // what requests carry

	work    *background.Group // the refreshes
	flights *background.Flight[accessToken]
}

// New makes an Agents.
func New(cfg Config, deps Deps) *Agents {
	work := background.NewGroup(deps.Logger)
	return &Agents{
		cfg: cfg, deps: deps, log: deps.Logger,
		begins: background.NewShares[int64](beginsEach, math.MaxInt), exchanges: background.NewShares[int64](exchangesEach, math.MaxInt),
		refreshes: background.NewShares[int64](refreshesEach, maxRefreshes),
		clients:   newMemory[clientKey, *registry.OAuthClient](maxClients),
		failures:  newMemory[flightKey, *Error](maxFailures),
		fields:    newFields(),
		work:      work, flights: background.NewFlight[accessToken](work, "oauth_refresh", flightLimit),
	}
}

// Close begins no further refresh and waits for those under way, until ctx ends;
// then it cuts them short. A refresh that is cut short can lose a refresh token
// which the server has replaced already, so ctx should leave it some seconds.
func (a *Agents) Close(ctx context.Context) {
	if a.work.Drain(ctx) != nil {
		_ = a.work.Close(context.WithoutCancel(ctx)) // what is cut short ends soon
	}
}

// logOutcome logs one outcome, without any text of agents or servers.
func (a *Agents) logOutcome(ctx context.Context, message, operation string, customer int64, sourceID string, err error) {
	level, attrs := slog.LevelInfo, []slog.Attr{
		slog.String("operation", operation), slog.Int64("customer_id", customer), slog.String("source_id", sourceID),
	}
	if err != nil {
		e := asError(err)
		switch e.Reason {
		case ReasonStore:
			level = slog.LevelError
		case ReasonDenied: // the user's choice
		default:
			level = slog.LevelWarn
		}
		attrs = append(attrs, slog.String("reason", string(e.Reason)))
		if e.Code != "" {
			attrs = append(attrs, slog.String("code", e.Code))
		}
		if e.Cause != nil {
			attrs = append(attrs, slog.Any("error", e.Cause))
		}
	}
	a.log.LogAttrs(ctx, level, message, attrs...)
}
