package upstreamtest

import "net/http"

type (
	// cardDocument is an agent card of A2A, with what 0.3 and 1.0 want.
	cardDocument struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Version     string          `json:"version"`
		Protocol    string          `json:"protocolVersion"`
		URL         string          `json:"url"`
		Transport   string          `json:"preferredTransport"`
		Interfaces  []cardInterface `json:"supportedInterfaces"`
		Can         cardAbilities   `json:"capabilities"`
		Takes       []string        `json:"defaultInputModes"`
		Gives       []string        `json:"defaultOutputModes"`
		Skills      []cardSkill     `json:"skills"`
		Signatures  []cardSignature `json:"signatures,omitempty"`
	}
	cardInterface struct {
		URL      string `json:"url"`
		Binding  string `json:"protocolBinding"`
		Protocol string `json:"protocolVersion"`
	}
	cardAbilities struct {
		Streams bool `json:"streaming"`
		Pushes  bool `json:"pushNotifications"`
	}
	cardSkill struct {
		ID    string   `json:"id"`
		Name  string   `json:"name"`
		Tells string   `json:"description"`
		Tags  []string `json:"tags"`
	}
	cardSignature struct {
		Protected string `json:"protected"`
		Signature string `json:"signature"`
	}
)

// card gives the agent's card for a tenant. Newer builds sign theirs, here with what is no signature of anything.
func (a *Agent) card(r *http.Request) answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.buyersTenant(r)
	if t == nil {
		return noTenant(believed(r.Header, tenantHeader))
	}
	at := a.speaksAt(t) + "/a2a"
	doc := cardDocument{
		Name: t.Name + ", sales agent", Description: "Sells what " + t.Name + " publishes.", Version: "1", Protocol: "0.3.0",
		URL: at, Transport: "JSONRPC", Interfaces: []cardInterface{{at, "JSONRPC", "1.0"}, {at, "JSONRPC", "0.3.0"}},
		Can: cardAbilities{Streams: true}, Takes: []string{"text/plain", contentJSON}, Gives: []string{contentJSON},
	}
	for _, s := range skills {
		doc.Skills = append(doc.Skills, cardSkill{s.name, s.name, s.tells, []string{"adcp"}})
	}
	if t.Status.Build == Newer {
		doc.Signatures = []cardSignature{{"eyJhbGciOiJFUzI1NiIsImtpZCI6InNpbXVsYXRlZCJ9", "bWFkZS11cA"}}
	}
	return ok(doc)
}

// speaksAt is where a tenant's agent speaks with buyers.
func (a *Agent) speaksAt(t *tenantState) string {
	if a.opts.Domain != "" && t.subdomain != "" {
		return "https://" + t.subdomain + "." + a.opts.Domain
	}
	return a.opts.PublicURL
}
