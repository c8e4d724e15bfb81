package sources

import (
	"esagate/internal/jsonbody"
	"esagate/registry"
)

// ParseCreate reads the body of a create: the source as a store makes it, with a slug to fall back
// on where no sourceId was asked for. Its error is a *fault.Error: a BadRequest for what is no JSON
// object, a Validation with every issue for the rest.
func ParseCreate(body []byte, check CheckURL) (*registry.NewSource, error) {
	parsed, err := jsonbody.Parse(body)
	if err != nil {
		return nil, err
	}
	m := parseMembers(parsed, check)
	var l jsonbody.Issues
	s := &registry.NewSource{Agent: registry.Agent{Status: registry.SourcePending}}
	s.Name = l.Need(m.name)
	s.SourceID = l.Take(parsed.Text("sourceId", func(_, id string) string { return CheckSourceID(id) }))
	l.Take(m.executionType)
	s.Agent.Type = l.Need(parsed.Text("type", jsonbody.OneOf("SALES", "SIGNAL", "CREATIVE", "OUTCOME")))
	s.Agent.EndpointURL = l.Need(m.endpoint)
	s.Agent.Protocol = l.Need(m.protocol)
	s.Agent.Authentication = registry.AuthenticationType(l.Need(m.authentication))
	s.Credential = m.auth.credential(&l, s.Agent.Authentication, true)
	s.Agent.Description = l.Take(m.description)
	s.Agent.OAuthAudience = audience(&l, m.audience, s.Agent.Authentication)
	if err := l.Err(); err != nil {
		return nil, err
	}
	s.Slug = Slug(s.Name)
	s.AgentID = func() string { return agentID(s.Slug) }
	return s, nil
}
