package sources_test

import (
	"strings"
	"testing"

	"esagate/internal/fault"
	"esagate/internal/sources"
	"esagate/registry"
)

func TestUpdateFields(t *testing.T) {
	cur := agent(registry.AuthAPIKey, registry.SourceActive)
	before, want := *cur.Agent, *cur.Agent
	want.Description, want.EndpointURL, want.Protocol, want.Status = "Gone.", "https://other.example", "A2A", registry.SourceDisabled
	change, err := decide(t, cur, []byte(`{"description":"Gone.","endpointUrl":"https://other.example","protocol":"A2A",
		"status":"DISABLED","executionType":"Agent","auth":{}}`))
	if err != nil || change.Agent == nil || *change.Agent != want || *cur.Agent != before {
		t.Errorf("got %+v, %v of %+v", change, err, cur.Agent)
	}
	if change.Agent = nil; !changesNothing(change) {
		t.Errorf("and more: %+v", change)
	}
	change, err = decide(t, cur, []byte(`{"description":""}`))
	if before.Description = ""; err != nil || change.Agent == nil || *change.Agent != before {
		t.Errorf("the description taken away: %+v, %v", change, err)
	}
	name := strings.Repeat("😀", 255)
	change, err = decide(t, cur, members{"name": name}.json(t))
	if err != nil || change.Name == nil || *change.Name != name {
		t.Errorf("name: %+v, %v", change, err)
	}
	if change.Name = nil; !changesNothing(change) {
		t.Errorf("and more than the name: %+v", change)
	}
}

func TestConsent(t *testing.T) {
	const pending, active, disabled = registry.SourcePending, registry.SourceActive, registry.SourceDisabled
	oauth := agent(registry.AuthOAuth, active)
	for _, c := range []struct {
		name            string
		cur             *registry.Source
		body            string
		due, anew, gone bool
		after           registry.SourceStatus
	}{
		{"nothing", oauth, `{}`, false, false, false, active},
		{"a name", oauth, `{"name":"x","description":"y"}`, false, false, false, active},
		{"becomes OAUTH", agent(registry.AuthNone, active), `{"authenticationType":"OAUTH"}`, true, false, true, pending},
		{"becomes OAUTH with an audience", agent(registry.AuthJWT, pending), `{"authenticationType":"OAUTH","oauthAudience":"urn:x:y"}`,
			true, true, true, pending},
		{"leaves OAUTH", oauth, `{"authenticationType":"NO_AUTH"}`, false, false, true, active},
		{"names OAUTH again", oauth, `{"authenticationType":"OAUTH"}`, false, false, false, active},
		{"another audience", oauth, `{"oauthAudience":"urn:x:y"}`, true, true, false, active},
		{"the same audience", oauth, `{"oauthAudience":"https://api.harbour.example"}`, true, true, false, active},
		{"the same address", oauth, `{"endpointUrl":"https://agent.harbour.example/mcp"}`, false, false, false, active},
		{"another path", oauth, `{"endpointUrl":"https://agent.harbour.example/v2?x=1"}`, false, false, false, active},
		{"another spelling", oauth, `{"endpointUrl":"https://AGENT.harbour.example:443/mcp"}`, false, false, false, active},
		{"another path while there are no tokens", unarmed(agent(registry.AuthOAuth, pending)),
			`{"endpointUrl":"https://agent.harbour.example/v2"}`, true, true, false, pending},
		{"another host", oauth, `{"endpointUrl":"https://agent2.harbour.example/mcp"}`, true, true, true, pending},
		{"another port", oauth, `{"endpointUrl":"https://agent.harbour.example:8443/mcp"}`, true, true, true, pending},
		{"a host that only looks alike", agent(registry.AuthOAuth, disabled), `{"endpointUrl":"https://agent.harbour.example.evil.example/mcp"}`,
			true, true, true, disabled},
		{"the old host as user info", oauth, `{"endpointUrl":"https://agent.harbour.example@evil.example/mcp"}`, true, true, true, pending},
		{"another host and disabled", oauth, `{"endpointUrl":"https://b.example","status":"DISABLED"}`, true, true, true, disabled},
		{"another host with a key", agent(registry.AuthAPIKey, active), `{"endpointUrl":"https://b.example"}`, false, false, false, active},
	} {
		u := sources.ParseUpdate([]byte(c.body), check)
		change, err := u.Decide(c.cur)
		next := apply(c.cur, change)
		if due := u.ConsentDue(c.cur, next); err != nil || due != c.due || change.NewConsent != c.anew ||
			change.EraseCredential != c.gone || next.Agent.Status != c.after {
			t.Errorf("%s: due %v, %+v, %s, %v", c.name, due, change, next.Agent.Status, err)
		}
	}
	body := []byte(`{"endpointUrl":"https://b.example","status":"ACTIVE"}`)
	if change, err := decide(t, oauth, body); !fault.Is(err, fault.Conflict) || !changesNothing(change) {
		t.Errorf("kept ACTIVE on another host: %+v, %v", change, err)
	}
	// On another origin it is due even if tokens are stored again by then.
	moved := agent(registry.AuthOAuth, active)
	moved.Agent.EndpointURL = "https://b.example"
	if !sources.ParseUpdate(body, check).ConsentDue(oauth, moved) {
		t.Error("not due on another origin")
	}
}

func TestAudienceIsKept(t *testing.T) {
	change, err := decide(t, agent(registry.AuthNone, registry.SourcePending), []byte(`{"oauthAudience":"urn:x:y","authenticationType":"OAUTH"}`))
	if err != nil || change.Agent == nil || change.Agent.OAuthAudience != "urn:x:y" {
		t.Errorf("got %+v, %v", change, err)
	}
	// The same one again is no change of the source, and a new consent all the same.
	change, err = decide(t, agent(registry.AuthOAuth, registry.SourceActive), []byte(`{"oauthAudience":"https://api.harbour.example"}`))
	if err != nil || change != (registry.SourceChange{NewConsent: true}) {
		t.Errorf("got %+v, %v", change, err)
	}
}
