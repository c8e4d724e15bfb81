package gateway

import (
	"net/http"
	"sync"
	"time"

	"esagate/api"
	"esagate/gateway/assets"
	"esagate/gateway/docs"
	"esagate/gateway/ops"
	"esagate/gateway/tools"
	"esagate/internal/fault"
)

// site is what is there for everybody, and is no part of the API: the home page, the documentation and the
// files that pages load.
type site struct{ *Gateway }

func (g site) routes() []Route {
	return []Route{
		{Method: "GET", Path: "/", access: public, handle: g.getHome},
		{Method: "GET", Path: "/docs", access: public, handle: g.getDocs},
		{Method: "GET", Path: "/llms.txt", access: public, handle: g.getLLMs},
		{Method: "GET", Path: "/skills/esagate/SKILL.md", access: public, handle: g.getSkill},
		{Method: "GET", Path: "/favicon.ico", access: public, handle: g.getFavicon},
		{Method: "GET", Path: assets.Prefix + "{file}", access: public, handle: g.getAsset},
	}
}

var (
	asksAgain = []string{"no-cache"}                            // any cache may keep it, and asks before it uses it
	forGood   = []string{"public, max-age=31536000, immutable"} // what an address with a hash gives never changes
	byCoding  = []string{"Accept-Encoding"}
	byAccept  = []string{"Accept, Accept-Encoding"}

	yamlSpec = kept{[]string{"application/yaml"}, asksAgain, byCoding}
	jsonSpec = kept{jsonType, asksAgain, byCoding}
	docsPage = kept{htmlType, asksAgain, byCoding}
	llmsText = kept{[]string{"text/plain; charset=utf-8"}, asksAgain, byCoding}
	skill    = kept{[]string{"text/markdown; charset=utf-8"}, asksAgain, byCoding}
	homePage = kept{htmlType, asksAgain, byAccept}
	homeData = kept{jsonType, asksAgain, byAccept}
)

// newDocs makes the documentation when it is first asked for.
func newDocs(cfg Config) func() (*api.Body, error) {
	return sync.OnceValues(func() (*api.Body, error) {
		page, err := docs.Render(api.Spec(cfg.Envelope).JSON.Plain, cfg.PublicURL)
		return api.NewBody(page), err
	})
}

func (g site) getDocs(w http.ResponseWriter, r *request) error {
	page, err := g.docs()
	if err != nil {
		return err
	}
	if err := pages(g).begin(w.Header(), r); err != nil {
		return err
	}
	return docsPage.write(w, r, page, time.Time{})
}

// newTexts makes what is said to assistants when it is first asked for.
func newTexts(cfg Config) func() (llms, skill *api.Body) {
	return sync.OnceValues(func() (llms, skill *api.Body) {
		text := tools.NewText(cfg.PublicURL, needsWrite)
		return api.NewBody(text.LLMs), api.NewBody(text.Skill)
	})
}

func (g site) getLLMs(w http.ResponseWriter, r *request) error {
	text, _ := g.texts()
	return llmsText.write(w, r, text, time.Time{})
}

func (g site) getSkill(w http.ResponseWriter, r *request) error {
	_, text := g.texts()
	return skill.write(w, r, text, time.Time{})
}

// home leads to what there is: a page for browsers, and the same for programs.
type home struct {
	Name      string `json:"name"`
	Status    string `json:"status"` // as that of /readyz
	Docs      string `json:"docs"`
	OpenAPI   string `json:"openapi"`
	Operators string `json:"operators"`
	Readiness string `json:"readiness"`
}

// homes are both forms of it in each phase of the process.
var homes = sync.OnceValue(func() map[string][2]*api.Body {
	all := map[string][2]*api.Body{}
	for _, phase := range []string{"starting", "ready", "stopping"} {
		all[phase] = [2]*api.Body{
			api.NewBody(ops.Home(ops.HomeView{Page: ops.Page{Title: "Home"}, Status: phase})),
			api.NewBody(api.Encode(home{"esagate", phase, "/docs", "/openapi.yaml", opsPath, "/readyz"})),
		}
	}
	return all
})

func (g site) getHome(w http.ResponseWriter, r *request) error {
	forms := homes()[g.phase()]
	if !acceptsHTML(r.Header) {
		return homeData.write(w, r, forms[1], time.Time{})
	}
	if err := pages(g).begin(w.Header(), r); err != nil {
		return err
	}
	return homePage.write(w, r, forms[0], time.Time{})
}

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
