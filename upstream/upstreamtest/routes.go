package upstreamtest

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Route names an operation of the agent.
type Route string

// The operations served; RouteUnknown is every other path, and a method that the
// path does not take.
const (
	RouteTenants               Route = "tenants"
	RouteProvision             Route = "provision"
	RouteTenant                Route = "tenant"
	RouteStatus                Route = "status"
	RouteDeactivate            Route = "deactivate"
	RouteDeleteTenant          Route = "delete-tenant" // does no more than deactivate
	RouteReactivate            Route = "reactivate"
	RouteAdapterConfig         Route = "adapter-config"
	RoutePutAdapterConfig      Route = "put-adapter-config"
	RouteTestConnection        Route = "test-connection"
	RouteSettings              Route = "settings"
	RoutePutSettings           Route = "put-settings"
	RouteRefresh               Route = "refresh"
	RouteSyncHistory           Route = "sync-history"
	RouteWebhooks              Route = "webhooks"
	RouteCreateWebhook         Route = "create-webhook"
	RouteDeleteWebhook         Route = "delete-webhook"
	RouteTestWebhook           Route = "test-webhook"
	RouteProducts              Route = "products"
	RouteCreateProduct         Route = "create-product"
	RouteProduct               Route = "product"
	RoutePutProduct            Route = "put-product"
	RouteDeleteProduct         Route = "delete-product"
	RouteValidateProduct       Route = "validate-product"
	RouteSignals               Route = "signals"
	RouteCreateSignal          Route = "create-signal"
	RouteSignal                Route = "signal"
	RoutePutSignal             Route = "put-signal"
	RouteDeleteSignal          Route = "delete-signal"
	RouteValidateSignal        Route = "validate-signal"
	RoutePatchTenant           Route = "patch-tenant"
	RouteAdvertisers           Route = "advertisers"
	RouteEnsureAdvertiser      Route = "ensure-advertiser"
	RouteMappings              Route = "mappings"
	RouteCreateMapping         Route = "create-mapping"
	RoutePatchMapping          Route = "patch-mapping"
	RouteDeleteMapping         Route = "delete-mapping"
	RouteAccounts              Route = "accounts"
	RouteSaveAccount           Route = "save-account"
	RouteCreativeFormats       Route = "creative-formats"
	RouteProperties            Route = "publisher-properties"
	RouteSelectors             Route = "selectors"
	RouteMediaBuys             Route = "media-buys"
	RouteMediaBuy              Route = "media-buy"
	RouteRecentBuyers          Route = "recent-buyers"
	RouteCandidates            Route = "candidates"
	RouteInventoryCapabilities Route = "inventory-capabilities"
	RouteSignalCapabilities    Route = "signal-capabilities"

	// Beside the Tenant Management API.
	RouteAdmin Route = "admin" // a page of the admin UI, or something behind one
	RouteAsset Route = "asset" // what its pages load
	RouteMCP   Route = "mcp"
	RouteA2A   Route = "a2a"
	RouteCard  Route = "card"

	RouteUnknown Route = "unknown"
)

