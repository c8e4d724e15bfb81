package gateway

import (
	"net/http"

	"esagate/api"
	"esagate/internal/cluster"
	"esagate/internal/fault"
	"esagate/upstream"
)

// phase says where the process stands, in the words of /readyz.
func (g *Gateway) phase() string {
	switch {
	case g.stopping.Load():
		return "stopping"
	case g.ready.Load():
		return "ready"
	}
	return "starting"
}

// SetReady makes /readyz say that requests are welcome.
func (g *Gateway) SetReady() { g.ready.Store(true) }

// SetStopping makes /readyz say that no more requests should be sent, and ends the streams of events:
// their clients come back some time later, to another replica or after the restart.
func (g *Gateway) SetStopping() {
	if g.stopping.CompareAndSwap(false, true) {
		close(g.stop)
	}
}

// probes are what systems ask that keep the gateway running.
type probes struct{ *Gateway }

func (g probes) getHealth(w http.ResponseWriter, r *request) error {
	writeUncached(w, r, http.StatusOK, jsonType, []byte(`{"status":"ok"}`))
	return nil
}

// readiness is the body of /readyz.
type readiness struct {
	Status   string `json:"status"`
	Store    string `json:"store,omitempty"`
	Upstream string `json:"upstream,omitempty"`
	Issuer   string `json:"issuer,omitempty"` // of access tokens: only while it is away
	Redis    string `json:"redis,omitempty"`  // that replicas share: only where one is set
}

// Starting answers in place of a Gateway that is being built: /healthz that the process is alive, all else that
// requests are not served yet.
func Starting() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-Content-Type-Options"], h["Content-Type"], h["Cache-Control"] = nosniff, jsonType, noStore
		status, body := http.StatusServiceUnavailable, []byte(nil)
		switch r.URL.Path {
		case "/healthz":
			status, body = http.StatusOK, []byte(`{"status":"ok"}`)
		case "/readyz":
			body = api.Encode(readiness{Status: "starting"})
		default:
			h.Set("Retry-After", "2")
			body = api.Encode(api.ErrorBody{Error: api.Error{Code: answerOf[fault.Unavailable].code, Message: "The gateway is starting."}})
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
}

// storeAvailable reports whether the last reads of the registry and of the keys in it
// succeeded.
func (g *Gateway) storeAvailable() bool {
	return g.deps.Directory.StoreAvailable() && g.deps.Auth.StoreAvailable()
}

// redisAway reports whether there is a Redis that replicas share, and it can't be used.
func redisAway(r *cluster.Redis) bool { return r != nil && !r.Available() }

// getReadiness is false only while starting and stopping: a gateway without its
// sales agent or its store still serves what it knows, and says so here.
func (g probes) getReadiness(w http.ResponseWriter, r *request) error {
	body := readiness{Status: g.phase()}
	if !g.cfg.Admin || r.table == g.admin {
		g.addDetails(&body)
	}
	status := http.StatusOK
	if body.Status != "ready" {
		status = http.StatusServiceUnavailable
	}
	writeUncached(w, r, status, jsonType, api.Encode(body))
	return nil
}

// addDetails names what is away.
func (g probes) addDetails(body *readiness) {
	body.Store, body.Upstream = "ok", agentState(g.deps.Upstream.Health())
	if !g.storeAvailable() {
		body.Store = "away"
	}
	if !g.deps.Auth.IssuerAvailable() {
		body.Issuer = "away"
	}
	switch {
	case g.deps.Redis == nil:
	case redisAway(g.deps.Redis):
		body.Redis = "away"
	default:
		body.Redis = "ok"
	}
}

// agentState says in a word how the sales agent stands.
func agentState(h upstream.Health) string {
	switch {
	case h.KeyRefused:
		return "key_refused"
	case h.Breaker != "closed":
		return "circuit_open"
	case h.Reached:
		return "ok"
	}
	return "unknown"
}
