package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"
	lru "github.com/hashicorp/golang-lru/v2"

	"esagate/registry"
)

// access is what a caller needs for a route.
type access uint8

const (
	public     access = iota // no key
	readAll                  // any key; an operator's need not say for which customer
	read                     // any key
	passOn                   // any key; the request is passed on as it comes, with a body of any type and size
	write                    // a key with write access
	tryOrWrite               // the same; its handler begins the audit, of requests that may change something
)

// ofCustomer reports whether a route is always about one customer, whom an operator must name.
func (a access) ofCustomer() bool { return a >= read }

// handlerFunc answers one request or says why not.
type handlerFunc func(w http.ResponseWriter, r *request) error

// Route is one row of the route table.
type Route struct {
	Method    string // GET rows serve HEAD as well
	Path      string // as in api/openapi.yaml, where the API has it
	Operation string // its operationId there: what the audit calls a write
	access    access
	handle    handlerFunc
}

// writes reports whether the route changes something on a caller's behalf.
func (r Route) writes() bool { return r.access >= write && r.Method != http.MethodGet }

const (
	storefront = "/api/v2/storefront"
	source     = storefront + "/inventory-sources/{sourceId}"
	esa        = storefront + "/esa/{esaId}"
)

// routes is the table that leads the router; a test holds it against api/openapi.yaml.
// The busiest route stands first: the router tries them in order.
func (g *Gateway) routes() []Route {
	c, i, s, p := connections{g}, inventory{g}, site{g}, probes{g}
	return append([]Route{
		{"GET", source + "/status", "getInventorySourceEsaStatus", read, g.onSource(c.getStatus)},
		{"GET", source + "/esa", "getInventorySourceEsa", read, g.onSource(c.getConnection)},
		{"GET", storefront + "/overview", "getOverview", readAll, c.getOverview},
		{"GET", storefront + "/esa", "listEsaConnections", read, c.listConnections},
		{"GET", esa, "getEsaConnection", read, g.onSource(c.getConnection)},
		{"GET", esa + "/status", "getEsaStatus", read, g.onSource(c.getStatus)},
		{"GET", source + "/sync-history", "listInventorySourceEsaSyncHistory", read, g.onSource(c.getSyncHistory)},
		{"GET", esa + "/sync-history", "getEsaSyncHistory", read, g.onSource(c.getSyncHistory)},

		{"POST", storefront + "/esa", "connectEsa", write, c.connect},
		{"POST", storefront + "/esa/service-account", "ensureEsaServiceAccount", write, c.getServiceAccount},
		{"PUT", source + "/ad-server", "putInventorySourceAdServer", write, g.onSource(c.saveAdServer)},
		{"PATCH", source + "/ad-server", "patchInventorySourceAdServer", write, g.onSource(c.saveAdServer)},
		{"PUT", source + "/adapter-config", "rotateInventorySourceAdapterCredentials", write, g.onSource(c.rotateCredentials)},
		{"POST", source + "/test-connection", "testInventorySourceEsaConnection", write, g.onSource(c.testConnection)},
		{"POST", esa + "/test-connection", "testEsaConnection", write, g.onSource(c.testConnection)},
		{"POST", source + "/refresh", "refreshInventorySourceEsa", write, g.onSource(c.refresh)},
		{"POST", esa + "/refresh", "refreshEsa", write, g.onSource(c.refresh)},
		{"POST", source + "/deactivate", "deactivateInventorySourceEsa", write, g.onSource(c.deactivate)},
		{"POST", esa + "/deactivate", "deactivateEsa", write, g.onSource(c.deactivate)},
		{"POST", source + "/reactivate", "reactivateInventorySourceEsa", write, g.onSource(c.reactivate)},
		{"POST", esa + "/reactivate", "reactivateEsa", write, g.onSource(c.reactivate)},
		{"POST", source + "/launch", "launchInventorySourceEsa", read, c.launch("launchInventorySourceEsa")},
		{"POST", esa + "/launch", "mintEsaLaunchUrl", read, c.launch("mintEsaLaunchUrl")},
		{"POST", esa + "/capabilities/{capability}/recheck", "recheckEsaCapability", write, g.onSource(c.recheckCapability)},

		{"GET", storefront + "/inventory-sources", "listInventorySources", read, i.listSources},
		{"POST", storefront + "/inventory-sources", "createInventorySource", write, i.createSource},
		{"GET", source, "getInventorySource", read, i.getSource},
		{"PUT", source, "updateInventorySource", write, i.updateSource},
		{"DELETE", source, "deleteInventorySource", write, i.deleteSource},

		{"GET", storefront + "/events", "followEvents", readAll, followers{g}.followEvents},

		{"GET", storefront + "/audit", "listAudit", write, g.listAudit},
		{"GET", "/audit", "listAuditAtRoot", write, g.listAudit},

		{"POST", WebhookPath, "receiveEsaSync", public, g.receiveWebhook},
		{"GET", "/oauth/callback", "finishConsent", public, g.finishConsent},
		{"GET", "/healthz", "getHealth", public, p.getHealth},
		{"GET", "/readyz", "getReadiness", public, p.getReadiness},
		{"GET", "/metrics", "getMetrics", public, p.getMetrics},
		{"GET", "/openapi.yaml", "getOpenAPI", public, s.getSpec},
		{"GET", "/openapi.json", "getOpenAPIAsJSON", public, s.getSpecAsJSON},
	}, adServers{g}.routes()...)
}

