package agentauth

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"esagate/internal/origin"
)

// server is an authorization server: what we read of its metadata (RFC 8414 §2,
// RFC 7636, RFC 9207 §3). A nil list was left out.
type server struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	RegistrationEndpoint  string   `json:"registration_endpoint"` // empty: it registers no clients
	ResponseTypes         []string `json:"response_types_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"` // nil: it may not look at the challenge
	AnswersCarryIssuer    bool     `json:"authorization_response_iss_parameter_supported"`
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
	places := []string{root(u) + wellKnownServer + path, root(u) + openID + path}
	if path != "" {
		places = append(places, root(u)+path+openID)
	}
	return a.serverIn(ctx, issuer, places...)
}

// serverIn reads the metadata of an issuer at the first place where some stand.
func (a *Agents) serverIn(ctx context.Context, issuer string, places ...string) (*server, error) {
	for _, at := range places {
		var s server
		switch err := a.document(ctx, at, &s); {
		case errors.Is(err, errAbsent):
			continue
		case err != nil:
			return nil, err
		}
		return &s, a.judge(issuer, &s)
	}
	return nil, errAbsent
}

// judge says whether a server can be used.
//
// Its authorization endpoint must be of the origin at which the metadata stands, or the
// answer must carry `iss` (RFC 9207): else an attacker's metadata can name an honest
// server's page, and the attacker gets the code with its verifier (decision 18). The other
// endpoints may be anywhere: the server that the user consents with has named them.
func (a *Agents) judge(issuer string, s *server) error {
	switch {
	case s.Issuer == "" || s.AuthorizationEndpoint == "" || s.TokenEndpoint == "":
		return fail(ReasonMetadata)
	case !sameIssuer(s.Issuer, issuer):
		return fail(ReasonMismatch)
	case !allows(s.ChallengeMethods, "S256"):
		return fail(ReasonNoPKCE)
	case !allows(s.ResponseTypes, "code"), !allows(s.GrantTypes, "authorization_code"):
		return fail(ReasonUnsupported)
	}
	for _, at := range []string{s.TokenEndpoint, s.RegistrationEndpoint} {
		if _, err := a.address(at); at != "" && err != nil {
			return err
		}
	}
	authorization, err := a.address(s.AuthorizationEndpoint)
	if err != nil {
		return err
	}
	if at, err := url.Parse(s.Issuer); !s.AnswersCarryIssuer && (err != nil || !origin.Same(at, authorization)) {
		return fail(ReasonMismatch)
	}
	for name := range authorization.Query() {
		if ourParameters[name] {
			return fail(ReasonMetadata) // RFC 6749 §3.1: no parameter twice
		}
	}
	return nil
}

// ourParameters are the parameters that an authorization request gets from us.
var ourParameters = map[string]bool{
	"response_type": true, "client_id": true, "redirect_uri": true, "scope": true, "state": true,
	"code_challenge": true, "code_challenge_method": true, "resource": true, "audience": true,
}

// sameIssuer compares issuers as RFC 8414 §3.3 wants it, except for one last
// slash, which many agents add to a bare origin in `authorization_servers`.
func sameIssuer(a, b string) bool { return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/") }
