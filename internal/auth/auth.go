// Package auth identifies callers: it checks the credential of a request, which
// is an API key of the config, an API key made at run time, or an access token of
// the configured OpenID Connect issuer. It keeps hashes only; nothing of a
// credential, of a token's header or of its claims gets into an error or a log.
package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/registry"
)

// KeyPrefix begins every key that is made at run time: scanners find it where it
// does not belong, and such a key is not called invalid while the store is away.
const KeyPrefix = "esagate_"

// maxCredential is the longest credential that is looked at, in bytes.
const maxCredential = 8 << 10

// Caller is the owner of a credential and what they may do. It is shared between requests and
// never changes. Name may be logged.
type Caller struct {
	Name       string
	CustomerID int64 // of an operator 0, which stands for all customers
	Write      bool
	Operator   bool // they may act for any customer; no access token makes an operator
	Token      bool // they came with an access token, which ends by the clock
	Identity   registry.Identity
}

// Key is an API key of the config. Only its SHA-256 is held.
type Key struct {
	Name       string
	CustomerID int64 // 0 of an operator's key, and of no other: one that is at odds lets nobody in
	Write      bool
	Operator   bool
	Identity   registry.Identity
	SHA256     [sha256.Size]byte // of the clear key's bytes
}

// OIDC says whose access tokens are good (OpenID Connect Discovery 1.0, RFC 7519).
type OIDC struct {
	Issuer   string // the exact `iss`: an https URL, or http on a loopback address
	Audience string // one of the token's `aud`
	// CustomerClaim and AccessClaim are names of top-level claims, taken literally.
	// The first holds the customer's id, the second the words `write` or `read`.
	CustomerClaim string
	AccessClaim   string

	Client *Client // nil: nobody signs in with a browser there
}

// Config says which credentials are accepted.
type Config struct {
	Keys []Key
	OIDC *OIDC // nil: no access tokens
}

// Deps is what an Authenticator works with; all of it may be left out.
type Deps struct {
	Store  registry.KeyStore // nil: only the keys of the config
	Logger *slog.Logger
	// HTTP asks the issuer. Its redirects are checked whatever it says of them, and
	// it gets no cookies. Nil: a client of the package's own.
	HTTP *http.Client
	// IssuerFetched is called after every attempt to get the issuer's keys.
	IssuerFetched func(ok bool)
	Sealer        Sealer // of sessions; nil: there are none
}

// Authenticator judges credentials. It is safe for concurrent use.
type Authenticator struct {
	static  atomic.Pointer[ring] // the keys of the config
	stored  *stored              // nil without a store
	tokens  *tokens              // nil without an issuer
	sealer  Sealer
	changed atomic.Pointer[chan struct{}]
	work    *background.Group
	log     *slog.Logger
}

// New makes an Authenticator: it reads the stored keys once, which must succeed,
// and starts its background work, which goes on until Close, whatever becomes of
// ctx. An issuer that is away is no error.
func New(ctx context.Context, cfg Config, deps Deps) (*Authenticator, error) {
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Sealer == nil {
		deps.Sealer = noSealer{}
	}
	log := deps.Logger.With(slog.String("component", "auth"))
	a := &Authenticator{work: background.NewGroup(log), log: log, sealer: deps.Sealer}
	a.changed.Store(new(make(chan struct{})))
	a.SetKeys(cfg.Keys)
	if cfg.OIDC != nil {
		var err error
		if a.tokens, err = newTokens(*cfg.OIDC, deps, log, a.work); err != nil {
			return nil, err
		}
	}
	if deps.Store != nil {
		var err error
		if a.stored, err = newStored(ctx, deps.Store, a.keysChanged, log, a.work); err != nil {
			return nil, fmt.Errorf("auth: reading the stored keys: %w", err)
		}
		a.stored.refresh.start(pollEvery)
		a.work.Go(ctx, "uses of keys", func(ctx context.Context) {
			background.Every(ctx, background.Task{
				Name: "uses of keys", Interval: writeUsesEvery, Timeout: storeTimeout, Do: a.stored.uses.write, Logger: log,
			})
		})
	}
	if a.tokens != nil {
		a.tokens.issuer.refresh.start(keysRenewed)
		a.tokens.issuer.refresh.want()
	}
	return a, nil
}

// SetKeys replaces the keys of the config: from then on they alone are good, beside stored keys
// and tokens. Requests under way keep the caller that they have.
func (a *Authenticator) SetKeys(keys []Key) {
	static := staticRing(keys)
	a.static.Store(&static)
	a.keysChanged()
}

