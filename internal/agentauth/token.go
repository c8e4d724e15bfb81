package agentauth

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"esagate/registry"
)

const (
	freshFor = time.Minute     // a token with no more than that left is refreshed
	goodFor  = 5 * time.Second // and with more than that left is given meanwhile
)

// Token is what an agent is asked with. Printed or logged, it is one word.
type Token struct {
	Type        string // Bearer
	AccessToken string
	ExpiresAt   time.Time // zero: not said

	credential string // the id of the credentials that it is of
	resource   string // OAuthClient.Resource
}

const hidden = "[secret]"

// Format implements fmt.Formatter: no verb shows a secret.
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue implements slog.LogValuer.
func (Token) LogValue() slog.Value { return slog.StringValue(hidden) }

// Token gives an access token that is good now, refreshed if need be: once for all
// that wait, over all replicas. While the stored token is good for some seconds, readers
// do not wait. Its errors are
// that of ctx, and [*Error]: ReasonConsentDue when there are no tokens, or the server no
// longer accepts them (they are erased then); ReasonAway, ReasonRefused, ReasonAnswer, ReasonAddress,
// ReasonBusy and ReasonStore when it may work later.
func (a *Agents) Token(ctx context.Context, customer int64, sourceID string) (Token, error) {
	held, id, err := a.credential(ctx, customer, sourceID)
	switch {
	case err != nil && ctx.Err() != nil:
		return Token{}, ctx.Err()
	case err != nil:
		return Token{}, err
	case lasts(held, freshFor):
		return tokenOf(held, id), nil
	case held.RefreshToken == "":
		if lasts(held, 0) {
			return tokenOf(held, id), nil
		}
		return Token{}, fail(ReasonConsentDue)
	}
	key := flightKey{customer, sourceID, id}
	if lasts(held, goodFor) {
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

func tokenOf(c registry.OAuthCredential, id string) Token {
	return Token{Type: c.TokenType, AccessToken: c.AccessToken, ExpiresAt: c.ExpiresAt, credential: id, resource: c.Client.Resource}
}
