package agentauth

import (
	"context"
	"net/url"
	"time"

	"esagate/internal/origin"
	"esagate/registry"
)

const (
	freshFor = time.Minute     // a token with no more than that left is refreshed
	goodFor  = 5 * time.Second // and with more than that left is given meanwhile
)

// accessToken is what an agent is asked with: a bearer token.
type accessToken struct {
	secret
	field
	expiresAt time.Time // zero: not said
	resource  string    // [registry.OAuthClient.Resource]
}

// byConsent gives the access token that a consent brought. A path of the agent may have changed since
// the consent, and another origin voids it: so the origin is what src is held against.
func (a *Agents) byConsent(ctx context.Context, src *registry.Source) (Authorization, error) {
	token, err := a.token(ctx, src.CustomerID, src.SourceID)
	if err != nil {
		return Authorization{}, err
	}
	endpoint, err := url.Parse(src.Agent.EndpointURL)
	if err != nil {
		return Authorization{}, fail(ReasonAddress)
	}
	if of, err := url.Parse(token.resource); err != nil || !origin.Same(of, endpoint) {
		return Authorization{}, fail(ReasonChanged)
	}
	life := keptFor
	if !token.expiresAt.IsZero() {
		life = time.Until(token.expiresAt) - freshFor
	}
	a.fields.keep(flightKey{src.CustomerID, src.SourceID, token.credential}, token.field, life)
	return token.authorization(), nil
}

// token gives an access token that is good now, refreshed if need be: once for all
// that wait, over all replicas. While the stored token is good for some seconds, readers
// do not wait. Its errors are those of Authorize.
func (a *Agents) token(ctx context.Context, customer int64, sourceID string) (accessToken, error) {
	held, id, err := a.credential(ctx, customer, sourceID)
	key := flightKey{customer, sourceID, id}
	switch {
	case err != nil:
		return accessToken{}, err
	case a.fields.fresh(key, held):
		return tokenOf(held, id), nil
	case held.RefreshToken == "":
		if lasts(held, 0) {
			return tokenOf(held, id), nil
		}
		return accessToken{}, fail(ReasonConsentDue)
	}
	if lasts(held, goodFor) && !a.fields.isRefused(key) {
		begun, leave := context.WithCancel(ctx)
		leave()
		_, _ = a.refreshed(begun, key) // begins it; what comes of it, the next reader sees
		return tokenOf(held, id), nil
	}
	return a.refreshed(ctx, key)
}

// credential gives the stored tokens of a source and their id.
func (a *Agents) credential(ctx context.Context, customer int64, sourceID string) (registry.OAuthCredential, string, error) {
	held, id, err := a.read(ctx, customer, sourceID)
	switch {
	case err != nil:
		return registry.OAuthCredential{}, "", err
	case held == nil || held.OAuth == nil:
		return registry.OAuthCredential{}, "", fail(ReasonConsentDue)
	}
	return *held.OAuth, id, nil
}

// lasts reports whether a token is good for longer than d.
func lasts(c registry.OAuthCredential, d time.Duration) bool {
	return c.ExpiresAt.IsZero() || time.Until(c.ExpiresAt) > d
}

func tokenOf(c registry.OAuthCredential, id string) accessToken {
	f := field{"Authorization", "Bearer " + c.AccessToken, id} // a word: tokensOf has seen to it
	return accessToken{field: f, expiresAt: c.ExpiresAt, resource: c.Client.Resource}
}
