package upstreamtest

import (
	"bytes"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// The admin UI: what of it a gateway has to get right is here, and nothing else.
//
//	/tenant/{tenant}             a dashboard; with a slash at its end a redirect to the agent's own address
//	/tenant/{tenant}/products    products, and a form that adds one: it needs the cookie of the page, redirects,
//	                             and what it says comes by a cookie again
//	/tenant/{tenant}/live        a websocket: says {"products": n} at each change, and says again what it is told
//	/tenant/{tenant}/events      the same as an event stream
//	/tenant/{tenant}/go?to=      redirects to any address
//	/tenant/{tenant}/export      the tenant as JSON. It looks neither whose the tenant is, nor whether the query names
//	                             another (tenant_id), as several of the real ones
//	/tenants                     all tenants, likewise
//
// All but the last two want the identity of the tenant's organisation.

//go:embed admin
var adminFiles embed.FS

var adminPage = template.Must(template.ParseFS(adminFiles, "admin/page.html"))

// asset gives a file that pages load.
func asset(name string) answer {
	if name == "favicon.ico" {
		return answer{status: http.StatusNoContent, contentType: "image/x-icon"}
	}
	text, err := adminFiles.ReadFile("admin/" + name)
	if err != nil {
		return htmlPage(http.StatusNotFound)
	}
	kind := "text/css; charset=utf-8"
	if strings.HasSuffix(name, ".js") {
		kind = "text/javascript; charset=utf-8"
	}
	return answer{status: http.StatusOK, contentType: kind, body: text, header: http.Header{"Cache-Control": {"public, max-age=3600"}}}
}

// adminView is what the page shows.
type adminView struct {
	Title, Name  string
	Prefix, Root string // of the addresses of assets, and of the tenant's pages
	Email, Role  string
	Token, Flash string
	Seen         int
	Embedded     bool
	List         bool
	Products     []product
}

// admin answers a request for the admin UI.
func (a *Agent) admin(r *http.Request, c call, l conn) answer {
	if named := r.URL.Query().Get("tenant_id"); named != "" && c.part == "export" {
		c.tenant = named
	}
	if c.tenant == "" && c.part == "" {
		if _, refused := a.opts.identify(r, nil); refused.status != 0 {
			return refused
		}
		return a.list(url.Values{})
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advance()
	t := a.tenants[c.tenant]
	guarded := c.part != "export" && t != nil
	of := t
	if !guarded {
		of = nil
	}
	who, refused := a.opts.identify(r, of)
	switch {
	case refused.status != 0:
		return refused
	case t == nil:
		return htmlPage(http.StatusNotFound)
	case r.Method == http.MethodPost && c.part == "products":
		return a.addByForm(r, c, t, who)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return htmlPage(http.StatusMethodNotAllowed)
	}
	switch c.part {
	case "":
		if strings.HasSuffix(r.URL.Path, "/") { // as older servers do, at the address by which they know themselves
			return movedTo("http://" + r.Host + "/tenant/" + t.ID + "?" + r.URL.RawQuery)
		}
		return a.page(r, t, who, "Dashboard")
	case "products":
		return a.page(r, t, who, "Products")
	case "live":
		return a.live(r, t, l)
	case "events":
		return a.liveEvents(r, t, l)
	case "go":
		return movedTo(r.URL.Query().Get("to"))
	case "export":
		return ok(t.detail())
	}
	return htmlPage(http.StatusNotFound)
}

func movedTo(address string) answer {
	return answer{status: http.StatusFound, contentType: contentHTML, header: http.Header{"Location": {address}}, body: []byte("<p>Moved.</p>\n")}
}

// page shows a page of a tenant, and takes the message of the last one from the cookie.
func (a *Agent) page(r *http.Request, t *tenantState, who identity, title string) answer {
	q := &inquiry{owner: t, now: a.opts.Now(), agent: a}
	q.open()
	prefix := strings.TrimSuffix(r.Header.Get("X-Forwarded-Prefix"), "/")
	v := adminView{
		Title: title, Name: t.Name, Prefix: prefix, Root: prefix + "/tenant/" + t.ID, Email: who.Email, Role: who.Role,
		Embedded: true, List: title == "Products", Seen: 1, // who comes by identity headers has it embedded
	}
	if c, err := r.Cookie("psa_seen"); err == nil {
		n, _ := strconv.Atoi(c.Value)
		v.Seen += n
	}
	v.Token, v.Flash = sessionOf(r)
	if v.Token == "" {
		v.Token = a.newID("csrf_")
	}
	for _, doc := range q.products.all(nil) {
		v.Products = append(v.Products, readProduct(doc))
	}
	var page bytes.Buffer
	if err := adminPage.Execute(&page, v); err != nil {
		panic("upstreamtest: the page of the admin UI can't be made: " + err.Error())
	}
	ans := answer{status: http.StatusOK, contentType: contentHTML, body: page.Bytes(), header: http.Header{
		"Cache-Control":           {"no-store"},
		"Content-Security-Policy": {"default-src 'self'; frame-ancestors https://platform.example"},
		"X-Frame-Options":         {"SAMEORIGIN"},
	}}
	ans.remember(v.Token, "")
	// A host's whole domain is what a server names that knows itself by one.
	ans.header.Add("Set-Cookie", fmt.Sprintf("psa_seen=%d; Domain=sales-agent.example; Path=/tenant; Max-Age=86400", v.Seen))
	return ans
}

// addByForm adds the product that the form of the products' page names.
func (a *Agent) addByForm(r *http.Request, c call, t *tenantState, who identity) answer {
	form, err := url.ParseQuery(string(c.body))
	token, _ := sessionOf(r)
	switch {
	case who.viewer() && t.Status.Build != Older: // older builds know no roles
		return htmlPage(http.StatusForbidden)
	case err != nil || token == "" || form.Get("csrf_token") != token:
		return htmlPage(http.StatusBadRequest)
	}
	q := &inquiry{owner: t, now: a.opts.Now(), agent: a}
	q.open()
	q.body = encode(struct {
		Name      string            `json:"name"`
		Status    string            `json:"status"`
		Channels  []string          `json:"channels"`
		Formats   []json.RawMessage `json:"format_options"`
		Inventory json.RawMessage   `json:"inventory"`
	}{
		form.Get("name"), "active", []string{"display"}, []json.RawMessage{[]byte(`{"format_kind":"image","params":{}}`)},
		fmt.Appendf(nil, `{"publisher_properties":[{"publisher_domain":%q}],"execution":{"adapter":%q,"selectors":[%s]}}`,
			q.domains()[0], t.AdServer.Type, q.server().Sold.Selector),
	})
	says := "Added " + form.Get("name") + "."
	if made := createProduct(q); made.status != http.StatusCreated {
		says = "It could not be added."
	}
	ans := movedTo(strings.TrimSuffix(r.Header.Get("X-Forwarded-Prefix"), "/") + "/tenant/" + t.ID + "/products?embedded=1")
	ans.remember(token, says)
	return ans
}

// sessionOf reads the session that a client brings: what its forms need, and what the next page says.
func sessionOf(r *http.Request) (token, flash string) {
	c, err := r.Cookie("session")
	if err != nil {
		return "", ""
	}
	token, escaped, _ := strings.Cut(c.Value, ".")
	text, _ := base64.RawURLEncoding.DecodeString(escaped) // what can't be read says nothing
	return token, string(text)
}

// remember has a client bring a session.
func (ans *answer) remember(token, flash string) {
	ans.header.Add("Set-Cookie", "session="+token+"."+base64.RawURLEncoding.EncodeToString([]byte(flash))+"; Path=/; HttpOnly; SameSite=Lax")
}
