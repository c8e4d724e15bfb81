package sources_test

import (
	"strings"
	"testing"

	"esagate/internal/sources"
	"esagate/registry"
)

func TestCreateIssues(t *testing.T) {
	const (
		absolute = "oauthAudience: oauthAudience must be an absolute URI."
		scheme   = "oauthAudience: oauthAudience has a scheme that is not allowed here."
		unnamed  = "auth.type: auth.type is required.\nauth.username: auth.username is required.\n" +
			"auth.password: auth.password is required."
		untyped = "authenticationType: authenticationType is required.\n"
	)
	long := func(n int) string { return strings.Repeat("é", n) }
	inAuth := func(at registry.AuthenticationType, name string, value any) members {
		return good().but("authenticationType", at).but("auth", authFor(at).but(name, value))
	}
	noAuth := good().but("authenticationType", "NO_AUTH")
	basic := good().but("authenticationType", "BASIC_AUTH")
	audience := func(value string) members {
		return good().but("authenticationType", "OAUTH").but("auth", absent{}).but("oauthAudience", value)
	}
	for _, c := range []struct {
		body members
		want string
	}{
		{good().but("name", strings.Repeat("😀", 256)), "name: name is longer than 255 characters."},
		{good().but("sourceId", ""), "sourceId: sourceId is empty."},
		{good().but("type", "sales"), "type: type must be SALES, SIGNAL, CREATIVE or OUTCOME."},
		{good().but("endpointUrl", ""), "endpointUrl: endpointUrl can't be empty."},
		{good().but("endpointUrl", "https://"+long(2041)), "endpointUrl: endpointUrl is longer than 2048 characters."},
		{good().but("authenticationType", "NONE"), "authenticationType: authenticationType must be API_KEY, NO_AUTH, JWT, OAUTH or BASIC_AUTH."},
		{good().but("description", long(2001)), "description: description is longer than 2000 characters."},
		{audience(""), "oauthAudience: oauthAudience can't be empty."},
		{audience("urn:" + strings.Repeat("a", 2045)), "oauthAudience: oauthAudience is longer than 2048 characters."},
		{audience("/api"), absolute},
		{audience("https:///api"), absolute},
		{audience("urn:"), absolute},
		{audience("https://a.example/b c"), absolute},
		{audience("https://ä.example"), absolute},
		{audience("urn:a%2"), absolute},
		{audience("https://a.example/#b"), "oauthAudience: oauthAudience can't have a fragment."},
		{audience("https://a.example#"), "oauthAudience: oauthAudience can't have a fragment."},
		{audience("https://u:p@a.example"), "oauthAudience: oauthAudience can't have a user name or a password in it."},
		{audience("JavaScript:alert(1)"), scheme},
		{audience("data:text/html,x"), scheme},
		{audience("file:///etc/hosts"), scheme},

		{good().but("auth", nil), "auth: auth can't be null."},
		{noAuth.but("auth", nil), "auth: auth can't be null."},
		{good().but("auth", []any{}), "auth: auth must be an object."},
		{noAuth.but("auth", members{"user": "x"}), "auth: auth can't be given for the authenticationType NO_AUTH."},
		{basic.but("auth", members{"user": "x"}), unnamed}, // not empty, though nothing in it is known
		{basic.but("auth", members{"token": "x"}), unnamed},
		{inAuth("API_KEY", "token", ""), "auth.token: auth.token can't be empty."},
		{inAuth("API_KEY", "token", long(16385)), "auth.token: auth.token is longer than 16384 characters."},
		{inAuth("JWT", "privateKey", long(16385)), "auth.privateKey: auth.privateKey is longer than 16384 characters."},
		{inAuth("JWT", "scope", long(1025)), "auth.scope: auth.scope is longer than 1024 characters."},
		{inAuth("JWT", "tokenEndpointUrl", "http://a.example"), "auth.tokenEndpointUrl: " + refused},
		{inAuth("JWT", "audienceUrl", "a.example"), "auth.audienceUrl: auth.audienceUrl must be an absolute URI."},
		{inAuth("JWT", "environment", long(1025)), "auth.environment: auth.environment is longer than 1024 characters."},
		{inAuth("BASIC_AUTH", "password", long(16385)), "auth.password: auth.password is longer than 16384 characters."},
		{good().but("authenticationType", absent{}).but("auth", members{"type": "digest"}),
			untyped + "auth.type: auth.type must be bearer, apikey, api_key, jwt or basic."},
		{good().but("authenticationType", absent{}).but("auth", members{"type": "basic", "username": ""}),
			untyped + "auth.username: auth.username can't be empty.\nauth.password: auth.password is required."},

		{members{}, `name: name is required.
type: type is required.
endpointUrl: endpointUrl is required.
protocol: protocol is required.
authenticationType: authenticationType is required.`},
		{members{"name": "", "sourceId": " a", "executionType": "ADAPTER", "type": 1, "endpointUrl": "http://169.254.169.254",
			"protocol": members{}, "authenticationType": "JWT", "description": false, "oauthAudience": "x",
			"auth": members{"type": "jwt", "algorithm": "none", "environment": 1, "issuer": ""}}, `name: name can't be empty.
sourceId: sourceId can't begin or end with a space.
executionType: executionType must be AGENT.
type: type must be a string.
endpointUrl: ` + refused + `
protocol: protocol must be a string.
auth.privateKey: auth.privateKey is required.
auth.issuer: auth.issuer can't be empty.
auth.subject: auth.subject is required.
auth.keyId: auth.keyId is required.
auth.scope: auth.scope is required.
auth.tokenEndpointUrl: auth.tokenEndpointUrl is required.
auth.audienceUrl: auth.audienceUrl is required.
auth.algorithm: auth.algorithm must be ES256 or RS256.
auth.environment: auth.environment must be a string.
description: description must be a string.
oauthAudience: oauthAudience can only be given for the authenticationType OAUTH.`},
	} {
		_, err := sources.ParseCreate(c.body.json(t), check)
		if got := issuesOf(t, err); got != c.want {
			t.Errorf("%.300s: got\n%s\nwant\n%s", c.body.json(t), got, c.want)
		}
	}
}

