package sources_test

import (
	"strings"
	"testing"

	"esagate/internal/sources"
	"esagate/registry"
)

func TestCreateOneThingWrong(t *testing.T) {
	audience := good().but("authenticationType", "OAUTH").but("auth", absent{})
	for _, c := range []struct {
		name string
		body members
		want string
	}{
		{"name a number", good().but("name", 5), "name: name must be a string."},
		{"name of 256", good().but("name", strings.Repeat("n", 256)), "name: name is longer than 255 characters."},
		{"name of 256 astral", good().but("name", strings.Repeat("😀", 256)), "name: name is longer than 255 characters."},
		{"name with NUL", good().but("name", "a\x00b"), "name: name can't contain the character U+0000."},
		{"sourceId a list", good().but("sourceId", []string{"a"}), "sourceId: sourceId must be a string."},
		{"sourceId empty", good().but("sourceId", ""), "sourceId: sourceId is empty."},
		{"sourceId with NUL", good().but("sourceId", "a\x00"), "sourceId: sourceId can't contain the character U+0000."},
		{"executionType managed", good().but("executionType", "MANAGED_SALES_AGENT"), "executionType: executionType must be AGENT."},
		{"type in lower case", good().but("type", "sales"), "type: type must be SALES, SIGNAL, CREATIVE or OUTCOME."},
		{"endpointUrl empty", good().but("endpointUrl", ""), "endpointUrl: endpointUrl can't be empty."},
		{"endpointUrl of 2049", good().but("endpointUrl", "https://"+strings.Repeat("u", 2041)), "endpointUrl: endpointUrl is longer than 2048 characters."},
		{"endpointUrl with NUL", good().but("endpointUrl", "https://a\x00"), "endpointUrl: endpointUrl can't contain the character U+0000."},
		{"protocol unknown", good().but("protocol", "SOAP"), "protocol: protocol must be MCP or A2A."},
		{"authenticationType unknown", good().but("authenticationType", "NONE"),
			"authenticationType: authenticationType must be API_KEY, NO_AUTH, JWT, OAUTH or BASIC_AUTH."},
		{"description of 2001", good().but("description", strings.Repeat("é", 2001)), "description: description is longer than 2000 characters."},
		{"description with NUL", good().but("description", "\x00"), "description: description can't contain the character U+0000."},
		{"oauthAudience empty", audience.but("oauthAudience", ""), "oauthAudience: oauthAudience can't be empty."},
		{"oauthAudience of 2049", audience.but("oauthAudience", "urn:"+strings.Repeat("a", 2045)), "oauthAudience: oauthAudience is longer than 2048 characters."},
		{"oauthAudience relative", audience.but("oauthAudience", "/api"), "oauthAudience: oauthAudience must be an absolute URI."},
		{"oauthAudience without a host", audience.but("oauthAudience", "https:///api"), "oauthAudience: oauthAudience must be an absolute URI."},
		{"oauthAudience a scheme", audience.but("oauthAudience", "urn:"), "oauthAudience: oauthAudience must be an absolute URI."},
		{"oauthAudience with a space", audience.but("oauthAudience", "https://a.example/b c"), "oauthAudience: oauthAudience must be an absolute URI."},
		{"oauthAudience beyond ASCII", audience.but("oauthAudience", "https://ä.example"), "oauthAudience: oauthAudience must be an absolute URI."},
		{"oauthAudience badly escaped", audience.but("oauthAudience", "urn:a%2"), "oauthAudience: oauthAudience must be an absolute URI."},
		{"oauthAudience with a fragment", audience.but("oauthAudience", "https://a.example/#b"), "oauthAudience: oauthAudience can't have a fragment."},
		{"oauthAudience with an empty fragment", audience.but("oauthAudience", "https://a.example#"), "oauthAudience: oauthAudience can't have a fragment."},
		{"oauthAudience with user info", audience.but("oauthAudience", "https://u:p@a.example"), "oauthAudience: oauthAudience can't have a user name or a password in it."},
		{"oauthAudience a script", audience.but("oauthAudience", "JavaScript:alert(1)"), "oauthAudience: oauthAudience has a scheme that is not allowed here."},
		{"oauthAudience data", audience.but("oauthAudience", "data:text/html,x"), "oauthAudience: oauthAudience has a scheme that is not allowed here."},
		{"oauthAudience a file", audience.but("oauthAudience", "file:///etc/hosts"), "oauthAudience: oauthAudience has a scheme that is not allowed here."},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := sources.ParseCreate(c.body.json(t), check)
			if got := issuesOf(t, err); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestCreateEverythingWrong(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"missing": {`{}`, `name: name is required.
type: type is required.
endpointUrl: endpointUrl is required.
protocol: protocol is required.
authenticationType: authenticationType is required.`},
		"null": {`{"oauthAudience":null,"description":null,"auth":null,"authenticationType":null,"protocol":null,
			"endpointUrl":null,"type":null,"executionType":null,"sourceId":null,"name":null}`, `name: name can't be null.
sourceId: sourceId can't be null.
executionType: executionType can't be null.
type: type can't be null.
endpointUrl: endpointUrl can't be null.
protocol: protocol can't be null.
authenticationType: authenticationType can't be null.
auth: auth can't be null.
description: description can't be null.
oauthAudience: oauthAudience can't be null.`},
		"wrong": {`{"name":"","sourceId":" a","executionType":"ADAPTER","type":1,"endpointUrl":"http://169.254.169.254",
			"protocol":{},"authenticationType":"JWT","auth":{"type":"jwt","algorithm":"none","environment":1,"issuer":""},
			"description":false,"oauthAudience":"x"}`, `name: name can't be empty.
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
		t.Run(name, func(t *testing.T) {
			_, err := sources.ParseCreate([]byte(c.body), check)
			if got := issuesOf(t, err); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestCreateGood(t *testing.T) {
	astral := strings.Repeat("😀", 255)
	long := "https://" + strings.Repeat("u", 2040)
	body := good().but("name", astral).but("sourceId", "ä b.😀").but("executionType", "AGENT").but("type", "OUTCOME").
		but("endpointUrl", long).but("protocol", "A2A").but("authenticationType", "OAUTH").but("auth", members{}).
		but("description", strings.Repeat("é", 2000)).but("oauthAudience", "api://client-7?x=%20")
	c, err := sources.ParseCreate(body.json(t), check)
	if err != nil {
		t.Fatal(issuesOf(t, err))
	}
	s := c.Source()
	want := registry.Agent{Status: registry.SourcePending, Type: "OUTCOME", EndpointURL: long, Protocol: "A2A",
		Description: strings.Repeat("é", 2000), Authentication: registry.AuthOAuth, OAuthAudience: "api://client-7?x=%20"}
	if c.Name != astral || c.SourceID != "ä b.😀" || c.Authentication != registry.AuthOAuth || s.Name != astral ||
		s.SourceID != "ä b.😀" || s.Slug != sources.Slug(astral) || s.Agent != want || s.Credential != nil {
		t.Errorf("got %v and %+v", c, s)
	}
}

func TestCreateTakesTextAsData(t *testing.T) {
	const name = `Robert'); DROP TABLE sources;-- "<b>\`
	c, err := sources.ParseCreate(good().but("name", name).but("description", "").json(t), check)
	if err != nil {
		t.Fatal(err)
	}
	s := c.Source()
	if s.Name != name || s.Slug != "robert-drop-table-sources-b" || s.SourceID != "" || s.Agent.Description != "" {
		t.Errorf("got %+v", s)
	}
	if s.Credential == nil || s.Credential.Token == nil || *s.Credential.Token != (registry.TokenCredential{Scheme: "bearer", Token: "tok-1"}) {
		t.Error("the token was not kept")
	}
}
