package upstreamtest

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// newestFirst gives the tenants that are wanted, those made at one instant by id. a.mu is held.
func (a *Agent) newestFirst(wanted func(*tenantState) bool) []*tenantState {
	var all []*tenantState
	for _, t := range a.tenants {
		if wanted(t) {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(x, y *tenantState) int {
		return cmp.Or(y.since.Compare(x.since), strings.Compare(x.ID, y.ID))
	})
	return all
}

// list gives all tenants: there are no pages.
func (a *Agent) list(q url.Values) answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	source := q.Get("external_source")
	all := a.newestFirst(func(t *tenantState) bool { return source == "" || t.ExternalSource == source })
	out := tenantList{Tenants: make([]tenantSummary, len(all)), Count: len(all)}
	for i, t := range all {
		out.Tenants[i] = t.summary()
	}
	return ok(out)
}

// TenantIDs gives the ids of all tenants, sorted.
func (a *Agent) TenantIDs() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Sorted(maps.Keys(a.tenants))
}

// Tenant gives a tenant as it is now, but for its Status: that is the one it was
// set or made with, and what has been completed since.
func (a *Agent) Tenant(id string) (Tenant, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance()
	t := a.tenants[id]
	if t == nil {
		return Tenant{}, false
	}
	c := t.Tenant
	c.Status = c.Status.clone()
	return c, true
}

// Provisions gives how many tenants were provisioned, whether they are still there
// or not.
func (a *Agent) Provisions() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.made
}

// Config gives the config that a tenant has, credentials included. false: it has
// none, or there is no such tenant.
func (a *Agent) Config(tenantID string) (AdapterConfig, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tenants[tenantID]
	if t == nil || !t.AdServer.Configured {
		return AdapterConfig{}, false
	}
	return t.config, true
}
