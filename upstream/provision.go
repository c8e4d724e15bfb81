package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"esagate/internal/fault"
	"esagate/upstream/wire"
)

// The calls in this file wait for a live answer of the ad server, for up to
// ProbeTimeout. Each is made once. An error of one that is neither [NotSent] nor has a
// [Refusal] in its chain leaves open whether it was done.

// Provision makes a tenant. It is all or nothing: after a [Refusal] there is none.
// UPSTREAM_INVALID_RESPONSE here means that there may be a tenant whose id is not known: an
// answer that names another external_org_id or external_source than req is one of those.
func (c *Client) Provision(ctx context.Context, req wire.ProvisionRequest) (*wire.Provisioned, error) {
	cl := &call{op: opProvision, method: http.MethodPost, path: []string{"provision"}, limit: c.cfg.ProbeTimeout,
		accept: []int{http.StatusCreated}}
	if req.Adapter == nil {
		return nil, unencodable()
	}
	if err := cl.encode(req); err != nil {
		return nil, err
	}
	return ask(ctx, c, cl, func(body []byte) (*wire.Provisioned, error) {
		p, err := wire.DecodeProvisioned(body)
		if err != nil {
			return nil, err
		}
		e := credentialsOf(cl.secrets)
		switch {
		case isOther(p.ExternalOrgID, req.ExternalOrgID), isOther(p.ExternalSource, req.ExternalSource):
			return nil, errOtherOrg
		case e.inID(p.TenantID):
			return nil, errCredential
		}
		p.MCPURL, p.A2AURL = e.without(p.MCPURL), e.without(p.A2AURL)
		return p, nil
	})
}

var errOtherOrg = errors.New("the answer is about the tenant of another organisation")

// isOther reports whether an answer names another id than the one that was sent.
func isOther(answered wire.Opt[string], sent string) bool {
	return answered.Set && answered.Value != sent
}

// agentURLRefused is the failure of a provisioning whose public_agent_url upstream does not
// serve. The caller can't help it, and no breaker counts it: upstream works.
func agentURLRefused(no *Refusal) *failure {
	e := fault.Upstream(fault.UpstreamError, "The sales agent does not serve the public agent URL. Saving again helps "+
		"only after an operator has changed provisioning.public_agent_url here or EMBEDDED_PLATFORM_AGENT_HOSTS there.", no)
	e.RetryAfter = retryAfterLimit
	return &failure{outcome: outcomeRejected, err: e}
}

// PutAdapterConfig replaces a tenant's ad-server config. Upstream resets every setting
// that req leaves out.
func (c *Client) PutAdapterConfig(ctx context.Context, tenantID string, req wire.AdapterRequest) error {
	cl := tenantWrite(opPutAdapterConfig, http.MethodPut, tenantID, "adapter-config")
	cl.limit = c.cfg.ProbeTimeout
	if req == nil {
		return unencodable()
	}
	if err := cl.encode(req); err != nil {
		return err
	}
	_, err := ask(ctx, c, cl, wire.DecodeAdapterConfig)
	return err
}

// TestConnection has a tenant's saved config tested. A test that fails is an answer
// like any other.
func (c *Client) TestConnection(ctx context.Context, tenantID string) (*wire.TestResult, error) {
	cl := tenantWrite(opTestConnection, http.MethodPost, tenantID, "adapter-config", "test-connection")
	cl.limit = c.cfg.ProbeTimeout
	return ask(ctx, c, cl, wire.DecodeTestResult)
}

// PutAdapterSettings replaces the settings of a tenant's ad server by raw, an object
// as [Client.AdapterSettings] gives it.
func (c *Client) PutAdapterSettings(ctx context.Context, tenantID, adapterType string, raw []byte) error {
	cl := tenantWrite(opPutAdapterSettings, http.MethodPut, tenantID, "adapters", adapterType, "config")
	cl.limit, cl.body = c.cfg.ProbeTimeout, raw
	if !wire.ValidSettings(raw) {
		return unencodable()
	}
	_, err := ask(ctx, c, cl, wire.DecodeSettings)
	return err
}

// encode gives the call its body, which is encoded this once, and the credentials in it.
func (cl *call) encode(doc interface{ Secrets() []wire.Secret }) error {
	body, err := json.Marshal(doc)
	if err != nil {
		return unencodable() // err could quote a value
	}
	cl.body, cl.secrets = body, doc.Secrets()
	return nil
}

// ourFault is the error of a request that no caller of the gateway can have caused.
func ourFault(text string) *fault.Error {
	return fault.As(&unsentError{errors.New(text)})
}

func unencodable() *fault.Error { return ourFault("the request can't be put into upstream's shape") }
