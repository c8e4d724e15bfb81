package gateway

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"sync"

	"go.opentelemetry.io/otel/propagation"

	"esagate/gateway/agents"
	"esagate/gateway/proxy"
	"esagate/internal/fault"
	"esagate/internal/telemetry"
	"esagate/registry"
)

// Paths of agents, each below its own.
const (
	mcpPath = "/mcp/"
	a2aPath = "/a2a/"
)

// headerTenant says to the sales agent which tenant a call of MCP or A2A is for.
const headerTenant = "X-Adcp-Tenant"

// agentCalls are calls of agents' protocols, which are passed on: for managed sources to the sales agent, for others to
// their agents (contract 13.7).
type agentCalls struct {
	*Gateway
	rules      agents.Rules
	salesAgent *url.URL // where it speaks MCP and A2A
}

func newAgentCalls(g *Gateway) agentCalls {
	at := parsed(g.cfg.AgentURL)
	at.Path = cmp.Or(at.Path, "/") // without it, what is joined to it would be no path of its own
	return agentCalls{g, agents.NewRules(g.cfg.Agents.Allow, g.cfg.Agents.Deny), at}
}

// routes are no part of the API's table: what is asked there is said by the protocols.
func (g agentCalls) routes() []Route {
	mcp, a2a := mcpPath+"{sourceId}", a2aPath+"{sourceId}"
	return []Route{
		{Method: "POST", Path: mcp, access: passOn, handle: g.call(agents.MCP)},
		{Method: "GET", Path: mcp, access: passOn, handle: g.call(agents.MCP)},    // what an agent says by itself
		{Method: "DELETE", Path: mcp, access: passOn, handle: g.call(agents.MCP)}, // the end of a session
		{Method: "POST", Path: a2a, access: passOn, handle: g.call(agents.A2A)},
		{Method: "GET", Path: a2a + agents.CardPath, access: passOn, handle: g.card(agents.CardPath)},
		{Method: "GET", Path: a2a + agents.OlderCardPath, access: passOn, handle: g.card(agents.OlderCardPath)},
	}
}

// doors are the protocols in the words of metrics; salesAgentPaths are where the sales agent speaks them.
var (
	doors           = map[agents.Protocol]telemetry.Door{agents.MCP: telemetry.DoorMCP, agents.A2A: telemetry.DoorA2A}
	salesAgentPaths = map[agents.Protocol]string{agents.MCP: "/mcp/", agents.A2A: "/a2a"}
)

// call passes a request of a protocol on.
func (g agentCalls) call(p agents.Protocol) handlerFunc {
	return func(w http.ResponseWriter, r *request) error {
		src, err := g.source(r, p)
		if err != nil {
			return err
		}
		asked, err := g.admit(r, p)
		defer func() { g.count(p, asked(), err == nil) }()
		if err != nil {
			return err
		}
		to, err := g.exchange(r, p, src, "")
		if err != nil {
			return err
		}
		return g.pass(w, r, to.by, doors[p], to.Target)
	}
}

// otherMethod stands in metrics for a method that is not the protocol's.
const otherMethod = "(other)"

// count counts a call by what it asked for, in words that are not a caller's own.
func (g agentCalls) count(p agents.Protocol, c agents.Call, passed bool) {
	if c.Method == "resources/read" {
		c.Name = "" // an address, of which there may be very many
	}
	if c.Method != "" && !p.Known(c.Method) {
		c = agents.Call{Method: otherMethod}
	}
	g.ins.AgentCall(doors[p], c.Method, c.Name, passed)
}

// anySource finds a source of either kind, a managed one in memory.
func anySource(ctx context.Context, d *registry.Directory, customer int64, id string) (*registry.Source, error) {
	src, err := d.ManagedSource(ctx, customer, id)
	if fault.Is(err, fault.NotFound) {
		return d.Source(ctx, customer, id)
	}
	return src, err
}

// source finds the source that a path names, if it can be asked by a protocol.
func (g agentCalls) source(r *request, p agents.Protocol) (*registry.Source, error) {
	id, err := parseSourceID(r.vars["sourceId"])
	if err != nil {
		return nil, err
	}
	src, err := anySource(r.Context(), g.deps.Directory, r.caller.CustomerID, id)
	if err == nil && src.Connection != nil {
		src, err = g.deps.Lifecycle.Identified(r.Context(), src)
	}
	switch {
	case err != nil:
		return nil, err
	case src.Connection != nil:
		return src, askable(src.Connection)
	case src.Agent.Protocol != string(p):
		return nil, fault.New(fault.NotFound, "The agent of this source speaks another protocol, and is asked at that one's path.")
	case src.Agent.Status != registry.SourceActive:
		return nil, fault.New(fault.Conflict, "The source is not active, so its agent is not asked.")
	}
	return src, nil
}

// askable wants a managed source to be one that sells.
func askable(c *registry.Connection) error {
	if err := provisioned(c); err != nil || c.Provisioning == registry.StatusActive {
		return err
	}
	return fault.New(fault.Conflict, "The source is not active, so its sales agent is not asked.")
}

var (
	errCallRefused = fault.New(fault.Forbidden, "The operator of this gateway does not let this method, or what it is about, through.")
	errNoContent   = fault.New(fault.BadRequest, "This request takes no content.")
)

