package agentauth

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"esagate/registry"
)

// maxToken bounds a token, in bytes.
const maxToken = 16 << 10

// exchange turns a code into tokens (RFC 6749 §4.1.3, RFC 7636, RFC 8707 §2.2). All
// that it says, and whom it says it to, comes from the consent.
func (a *Agents) exchange(ctx context.Context, consent registry.Consent, code string) (registry.OAuthCredential, error) {
	c := consent.Client
	config := oauth2.Config{
		ClientID: c.ClientID, ClientSecret: c.ClientSecret, RedirectURL: c.RedirectURI,
		Endpoint: oauth2.Endpoint{TokenURL: c.TokenEndpoint, AuthStyle: authStyle(c.AuthMethod)},
	}
	return a.requestTokens(ctx, c, func(ctx context.Context) (*oauth2.Token, error) {
		return config.Exchange(ctx, code, oauth2.VerifierOption(consent.Verifier), oauth2.SetAuthURLParam("resource", c.Resource))
	})
}

// refresh gets new tokens for a refresh token (RFC 6749 §6). The refresher of
// package oauth2 can't name a resource; the client-credentials grant takes any
// parameter, grant_type included, and authenticates the client in the same ways.
func (a *Agents) refresh(ctx context.Context, held registry.OAuthCredential) (registry.OAuthCredential, error) {
	c := held.Client
	config := clientcredentials.Config{
		ClientID: c.ClientID, ClientSecret: c.ClientSecret,
		TokenURL: c.TokenEndpoint, AuthStyle: authStyle(c.AuthMethod),
		EndpointParams: url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {held.RefreshToken}, "resource": {c.Resource},
		},
	}
	return a.requestTokens(ctx, c, config.Token)
}

// requestTokens sends a token request. Package oauth2 uses the client that follows no
// redirect: the request carries the code, the refresh token and the secret.
func (a *Agents) requestTokens(ctx context.Context, c registry.OAuthClient, send func(context.Context) (*oauth2.Token, error)) (registry.OAuthCredential, error) {
	if _, err := a.address(c.TokenEndpoint); err != nil {
		return registry.OAuthCredential{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, oauth2.HTTPClient, a.direct), askLimit)
	defer cancel()
	token, err := send(ctx)
	if err != nil {
		return registry.OAuthCredential{}, tokenError(ctx, err)
	}
	return tokensOf(token, c)
}

// authStyle never is the one that tries both ways, and so sends everything twice.
func authStyle(method string) oauth2.AuthStyle {
	if method == authBasic {
		return oauth2.AuthStyleInHeader
	}
	return oauth2.AuthStyleInParams // without a secret, the client_id alone
}

// tokensOf reads a token endpoint's answer.
func tokensOf(t *oauth2.Token, c registry.OAuthClient) (registry.OAuthCredential, error) {
	switch {
	case !strings.EqualFold(t.TokenType, "Bearer"), // required, and all that we can use (RFC 6749 §7.1)
		!printable(t.AccessToken, maxToken), strings.Contains(t.AccessToken, " "), // it goes into a header (RFC 6750 §2.1)
		t.RefreshToken != "" && !printable(t.RefreshToken, maxToken),
		!t.Expiry.IsZero() && time.Until(t.Expiry) <= 0:
		return registry.OAuthCredential{}, fail(ReasonAnswer)
	}
	return registry.OAuthCredential{
		AccessToken: t.AccessToken, TokenType: "Bearer", RefreshToken: t.RefreshToken, ExpiresAt: registry.Instant(t.Expiry), Client: c,
	}, nil
}

// tokenError says what went wrong. Package oauth2's errors hold what the server
// wrote, secrets included: they end here.
func tokenError(ctx context.Context, err error) *Error {
	if answer, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return refused(answer.ErrorCode)
	}
	if _, lost := errors.AsType[*url.Error](err); lost || ctx.Err() != nil {
		return fail(ReasonAway)
	}
	return fail(ReasonAnswer)
}