func TestUpdateIssues(t *testing.T) {
	const foreign = "oauthAudience: oauthAudience can only be given for the authenticationType OAUTH."
	for _, c := range []struct {
		at   registry.AuthenticationType
		body members
		want string
	}{
		{registry.AuthOAuth, members{"name": nil, "executionType": nil, "status": nil, "description": nil, "endpointUrl": nil,
			"protocol": nil, "authenticationType": nil, "auth": nil, "oauthAudience": nil}, `name: name can't be null.
executionType: executionType can't be null.
status: status can't be null.
description: description can't be null.
endpointUrl: endpointUrl can't be null.
protocol: protocol can't be null.
authenticationType: authenticationType can't be null.
auth: auth can't be null.
oauthAudience: oauthAudience can't be null.`},
		{registry.AuthOAuth, members{"status": "active", "description": "\x00", "protocol": "", "authenticationType": "JWT",
			"auth": members{"type": "basic", "username": 5}, "oauthAudience": "https://a.example"},
			`status: status must be PENDING, ACTIVE or DISABLED.
description: description can't contain the character U+0000.
protocol: protocol must be MCP or A2A.
auth.type: auth.type must be jwt.
auth.username: auth.username must be a string.
auth.password: auth.password is required.
` + foreign},
		{registry.AuthNone, members{"oauthAudience": "https://a.example"}, foreign},
		{registry.AuthOAuth, members{"oauthAudience": "https://a.example", "authenticationType": "NO_AUTH"}, foreign},
		{registry.AuthNone, members{"authenticationType": "NONE", "auth": members{"type": "bearer"}, "oauthAudience": "x"},
			`authenticationType: authenticationType must be API_KEY, NO_AUTH, JWT, OAUTH or BASIC_AUTH.
auth.token: auth.token is required.
oauthAudience: oauthAudience must be an absolute URI.`},
		{registry.AuthNone, members{"status": "PENDING", "protocol": "X"}, "protocol: protocol must be MCP or A2A."}, // before the conflict
	} {
		change, err := decide(t, agent(c.at, registry.SourceActive), c.body.json(t))
		if got := issuesOf(t, err); got != c.want || !changesNothing(change) {
			t.Errorf("%s: got\n%s\nwant\n%s\n%+v", c.body.json(t), got, c.want, change)
		}
	}
}
