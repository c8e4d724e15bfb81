package agentauth

import (
	"context"
	"errors"
	"net/url"
	"strings"
)

// serverDocument is what we read of an authorization server's metadata (RFC 8414
// §2, RFC 7636, RFC 9207 §3). A nil list was left out.
type serverDocument struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	RegistrationEndpoint  string   `json:"registration_endpoint"`
	ResponseTypes         []string `json:"response_types_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	AnswersCarryIssuer    bool     `json:"authorization_response_iss_parameter_supported"`
}

// server is an authorization server that has what we need.
type server struct {
	issuer        string
	authorization string
	token         string
	registration  string // empty: it registers no clients
	refreshes     bool   // it may give refresh tokens
	authMethods   []string
	saysPKCE      bool // it lists S256; else it lists nothing, and may not look at it
	carriesIssuer bool
}

const wellKnownServer = "/.well-known/oauth-authorization-server"

// anyServer gives the first of some issuers that can be used, or why the first
// could not.
func (a *Agents) anyServer(ctx context.Context, issuers []string) (*server, error) {
	var first error
	for _, issuer := range issuers[:min(len(issuers), maxServers)] {
		s, err := a.serverAt(ctx, issuer)
		if err == nil {
			return s, nil
		}
		if errors.Is(err, errAbsent) {
			err = fail(ReasonNoServer)
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// serverAt reads the metadata of an issuer: RFC 8414 §3, then the two places of
// OpenID Connect Discovery (RFC 8414 §5). errAbsent: there is none.
func (a *Agents) serverAt(ctx context.Context, issuer string) (*server, error) {
	u, err := a.address(issuer)
	if err != nil {
		return nil, err
	}
	if u.RawQuery != "" || u.ForceQuery {
		return nil, fail(ReasonAddress)
	}
	const openID = "/.well-known/openid-configuration"
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	places := []string{origin(u) + wellKnownServer + path, origin(u) + openID + path}
	if path != "" {
		places = append(places, origin(u)+path+openID)
	}
	return a.serverIn(ctx, issuer, places...)
}

// ownServer reads the metadata of a server that is of the agent's own origin.
func (a *Agents) ownServer(ctx context.Context, endpoint *url.URL) (*server, error) {
	return a.serverIn(ctx, origin(endpoint), origin(endpoint)+wellKnownServer)
}

func (a *Agents) serverIn(ctx context.Context, issuer string, places ...string) (*server, error) {
	for _, at := range places {
		var doc serverDocument
		err := a.document(ctx, at, &doc)
		if errors.Is(err, errAbsent) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return a.judge(issuer, doc)
	}
	return nil, errAbsent
}

// judge says whether a server can be used.
//
// An attacker's metadata can name an honest server's authorization endpoint beside a
// token endpoint of the attacker's: the user consents at a page that is what it looks
// like, and the attacker gets the code with its verifier (RFC 9700 §4.4). So either the
// endpoint is of the origin at which the metadata stands, or the answer must carry
// `iss` (RFC 9207), which then is not the attacker's. The other endpoints may be
// anywhere: who the user consents with has named them. A browser that the attacker's
// own page sends on to an honest server is found out by an `iss` alone.
func (a *Agents) judge(issuer string, doc serverDocument) (*server, error) {
	switch {
	case doc.Issuer == "" || doc.AuthorizationEndpoint == "" || doc.TokenEndpoint == "":
		return nil, fail(ReasonMetadata)
	case !sameIssuer(doc.Issuer, issuer):
		return nil, fail(ReasonMismatch)
	case !allows(doc.ChallengeMethods, "S256", true):
		return nil, fail(ReasonNoPKCE)
	case !allows(doc.ResponseTypes, "code", true), !allows(doc.GrantTypes, "authorization_code", true):
		return nil, fail(ReasonUnsupported)
	}
	s := &server{
		issuer: doc.Issuer, authorization: doc.AuthorizationEndpoint, token: doc.TokenEndpoint,
		registration: doc.RegistrationEndpoint, authMethods: doc.AuthMethods,
		// Left out, the list means no refresh tokens (RFC 8414 §2), and says nothing in practice.
		refreshes: allows(doc.GrantTypes, "refresh_token", true),
		saysPKCE:  doc.ChallengeMethods != nil, carriesIssuer: doc.AnswersCarryIssuer,
	}
	for _, at := range []string{s.authorization, s.token, s.registration} {
		if at == "" {
			continue // no registration
		}
		if _, err := a.address(at); err != nil {
			return nil, err
		}
	}
	authorization, _ := url.Parse(s.authorization) // read just now
	if at, err := url.Parse(s.issuer); !s.carriesIssuer && (err != nil || !sameOrigin(at, authorization)) {
		return nil, fail(ReasonMismatch)
	}
	for name := range authorization.Query() {
		if ourParameters[name] {
			return nil, fail(ReasonMetadata) // RFC 6749 §3.1: no parameter twice
		}
	}
	return s, nil
}

// ourParameters are the parameters that an authorization request gets from us.
var ourParameters = map[string]bool{
	"response_type": true, "client_id": true, "redirect_uri": true, "scope": true, "state": true,
	"code_challenge": true, "code_challenge_method": true, "resource": true, "audience": true,
}

// sameIssuer compares issuers as RFC 8414 §3.3 wants it, except for one last
// slash, which many agents add to a bare origin in `authorization_servers`.
func sameIssuer(a, b string) bool { return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/") }
