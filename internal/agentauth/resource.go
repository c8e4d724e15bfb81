package agentauth

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"esagate/internal/origin"
)

// resourceDocument is what we read of protected-resource metadata (RFC 9728 §2).
type resourceDocument struct {
	Resource string   `json:"resource"`
	Servers  []string `json:"authorization_servers"`
	Scopes   []string `json:"scopes_supported"`
}

// maxServers is how many of a resource's authorization servers are tried.
const maxServers = 3

// agent is what was found out about an agent.
type agent struct {
	resource string // RFC 8707
	scope    string
	server   *server
}

// discover finds out how an agent is to be asked: nil without an error when it does
// not ask for authorization and names no server.
func (a *Agents) discover(ctx context.Context, endpointURL string) (*agent, error) {
	endpoint, err := a.address(endpointURL)
	if err != nil {
		return nil, err
	}
	asked, err := a.ask(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	doc, err := a.resourceDocument(ctx, endpoint, asked.metadata)
	if err != nil && !errors.Is(err, errAbsent) {
		return nil, err
	}
	found := &agent{scope: asked.scope}
	if doc != nil {
		found.resource = doc.Resource
		if found.scope == "" {
			found.scope = scopeOf(doc.Scopes)
		}
		if len(doc.Servers) > 0 {
			found.server, err = a.anyServer(ctx, doc.Servers)
			return found, err
		}
	} else {
		found.resource = strings.TrimSuffix(root(endpoint)+endpoint.EscapedPath(), "/")
	}
	// Agents from before RFC 9728 are their own authorization servers.
	found.server, err = a.serverIn(ctx, root(endpoint), root(endpoint)+wellKnownServer)
	switch {
	case !errors.Is(err, errAbsent):
		return found, err
	case asked.asks || doc != nil:
		return nil, fail(ReasonNoServer)
	case asked.away:
		return nil, fail(ReasonAway)
	}
	return nil, nil
}

// resourceDocument reads the protected-resource metadata of an endpoint: from where
// the agent says, else from the well-known path with the endpoint's own inserted,
// else from that of its origin (RFC 9728 §3.1). errAbsent: there is none.
func (a *Agents) resourceDocument(ctx context.Context, endpoint *url.URL, named string) (*resourceDocument, error) {
	const wellKnown = "/.well-known/oauth-protected-resource"
	var places []string
	if named != "" {
		at, err := a.address(named)
		if err != nil {
			return nil, err
		}
		places = append(places, at.String())
	}
	if path := endpoint.EscapedPath(); path != "" && path != "/" {
		places = append(places, root(endpoint)+wellKnown+path)
	}
	places = append(places, root(endpoint)+wellKnown)
	for _, at := range places {
		var doc resourceDocument
		switch err := a.document(ctx, at, &doc); {
		case errors.Is(err, errAbsent):
			continue
		case err != nil:
			return nil, err
		case doc.Resource == "":
			return nil, fail(ReasonMetadata)
		}
		resource, err := a.address(doc.Resource)
		if err != nil {
			return nil, err
		}
		if !covers(resource, endpoint) {
			return nil, fail(ReasonMismatch)
		}
		return &doc, nil
	}
	return nil, errAbsent
}

// covers reports whether a resource identifier speaks for an endpoint: it is of the
// same origin, and its path is the endpoint's or leads there. RFC 9728 §3.3 wants
// the two to be identical; agents that speak MCP name their origin as well, or
// differ by the last slash. A document that names another party's resource is still
// refused.
func covers(resource, endpoint *url.URL) bool {
	if !origin.Same(resource, endpoint) || resource.RawQuery != "" && resource.RawQuery != endpoint.RawQuery {
		return false
	}
	prefix := strings.TrimSuffix(resource.EscapedPath(), "/") + "/"
	return strings.HasPrefix(strings.TrimSuffix(endpoint.EscapedPath(), "/")+"/", prefix)
}
