package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"

	"esagate/api"
	"esagate/internal/fault"
)

// phase is where the process stands.
type phase uint32

const (
	starting phase = iota
	ready
	stopping
)

// String gives the word of /readyz.
func (p phase) String() string { return [...]string{"starting", "ready", "stopping"}[p] }

func (g *Gateway) phase() phase { return phase(g.state.Load()) }

// SetReady makes /readyz say that requests are welcome.
func (g *Gateway) SetReady() { g.state.CompareAndSwap(uint32(starting), uint32(ready)) }

// SetStopping makes /readyz say that no more requests should be sent.
func (g *Gateway) SetStopping() { g.state.Store(uint32(stopping)) }

func (g *Gateway) getHealth(w http.ResponseWriter, r *request) error {
	writePlain(w, r, http.StatusOK, "application/json", []byte(`{"status":"ok"}`))
	return nil
}

// readiness is the body of /readyz.
type readiness struct {
	Status   string `json:"status"`
	Store    string `json:"store"`
	Upstream string `json:"upstream"`
	Issuer   string `json:"issuer,omitempty"` // of access tokens: only while it is away
}

// storeAvailable reports whether the last reads of the registry and of the keys in it
// succeeded.
func (g *Gateway) storeAvailable() bool {
	return g.deps.Directory.StoreAvailable() && g.deps.Auth.StoreAvailable()
}

// getReadiness is false only while starting and stopping: a gateway without its
// sales agent or its store still serves what it knows, and says so here.
func (g *Gateway) getReadiness(w http.ResponseWriter, r *request) error {
	state := g.phase()
	body := readiness{Status: state.String(), Store: "ok", Upstream: "unknown"}
	if !g.storeAvailable() {
		body.Store = "away"
	}
	switch h := g.deps.Upstream.Health(); {
	case h.KeyRefused:
		body.Upstream = "key_refused"
	case h.Breaker != "closed":
		body.Upstream = "circuit_open"
	case h.Reached:
		body.Upstream = "ok"
	}
	if !g.deps.Auth.IssuerAvailable() {
		body.Issuer = "away"
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if state != ready {
		status = http.StatusServiceUnavailable
	}
	writePlain(w, r, status, "application/json", encoded)
	return nil
}

// scrapesAtOnce bounds the cost of many scrapes at once.
const scrapesAtOnce = 8

func (g *Gateway) getMetrics(w http.ResponseWriter, r *request) error {
	select {
	case g.scrapes <- struct{}{}:
		defer func() { <-g.scrapes }()
	default:
		return fault.New(fault.Unavailable, "The metrics are being read by too many at once.")
	}
	g.deps.MetricsHandler.ServeHTTP(w, r.Request)
	return nil
}

func (g *Gateway) getSpec(w http.ResponseWriter, r *request) error {
	writePlain(w, r, http.StatusOK, "application/yaml", api.OpenAPI)
	return nil
}

// writePlain answers with content that no client should cache.
func writePlain(w http.ResponseWriter, r *request, status int, contentType string, content []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h["Cache-Control"] = noStore
	h.Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // the client may be gone
	}
}
