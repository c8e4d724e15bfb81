package agentauth

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"

	"esagate/internal/word"
	"esagate/registry"
)

// exchange turns a code into tokens (RFC 6749 §4.1.3, RFC 7636, RFC 8707 §2.2). All
// that it says, and whom it says it to, comes from the consent.
func (a *Agents) exchange(ctx context.Context, consent registry.Consent, code string) (registry.OAuthCredential, error) {
	return a.requestTokens(ctx, consent.Client, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {consent.Client.RedirectURI},
		"code_verifier": {consent.Verifier},
	})
}

// refresh gets new tokens for a refresh token (RFC 6749 §6), which stays good where the
// server gives no other.
func (a *Agents) refresh(ctx context.Context, held registry.OAuthCredential) (registry.OAuthCredential, error) {
	next, err := a.requestTokens(ctx, held.Client, url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {held.RefreshToken},
	})
	if next.RefreshToken == "" {
		next.RefreshToken = held.RefreshToken
	}
	return next, err
}

// requestTokens sends a token request, with the client authentication that the registration
// agreed on (RFC 6749 §2.3.1).
func (a *Agents) requestTokens(ctx context.Context, c registry.OAuthClient, form url.Values) (registry.OAuthCredential, error) {
	form.Set("resource", c.Resource)
	var basic *url.Userinfo
	if c.AuthMethod == authBasic {
		basic = url.UserPassword(url.QueryEscape(c.ClientID), url.QueryEscape(c.ClientSecret))
	} else {
		form.Set("client_id", c.ClientID)
		if c.ClientSecret != "" {
			form.Set("client_secret", c.ClientSecret)
		}
	}
	next, err := a.askTokens(ctx, c.TokenEndpoint, form, basic)
	next.Client = c
	return next, err
}

// askTokens sends a token request, and reads the answer (RFC 6749 §5).
func (a *Agents) askTokens(ctx context.Context, endpoint string, form url.Values, basic *url.Userinfo) (registry.OAuthCredential, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	status, answer, err := a.post(ctx, endpoint, "application/x-www-form-urlencoded", form.Encode(), basic)
	if err != nil {
		return registry.OAuthCredential{}, err
	}
	if code := answer.text("error"); code != "" || status/100 != 2 { // some refuse with a 200
		return registry.OAuthCredential{}, refused(code)
	}
	return tokensOf(answer)
}

// tokensOf reads a token endpoint's answer (RFC 6749 §5.1).
func tokensOf(answer members) (registry.OAuthCredential, error) {
	next := registry.OAuthCredential{
		AccessToken: answer.text("access_token"), TokenType: "Bearer", RefreshToken: answer.text("refresh_token"),
	}
	life, readable := answer.seconds("expires_in")
	kind := cmp.Or(answer.text("token_type"), next.TokenType) // required, and left out by many servers
	switch {
	case !strings.EqualFold(kind, next.TokenType), // all that we can use (RFC 6749 §7.1)
		!word.Printable.Is(next.AccessToken),
		strings.Contains(next.AccessToken, " "), // it goes into a header (RFC 6750 §2.1)
		next.RefreshToken != "" && !word.Printable.Is(next.RefreshToken),
		!readable || life < 0:
		return registry.OAuthCredential{}, fail(ReasonAnswer)
	}
	if life > 0 {
		next.ExpiresAt = registry.Instant(time.Now().Add(time.Duration(life * float64(time.Second))))
	}
	return next, nil
}