// Changed gives a channel that is closed when the keys, of the config or stored, are next replaced.
// Who took it before a key was judged may rely on the judgment until then; of access tokens it tells
// nothing.
func (a *Authenticator) Changed() <-chan struct{} { return *a.changed.Load() }

// keysChanged is called after the keys were replaced.
func (a *Authenticator) keysChanged() { close(*a.changed.Swap(new(make(chan struct{})))) }

// Recognize gives the owner of a credential that is known already: a key in memory, or an access
// token that was verified lately. It asks nobody, and verifies nothing that a stranger could have
// made up. nil: what it is, Authenticate finds out.
func (a *Authenticator) Recognize(credential string) *Caller {
	if credential == "" || len(credential) > maxCredential {
		return nil
	}
	sum := hashOf(credential)
	return a.recognize(credential, &sum)
}

func (a *Authenticator) recognize(credential string, sum *[sha256.Size]byte) *Caller {
	if c := a.find(sum); c != nil {
		return c
	}
	if a.tokens != nil {
		return a.tokens.recognize(credential, sum)
	}
	return nil
}

// find gives the owner of an API key in memory; nil where it is none.
func (a *Authenticator) find(sum *[sha256.Size]byte) *Caller {
	if e := a.static.Load().find(sum); e != nil {
		return &e.caller
	}
	if a.stored != nil {
		return a.stored.find(sum)
	}
	return nil
}

// Authenticate gives the owner of a credential. Its errors are two: one for which
// errors.Is(err, [ErrUnknown]) holds and of which [ReasonOf] tells more, and a
// *fault.Error of the kind Unavailable when the credential can't be judged now.
// What it returns is shared.
func (a *Authenticator) Authenticate(ctx context.Context, credential string) (*Caller, error) {
	if credential == "" || len(credential) > maxCredential {
		return nil, Unknown
	}
	sum := hashOf(credential)
	if c := a.recognize(credential, &sum); c != nil {
		return c, nil
	}
	if a.tokens != nil {
		if c, tried, err := a.tokens.authenticate(ctx, credential, &sum); tried {
			return c, err
		}
	}
	return a.lookUp(ctx, &sum, strings.HasPrefix(credential, KeyPrefix))
}

// lookUp finds the owner of an API key that is not in memory: it may have been made a moment ago. stored
// says that it was made at run time.
func (a *Authenticator) lookUp(ctx context.Context, sum *[sha256.Size]byte, stored bool) (*Caller, error) {
	if a.stored == nil {
		return nil, Unknown
	}
	a.stored.ask(ctx)
	if c := a.stored.find(sum); c != nil {
		return c, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, canceled(err)
	}
	if a.stored.away.Load() && stored {
		return nil, &fault.Error{Kind: fault.Unavailable, Message: "The API key can't be checked now.", RetryAfter: pollEvery}
	}
	return nil, Unknown
}

// hashOf hashes a credential. Those of usual length are copied to the stack: a
// conversion would put each of them on the heap.
func hashOf(credential string) [sha256.Size]byte {
	var room [1 << 10]byte
	return sha256.Sum256(append(room[:0], credential...))
}

// canceled is the error for a request that ended before its credential was checked.
func canceled(err error) error {
	return fault.Wrap(fault.Unavailable, "The credential could not be checked in time.", err)
}

// StoreAvailable reports whether the stored keys are up to date; true without a store.
func (a *Authenticator) StoreAvailable() bool { return a.stored == nil || !a.stored.away.Load() }

// IssuerAvailable reports whether the issuer's keys could be had when they were
// last asked for; true without an issuer.
func (a *Authenticator) IssuerAvailable() bool {
	return a.tokens == nil || a.tokens.issuer.available.Load()
}

// Close ends the background work and writes down when keys were last used, unless
// ctx ends before. The store must still be open.
func (a *Authenticator) Close(ctx context.Context) {
	_ = a.work.Close(context.WithoutCancel(ctx)) // ends with the call under way, which is bounded
	if a.tokens != nil {
		a.tokens.issuer.refresh.stop()
	}
	if a.stored == nil {
		return
	}
	a.stored.refresh.stop()
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := a.stored.uses.write(ctx); err != nil {
		a.log.Warn("the last use of API keys can't be recorded", slog.Any("error", err))
	}
}

// storeTimeout bounds one piece of work with the store.
const storeTimeout = 2 * time.Second