// routes is their table. A route that needs read or write has the customer in its path. What is done to a
// source is called as in the API, and done by the same handlers (see repeatable).
func (g pages) routes() []Route {
	c := connections(g)
	return []Route{
		{"GET", opsPath, "showWall", readAll, g.showWall},
		{"GET", opsPath + "/events", "followEvents", readAll, followers(g).followEvents},
		{"GET", sourcePage, "showSource", read, g.onSource(g.showSource)},
		{"POST", sourcePage + "/test-connection", "testInventorySourceEsaConnection", write, g.act(c.testConnection)},
		{"POST", sourcePage + "/refresh", "refreshInventorySourceEsa", write, g.act(c.refresh)},
		{"POST", sourcePage + "/deactivate", "deactivateInventorySourceEsa", write, g.act(c.deactivate)},
		{"POST", sourcePage + "/reactivate", "reactivateInventorySourceEsa", write, g.act(c.reactivate)},
		{"POST", sourcePage + "/launch", "launchInventorySourceEsa", read, g.openAdminUI(c.launch("launchInventorySourceEsa"))},
		{"GET", signInPath, "showSignIn", public, g.showSignIn},
		{"POST", signInPath, "signIn", public, g.signIn},
		{"GET", issuerPath, "beginSignIn", public, g.beginAtIssuer},
		{"GET", CallbackPath, "finishSignIn", public, g.finishAtIssuer},
		{"POST", opsPath + "/sign-out", "signOut", public, g.signOut},
	}
}

// The operations on connections and on sources of both kinds are methods of types of
// their own, which share what the gateway has.
type (
	connections struct{ *Gateway }
	inventory   struct{ *Gateway }
)

// onSource makes the handler of an operation on a managed source. A source that does
// not exist is reported before anything else that may be wrong.
func (g *Gateway) onSource(f func(http.ResponseWriter, *request, *registry.Source) error) handlerFunc {
	return func(w http.ResponseWriter, r *request) error {
		src, err := g.managedSource(r)
		if err != nil {
			return err
		}
		r.auditSource(src.SourceID, src.Connection)
		return f(w, r, src)
	}
}

// managedSource finds the source that a path names, by its own id or its connection's.
// One that is about to be changed is read anew: another replica's write counts.
func (g *Gateway) managedSource(r *request) (*registry.Source, error) {
	bySource, byESA := g.deps.Directory.ManagedSource, g.deps.Directory.ManagedSourceByID
	if r.audit != nil {
		bySource, byESA = g.deps.Directory.ManagedSourceNow, g.deps.Directory.ManagedSourceByIDNow
	}
	if esaID, ok := r.vars["esaId"]; ok {
		id, err := parseESAID(esaID)
		if err != nil {
			return nil, err
		}
		return byESA(r.Context(), r.caller.CustomerID, id)
	}
	id, err := parseSourceID(r.vars["sourceId"])
	if err != nil {
		return nil, err
	}
	return bySource(r.Context(), r.caller.CustomerID, id)
}

// Routes gives the route table.
func Routes() []Route { return (*Gateway)(nil).routes() }