// routes is the table of what is served: the path under BasePath, where "*" is
// one segment, and the route of each method. The first "*" is the tenant's id,
// the second an ad server's type or the id of what is asked for.
var routes = []struct {
	path    string
	methods map[string]Route
}{
	{"tenants", map[string]Route{http.MethodGet: RouteTenants}},
	{"tenants/provision", map[string]Route{http.MethodPost: RouteProvision}},
	{"tenants/*", map[string]Route{http.MethodGet: RouteTenant, http.MethodPatch: RoutePatchTenant, http.MethodDelete: RouteDeleteTenant}},
	{"tenants/*/status", map[string]Route{http.MethodGet: RouteStatus}},
	{"tenants/*/deactivate", map[string]Route{http.MethodPost: RouteDeactivate}},
	{"tenants/*/reactivate", map[string]Route{http.MethodPost: RouteReactivate}},
	{"tenants/*/adapter-config", map[string]Route{http.MethodGet: RouteAdapterConfig, http.MethodPut: RoutePutAdapterConfig}},
	{"tenants/*/adapter-config/test-connection", map[string]Route{http.MethodPost: RouteTestConnection}},
	{"tenants/*/adapters/*/config", map[string]Route{http.MethodGet: RouteSettings, http.MethodPut: RoutePutSettings}},
	{"tenants/*/refresh", map[string]Route{http.MethodPost: RouteRefresh}},
	{"tenants/*/sync-history", map[string]Route{http.MethodGet: RouteSyncHistory}},
	{"tenants/*/webhooks", map[string]Route{http.MethodGet: RouteWebhooks, http.MethodPost: RouteCreateWebhook}},
	{"tenants/*/webhooks/*", map[string]Route{http.MethodDelete: RouteDeleteWebhook}},
	{"tenants/*/webhooks/*/test", map[string]Route{http.MethodPost: RouteTestWebhook}},
	{"tenants/*/wholesale-products", map[string]Route{http.MethodGet: RouteProducts, http.MethodPost: RouteCreateProduct}},
	{"tenants/*/wholesale-products:validate", map[string]Route{http.MethodPost: RouteValidateProduct}},
	{"tenants/*/wholesale-products/*", map[string]Route{http.MethodGet: RouteProduct, http.MethodPut: RoutePutProduct, http.MethodDelete: RouteDeleteProduct}},
	{"tenants/*/gam/advertisers", map[string]Route{http.MethodGet: RouteAdvertisers}},
	{"tenants/*/gam/advertisers:ensure", map[string]Route{http.MethodPost: RouteEnsureAdvertiser}},
	{"tenants/*/buyer-advertiser-mappings", map[string]Route{http.MethodGet: RouteMappings, http.MethodPost: RouteCreateMapping}},
	{"tenants/*/buyer-advertiser-mappings/*", map[string]Route{http.MethodPatch: RoutePatchMapping, http.MethodDelete: RouteDeleteMapping}},
	{"tenants/*/creative-formats", map[string]Route{http.MethodGet: RouteCreativeFormats}},
	{"tenants/*/inventory/adapter-capabilities", map[string]Route{http.MethodGet: RouteInventoryCapabilities}},
	{"tenants/*/inventory/publisher-properties", map[string]Route{http.MethodGet: RouteProperties}},
	{"tenants/*/inventory/selectors", map[string]Route{http.MethodGet: RouteSelectors}},
	{"tenants/*/media-buys", map[string]Route{http.MethodGet: RouteMediaBuys}},
	{"tenants/*/media-buys/*", map[string]Route{http.MethodGet: RouteMediaBuy}},
	{"tenants/*/recent-buyers", map[string]Route{http.MethodGet: RouteRecentBuyers}},
	{"tenants/*/accounts", map[string]Route{http.MethodGet: RouteAccounts, http.MethodPost: RouteSaveAccount}},
	{"tenants/*/signals", map[string]Route{http.MethodGet: RouteSignals, http.MethodPost: RouteCreateSignal}},
	{"tenants/*/signals:validate", map[string]Route{http.MethodPost: RouteValidateSignal}},
	{"tenants/*/signals/adapter-capabilities", map[string]Route{http.MethodGet: RouteSignalCapabilities}},
	{"tenants/*/signals/candidates", map[string]Route{http.MethodGet: RouteCandidates}},
	{"tenants/*/signals/*", map[string]Route{http.MethodGet: RouteSignal, http.MethodPut: RoutePutSignal, http.MethodDelete: RouteDeleteSignal}},
}

// call is a request as the agent understands it.
type call struct {
	route  Route
	tenant string   // its id, "" where the path names none
	part   string   // an ad server's type, or the id of what is asked for
	allow  []string // methods that the path takes, where the request's is not among them
	body   []byte   // at most maxBody
	way    bool     // it is for the admin UI or comes from a buyer; part is the path behind the tenant's
}

// route says which operation a request names and for which tenant, if for one.
// Ids are taken from the escaped path: an escaped slash in one is no separator.
func route(r *http.Request) call {
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), BasePath+"/")
	if !ok {
		return wayIn(r)
	}
	parts := strings.Split(rest, "/")
	for _, known := range routes {
		c, ok := match(strings.Split(known.path, "/"), parts)
		if !ok {
			continue
		}
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		if c.route, ok = known.methods[method]; ok {
			return c
		}
		for m := range known.methods {
			if c.allow = append(c.allow, m); m == http.MethodGet {
				c.allow = append(c.allow, http.MethodHead)
			}
		}
		slices.Sort(c.allow)
		c.route = RouteUnknown
		return c
	}
	c := call{route: RouteUnknown}
	if len(parts) > 2 && parts[0] == "tenants" {
		c.tenant, _ = url.PathUnescape(parts[1])
	}
	return c
}

