package sources

import (
	"net/url"
	"regexp"
	"strings"

	"esagate/internal/jsonbody"
	"esagate/registry"
)

// Bounds of texts, in code points. The contract gives those of names, descriptions
// and addresses; of credentials it gives none, so these are ours.
const (
	maxName        = 255
	maxDescription = 2000
	maxURL         = 2048
	maxSecret      = 16 << 10
	maxShort       = 1024
)

// members are what a create and an update have in common.
type members struct {
	name           jsonbody.Member
	executionType  jsonbody.Member
	description    jsonbody.Member
	endpoint       jsonbody.Member
	protocol       jsonbody.Member
	authentication jsonbody.Member
	auth           *auth
	audience       jsonbody.Member
}

func parseMembers(body jsonbody.Object, check CheckURL) members {
	return members{
		name:           body.Text("name", jsonbody.Length(1, maxName)),
		executionType:  body.Text("executionType", agentInAnyCase),
		description:    body.Text("description", jsonbody.Length(0, maxDescription)),
		endpoint:       body.Text("endpointUrl", jsonbody.Length(1, maxURL), callable(check)),
		protocol:       body.Text("protocol", jsonbody.OneOf("MCP", "A2A")),
		authentication: body.Text("authenticationType", jsonbody.OneOf("API_KEY", "NO_AUTH", "JWT", "OAUTH", "BASIC_AUTH")),
		auth:           parseAuth(body, check),
		audience:       body.Text("oauthAudience", jsonbody.Length(1, maxURL), absoluteURI, resource),
	}
}

// agentInAnyCase wants the one executionType that can be asked for, however it is spelt.
func agentInAnyCase(path, value string) string {
	return jsonbody.OneOf("AGENT")(path, strings.ToUpper(value))
}

// audience takes oauthAudience of a source of an authentication type, "" where it is
// not known.
func audience(l *jsonbody.Issues, m jsonbody.Member, t registry.AuthenticationType) string {
	if m.Given && t != "" && t != registry.AuthOAuth {
		m.Problem = "oauthAudience can only be given for the authenticationType OAUTH."
	}
	return l.Take(m)
}

// callable wants an address that may be called.
func callable(check CheckURL) jsonbody.Rule {
	return func(_, value string) string { return check(value) }
}

// absoluteURI wants a URI with a scheme (RFC 3986). Nothing is ever fetched from it,
// so any scheme will do but those that make a page do something when shown as a link.
func absoluteURI(path, value string) string {
	u, err := url.Parse(value)
	if err != nil || !uriCharacters.MatchString(value) || u.Scheme == "" || u.Host+u.Opaque+u.Path == "" {
		return path + " must be an absolute URI."
	}
	switch u.Scheme {
	case "http", "https":
		if u.Hostname() == "" {
			return path + " must be an absolute URI."
		}
	case "javascript", "data", "file":
		return path + " has a scheme that is not allowed here."
	}
	return ""
}

// resource wants a resource indicator (RFC 8707, section 2); user info, which may be
// a password, would be shown to all who see the request.
func resource(path, value string) string {
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return path + " must be an absolute URI."
	case strings.Contains(value, "#"):
		return path + " can't have a fragment."
	case u.User != nil:
		return path + " can't have a user name or a password in it."
	}
	return ""
}

// uriCharacters are those that a URI may be made of (RFC 3986, section 2), percent signs as part of
// an escape alone. net/url lets others pass.
var uriCharacters = regexp.MustCompile(`^([A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$`)
