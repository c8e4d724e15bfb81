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
	"strings"

	"esagate/registry"
)

// Authorization is what a request to an agent carries. Printed or logged, it is one word.
type Authorization struct {
	secret
	// Header holds the fields to set, in place of any of the same names; nil: none. No other caller
	// has it.
	Header http.Header
	// CredentialID is the id of the credentials that it was made from: [registry.Agent.CredentialID],
	// or a newer one. Empty for an agent that takes none.
	CredentialID string
}

// secret makes the struct that embeds it one word to every printer and log.
type secret struct{}

const hidden = "[secret]"

// Format implements fmt.Formatter: no verb shows a secret.
func (secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue implements slog.LogValuer.
func (secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// Authorize gives what a request to the agent of an AGENT source is authorized with, for each kind of
// authentication (contract 13.9):
//
//   - an API key stands in Authorization as a bearer token, or in X-Api-Key;
//   - a user name and a password stand in Authorization (RFC 7617);
//   - a JWT credential is exchanged for an access token (RFC 7523);
//   - the access token of a consent is refreshed when it is due.
//
// Access tokens are got once for all that wait. What is good is kept in memory, also while the store is
// away. src must have been read for this request: credentials that replaced its own since are not sent to
// its address. The errors are that of ctx, and [*Error]: ReasonNoCredential and ReasonConsentDue while
// nothing is stored that could be sent, ReasonCredential when what is stored can't be used, ReasonChanged
// when src is no longer how the source stands, and those of a token request: ReasonAway, ReasonRefused,
// ReasonAnswer, ReasonAddress, ReasonBusy and ReasonStore, which may go by.
func (a *Agents) Authorize(ctx context.Context, src *registry.Source) (Authorization, error) {
	switch {
	case src.Agent == nil:
		return Authorization{}, fail(ReasonNoCredential)
	case src.Agent.Authentication == registry.AuthNone:
		return Authorization{}, nil
	}
	if f, left := a.fields.kept.get(flightKey{src.CustomerID, src.SourceID, src.Agent.CredentialID}); left > 0 {
		return f.authorization(), nil
	}
	if src.Agent.Authentication == registry.AuthOAuth {
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
	}
	key := flightKey{src.CustomerID, src.SourceID, id}
	switch {
	case held.Token != nil && held.Token.Scheme == "bearer":
		return a.fields.add(key, "Authorization", "Bearer "+held.Token.Token)
	case held.Token != nil:
		return a.fields.add(key, "X-Api-Key", held.Token.Token)
	case held.Basic != nil:
		if strings.Contains(held.Basic.Username, ":") { // RFC 7617 §2
			return Authorization{}, fail(ReasonCredential)
		}
		pair := held.Basic.Username + ":" + held.Basic.Password
		return a.fields.add(key, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	case held.JWT != nil:
		return a.byAssertion(ctx, key, held.JWT)
	}
	return Authorization{}, fail(ReasonNoCredential)
}

// Refused is told that an agent did not accept credentials, those with an id. If an access token was
// sent, the next request gets another one, once a minute for a source at most.
func (a *Agents) Refused(customer int64, sourceID, credentialID string) {
	a.fields.refuse(flightKey{customer, sourceID, credentialID})
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
