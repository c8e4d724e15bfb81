package agentauth

import (
	"context"
	"net/url"
	"strings"

	"esagate/internal/origin"
)

// server is an authorization server: what we read of its metadata (RFC 8414 §2,
// RFC 7636, RFC 9207 §3). A nil list was left out.
type server struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	RegistrationEndpoint  string `json:"registration_endpoint"` // empty: it registers no clients
	ResponseTypes         list   `json:"response_types_supported"`
	GrantTypes            list   `json:"grant_types_supported"`
	AuthMethods           list   `json:"token_endpoint_auth_methods_supported"`
	ChallengeMethods      list   `json:"code_challenge_methods_supported"` // nil: it may not look at the challenge
	AnswersCarryIssuer    flag   `json:"authorization_response_iss_parameter_supported"`
}

// serverAt reads the metadata of an issuer: RFC 8414 §3, then the two places of
// OpenID Connect Discovery (RFC 8414 §5), then places that no standard
// names and some servers use. errAbsent: there is none.
func (a *Agents) serverAt(ctx context.Context, issuer string, asked *agent) (*server, error) {
	u, err := a.address(issuer)
	if err != nil {
		return nil, err
	}
	if u.RawQuery != "" || u.ForceQuery {
		return nil, fail(ReasonAddress)
	}
	const oauth, openID = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
	at, path := root(u), strings.TrimSuffix(u.EscapedPath(), "/")
	places := []string{at + oauth + path, at + openID + path}
	if path != "" {
		places = append(places, at+path+openID, at+path+oauth, at+oauth+path+"/", at+openID+path+"/")
	}
	return firstGood(places, func(at string) (*server, error) {
		var s server
		if err := a.document(ctx, at, &s); err != nil {
			return nil, err
		}
		return &s, a.judge(issuer, &s, asked)
	})
}

// judge says whether a server can be used.
//
// Its authorization endpoint must be of the origin at which the metadata stands, or the
// answer must carry `iss` (RFC 9207): else an attacker's metadata can name an honest
// server's page, and the attacker gets the code with its verifier (decision 18). The other
// endpoints may be anywhere: the server that the user consents with has named them.
func (a *Agents) judge(issuer string, s *server, asked *agent) error {
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
		if _, err := a.named(at); at != "" && err != nil {
			return err
		}
	}
	authorization, err := a.address(s.AuthorizationEndpoint)
	if err != nil {
		return err
	}
	if at, err := url.Parse(s.Issuer); !bool(s.AnswersCarryIssuer) && (err != nil || !origin.Same(at, authorization)) {
		return fail(ReasonMismatch)
	}
	for name := range authorization.Query() {
		if ourParameters[name] || name == "scope" && asked.scope != "" || name == "audience" && asked.audience != "" {
			return fail(ReasonMetadata) // RFC 6749 §3.1: no parameter twice
		}
	}
	return nil
}

// ourParameters are the parameters of every authorization request; some have scope and audience too.
var ourParameters = map[string]bool{
	"response_type": true, "client_id": true, "redirect_uri": true, "state": true,
	"code_challenge": true, "code_challenge_method": true, "resource": true,
}

// sameIssuer compares issuers as RFC 8414 §3.3 wants it, except for one last
// slash, which many agents add to a bare origin in `authorization_servers`.
func sameIssuer(a, b string) bool { return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/") }
