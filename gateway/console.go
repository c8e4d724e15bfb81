package gateway

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"esagate/gateway/console"
	"esagate/gateway/proxy"
	"esagate/internal/auth"
	"esagate/internal/fault"
	"esagate/internal/origin"
	"esagate/internal/telemetry"
	"esagate/registry"
)

// consoles are the sales agent's admin UI as browsers have it: for each source the pages of its tenant, at a path, and
// perhaps a host, of their own. Who asks is known by a cookie of that source, which a launch link has given.
type consoles struct{ *Gateway }

func (g consoles) routes() []Route {
	rows := []Route{{Method: "GET", Path: launchPath + "{token}", access: public, handle: g.open}}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		rows = append(rows, Route{Method: method, Path: console.Prefix + "{sourceId}/{page:.*}", access: passOn, handle: g.show})
	}
	return rows
}

// isConsole reports whether a path is the admin UI's, or of a link into it.
func isConsole(path string) bool {
	return strings.HasPrefix(path, console.Prefix) || strings.HasPrefix(path, launchPath)
}

// misplaced reports whether a path is not at the host that was asked: where the admin UI has a host of its own, it is
// there alone and nothing else is.
func (g consoles) misplaced(r *http.Request) bool {
	if g.consoleURL.Host == "" || origin.Same(g.consoleURL, g.public) {
		return false
	}
	there := origin.Same(&url.URL{Scheme: g.consoleURL.Scheme, Host: r.Host}, g.consoleURL)
	return there != isConsole(r.URL.Path)
}

// begin says what browsers may do with the answer, and refuses what other sites have them send: what may change
// something, and a websocket, which a page of any site can open.
func (g consoles) begin(h http.Header, r *request) error {
	h["Referrer-Policy"] = sameOrigin
	if isRead(r.Method) && !upgrades(r.Header) || fromHere(r.Request, g.consoleURL) {
		return nil
	}
	g.ins.AuthRefusal(telemetry.RefusalCrossSite)
	return fault.New(fault.Forbidden, "This did not come from a page of the admin UI, so nothing was done.")
}

func isRead(method string) bool { return method == http.MethodGet || method == http.MethodHead }

func upgrades(h http.Header) bool { return len(h["Upgrade"]) > 0 }

// consoleCookie is what a browser has of the admin UI of one source.
type consoleCookie struct {
	customer, row int64  // of the source: its session is sealed for these
	session       string // empty: it is over
}

func parseConsoleCookie(text string) (c consoleCookie, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return c, false
	}
	var errs [2]error
	c.customer, errs[0] = strconv.ParseInt(parts[0], 10, 64)
	c.row, errs[1] = strconv.ParseInt(parts[1], 10, 64)
	c.session = parts[2]
	return c, errs[0] == nil && errs[1] == nil && c.session != ""
}

func (c consoleCookie) String() string {
	if c.session == "" {
		return ""
	}
	return strconv.FormatInt(c.customer, 10) + "." + strconv.FormatInt(c.row, 10) + "." + c.session
}

// cookieName gives the name of the cookie, and begins those of the sales agent's. A browser takes the first from https
// alone.
func (g consoles) cookieName() string {
	if g.consoleURL.Scheme == "https" {
		return "__Secure-esagate-console"
	}
	return "esagate-console"
}

func (g consoles) setSession(h http.Header, sourceID string, c consoleCookie) {
	site := &console.Site{Address: g.consoleURL, SourceID: sourceID, Origins: g.cfg.AllowedOrigins}
	made := site.Bound(g.cookieName(), c.String())
	if c.session == "" {
		made.MaxAge = -1
	}
	h.Add("Set-Cookie", made.String())
}

// site gives the admin UI of a source.
func (g consoles) site(src *registry.Source) *console.Site {
	return &console.Site{
		Address: g.consoleURL, SourceID: src.SourceID, TenantID: src.Connection.TenantID, Upstream: g.adminURL,
		Cookies: g.cookieName() + "-" + strconv.FormatInt(src.Connection.ID, 10) + ".", Origins: g.cfg.AllowedOrigins,
	}
}

// authenticate gives the caller whose key has made the link that a browser has opened, and the source of that link,
// which must be the path's.
func (g consoles) authenticate(h http.Header, r *request) (*auth.Caller, error) {
	sourceID, err := parseSourceID(r.vars["sourceId"])
	if err != nil {
		return nil, errNoConsole
	}
	var cookies []*http.Cookie
	if takesSessions(g.consoleURL, r.Host) && (!elsewhere(r.Request) || navigates(r.Request)) {
		cookies = r.CookiesNamed(g.cookieName())
	}
	if len(cookies) != 1 { // of two, one is another's
		g.ins.AuthRefusal(telemetry.RefusalMissing)
		return nil, errNoConsole
	}
	caller, err := g.judge(h, r, sourceID, cookies[0].Value)
	if fault.Is(err, fault.Unauthorized) {
		g.setSession(h, sourceID, consoleCookie{})
		return nil, errNoConsole
	}
	return caller, err
}

