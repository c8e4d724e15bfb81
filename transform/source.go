package transform

import (
	"strconv"

	"esagate/api"
	"esagate/registry"
)

// InventorySource gives the api document of a source of either kind (contract 6).
// authorizationURL is where a consent that the request began is given, else empty (contract 6.4).
func InventorySource(s *registry.Source, authorizationURL string) *api.InventorySource {
	out := &api.InventorySource{
		ID:            strconv.FormatInt(s.ID, 10),
		SourceID:      s.SourceID,
		Name:          s.Name,
		ExecutionType: string(s.ExecutionType),
		CreatedAt:     api.TimestampOf(s.CreatedAt),
		UpdatedAt:     api.TimestampOf(s.UpdatedAt),
	}
	if a := s.Agent; a != nil {
		out.Status = string(a.Status)
		out.AgentID = optional(a.AgentID)
		out.Type = optional(a.Type)
		out.EndpointURL = optional(a.EndpointURL)
		out.Protocol = optional(a.Protocol)
		out.Description = optional(a.Description)
		out.AuthenticationType = optional(string(a.Authentication))
		out.AuthConfigured = a.CredentialID != ""
		if authorizationURL != "" {
			out.OAuth = &api.OAuth{AuthorizationURL: authorizationURL, AgentID: a.AgentID, AgentName: s.Name}
		}
	}
	if s.Connection != nil {
		out.Status = string(s.Connection.Provisioning.Source())
		out.ManagedSA = managedAgent(s)
	}
	return out
}

// managedAgent is the connection in short: the same fields by the same rules.
func managedAgent(s *registry.Source) *api.ManagedAgent {
	c := Connection(s)
	return &api.ManagedAgent{
		ConnectionID: c.ID, TenantID: c.TenantID, AdServer: c.AdServer,
		LastError: c.LastError, LastErrorCode: c.LastErrorCode,
		LastTestedAt: c.LastTestedAt, ProvisionedAt: c.ProvisionedAt, DeactivatedAt: c.DeactivatedAt,
	}
}
