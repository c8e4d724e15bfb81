package agentauth

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"esagate/internal/origin"
	"esagate/internal/word"
)

// ping does no harm anywhere: MCP answers it, A2A knows no such method, and an agent
// that wants a token says so before it reads it.
const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

// maxPointers is how many of the addresses that an agent names for its metadata are tried.
const maxPointers = 4

// challenge is how an agent answers who brings no credentials.
type challenge struct {
	asks     bool     // 401, or a Bearer challenge
	away     bool     // 5xx or 429, or no answer
	metadata []string // where its protected-resource metadata stands (RFC 9728 §5.1)
	scope    string   // the scope that it wants (RFC 6750 §3); empty: not said
}

// ask asks an agent without credentials. What another origin says, to which a redirect
// led, is not the agent's word.
func (a *Agents) ask(ctx context.Context, endpoint *url.URL) challenge {
	ctx, cancel := step(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint.String(), strings.NewReader(ping))
	if err != nil {
		return challenge{}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	resp, err := a.deps.HTTP.Do(req)
	if err != nil {
		return challenge{away: true}
	}
	resp.Body.Close() // unread: it may be a stream without an end
	if from := resp.Request; from != nil && !origin.Same(from.URL, endpoint) {
		return challenge{} // a redirect led there
	}
	c := bearer(resp.Header.Values("WWW-Authenticate"))
	c.asks = c.asks || resp.StatusCode == http.StatusUnauthorized
	c.away = isAway(resp.StatusCode)
	return c
}

// bearer reads the Bearer challenges among WWW-Authenticate fields.
func bearer(fields []string) challenge {
	var c challenge
	for _, p := range parameters(fields) {
		if p.scheme != "bearer" {
			continue
		}
		c.asks = true
		switch {
		case p.name == "resource_metadata" && p.value != "" && len(c.metadata) < maxPointers:
			c.metadata = append(c.metadata, p.value)
		case p.name == "scope" && c.scope == "":
			c.scope = scopeOf(strings.Fields(p.value))
		}
	}
	return c
}

// scopeOf joins scopes; what is not a list of words in reasonable
// number is none.
func scopeOf(scopes []string) string {
	joined := strings.Join(scopes, " ")
	if len(scopes) > 64 || len(joined) > 2048 {
		return ""
	}
	for _, s := range scopes {
		if !word.Scope.Is(s) {
			return ""
		}
	}
	return joined
}