// Pages gives the table of the operators' pages.
func Pages() []Route { return pages{}.routes() }

// ServeHTTP makes a Route a http.Handler for the router to carry. The gateway calls
// handle itself, after the router has matched.
func (*Route) ServeHTTP(http.ResponseWriter, *http.Request) {}

// table is the routes of one listener.
type table struct {
	router  *mux.Router
	matches *lru.Cache[string, *match]
}

// newTable builds a table. Ids arrive escaped and as they were sent
// (UseEncodedPath, SkipClean): handlers unescape them once.
func newTable(rows []Route) *table {
	router := mux.NewRouter().UseEncodedPath().SkipClean(true)
	for _, row := range rows {
		methods := []string{row.Method}
		if row.Method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		route := router.Methods(methods...).Path(row.Path)
		if literal := moreLiteral(rows, row.Path); len(literal) > 0 {
			route.MatcherFunc(func(r *http.Request, _ *mux.RouteMatch) bool {
				path := r.URL.EscapedPath()
				return !slices.ContainsFunc(literal, func(template string) bool { return meets(path, template) })
			})
		}
		route.Handler(&row)
	}
	matches, _ := lru.New[string, *match](maxMatches) // fails for a size below 1 alone
	return &table{router, matches}
}

// moreLiteral gives the paths of a table that a row's path covers and that name more of it letter for letter. What
// they name is no id, whatever the method: /esa/service-account is no connection, /signals/candidates no signal.
func moreLiteral(rows []Route, path string) (literal []string) {
	for _, row := range rows {
		if meets(row.Path, path) && strings.Count(row.Path, "{") < strings.Count(path, "{") {
			literal = append(literal, row.Path)
		}
	}
	return literal
}

// meets reports whether a path, escaped, has the form of a row's.
func meets(path, template string) bool {
	segments, form := strings.Split(path, "/"), strings.Split(template, "/")
	if len(segments) != len(form) {
		return false
	}
	for i, segment := range form {
		if segments[i] != segment && !strings.HasPrefix(segment, "{") {
			return false
		}
	}
	return true
}

// publicPaths take no key, whatever the method.
var publicPaths = func() map[string]bool {
	paths := map[string]bool{}
	for _, row := range slices.Concat(Routes(), Pages(), consoles{}.routes(), site{}.routes()) {
		if row.access == public {
			paths[row.Path] = true
		}
	}
	return paths
}()

// match is a path's place in the table. It is shared between requests.
type match struct {
	route *Route
	vars  map[string]string
}

// maxMatches bounds the remembered matches, maxMatchedPath each one's key.
const (
	maxMatches     = 10_000
	maxMatchedPath = 512
)

// match finds the route of a request; nil where there is none. known reports whether
// the match was remembered. The router runs two regular expressions for a match,
// a third of what a cached read costs at the edge.
func (t *table) match(r *http.Request) (m *match, known bool) {
	if r.Method == http.MethodGet {
		if m, known = t.matches.Get(r.URL.EscapedPath()); known {
			return m, true
		}
	}
	var found mux.RouteMatch
	t.router.Match(r, &found)
	route, ok := found.Handler.(*Route)
	if !ok || found.MatchErr != nil {
		return nil, false
	}
	return &match{route, found.Vars}, false
}

// remember keeps the match of a read that has been let in. Path and variables
// are copied: as they are they would keep the whole request line alive. What a source
// has, its products, signals and media buys, is not remembered: there are many of them, each is
// read seldom, and they would drive out the sources.
func (t *table) remember(r *request, route *Route) {
	path := r.URL.EscapedPath()
	if r.Method != http.MethodGet || len(path) > maxMatchedPath || len(r.vars) > 1 {
		return
	}
	vars := make(map[string]string, len(r.vars))
	for name, value := range r.vars {
		vars[name] = strings.Clone(value)
	}
	t.matches.Add(strings.Clone(path), &match{route, vars})
}

// allowed lists the methods that a path has, for the Allow header.
func (t *table) allowed(r *http.Request) (methods []string) {
	for _, method := range []string{"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"} {
		probe := *r
		probe.Method = method
		var found mux.RouteMatch
		if t.router.Match(&probe, &found) && found.MatchErr == nil {
			methods = append(methods, method)
		}
	}
	return methods
}
