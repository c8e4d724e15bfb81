package gateway

import (
	"net/http"
	"strings"

	"github.com/gorilla/mux"
)

// access is what a caller needs for a route.
type access uint8

const (
	public access = iota // no key
	read                 // any key
	write                // a key with write access
)

// handlerFunc answers one request or says why not.
type handlerFunc func(w http.ResponseWriter, r *request) error

// Route is one row of the route table.
type Route struct {
	Method string // GET rows serve HEAD as well
	Path   string // as in api/openapi.yaml
	access access
	handle func(*Gateway) handlerFunc
}

const storefront = "/api/v2/storefront"

// table leads the router; a test holds it against api/openapi.yaml. The busiest
// route stands first: the router tries them in order.
var table = []Route{
	{"GET", storefront + "/inventory-sources/{sourceId}/status", read, method((*Gateway).getSourceStatus)},
	{"GET", storefront + "/inventory-sources/{sourceId}/esa", read, method((*Gateway).getSourceConnection)},
	{"GET", storefront + "/esa", read, method((*Gateway).listConnections)},
	{"GET", storefront + "/esa/{esaId}", read, method((*Gateway).getConnection)},
	{"GET", storefront + "/esa/{esaId}/status", read, method((*Gateway).getStatus)},
	{"GET", storefront + "/inventory-sources", read, method((*Gateway).listSources)},
	{"POST", storefront + "/inventory-sources", write, method((*Gateway).createSource)},
	{"GET", storefront + "/inventory-sources/{sourceId}", read, method((*Gateway).getSource)},
	{"PUT", storefront + "/inventory-sources/{sourceId}", write, method((*Gateway).updateSource)},
	{"DELETE", storefront + "/inventory-sources/{sourceId}", write, method((*Gateway).deleteSource)},
	{"GET", "/oauth/callback", public, method((*Gateway).finishConsent)},
	{"GET", "/healthz", public, method((*Gateway).getHealth)},
	{"GET", "/readyz", public, method((*Gateway).getReadiness)},
	{"GET", "/metrics", public, method((*Gateway).getMetrics)},
	{"GET", "/openapi.yaml", public, method((*Gateway).getSpec)},
}

func method(f func(*Gateway, http.ResponseWriter, *request) error) func(*Gateway) handlerFunc {
	return func(g *Gateway) handlerFunc {
		return func(w http.ResponseWriter, r *request) error { return f(g, w, r) }
	}
}

// Routes gives the route table.
func Routes() []Route { return append([]Route(nil), table...) }

// boundRoute is a row with its handler bound to a gateway; it rides in the
// router as the handler that a match carries.
type boundRoute struct {
	Route
	run handlerFunc
}

// ServeHTTP makes boundRoute a http.Handler for the router to carry. The gateway
// calls run itself, after the router has matched.
func (*boundRoute) ServeHTTP(http.ResponseWriter, *http.Request) {}

// newRouter builds the router. Ids arrive escaped and as they were sent
// (UseEncodedPath, SkipClean): handlers unescape them once.
func (g *Gateway) newRouter() *mux.Router {
	router := mux.NewRouter().UseEncodedPath().SkipClean(true)
	for _, row := range table {
		methods := []string{row.Method}
		if row.Method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		router.Methods(methods...).Path(row.Path).Handler(&boundRoute{row, row.handle(g)})
	}
	return router
}

// match is a path's place in the table. It is shared between requests.
type match struct {
	route *boundRoute
	vars  map[string]string
}

// maxMatches bounds the remembered matches, maxMatchedPath each one's key.
const (
	maxMatches     = 10_000
	maxMatchedPath = 512
)

// match finds the route of a request; nil where there is none. known tells that
// the match was remembered. The router runs two regular expressions for a match,
// a third of what a cached read costs at the edge.
func (g *Gateway) match(r *http.Request) (m *match, known bool) {
	if r.Method == http.MethodGet {
		if m, known = g.matches.Get(r.URL.EscapedPath()); known {
			return m, true
		}
	}
	var found mux.RouteMatch
	g.router.Match(r, &found)
	route, ok := found.Handler.(*boundRoute)
	if !ok || found.MatchErr != nil {
		return nil, false
	}
	return &match{route, found.Vars}, false
}

// remember keeps the match of a read that has been let in. Path and variables
// are copied: as they are they would keep the whole request line alive.
func (g *Gateway) remember(r *request, route *boundRoute) {
	path := r.URL.EscapedPath()
	if r.Method != http.MethodGet || len(path) > maxMatchedPath {
		return
	}
	vars := make(map[string]string, len(r.vars))
	for name, value := range r.vars {
		vars[name] = strings.Clone(value)
	}
	g.matches.Add(strings.Clone(path), &match{route, vars})
}

// publicPaths are the paths that take no key, whatever the method.
var publicPaths = func() map[string]bool {
	paths := map[string]bool{}
	for _, row := range table {
		if row.access == public {
			paths[row.Path] = true
		}
	}
	return paths
}()

// allowed lists the methods that a path has, for the Allow header.
func (g *Gateway) allowed(r *http.Request) (methods []string) {
	for _, method := range []string{"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"} {
		probe := *r
		probe.Method = method
		var found mux.RouteMatch
		if g.router.Match(&probe, &found) && found.MatchErr == nil {
			methods = append(methods, method)
		}
	}
	return methods
}
