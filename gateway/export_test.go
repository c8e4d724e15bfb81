package gateway

import (
	"net/http"
	"slices"

	"esagate/gateway/proxy"
	"esagate/internal/telemetry"
)

// PassAt has requests at /passed/{sourceId} passed on to a target by a proxy, as the routes of agents do. It comes before the first
// request.
func (g *Gateway) PassAt(p *proxy.Proxy, target proxy.Target) {
	handle := func(w http.ResponseWriter, r *request) error {
		to := target
		to.Header = http.Header{"X-Ours": {"1"}}
		return g.pass(w, r, p, telemetry.DoorMCP, to)
	}
	g.main = newTable(slices.Concat(g.routes(), site{g}.routes(), []Route{
		{Method: "GET", Path: "/passed/{sourceId}", access: passOn, handle: handle},
		{Method: "POST", Path: "/passed/{sourceId}", access: passOn, handle: handle},
	}))
}
