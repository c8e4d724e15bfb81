package agentauth

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"esagate/internal/origin"
	"esagate/internal/word"
)

// resourceDocument is what we read of protected-resource metadata (RFC 9728 §2).
type resourceDocument struct {
	Resource string `json:"resource"`
	Servers  list   `json:"authorization_servers"`
	Scopes   list   `json:"scopes_supported"`
}

// maxServers is how many authorization servers are tried, over all documents of an agent.
const maxServers = 4

// agent is what was found out about an agent.
type agent struct {
	resource string // RFC 8707
	scope    string // empty: none is asked for
	audience string // that the source names; empty: none
	server   *server
}

// discover finds out how an agent is to be asked: nil without an error when it does
// not ask for authorization and names no server. A place that fails, holds something else
// or names only servers that can't be used is passed over; if nothing is found, the error is
// the first one that there was.
func (a *Agents) discover(ctx context.Context, endpointURL, audience string) (*agent, error) {
	endpoint, err := a.address(endpointURL)
	if err != nil {
		return nil, err
	}
	var tried []string // issuers
	withServer := func(found *agent, issuers []string) (*agent, error) {
		if len(issuers) == 0 {
			issuers = []string{root(endpoint)} // the agent is its own authorization server
		}
		server, err := firstGood(issuers[:min(len(issuers), maxServers)], func(issuer string) (*server, error) {
			if slices.Contains(tried, issuer) || len(tried) == maxServers {
				return nil, errAbsent
			}
			tried = append(tried, issuer)
			if issuer != root(endpoint) && !word.Endpoint.Is(issuer) {
				return nil, fail(ReasonAddress)
			}
			return a.serverAt(ctx, issuer, found)
		})
		if err != nil {
			return nil, err
		}
		found.server = server
		return found, nil
	}
	asked := a.ask(ctx, endpoint)
	documents := false
	found, err := firstGood(append(asked.metadata, resourcePlaces(endpoint)...), func(at string) (*agent, error) {
		if slices.Contains(asked.metadata, at) && !word.Endpoint.Is(at) {
			return nil, fail(ReasonAddress)
		}
		doc, err := a.resourceDocument(ctx, endpoint, at)
		if err != nil {
			return nil, err
		}
		documents = true
		scope := cmp.Or(asked.scope, scopeOf(doc.Scopes))
		return withServer(&agent{resource: doc.Resource, scope: scope, audience: audience}, doc.Servers)
	})
	if !documents { // agents from before RFC 9728 have none
		resource := strings.TrimSuffix(root(endpoint)+endpoint.EscapedPath(), "/")
		var ownErr error
		found, ownErr = withServer(&agent{resource: resource, scope: asked.scope, audience: audience}, nil)
		err = earlier(err, ownErr)
	}
	switch {
	case found != nil:
		return found, nil
	case !errors.Is(err, errAbsent):
		return nil, err
	case asked.asks || documents:
		return nil, fail(ReasonNoServer)
	case asked.away:
		return nil, fail(ReasonAway)
	}
	return nil, nil
}

// resourcePlaces are where the protected-resource metadata of an endpoint may stand: at the
// well-known path with the endpoint's own path and query inserted (RFC 9728 §3.1), then with
// the other form of its last slash, without its query, and at that of its origin.
func resourcePlaces(endpoint *url.URL) []string {
	at := root(endpoint) + "/.well-known/oauth-protected-resource"
	path := endpoint.EscapedPath()
	other := path + "/"
	if trimmed, slash := strings.CutSuffix(path, "/"); slash {
		other = trimmed
	}
	if path == "/" {
		path, other = other, path // after the host alone, a slash is left out
	}
	query := ""
	if endpoint.RawQuery != "" {
		query = "?" + endpoint.RawQuery
	}
	return []string{at + path + query, at + other + query, at + path, at + other, at + query, at}
}

// resourceDocument reads the protected-resource metadata of an endpoint from one place.
func (a *Agents) resourceDocument(ctx context.Context, endpoint *url.URL, at string) (*resourceDocument, error) {
	if _, err := a.address(at); err != nil {
		return nil, err
	}
	var doc resourceDocument
	if err := a.document(ctx, at, &doc); err != nil {
		return nil, err
	}
	if doc.Resource == "" {
		return nil, fail(ReasonMetadata)
	}
	resource, err := a.named(doc.Resource)
	if err != nil {
		return nil, err
	}
	if !covers(resource, endpoint) {
		return nil, fail(ReasonMismatch)
	}
	return &doc, nil
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
