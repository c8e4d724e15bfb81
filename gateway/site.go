package gateway

import (
	"net/http"
	"time"

	"esagate/api"
	"esagate/gateway/assets"
	"esagate/internal/fault"
)

// site is what is there for everybody, and is no part of the API: the home page, the documentation and the
// files that pages load.
type site struct{ *Gateway }

func (g site) routes() []Route {
	return []Route{
		{Method: "GET", Path: "/favicon.ico", access: public, handle: g.getFavicon},
		{Method: "GET", Path: assets.Prefix + "{file}", access: public, handle: g.getAsset},
	}
}

var (
	asksAgain = []string{"no-cache"}                            // any cache may keep it, and asks before it uses it
	forGood   = []string{"public, max-age=31536000, immutable"} // what an address with a hash gives never changes
	byCoding  = []string{"Accept-Encoding"}

	yamlSpec = kept{[]string{"application/yaml"}, asksAgain, byCoding}
	jsonSpec = kept{jsonType, asksAgain, byCoding}
)

func (g site) getSpec(w http.ResponseWriter, r *request) error {
	return yamlSpec.write(w, r, api.Spec(g.cfg.Envelope).YAML, time.Time{})
}

func (g site) getSpecAsJSON(w http.ResponseWriter, r *request) error {
	return jsonSpec.write(w, r, api.Spec(g.cfg.Envelope).JSON, time.Time{})
}

func (g site) getAsset(w http.ResponseWriter, r *request) error {
	file := assets.Get(r.vars["file"])
	if file == nil {
		return fault.New(fault.NotFound, "There is no such file.")
	}
	k := kept{file.Type, forGood, byCoding}
	return k.write(w, r, file.Body, time.Time{})
}

// getFavicon answers browsers that ask for the icon without having read a page.
func (g site) getFavicon(w http.ResponseWriter, r *request) error {
	file := assets.Named("favicon.ico")
	k := kept{file.Type, asksAgain, byCoding}
	return k.write(w, r, file.Body, time.Time{})
}