// judge gives the caller of a cookie. Nobody is asked about one that is not sealed for the source that it names.
func (g consoles) judge(h http.Header, r *request, sourceID, text string) (*auth.Caller, error) {
	cookie, ok := parseConsoleCookie(text)
	if !ok {
		return nil, errNoConsole
	}
	purpose := consolePurpose(cookie.customer, cookie.row)
	session, err := g.deps.Auth.OpenFor(cookie.session, purpose)
	if err != nil {
		return nil, callers(g).refusal(err)
	}
	caller := g.deps.Auth.RecognizeSession(session)
	if caller == nil {
		caller, err = callers(g).try(r, true, func(ctx context.Context) (*auth.Caller, error) {
			return g.deps.Auth.AuthenticateSession(ctx, session)
		})
	}
	if err != nil {
		return nil, err
	}
	src, err := g.deps.Directory.ManagedSource(r.Context(), cookie.customer, sourceID)
	switch {
	case fault.Is(err, fault.NotFound), err == nil && src.ID != cookie.row, !caller.Operator && caller.CustomerID != cookie.customer:
		return nil, errNoConsole
	case err != nil:
		return nil, err
	}
	r.session, r.source = session, src
	if cookie.session, err = g.deps.Auth.RenewFor(session, purpose); cookie.session != "" {
		g.setSession(h, sourceID, cookie)
	}
	return caller, err
}

// actingFor gives the caller with the customer whose source it is.
func (g consoles) actingFor(r *request, caller *auth.Caller, _ access) (*auth.Caller, error) {
	return g.actFor(caller, strconv.FormatInt(r.source.CustomerID, 10), errNoConsole, errNoConsole)
}

var errNoConsole = fault.New(fault.Unauthorized,
	"Nobody is signed in to the admin UI of this source here, or no longer. Open it anew from where you came.")

// show passes a request on to the admin UI, as its caller, and the answer back.
func (g consoles) show(w http.ResponseWriter, r *request) error {
	if err := provisioned(r.source.Connection); err != nil {
		return err
	}
	site, upgrade := g.site(r.source), upgrades(r.Header)
	to, ok := site.Pass("/"+r.vars["page"], r.URL.RawQuery)
	if !ok || to.Asset && (!isRead(r.Method) || upgrade) {
		return errNoPage
	}
	header := site.Request(r.Request, to.Asset, upgrade)
	header[headerRequestID] = []string{r.id}
	if to.Asset { // a cache may keep it for others: the session is renewed with a page
		w.Header().Del("Set-Cookie")
	} else {
		who, err := g.identityOf(r.key, r.source.Connection)
		if err != nil {
			return err
		}
		if who.Role == roleViewer && (!isRead(r.Method) || upgrade) {
			return fault.New(fault.Forbidden, "You may look at this and change nothing: the key that has opened it is a viewer's.")
		}
		who.PrincipalID = "" // nobody buys here
		who.set(header, r.Method, to.URL.EscapedPath())
	}
	return g.pass(w, r, g.deps.Proxies.Console, telemetry.DoorConsole, proxy.Target{
		URL: to.URL, Header: header, Upgrade: upgrade, Answer: func(answer *http.Response) error {
			return adopt(site, r.URL, answer, to.Asset)
		},
	})
}

// adopt makes an answer of the sales agent's one of ours, or says why it can't be passed on.
func adopt(site *console.Site, asked *url.URL, answer *http.Response, asset bool) error {
	if answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusProxyAuthRequired {
		return fault.Upstream(fault.UpstreamUnauthorized, "The sales agent's admin UI does not let this gateway in.", nil)
	}
	h, ok := site.Answer(asked, answer.StatusCode, answer.Header, asset)
	if !ok {
		return fault.Upstream(fault.UpstreamInvalidResponse, "The sales agent's admin UI leads to a page that is not of this source.", nil)
	}
	answer.Header = h
	return nil
}

// fail answers with a page that says what went wrong, and that those may frame who may frame the admin UI.
func (g consoles) fail(w http.ResponseWriter, r *request, f *fault.Error) {
	title := titleOf(f.Kind)
	if f.Kind == fault.Unauthorized {
		title = "This page is closed"
	}
	page := console.Failure{Title: title, Message: f.Message, RequestID: r.id}
	h := w.Header()
	if h.Get("Retry-After") != "" {
		page.Retry = retryAfter(f.RetryAfter)
	}
	site := &console.Site{Address: g.consoleURL, Origins: g.cfg.AllowedOrigins}
	for name, values := range site.Frames([]string{console.FailurePolicy}) {
		h[name] = values
	}
	if !slices.Contains(h["Vary"], "Cookie") {
		h["Vary"] = append(h["Vary"], "Cookie")
	}
	writeUncached(w, r, answerOf[f.Kind].status, htmlType, page.HTML())
}
