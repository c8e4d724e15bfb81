package sources_test

import (
	"strings"
	"testing"

	"esagate/internal/fault"
	"esagate/internal/sources"
	"esagate/registry"
)

func TestUpdateFields(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       func(*registry.Agent)
	}{
		{"description", `{"description":"Far from it."}`, func(a *registry.Agent) { a.Description = "Far from it." }},
		{"description taken away", `{"description":""}`, func(a *registry.Agent) { a.Description = "" }},
		{"endpointUrl", `{"endpointUrl":"https://other.example"}`, func(a *registry.Agent) { a.EndpointURL = "https://other.example" }},
		{"protocol", `{"protocol":"A2A","executionType":"AGENT"}`, func(a *registry.Agent) { a.Protocol = "A2A" }},
		{"status and description", `{"status":"DISABLED","description":"Gone."}`, func(a *registry.Agent) {
			a.Status, a.Description = registry.SourceDisabled, "Gone."
		}},
		{"auth {} keeps", `{"auth":{},"protocol":"A2A"}`, func(a *registry.Agent) { a.Protocol = "A2A" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			cur := agent(registry.AuthAPIKey, registry.SourceActive)
			before, want := *cur.Agent, *cur.Agent
			c.want(&want)
			change, err := decide(t, cur, []byte(c.body))
			if err != nil || change.Agent == nil || *change.Agent != want || change.Name != nil || change.Credential != nil ||
				change.EraseCredential || change.NewConsent {
				t.Errorf("got %+v, %v", change, err)
			}
			if *cur.Agent != before {
				t.Error("the source at hand was changed")
			}
		})
	}
	t.Run("name", func(t *testing.T) {
		name := strings.Repeat("😀", 255)
		change, err := decide(t, agent(registry.AuthJWT, registry.SourceDisabled), members{"name": name}.json(t))
		if err != nil || change.Name == nil || *change.Name != name {
			t.Errorf("got %+v, %v", change, err)
		}
		change.Name = nil
		if !changesNothing(change) {
			t.Errorf("and more: %+v", change)
		}
	})
}

func TestUpdateIssues(t *testing.T) {
	for _, c := range []struct {
		name, body string
		at         registry.AuthenticationType
		want       string
	}{
		{"null", `{"oauthAudience":null,"auth":null,"authenticationType":null,"protocol":null,"endpointUrl":null,
			"description":null,"status":null,"executionType":null,"name":null}`, registry.AuthOAuth, `name: name can't be null.
executionType: executionType can't be null.
status: status can't be null.
description: description can't be null.
endpointUrl: endpointUrl can't be null.
protocol: protocol can't be null.
authenticationType: authenticationType can't be null.
auth: auth can't be null.
oauthAudience: oauthAudience can't be null.`},
		{"wrong", `{"name":"","executionType":"MANAGED_SALES_AGENT","status":"active","description":"\u0000",
			"endpointUrl":"http://169.254.169.254","protocol":"","authenticationType":"JWT","auth":{"type":"basic","username":5},
			"oauthAudience":"https://a.example"}`, registry.AuthOAuth, `name: name can't be empty.
executionType: executionType must be AGENT.
status: status must be PENDING, ACTIVE or DISABLED.
description: description can't contain the character U+0000.
endpointUrl: ` + refused + `
protocol: protocol must be MCP or A2A.
auth.type: auth.type must be jwt.
auth.username: auth.username must be a string.
auth.password: auth.password is required.
oauthAudience: oauthAudience can only be given for the authenticationType OAUTH.`},
		{"audience of a source that is not OAUTH", `{"oauthAudience":"https://a.example"}`, registry.AuthNone,
			"oauthAudience: oauthAudience can only be given for the authenticationType OAUTH."},
		{"audience of one that will not be", `{"oauthAudience":"https://a.example","authenticationType":"NO_AUTH"}`, registry.AuthOAuth,
			"oauthAudience: oauthAudience can only be given for the authenticationType OAUTH."},
		{"unknown authenticationType, own shapes", `{"authenticationType":"NONE","auth":{"type":"bearer"},"oauthAudience":"x"}`, registry.AuthNone,
			`authenticationType: authenticationType must be API_KEY, NO_AUTH, JWT, OAUTH or BASIC_AUTH.
auth.token: auth.token is required.
oauthAudience: oauthAudience must be an absolute URI.`},
		{"before a conflict", `{"status":"PENDING","protocol":"X"}`, registry.AuthNone, "protocol: protocol must be MCP or A2A."},
	} {
		t.Run(c.name, func(t *testing.T) {
			change, err := decide(t, agent(c.at, registry.SourceActive), []byte(c.body))
			if got := issuesOf(t, err); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if !changesNothing(change) {
				t.Errorf("refused, and %+v", change)
			}
		})
	}
}

