package transform

import (
	"esagate/api"
	"esagate/registry"
)

// IssueAgentUnauthorized is the code of the issue of an AGENT source whose agent refuses its credentials (contract 13.9).
const IssueAgentUnauthorized = "AGENT_UNAUTHORIZED"

// AgentIssue gives the issue of an AGENT source whose agent refuses what it is asked with.
func AgentIssue(s *registry.Source) api.AgentIssue {
	message := "The agent does not accept the credentials that are stored for it. Save others, or consent again."
	if s.Agent.CredentialID == "" {
		message = "The agent wants credentials, and the source has none for it."
	}
	return api.AgentIssue{
		SourceID: s.SourceID, Name: s.Name, CustomerID: s.CustomerID, Code: IssueAgentUnauthorized, Severity: severityCritical,
		Message: message, Since: api.TimestampOf(s.Agent.RefusedAt),
	}
}
