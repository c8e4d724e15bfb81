package agentauth

import (
	"context"
	"errors"
	"time"

	"esagate/internal/background"
	"esagate/registry"
)

const (
	// leaseSlack is how much longer than a refresh its lease lasts: for clocks of
	// replicas that differ.
	leaseSlack = 5 * time.Second
	// Without the lease, the stored tokens are read that often, that many times: 10 s.
	lookAgain = 250 * time.Millisecond
	looks     = 40
)

// renew gives tokens that are fresh: those that another replica got, or new ones.
// With an error, again is when the next try makes sense; zero: at once.
func (a *Agents) renew(life context.Context, key flightKey) (token Token, again time.Time, err error) {
	ctx, cancel := context.WithTimeout(life, workLimit) // for a store that hangs
	defer cancel()
	for range looks {
		held, id, err := a.credential(ctx, key.customer, key.source)
		switch {
		case err != nil:
			return Token{}, time.Time{}, err
		case a.lasts(held, freshFor):
			return tokenOf(held), time.Time{}, nil
		case held.RefreshToken == "":
			return Token{}, time.Time{}, fail(ReasonConsentDue)
		}
		until := a.now().Add(workLimit + leaseSlack)
		mine, err := a.store.Customer(key.customer).LeaseRefresh(ctx, key.source, id, until)
		switch {
		case errors.Is(err, registry.ErrNotFound):
			return Token{}, time.Time{}, fail(ReasonConsentDue)
		case err != nil && !errors.Is(err, registry.ErrStale):
			return Token{}, time.Time{}, stored(err)
		case mine:
			token, err := a.renewLeased(life, key, id, held)
			if !errors.Is(err, errReplaced) {
				if ReasonOf(err) == ReasonConsentDue || err == nil {
					until = time.Time{}
				}
				return token, until, err
			}
		}
		// Another replica is refreshing, or was.
		if !background.Sleep(ctx, lookAgain) {
			break // stopping, or out of time
		}
	}
	// The holder may fail, and keep the lease for as long again: the next readers
	// do not wait for that.
	return Token{}, a.now().Add(leaseSlack), fail(ReasonAway)
}

// errReplaced: other tokens are stored by now than those that we asked with.
var errReplaced = errors.New("agentauth: the tokens were replaced")

// renewLeased asks the server for new tokens, in a time of its own: what it answers
// may be all that is good from then on.
func (a *Agents) renewLeased(life context.Context, key flightKey, id string, held registry.OAuthCredential) (Token, error) {
	ctx, cancel := context.WithTimeout(life, workLimit)
	defer cancel()
	next, err := a.refresh(ctx, held)
	switch {
	case err == nil:
		return a.keep(ctx, key, id, next)
	case lost(err):
		a.clients.forget(key.customer, key.source)
		return Token{}, a.erase(ctx, key, id, err)
	}
	a.logOutcome(ctx, "an agent's tokens could not be refreshed", "oauth_refresh", key.customer, key.source, err)
	return Token{}, err
}

// lost reports whether a server no longer accepts our tokens: the grant is void, or
// the client that it was given to (RFC 6749 §5.2).
func lost(err error) bool {
	var e *Error
	if !errors.As(err, &e) || e.Reason != ReasonRefused {
		return false
	}
	return e.Code == "invalid_grant" || e.Code == "invalid_client" || e.Code == "unauthorized_client"
}

// erase removes void tokens.
func (a *Agents) erase(ctx context.Context, key flightKey, id string, cause error) error {
	_, err := a.sources.ReplaceCredential(ctx, key.customer, key.source, id, nil)
	switch {
	case errors.Is(err, registry.ErrStale):
		return errReplaced
	case err != nil && !errors.Is(err, registry.ErrNotFound):
		return stored(err)
	}
	a.logOutcome(ctx, "an agent's tokens are void and erased: a consent is due", "oauth_refresh", key.customer, key.source, cause)
	return fail(ReasonConsentDue)
}

// keep stores new tokens in the place of those that they came from. The reader gets
// the access token in any case. Tokens whose source was deleted, changed or given a
// new consent meanwhile are dropped: what is stored counts.
func (a *Agents) keep(ctx context.Context, key flightKey, id string, next registry.OAuthCredential) (Token, error) {
	err := persist(ctx, func() error {
		_, err := a.sources.ReplaceCredential(ctx, key.customer, key.source, id, &registry.Credential{OAuth: &next})
		return err
	})
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return Token{}, fail(ReasonConsentDue)
	case errors.Is(err, registry.ErrStale):
		return Token{}, errReplaced
	case err != nil:
		a.logOutcome(ctx, "an agent's new tokens could not be stored", "oauth_refresh", key.customer, key.source, stored(err))
	}
	return tokenOf(next), nil
}

// persist stores what a server gives once: the tokens for a code, and a new refresh
// token, after which it may refuse the old one. It tries again while there is time,
// unless the store's error is final.
func persist(ctx context.Context, write func() error) error {
	for delay := lookAgain; ; delay *= 2 {
		err := write()
		switch {
		case err == nil, errors.Is(err, registry.ErrNotFound), errors.Is(err, registry.ErrStale), errors.Is(err, registry.ErrInvalid), errors.Is(err, registry.ErrSecret):
			return err
		case !background.Sleep(ctx, delay):
			return err
		}
	}
}