// admit lets in a request that the caller's key and the operator's rules allow. It gives what is asked for, which may
// not be known before the request has been sent.
func (g agentCalls) admit(r *request, p agents.Protocol) (asked func() agents.Call, err error) {
	asked = func() agents.Call { return agents.Call{} }
	if err := parseQuery(r.URL.RawQuery).err(); err != nil {
		return asked, err
	}
	if r.Method != http.MethodPost {
		if r.ContentLength != 0 {
			return asked, errNoContent
		}
		return asked, nil
	}
	if err := checkMedia(r); err != nil {
		return asked, err
	}
	if r.caller.Write && g.rules.None() {
		body := &noted{ReadCloser: r.Body}
		r.replaceBody(body)
		return func() agents.Call { return p.Look(r.Header, body.beginning()) }, nil
	}
	body, err := readBody(r, maxBodyBytes)
	if err != nil {
		return asked, err
	}
	call, err := p.Read(r.Header, body)
	if err != nil {
		return asked, err
	}
	r.replaceBody(&spent{bytes.NewReader(body)})
	r.Request.ContentLength = int64(len(body))
	asked = func() agents.Call { return call }
	switch {
	case !r.caller.Write && !p.Reads(call):
		g.ins.AuthRefusal(telemetry.RefusalReadOnly)
		return asked, errReadOnly
	case !g.rules.Allow(call):
		return asked, errCallRefused
	}
	return asked, nil
}

// replaceBody puts another reader in the place of a body. It copies the request of net/http, which looks at the body
// that it made itself.
func (r *request) replaceBody(body io.ReadCloser) {
	r.Request = r.Request.WithContext(r.Request.Context())
	r.Request.Body = body
}

// noted is a body that keeps its beginning, so that a metric can say what was asked for. The transport reads it.
type noted struct {
	io.ReadCloser
	mu   sync.Mutex
	kept []byte
}

// Read implements io.Reader.
func (b *noted) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = append(b.kept, p[:min(n, agents.LookBytes-len(b.kept))]...)
	return n, err
}

func (b *noted) beginning() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.kept
}

// spent is a body in memory, which is let go of once it has been sent: an answer can go on for long.
type spent struct{ *bytes.Reader }

// Read implements io.Reader. The end comes with the last bytes, as from net/http: an agent may answer before the
// transport asks once more, and the answer to what has not come in whole closes the client's connection.
func (b *spent) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == nil && b.Len() == 0 {
		err = io.EOF
	}
	return n, err
}

// Close implements io.Closer.
func (b *spent) Close() error {
	b.Reset(nil)
	return nil
}

var identityCoding = []string{"identity"}

// toAgent is where a request goes, and how.
type toAgent struct {
	proxy.Target
	by *proxy.Proxy
}

// exchange says where a request to a source goes: to its agent, or to a place on that one's host.
func (g agentCalls) exchange(r *request, p agents.Protocol, src *registry.Source, place string) (toAgent, error) {
	h := p.Sent(r.Header)
	h["Accept-Encoding"] = identityCoding // a credential in what is compressed would not be seen
	if r.Method == http.MethodPost {
		h["Content-Type"] = jsonType // with a client's charset an agent may read another call than was judged
	}
	g.deps.Propagator.Inject(r.Context(), propagation.HeaderCarrier(h))
	if src.Connection != nil {
		return g.toSalesAgent(r, src.Connection, h, p, place)
	}
	to, err := url.Parse(src.Agent.EndpointURL)
	if err != nil {
		return toAgent{}, fault.Wrap(fault.Internal, "The address of the source's agent can't be read.", err)
	}
	if place != "" {
		to = &url.URL{Scheme: to.Scheme, Host: to.Host, Path: place}
	}
	authorization, err := g.deps.Agents.Authorize(r.Context(), src)
	if err != nil {
		return toAgent{}, unauthorized(r.Context(), err)
	}
	maps.Copy(h, authorization.Header)
	secrets := agents.SecretsOf(authorization.Header)
	return toAgent{proxy.Target{URL: to, Header: h, Answer: func(resp *http.Response) error {
		if place == "" { // a card may be for everybody, and says nothing of credentials
			g.agentAnswered(r, src, authorization.CredentialID, resp.StatusCode)
		}
		return answered(r, p, resp, secrets)
	}}, g.deps.Proxies.Agents}, nil
}

// toSalesAgent says where a request for a managed source goes, and as whom (contract 13.8).
func (g agentCalls) toSalesAgent(r *request, c *registry.Connection, h http.Header, p agents.Protocol, place string) (toAgent, error) {
	who, err := g.identityOf(r.caller, c)
	switch {
	case err != nil:
		return toAgent{}, err
	case who.PrincipalID == "":
		return toAgent{}, errNoPrincipal
	}
	if place == "" {
		place = salesAgentPaths[p]
	}
	to := g.salesAgent.JoinPath(place)
	who.set(h, r.Method, to.EscapedPath())
	h[headerTenant] = []string{c.TenantID}
	return toAgent{proxy.Target{URL: to, Header: h, Answer: func(resp *http.Response) error {
		return answered(r, p, resp, nil)
	}}, g.deps.Proxies.Managed}, nil
}

var errNoPrincipal = fault.New(fault.Forbidden,
	"This API key has no principal_id, as whom it would buy from the sales agent: the operator of this gateway gives it one.")
