package agentauth

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"esagate/internal/origin"
	"esagate/registry"
)

// Authorization is what a request to an agent carries. Printed or logged, it is one word.
type Authorization struct {
	// Header holds the fields to set, in place of any of the same names; nil: none. It is shared
	// by no other caller.
	Header http.Header
	// CredentialID is the id of the credentials that it was made from: [registry.Agent.CredentialID],
	// or a newer one. Empty for an agent that takes none.
	CredentialID string
}

// Format implements fmt.Formatter: no verb shows a secret.
func (Authorization) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue implements slog.LogValuer.
func (Authorization) LogValue() slog.Value { return slog.StringValue(hidden) }

// Authorize gives what a request to the agent of an AGENT source is authorized with, for each kind of
// authentication:
//
//   - an API key stands in Authorization as a bearer token, or in X-Api-Key;
//   - a user name and a password stand in Authorization (RFC 7617);
//   - a JWT credential is exchanged for an access token (RFC 7523);
//   - the access token of a consent is refreshed when it is due.
//
// Access tokens are got once for all that wait. src must have been read for this request: credentials that
// replaced its own since are not sent to its address. The errors are that of ctx, and [*Error]:
// ReasonNoCredential and ReasonConsentDue while nothing is stored that could be sent,
// ReasonCredential when what is stored can't be used, ReasonChanged when src is no
// longer how the source stands, and those of a token request: ReasonAway, ReasonRefused, ReasonAnswer,
// ReasonAddress, ReasonBusy and ReasonStore, which may go by.
func (a *Agents) Authorize(ctx context.Context, src *registry.Source) (Authorization, error) {
	switch {
	case src.Agent == nil:
		return Authorization{}, fail(ReasonNoCredential)
	case src.Agent.Authentication == registry.AuthNone:
		return Authorization{}, nil
	case src.Agent.Authentication == registry.AuthOAuth:
		return a.byConsent(ctx, src)
	}
	held, id, err := a.read(ctx, src.CustomerID, src.SourceID)
	switch {
	case err != nil:
		return Authorization{}, err
	case held == nil:
		return Authorization{}, fail(ReasonNoCredential)
	case id != src.Agent.CredentialID:
		return Authorization{}, fail(ReasonChanged)
	case held.Token != nil:
		if held.Token.Scheme != "bearer" {
			return authorization("X-Api-Key", held.Token.Token, id)
		}
		return authorization("Authorization", "Bearer "+held.Token.Token, id)
	case held.Basic != nil:
		if strings.Contains(held.Basic.Username, ":") { // RFC 7617 §2
			return Authorization{}, fail(ReasonCredential)
		}
		pair := held.Basic.Username + ":" + held.Basic.Password
		return authorization("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)), id)
	case held.JWT != nil:
		token, err := a.byAssertion(ctx, flightKey{src.CustomerID, src.SourceID, id}, held.JWT)
		if err != nil {
			return Authorization{}, err
		}
		return authorization("Authorization", "Bearer "+token.AccessToken, id)
	}
	return Authorization{}, fail(ReasonNoCredential)
}

// byConsent gives the access token that a consent brought. A path of the agent may have changed since
// the consent, and another origin voids it: so the origin is what src is held against.
func (a *Agents) byConsent(ctx context.Context, src *registry.Source) (Authorization, error) {
	token, err := a.Token(ctx, src.CustomerID, src.SourceID)
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
	return authorization("Authorization", "Bearer "+token.AccessToken, token.credential)
}

// authorization is one field, if it can be one.
func authorization(name, value, credential string) (Authorization, error) {
	if !httpguts.ValidHeaderFieldValue(value) {
		return Authorization{}, fail(ReasonCredential)
	}
	return Authorization{Header: http.Header{name: {value}}, CredentialID: credential}, nil
}

// read gives the stored credentials of a source and their id; nil: there are none.
func (a *Agents) read(ctx context.Context, customer int64, sourceID string) (*registry.Credential, string, error) {
	held, id, err := a.deps.Store.Customer(customer).Credential(ctx, sourceID)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return nil, "", nil
	case err != nil:
		return nil, "", cmp.Or(ctx.Err(), error(stored(err)))
	}
	return held, id, nil
}
