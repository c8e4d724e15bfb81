package agentauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/idna"

	"esagate/registry"
)

const secretSize = 32 // random bytes

// newSecret makes a state or a verifier (RFC 7636 §4.1), in base64url. Of a state, the store
// keeps only the hash.
func newSecret() string {
	b := make([]byte, secretSize)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// Begin finds out how the agent of an OAUTH source wants to be asked and begins a
// consent: the address is where a browser gets it. "" and nil: none is due, as the
// agent asks for no authorization and names no server. A consent that was begun
// earlier is void. The error is an [*Error], ReasonBusy when too many of the
// customer's begin at once; it takes at most 15 s.
func (a *Agents) Begin(ctx context.Context, s *registry.Source) (authorizationURL string, err error) {
	ctx, cancel := context.WithTimeout(ctx, workLimit)
	defer cancel()
	if s.Agent == nil || s.Agent.Authentication != registry.AuthOAuth {
		return "", nil
	}
	if !a.begins.Take(s.CustomerID) {
		return "", fail(ReasonBusy)
	}
	defer a.begins.Give(s.CustomerID)
	found, err := a.discover(ctx, s.Agent.EndpointURL, s.Agent.OAuthAudience)
	if err != nil || found == nil {
		return "", err
	}
	if found.server.ChallengeMethods == nil {
		a.log.LogAttrs(ctx, slog.LevelInfo, "an agent's authorization server does not say that it checks PKCE",
			slog.Int64("customer_id", s.CustomerID), slog.String("source_id", s.SourceID))
	}
	client, err := a.client(ctx, s, found)
	if err != nil {
		return "", err
	}
	consent := registry.Consent{
		SourceRow: s.ID, AuthVersion: s.Agent.AuthVersion,
		Verifier: newSecret(), Client: client, ExpiresAt: time.Now().Add(consentLife),
	}
	state := newSecret()
	ctx, stop := registry.SpendWriteTime(ctx)
	defer stop()
	err = a.deps.Store.Customer(s.CustomerID).BeginConsent(ctx, s.SourceID, sha256.Sum256([]byte(state)), consent)
	if err != nil {
		return "", changed(err)
	}
	return a.authorizationURLOf(found.server.AuthorizationEndpoint, consent, state)
}

// changed is a failure of the store to begin or end a consent; nil for nil.
func changed(err error) error {
	switch {
	case errors.Is(err, registry.ErrStale), errors.Is(err, registry.ErrNotFound):
		return fail(ReasonChanged)
	case err != nil:
		return stored(err)
	}
	return nil
}

// isState reports whether a text has the form of a state; for others the store is not
// asked.
func isState(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == secretSize && len(s) == base64.RawURLEncoding.EncodedLen(secretSize) // no line breaks
}

// authorizationURLOf keeps the endpoint's own query (RFC 6749 §3.1), which names none of the
// parameters that are added. A page can put the address anywhere: of the endpoint's characters none but those that mean
// nothing to HTML and scripts stay unescaped.
func (a *Agents) authorizationURLOf(endpoint string, c registry.Consent, state string) (string, error) {
	u, err := a.address(endpoint)
	if err != nil {
		return "", err
	}
	host := u.Host // of plain characters, where it is ASCII: the guard has looked at it
	if name := u.Hostname(); strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) {
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return "", fail(ReasonAddress)
		}
		host = strings.Replace(host, name, ascii, 1)
	}
	challenge := sha256.Sum256([]byte(c.Verifier))
	query := url.Values{
		"response_type": {"code"}, "state": {state},
		"client_id": {c.Client.ClientID}, "redirect_uri": {c.Client.RedirectURI},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
		"resource": {c.Client.Resource},
	}
	if c.Client.Scope != "" {
		query.Set("scope", c.Client.Scope)
	}
	if c.Client.Audience != "" { // Auth0's name for it
		query.Set("audience", c.Client.Audience)
	}
	own := escaped(u.RawQuery)
	if own != "" {
		own += "&"
	}
	return "https://" + host + escaped(u.EscapedPath()) + "?" + own + query.Encode(), nil
}

// escaped escapes what a path or a query may not hold (RFC 3986 §3.3 and §3.4), and single quotes.
func escaped(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		_, err := url.PathUnescape(s[i:min(i+len("%41"), len(s))])
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~!$&()*+,;=:@/?", c) >= 0,
			c == '%' && err == nil:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