func TestConsent(t *testing.T) {
	const audience = "https://api.harbour.example"
	for _, c := range []struct {
		name            string
		cur             *registry.Source
		body            string
		due, anew, gone bool
		after           registry.SourceStatus
	}{
		{"nothing", agent(registry.AuthOAuth, registry.SourceActive), `{}`, false, false, false, registry.SourceActive},
		{"a name", agent(registry.AuthOAuth, registry.SourceActive), `{"name":"x","description":"y"}`, false, false, false, registry.SourceActive},
		{"becomes OAUTH", agent(registry.AuthNone, registry.SourceActive), `{"authenticationType":"OAUTH"}`, true, false, true, registry.SourcePending},
		{"becomes OAUTH with an audience", agent(registry.AuthJWT, registry.SourcePending),
			`{"authenticationType":"OAUTH","oauthAudience":"urn:x:y"}`, true, true, true, registry.SourcePending},
		{"leaves OAUTH", agent(registry.AuthOAuth, registry.SourceActive), `{"authenticationType":"NO_AUTH"}`, false, false, true, registry.SourceActive},
		{"names OAUTH again", agent(registry.AuthOAuth, registry.SourceActive), `{"authenticationType":"OAUTH"}`, false, false, false, registry.SourceActive},
		{"another audience", agent(registry.AuthOAuth, registry.SourceActive), `{"oauthAudience":"urn:x:y"}`, true, true, false, registry.SourceActive},
		{"the same audience", agent(registry.AuthOAuth, registry.SourceActive), `{"oauthAudience":"` + audience + `"}`, true, true, false, registry.SourceActive},
		{"the same address", agent(registry.AuthOAuth, registry.SourceActive), `{"endpointUrl":"https://agent.harbour.example/mcp"}`, false, false, false, registry.SourceActive},
		{"another path", agent(registry.AuthOAuth, registry.SourceActive), `{"endpointUrl":"https://agent.harbour.example/v2?x=1"}`, false, false, false, registry.SourceActive},
		{"another spelling", agent(registry.AuthOAuth, registry.SourceActive), `{"endpointUrl":"https://AGENT.harbour.example:443/mcp"}`, false, false, false, registry.SourceActive},
		{"another path while there are no tokens", unarmed(agent(registry.AuthOAuth, registry.SourcePending)),
			`{"endpointUrl":"https://agent.harbour.example/v2"}`, true, true, false, registry.SourcePending},
		{"another host", agent(registry.AuthOAuth, registry.SourceActive), `{"endpointUrl":"https://agent2.harbour.example/mcp"}`, true, true, true, registry.SourcePending},
		{"another port", agent(registry.AuthOAuth, registry.SourceActive), `{"endpointUrl":"https://agent.harbour.example:8443/mcp"}`, true, true, true, registry.SourcePending},
		{"a host that only looks alike", agent(registry.AuthOAuth, registry.SourceDisabled), `{"endpointUrl":"https://agent.harbour.example.evil.example/mcp"}`, true, true, true, registry.SourceDisabled},
		{"the old host as user info", agent(registry.AuthOAuth, registry.SourceActive), `{"endpointUrl":"https://agent.harbour.example@evil.example/mcp"}`, true, true, true, registry.SourcePending},
		{"another host and disabled", agent(registry.AuthOAuth, registry.SourceActive), `{"endpointUrl":"https://b.example","status":"DISABLED"}`, true, true, true, registry.SourceDisabled},
		{"another host with a key", agent(registry.AuthAPIKey, registry.SourceActive), `{"endpointUrl":"https://b.example"}`, false, false, false, registry.SourceActive},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := sources.ParseUpdate([]byte(c.body), check)
			change, err := u.Decide(c.cur)
			if err != nil {
				t.Fatal(err)
			}
			next := apply(c.cur, change)
			if got := u.ConsentDue(c.cur, next); got != c.due {
				t.Errorf("ConsentDue = %v", got)
			}
			if change.NewConsent != c.anew || change.EraseCredential != c.gone || next.Agent.Status != c.after {
				t.Errorf("NewConsent %v, EraseCredential %v, %s", change.NewConsent, change.EraseCredential, next.Agent.Status)
			}
		})
	}
	body := []byte(`{"endpointUrl":"https://b.example","status":"ACTIVE"}`)
	if change, err := decide(t, agent(registry.AuthOAuth, registry.SourceActive), body); !fault.Is(err, fault.Conflict) || !changesNothing(change) {
		t.Errorf("kept ACTIVE on another host: %+v, %v", change, err)
	}
}

// TestConsentOnAnotherOrigin: it is due even if tokens are stored again by the time.
func TestConsentOnAnotherOrigin(t *testing.T) {
	before, after := agent(registry.AuthOAuth, registry.SourceActive), agent(registry.AuthOAuth, registry.SourceActive)
	after.Agent.EndpointURL = "https://b.example"
	if !sources.ParseUpdate([]byte(`{"endpointUrl":"https://b.example"}`), check).ConsentDue(before, after) {
		t.Error("not due")
	}
}

func TestAudienceIsKept(t *testing.T) {
	change, err := decide(t, agent(registry.AuthNone, registry.SourcePending), []byte(`{"oauthAudience":"urn:x:y","authenticationType":"OAUTH"}`))
	if err != nil || change.Agent == nil || change.Agent.OAuthAudience != "urn:x:y" {
		t.Errorf("got %+v, %v", change, err)
	}
	// The same one again is no change of the source, and a new consent all the same.
	change, err = decide(t, agent(registry.AuthOAuth, registry.SourceActive), []byte(`{"oauthAudience":"https://api.harbour.example"}`))
	if err != nil || !same(change, registry.SourceChange{NewConsent: true}) {
		t.Errorf("got %+v, %v", change, err)
	}
}
