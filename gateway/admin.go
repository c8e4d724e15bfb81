package gateway

import (
	"net/http"
	"net/http/pprof"
	"net/url"
	runtimepprof "runtime/pprof"
	"strconv"

	"esagate/internal/fault"
)

// Bounds of profiles.
const (
	maxProfileSeconds = 60
	profilePath       = "/debug/pprof/"
)

var errProfiling = fault.New(fault.Unavailable, "Another profile is being taken.")

// admin has what the operator's own listener answers. Nothing there needs a key.
type admin struct{ *Gateway }

func (g admin) routes() []Route {
	p := probes(g)
	return []Route{
		{"GET", "/healthz", "", public, p.getHealth},
		{"GET", "/readyz", "", public, p.getReadiness},
		{"GET", "/metrics", "", public, p.getMetrics},
		{"GET", profilePath, "", public, g.profile(pprof.Index)},
		{"GET", profilePath + "cmdline", "", public, g.profile(pprof.Cmdline)},
		{"GET", profilePath + "symbol", "", public, g.profile(pprof.Symbol)},
		{"GET", profilePath + "profile", "", public, g.profile(pprof.Profile)},
		{"GET", profilePath + "trace", "", public, g.profile(pprof.Trace)},
		{"GET", profilePath + "{profile}", "", public, g.getProfile},
	}
}

// getProfile answers with one of the runtime's profiles.
func (g admin) getProfile(w http.ResponseWriter, r *request) error {
	name := r.vars["profile"]
	if runtimepprof.Lookup(name) == nil {
		return fault.New(fault.NotFound, "There is no such profile.")
	}
	return g.profile(pprof.Handler(name).ServeHTTP)(w, r)
}

// profile lets package pprof answer, one request at a time, within the time that the
// server has for an answer.
func (g admin) profile(take http.HandlerFunc) handlerFunc {
	return func(w http.ResponseWriter, r *request) error {
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return fault.Invalid(fault.Issue{Path: "query", Message: "The query can't be read."})
		}
		if given := query["seconds"]; given != nil {
			if n, err := strconv.Atoi(given[0]); err != nil || n < 1 || n > maxProfileSeconds || len(given) > 1 {
				return fault.Invalid(fault.Issue{Path: "query.seconds", Message: "seconds must be a whole number from 1 to 60."})
			}
		}
		if !g.profiles.TryAcquire(1) {
			return errProfiling
		}
		defer g.profiles.Release(1)
		w.Header()["Cache-Control"] = noStore
		r.answer.stranger = false // an answer begins long before its end
		take(w, r.Request)
		return nil
	}
}
