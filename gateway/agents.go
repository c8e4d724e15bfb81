package gateway

import (
	"net/url"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
)

// Paths of agents, each below its own.
const (
	mcpPath = "/mcp/"
	a2aPath = "/a2a/"
)

// published is a connection as callers see it: with the gateway's own addresses for MCP and A2A in place of
// the sales agent's, where the operator wants it so (contract 13.8).
func (g connections) published(src *registry.Source) *api.Connection {
	c := transform.Connection(src)
	if g.cfg.Agents.Named && g.cfg.PublicURL != "" && c.TenantID != nil {
		mcp, a2a := agentAddress(g.cfg, mcpPath, src.SourceID), agentAddress(g.cfg, a2aPath, src.SourceID)
		c.MCPURL, c.A2AURL = &mcp, &a2a
	}
	return c
}

// agentAddress gives the address at which callers ask the agent of a source.
func agentAddress(cfg Config, below, sourceID string) string {
	return cfg.PublicURL + below + url.PathEscape(sourceID)
}
