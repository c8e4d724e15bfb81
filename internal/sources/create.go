package sources

import (
	"fmt"
	"io"

	"esagate/internal/jsonbody"
	"esagate/registry"
)

// Create is an AGENT source that a caller wants to be made. Printed, it is one word.
type Create struct {
	Name           string
	SourceID       string // empty: none was asked for
	Authentication registry.AuthenticationType

	agent      registry.Agent
	credential *registry.Credential // nil: none
}

// ParseCreate reads the body of a create. Its error is a *fault.Error: a BadRequest
// for what is no JSON object, a Validation with every issue for the rest.
func ParseCreate(body []byte, check CheckURL) (*Create, error) {
	parsed, err := jsonbody.Parse(body)
	if err != nil {
		return nil, err
	}
	o := object{parsed}
	var l jsonbody.Issues
	c := &Create{agent: registry.Agent{Status: registry.SourcePending}}
	c.Name = l.Need(o.name())
	c.SourceID = l.Take(o.Text("sourceId", sourceID))
	l.Take(o.executionType())
	c.agent.Type = l.Need(o.Text("type", jsonbody.OneOf("SALES", "SIGNAL", "CREATIVE", "OUTCOME")))
	c.agent.EndpointURL = l.Need(o.endpoint(check))
	c.agent.Protocol = l.Need(o.protocol())
	c.Authentication = registry.AuthenticationType(l.Need(o.authentication()))
	c.credential = parseAuth(o, check).credential(&l, c.Authentication, true)
	c.agent.Description = l.Take(o.description())
	c.agent.OAuthAudience = audience(&l, o.audience(), c.Authentication)
	c.agent.Authentication = c.Authentication
	if err := l.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Source gives the source as a store makes it: with a slug to fall back on, and
// another agent id at every call.
func (c *Create) Source() registry.NewSource {
	slug := Slug(c.Name)
	return registry.NewSource{
		SourceID:   c.SourceID,
		Slug:       slug,
		Name:       c.Name,
		Agent:      c.agent,
		AgentID:    func() string { return agentID(slug) },
		Credential: c.credential,
	}
}

// Format implements fmt.Formatter: no verb shows a secret.
func (Create) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[create]") }

// The members that a create and an update have in common.

func (o object) name() jsonbody.Member { return o.Text("name", jsonbody.Length(1, maxName)) }

func (o object) executionType() jsonbody.Member {
	return o.Text("executionType", jsonbody.OneOf("AGENT"))
}

func (o object) description() jsonbody.Member {
	return o.Text("description", jsonbody.Length(0, maxDescription))
}

func (o object) protocol() jsonbody.Member { return o.Text("protocol", jsonbody.OneOf("MCP", "A2A")) }

func (o object) endpoint(check CheckURL) jsonbody.Member {
	return o.Text("endpointUrl", jsonbody.Length(1, maxURL), callable(check))
}

func (o object) authentication() jsonbody.Member {
	return o.Text("authenticationType", jsonbody.OneOf("API_KEY", "NO_AUTH", "JWT", "OAUTH", "BASIC_AUTH"))
}

func (o object) audience() jsonbody.Member {
	return o.Text("oauthAudience", jsonbody.Length(1, maxURL), absoluteURI, resource)
}

// audience takes oauthAudience of a source of an authentication type, "" where it is
// not known.
func audience(l *jsonbody.Issues, m jsonbody.Member, t registry.AuthenticationType) string {
	if m.Given && t != "" && t != registry.AuthOAuth {
		m.Problem = "oauthAudience can only be given for the authenticationType OAUTH."
	}
	return l.Take(m)
}
