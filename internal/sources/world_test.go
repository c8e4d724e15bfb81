package sources_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"esagate/internal/fault"
	"esagate/internal/sources"
	"esagate/registry"
)

// refused is what the tests' CheckURL says of what is not https.
const refused = "The URL is refused."

func check(raw string) string {
	if !strings.HasPrefix(raw, "https://") {
		return refused
	}
	return ""
}

type members map[string]any

// absent takes a member away.
type absent struct{}

// but gives the members with others in their place.
func (m members) but(name string, value any) members {
	m = maps.Clone(m)
	if _, gone := value.(absent); gone {
		delete(m, name)
	} else {
		m[name] = value
	}
	return m
}

func (m members) json(t testing.TB) []byte {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func good() members {
	return members{"name": "Harbour Screens", "type": "SALES", "endpointUrl": "https://agent.harbour.example/mcp",
		"protocol": "MCP", "authenticationType": "API_KEY", "auth": tokenAuth()}
}

func tokenAuth() members { return members{"type": "bearer", "token": "tok-1"} }

func basicAuth() members { return members{"type": "basic", "username": "reader", "password": ""} }

func jwtAuth() members {
	return members{"type": "jwt", "privateKey": "pem", "issuer": "iss", "subject": "sub", "keyId": "k1", "scope": "ads",
		"tokenEndpointUrl": "https://login.harbour.example/token", "audienceUrl": "https://login.harbour.example"}
}

// authFor gives credentials that an authentication type takes, nil for none.
func authFor(t registry.AuthenticationType) members {
	switch t {
	case registry.AuthAPIKey:
		return tokenAuth()
	case registry.AuthJWT:
		return jwtAuth()
	case registry.AuthBasic:
		return basicAuth()
	}
	return nil
}

var authenticationTypes = []registry.AuthenticationType{registry.AuthAPIKey, registry.AuthNone, registry.AuthJWT,
	registry.AuthOAuth, registry.AuthBasic}

// agent gives an AGENT source with credentials, where its type has any.
func agent(auth registry.AuthenticationType, status registry.SourceStatus) *registry.Source {
	a := &registry.Agent{Status: status, AgentID: "harbour_abc123", Type: "SALES",
		EndpointURL: "https://agent.harbour.example/mcp", Protocol: "MCP", Description: "By the sea.",
		Authentication: auth, CredentialID: "cred-1", AuthVersion: 3}
	switch auth {
	case registry.AuthNone:
		a.CredentialID = ""
	case registry.AuthOAuth:
		a.OAuthAudience = "https://api.harbour.example"
	}
	return &registry.Source{ID: 7, CustomerID: 4, SourceID: "harbour",
		Name: "Harbour Screens", ExecutionType: registry.ExecutionAgent, Agent: a}
}

func unarmed(s *registry.Source) *registry.Source {
	s.Agent.CredentialID = ""
	return s
}

func decide(t testing.TB, cur *registry.Source, body []byte) (registry.SourceChange, error) {
	t.Helper()
	return sources.ParseUpdate(body, check).Decide(cur)
}

// apply gives the source as a store makes it of a change.
func apply(cur *registry.Source, change registry.SourceChange) *registry.Source {
	next := *cur
	a := *cur.Agent
	if change.Agent != nil {
		a = *change.Agent
	}
	switch {
	case change.Credential != nil:
		a.CredentialID = "cred-2"
	case change.EraseCredential:
		a.CredentialID = ""
	}
	next.Agent = &a
	return &next
}

// issuesOf gives an error's issues, one "path: message" a line.
func issuesOf(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	f := fault.As(err)
	if f.Kind != fault.Validation {
		t.Fatalf("kind %d (%v), want Validation", f.Kind, err)
	}
	var lines []string
	for _, i := range f.Issues {
		lines = append(lines, i.Path+": "+i.Message)
	}
	return strings.Join(lines, "\n")
}

func changesNothing(c registry.SourceChange) bool { return c == (registry.SourceChange{}) }
