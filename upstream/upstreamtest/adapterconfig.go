package upstreamtest

import "net/http"

// putAdapterConfig replaces a tenant's config once the ad server has taken it. The
// old one is deleted with all its settings: those that the request does not name
// are reset. The tenant's own type of ad server stays what it was. As upstream
// does, it probes before it looks for the tenant.
func (a *Agent) putAdapterConfig(c call, l conn) answer {
	config, found := a.opts.readAdapter(nil, c.body)
	if found != nil {
		return invalid(found)
	}
	if p := a.probe(config, l); p.fails() {
		return p.refusal(config.Type)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tenants[c.tenant]
	if t == nil {
		return noTenant(c.tenant)
	}
	t.configure(config, a.opts.Now())
	t.uncache()
	return ok(t.adapterConfig())
}

// testConnection probes the saved config and changes nothing.
func (a *Agent) testConnection(c call, l conn) answer {
	a.mu.Lock()
	t := a.tenants[c.tenant]
	var configured bool
	var config AdapterConfig
	if t != nil {
		configured, config = t.AdServer.Configured, t.config
	}
	a.mu.Unlock()
	if t == nil {
		return noTenant(c.tenant)
	}
	d := testDocument{Error: orNull("No ad server is configured"), CapabilityChecks: []capabilityCheck{}}
	if configured {
		d = a.probe(config, l).tested(config.Type)
	}
	a.mu.Lock()
	t.uncache()
	a.mu.Unlock()
	d.TestedAt = stamp(a.opts.Now(), zoneZ)
	return says(http.StatusOK, d)
}