// wayIn says the same of what is no path of the Tenant Management API. As servers do that are not careful, it takes
// paths for what they become when escapes are undone, twice, backslashes turned, and steps back taken.
func wayIn(r *http.Request) call {
	c := call{route: RouteUnknown, way: true, tenant: r.Header.Get(tenantHeader)}
	at := r.URL.Path
	if again, err := url.PathUnescape(at); err == nil {
		at = again
	}
	at = path.Clean("/" + strings.ReplaceAll(at, `\`, "/"))
	switch at {
	case "/mcp":
		c.route = RouteMCP
	case "/a2a":
		c.route = RouteA2A
	case "/.well-known/agent-card.json", "/.well-known/agent.json":
		c.route = RouteCard
	case "/static/admin.css", "/static/admin.js", "/favicon.ico":
		c.route, c.part = RouteAsset, path.Base(at)
	case "/tenants":
		c.route = RouteAdmin
	}
	if rest, ok := strings.CutPrefix(at, "/tenant/"); ok {
		c.route = RouteAdmin
		c.tenant, c.part, _ = strings.Cut(rest, "/")
	}
	return c
}

// comeIn answers what is for the admin UI or comes from a buyer.
func (a *Agent) comeIn(r *http.Request, c call, l conn) (ans answer) {
	switch c.route {
	case RouteAsset:
		ans = asset(c.part)
	case RouteMCP:
		ans = a.speakMCP(r, c, l)
	case RouteA2A:
		ans = a.speakA2A(r, c, l)
	case RouteCard:
		ans = a.card(r)
	default:
		ans = a.admin(r, c, l)
	}
	if ans.header == nil {
		ans.header = http.Header{}
	}
	// What a server says of itself is nobody's business.
	ans.header.Set("Server", "sales-agent/"+Canary)
	ans.header.Set("X-Debug-Token", Canary+"-debug-token")
	return ans
}

// match compares a path's segments with those of a known one.
func match(known, parts []string) (c call, ok bool) {
	if len(known) != len(parts) {
		return call{}, false
	}
	for i, segment := range known {
		if segment != "*" {
			if segment != parts[i] {
				return call{}, false
			}
			continue
		}
		id, err := url.PathUnescape(parts[i])
		if err != nil || id == "" {
			return call{}, false
		}
		if c.tenant == "" {
			c.tenant = id
		} else {
			c.part = id
		}
	}
	return c, true
}

// answer does what was asked for and says what came of it, when no fault stands
// in its place.
func (a *Agent) answer(r *http.Request, c call, l conn, f Fault) answer {
	switch {
	case c.allow != nil:
		ans := htmlPage(http.StatusMethodNotAllowed)
		ans.header = http.Header{"Allow": {strings.Join(c.allow, ", ")}}
		return ans
	case c.route == RouteUnknown:
		return htmlPage(http.StatusNotFound)
	case c.way:
		return a.comeIn(r, c, l)
	}
	if words := a.opts.refuse(r.Header); words != "" {
		return errorAlone(http.StatusUnauthorized, words)
	}
	if op, is := operations[c.route]; is {
		return a.operate(r, c, l, op)
	}
	switch c.route {
	case RouteTenants:
		return a.list(r.URL.Query())
	case RouteProvision:
		return a.provision(c, l)
	case RoutePutAdapterConfig:
		return a.putAdapterConfig(c, l)
	case RouteTestConnection:
		return a.testConnection(c, l)
	case RouteCreateWebhook:
		return a.createWebhook(c)
	case RouteTestWebhook:
		return a.testWebhook(r.Context(), c, l)
	}

	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance()
	t := a.tenants[c.tenant]
	if t == nil {
		return noTenant(c.tenant)
	}
	switch c.route {
	case RouteStatus:
		return answer{status: http.StatusOK, contentType: contentJSON, body: t.status(a.opts, f.FetchedAt)}
	case RouteDeactivate, RouteDeleteTenant:
		return t.setActive(false)
	case RouteReactivate:
		return t.setActive(true)
	case RouteAdapterConfig:
		return ok(t.adapterConfig())
	case RouteSettings:
		return t.settings(c.part)
	case RoutePutSettings:
		return t.putSettings(a.opts, c)
	case RouteRefresh:
		return a.refresh(t)
	case RouteSyncHistory:
		return t.history(r.URL.Query(), a.opts.Now())
	case RouteWebhooks:
		return t.listWebhooks()
	case RouteDeleteWebhook:
		return t.deleteWebhook(c.part)
	default:
		return ok(t.detail())
	}
}

func noTenant(id string) answer {
	return problem(http.StatusNotFound, "tenant_not_found", fmt.Sprintf("There is no tenant '%s'.", id), nil)
}

// refuse gives the words of a 401, or "".
func (o Options) refuse(h http.Header) string {
	key := h.Get(KeyHeader)
	switch {
	case key == "":
		return "No API key was sent"
	case o.APIKey != "" && subtle.ConstantTimeCompare([]byte(key), []byte(o.APIKey)) != 1:
		return "The API key is not known"
	}
	return ""
}
