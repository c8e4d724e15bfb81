package auth

import (
	"log/slog"
	"net/url"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Client is the gateway as the issuer knows it, where people sign in with a browser: by the
// authorization code flow (RFC 6749, section 4.1) with PKCE (RFC 7636).
type Client struct {
	ID     string
	Secret interface{ Reveal() string } // nil or empty: a public client
	Scopes []string                     // asked for beside openid
	// AudienceParameter is what names the audience to the issuer: `audience`, or `resource` (RFC 8707).
	// Empty: nothing does.
	AudienceParameter string
	RedirectURI       string
}

// secret gives the client's secret; empty for a public client.
func (c *Client) secret() string {
	if c.Secret == nil {
		return ""
	}
	return c.Secret.Reveal()
}

// serverMetadata is what an issuer's metadata say of the code flow (RFC 8414, section 2; RFC 7636;
// RFC 9207, section 3). What is wrong with them must not cost the keys: so they are read later.
type serverMetadata struct {
	Authorization    jsontext.Value `json:"authorization_endpoint"`
	Token            jsontext.Value `json:"token_endpoint"`
	ResponseTypes    jsontext.Value `json:"response_types_supported"`
	ChallengeMethods jsontext.Value `json:"code_challenge_methods_supported"`
	AuthMethods      jsontext.Value `json:"token_endpoint_auth_methods_supported"`
	SaysIssuer       jsontext.Value `json:"authorization_response_iss_parameter_supported"`
}

// server is where people sign in.
type server struct {
	authorization *url.URL
	token         string
	inBody        bool // the client's secret goes into the body, not into a header
	saysIssuer    bool // every answer names the issuer
}

// server reads the metadata; nil where nobody can, or may, sign in by them.
func (i *issuer) server(m *serverMetadata) *server {
	if i.signIn == nil {
		return nil
	}
	s, problem := m.read(i.signIn)
	if problem != "" {
		i.log.Warn("nobody can sign in at the issuer: its metadata do not allow it", slog.String("reason", problem))
		return nil
	}
	return s
}

func (m *serverMetadata) read(c *Client) (*server, string) {
	s := &server{saysIssuer: string(m.SaysIssuer) == "true"}
	authorization, ok := endpoint(m.Authorization)
	if !ok {
		return nil, "authorization_endpoint_refused"
	}
	for name := range c.request("", "", "") {
		if authorization.Query().Has(name) { // RFC 6749, section 3.1: no parameter twice
			return nil, "authorization_endpoint_refused"
		}
	}
	token, ok := endpoint(m.Token)
	if !ok {
		return nil, "token_endpoint_refused"
	}
	s.authorization, s.token = authorization, token.String()
	methods, said := oneOrMany(m.AuthMethods)
	s.inBody = said && !slices.Contains(methods, "client_secret_basic")
	switch {
	case !supports(m.ResponseTypes, "code"):
		return nil, "code_unsupported"
	case !supports(m.ChallengeMethods, "S256"):
		return nil, "pkce_unsupported"
	case c.secret() != "" && s.inBody && !slices.Contains(methods, "client_secret_post"):
		return nil, "client_authentication_unsupported"
	}
	return s, ""
}

// endpoint reads an address at which something may be asked.
func endpoint(raw jsontext.Value) (*url.URL, bool) {
	s, _ := text(raw)
	u, err := url.Parse(s)
	if err != nil || !fetchable(u) || u.Fragment != "" {
		return nil, false
	}
	return u, true
}

// supports reports whether a list of what is supported holds a word, or was left out, as several
// issuers do that know it well.
func supports(raw jsontext.Value, word string) bool {
	words, ok := oneOrMany(raw)
	return raw == nil || ok && slices.Contains(words, word)
}
