package agentauth

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"esagate/internal/word"
	"esagate/registry"
)

// Ways in which a client says at the token endpoint who it is (RFC 7591 §2).
const (
	authNone  = "none"
	authBasic = "client_secret_basic"
	authPost  = "client_secret_post"
)

const maxClientSecret = 4096 // bytes

// client gives the gateway as a server knows it: newly registered, or registered for
// this source a moment ago. A server without registration may know us from before.
func (a *Agents) client(ctx context.Context, s *registry.Source, found *agent) (registry.OAuthClient, error) {
	know := a.newClient
	if found.server.RegistrationEndpoint == "" {
		know = a.knownClient
	}
	known, err := know(ctx, s, found)
	if err != nil {
		return registry.OAuthClient{}, err
	}
	c := *known
	c.Issuer, c.TokenEndpoint, c.RequireIssuer = found.server.Issuer, found.server.TokenEndpoint, bool(found.server.AnswersCarryIssuer)
	c.RedirectURI, c.Scope = a.cfg.RedirectURI, found.scope
	c.Resource, c.Audience = found.resource, ""
	if named := s.Agent.OAuthAudience; named != "" {
		c.Resource, c.Audience = named, named
	}
	return c, nil
}

// newClient registers the gateway. What is stored beside the tokens is not looked at,
// as servers forget clients that were registered so: named at the authorization
// endpoint, such a client has a browser end on an error page of the server's, from
// where nothing comes back that could tell us.
func (a *Agents) newClient(ctx context.Context, s *registry.Source, found *agent) (*registry.OAuthClient, error) {
	method, err := chooseMethod(found.server.AuthMethods)
	if err != nil {
		return nil, err
	}
	key := clientKey{s.CustomerID, s.SourceID, found.server.Issuer, method, found.scope}
	if c, left := a.clients.get(key); left > 0 && !expires(c) {
		return c, nil
	}
	c, err := a.register(ctx, found, method)
	if err == nil {
		a.clients.put(key, c, clientLife)
	}
	return c, err
}

// knownClient gives the client of the stored tokens, if it is one of this server and
// of this redirect, and will be until a consent that begins now has ended.
func (a *Agents) knownClient(ctx context.Context, s *registry.Source, found *agent) (*registry.OAuthClient, error) {
	held, _, err := a.credential(ctx, s.CustomerID, s.SourceID)
	if ReasonOf(err) == ReasonStore && !errors.Is(err, registry.ErrSecret) {
		return nil, err
	}
	c := &held.Client
	if c.ClientID == "" || c.Issuer != found.server.Issuer || c.RedirectURI != a.cfg.RedirectURI || expires(c) {
		return nil, fail(ReasonNoClient)
	}
	return c, nil
}

// Registrations are remembered for a while, so that a source that is changed again and
// again does not fill its server with clients. The time is short, because servers
// forget clients without telling.
const (
	maxClients = 1000
	clientLife = 10 * time.Minute
)

// clientKey is what a registration was for. The redirect is always the same.
type clientKey struct {
	customer int64
	source   string
	issuer   string
	method   string // that was asked for
	scope    string
}

// forgetClients forgets a source's clients: a server has said that it does not know one.
func (a *Agents) forgetClients(customer int64, source string) {
	for _, key := range a.clients.Keys() {
		if key.customer == customer && key.source == source {
			a.clients.Remove(key)
		}
	}
}

// expires reports whether a client's secret runs out before a consent that begins
// now has ended.
func expires(c *registry.OAuthClient) bool {
	return !c.SecretExpires.IsZero() && time.Until(c.SecretExpires) <= consentLife
}

// register makes the gateway known to a server (RFC 7591).
func (a *Agents) register(ctx context.Context, found *agent, method string) (*registry.OAuthClient, error) {
	grants := []string{"authorization_code"}
	// A list that was left out means no refresh tokens (RFC 8414 §2), and says nothing in practice.
	if allows(found.server.GrantTypes, "refresh_token") {
		grants = append(grants, "refresh_token")
	}
	asked, err := json.Marshal(registration{
		RedirectURIs: []string{a.cfg.RedirectURI}, ClientName: a.cfg.ClientName, GrantTypes: grants,
		ResponseTypes: []string{"code"}, AuthMethod: method, Scope: found.scope,
	})
	if err != nil {
		return nil, fail(ReasonUnsupported) // a scope is ASCII, and the rest is ours
	}
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	status, answer, err := a.post(ctx, found.server.RegistrationEndpoint, "application/json", string(asked), nil)
	switch code := answer.text("error"); {
	case err != nil:
		return nil, err
	case status/100 == 2:
		return a.registered(answer, method, found.server)
	case code != "":
		return nil, refused(code)
	}
	return nil, fail(ReasonAnswer)
}

// registration is what we ask to be registered as (RFC 7591 §2).
type registration struct {
	RedirectURIs  []string `json:"redirect_uris"`
	ClientName    string   `json:"client_name"`
	GrantTypes    []string `json:"grant_types"`
	ResponseTypes []string `json:"response_types"`
	AuthMethod    string   `json:"token_endpoint_auth_method"`
	Scope         string   `json:"scope,omitzero"`
}

// chooseMethod picks how to say who we are. A secret that every client gets that
// asks proves nothing about us, would lie beside the tokens that it is to protect,
// and many servers let it expire, with which every refresh ends; PKCE binds the code
// to us without it. So none is asked for where a server can do without.
func chooseMethod(offered []string) (string, error) {
	if offered == nil {
		return authBasic, nil // RFC 8414 §2: what a list that was left out means
	}
	for _, method := range []string{authNone, authBasic, authPost} {
		if slices.Contains(offered, method) {
			return method, nil
		}
	}
	return "", fail(ReasonUnsupported)
}

// registered reads what a server made of a registration: it may differ from what was
// asked for (RFC 7591 §3.2.1). No other members of the answer are looked at.
func (a *Agents) registered(answer members, asked string, at *server) (*registry.OAuthClient, error) {
	c := &registry.OAuthClient{
		ClientID: answer.text("client_id"), ClientSecret: answer.text("client_secret"),
		AuthMethod: answer.text("token_endpoint_auth_method"),
	}
	redirects := answer.list("redirect_uris")
	if c.AuthMethod == "" {
		c.AuthMethod = asked
		if asked == authNone && c.ClientSecret != "" { // it wants to see the secret, and does not say how
			c.AuthMethod = authBasic
			if !allows(at.AuthMethods, authBasic) {
				c.AuthMethod = authPost
			}
		}
	}
	switch {
	case !word.ClientID.Is(c.ClientID), c.ClientSecret != "" && !word.Printable.AtMost(c.ClientSecret, maxClientSecret),
		len(redirects) > 0 && !slices.Contains(redirects, a.cfg.RedirectURI):
		return nil, fail(ReasonAnswer)
	}
	switch c.AuthMethod {
	case authNone:
		c.ClientSecret = ""
	case authBasic, authPost:
		if c.ClientSecret == "" {
			return nil, fail(ReasonAnswer)
		}
		switch end, readable := answer.seconds("client_secret_expires_at"); {
		case !readable, end != 0 && end <= float64(time.Now().Unix()):
			return nil, fail(ReasonAnswer)
		case end > 0:
			c.SecretExpires = registry.Instant(time.Unix(int64(end), 0))
		}
	default:
		return nil, fail(ReasonUnsupported)
	}
	return c, nil
}
