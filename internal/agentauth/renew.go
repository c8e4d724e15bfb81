package agentauth

import (
	"context"
	"errors"
	"time"

	"esagate/internal/background"
	"esagate/registry"
)

const (
	// leaseLife is longer than a refresh by leaseSlack: for clocks of replicas that differ.
	leaseLife  = workLimit + leaseSlack
	leaseSlack = 5 * time.Second
	// Without the lease, the stored tokens are read that often, that many times: 10 s.
	lookAgain = 250 * time.Millisecond
	looks     = 40
)

// renew gives tokens that are fresh: those that another replica got, or new ones. An
// error's RetryAfter is when the next try makes sense; 0: at once.
func (a *Agents) renew(life context.Context, key flightKey) (accessToken, error) {
	ctx, cancel := context.WithTimeout(life, workLimit) // for a store that hangs
	defer cancel()
	for range looks {
		held, id, err := a.credential(ctx, key.customer, key.source)
		switch {
		case err != nil:
			return accessToken{}, err
		case a.fields.fresh(flightKey{key.customer, key.source, id}, held):
			return tokenOf(held, id), nil
		case held.RefreshToken == "":
			return accessToken{}, fail(ReasonConsentDue)
		}
		until := time.Now().Add(leaseLife)
		mine, err := a.deps.Store.Customer(key.customer).LeaseRefresh(ctx, key.source, id, until)
		switch {
		case errors.Is(err, registry.ErrNotFound):
			return accessToken{}, fail(ReasonConsentDue)
		case err != nil && !errors.Is(err, registry.ErrStale):
			return accessToken{}, stored(err)
		case mine:
			token, err := a.renewLeased(life, key, id, held)
			if err == nil || ReasonOf(err) == ReasonConsentDue {
				return token, err
			}
			if !errors.Is(err, errReplaced) {
				e := asError(err)
				e.RetryAfter = time.Until(until)
				return accessToken{}, e
			}
		}
		// Another replica is refreshing, or was.
		if !background.Sleep(ctx, lookAgain) {
			break // stopping, or out of time
		}
	}
	// The holder may fail, and keep the lease for as long again: the next readers
	// do not wait for that.
	return accessToken{}, &Error{Reason: ReasonAway, RetryAfter: leaseSlack}
}

// renewLeased asks the server for new tokens, in a time of its own: what it answers
// may be all that is good from then on.
func (a *Agents) renewLeased(life context.Context, key flightKey, id string, held registry.OAuthCredential) (accessToken, error) {
	ctx, cancel := context.WithTimeout(life, workLimit)
	defer cancel()
	report := func(message string, err error) {
		a.logOutcome(ctx, message, "oauth_refresh", key.customer, key.source, err)
	}
	next, err := a.refresh(ctx, held)
	switch {
	case err == nil:
		err = persist(ctx, func() (err error) {
			id, err = a.replace(ctx, key, id, &registry.Credential{OAuth: &next})
			return err
		})
		if ReasonOf(err) == ReasonStore { // the reader gets the access token all the same
			report("an agent's new tokens could not be stored", err)
			err = nil
		}
		return tokenOf(next, id), err
	case lost(err):
		a.forgetClients(key.customer, key.source)
		if _, err := a.replace(ctx, key, id, nil); err != nil {
			return accessToken{}, err
		}
		report("an agent's tokens are void and erased: a consent is due", err)
		return accessToken{}, fail(ReasonConsentDue)
	}
	report("an agent's tokens could not be refreshed", err)
	return accessToken{}, err
}

// lost reports whether a server no longer accepts our tokens: the grant is void, or
// the client that it was given to (RFC 6749 §5.2).
func lost(err error) bool {
	e := asError(err)
	return e.Reason == ReasonRefused && (e.Code == "invalid_grant" || e.Code == "invalid_client" || e.Code == "unauthorized_client")
}

// errReplaced: other tokens are stored by now than those that we asked with.
var errReplaced = errors.New("agentauth: the tokens were replaced")

// replace stores tokens, or nothing, in the place of those with an id. Where a source
// was deleted, changed or given a new consent meanwhile, what is stored counts. It gives the
// id of the new ones; after an error, that of the old ones.
func (a *Agents) replace(ctx context.Context, key flightKey, id string, next *registry.Credential) (nextID string, err error) {
	src, err := a.deps.Directory.ReplaceCredential(ctx, key.customer, key.source, id, next)
	switch {
	case errors.Is(err, registry.ErrStale):
		return id, errReplaced
	case errors.Is(err, registry.ErrNotFound):
		return id, fail(ReasonConsentDue)
	case err != nil:
		return id, stored(err)
	}
	return src.Agent.CredentialID, nil
}

// persist stores what a server gives once: the tokens for a code, and a new refresh
// token, after which it may refuse the old one. It tries again while there is time,
// unless the error is final.
func persist(ctx context.Context, write func() error) error {
	for delay := lookAgain; ; delay *= 2 {
		err := write()
		final := ReasonOf(err) != ReasonStore || errors.Is(err, registry.ErrInvalid) || errors.Is(err, registry.ErrSecret)
		if final || !background.Sleep(ctx, delay) {
			return err
		}
	}
}
