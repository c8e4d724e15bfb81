package upstreamtest

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Route names an endpoint of the agent.
type Route string

// The endpoints served. Those that write are not there yet.
const (
	RouteHealth        Route = "health"
	RouteTenants       Route = "tenants"
	RouteTenant        Route = "tenant"
	RouteStatus        Route = "status"
	RouteAdapterConfig Route = "adapter-config"
	RouteUnknown       Route = "unknown"
)

// route says which endpoint a URL names and for which tenant, if for one. Ids
// are taken from the escaped path: an escaped slash in one is no separator.
func (a *Agent) route(u *url.URL) (Route, string) {
	rest, ok := strings.CutPrefix(u.EscapedPath(), a.base+"/")
	if !ok {
		return RouteUnknown, ""
	}
	parts := strings.Split(rest, "/")
	switch {
	case len(parts) == 1 && parts[0] == "health":
		return RouteHealth, ""
	case len(parts) == 1 && parts[0] == "tenants":
		return RouteTenants, ""
	case len(parts) < 2 || parts[0] != "tenants" || parts[1] == "":
		return RouteUnknown, ""
	}
	id, err := url.PathUnescape(parts[1])
	if err != nil {
		return RouteUnknown, ""
	}
	switch strings.Join(parts[2:], "/") {
	case "":
		if len(parts) == 2 { // not with a slash at the end
			return RouteTenant, id
		}
	case "status":
		return RouteStatus, id
	case "adapter-config":
		return RouteAdapterConfig, id
	}
	return RouteUnknown, id
}

// answer is what the agent says when no fault speaks for it.
func (a *Agent) answer(r *http.Request, route Route, id string, f Fault) answer {
	if route == RouteUnknown {
		return htmlPage(http.StatusNotFound)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		ans := htmlPage(http.StatusMethodNotAllowed)
		ans.header = http.Header{"Allow": {"GET, HEAD"}}
		return ans
	}
	if words := a.refuse(r.Header); words != "" {
		return errorAlone(http.StatusUnauthorized, words)
	}
	switch route {
	case RouteHealth:
		return ok(healthDocument{Status: "healthy", Timestamp: stamp(a.opts.Now(), zoneOffset)})
	case RouteTenants:
		return ok(a.list(r.URL.Query()))
	}

	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tenants[id]
	if t == nil {
		return problem(http.StatusNotFound, "tenant_not_found", fmt.Sprintf("There is no tenant '%s'.", id), nil)
	}
	switch route {
	case RouteStatus:
		return answer{status: http.StatusOK, contentType: contentJSON, body: t.status(a.opts, f.FetchedAt)}
	case RouteAdapterConfig:
		return ok(t.adapterConfig())
	default:
		return ok(t.detail())
	}
}

// refuse gives the words of a 401, or "".
func (a *Agent) refuse(h http.Header) string {
	key := h.Get(KeyHeader)
	switch {
	case key == "":
		return "No API key was sent"
	case a.opts.APIKey != "" && subtle.ConstantTimeCompare([]byte(key), []byte(a.opts.APIKey)) != 1:
		return "The API key is not known"
	}
	return ""
}

// list gives the tenants, newest first, those set at one instant by id. Of its
// filters only is_active is of use here; external_source matches all or nothing.
func (a *Agent) list(q url.Values) tenantList {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]*held, 0, len(a.tenants))
	for _, t := range a.tenants {
		if s := q.Get("external_source"); s != "" && s != externalSource {
			continue
		}
		if s := q.Get("is_active"); s != "" && (s == "true") != t.Active {
			continue
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(x, y *held) int {
		if c := y.since.Compare(x.since); c != 0 {
			return c
		}
		return strings.Compare(x.ID, y.ID)
	})
	out := tenantList{Tenants: make([]tenantSummary, 0, len(all)), Count: len(all)}
	for _, t := range all {
		out.Tenants = append(out.Tenants, t.summary())
	}
	return out
}
