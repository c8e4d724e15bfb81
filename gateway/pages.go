package gateway

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"esagate/api"
	"esagate/gateway/assets"
	"esagate/gateway/ops"
	"esagate/internal/auth"
	"esagate/internal/fault"
	"esagate/internal/origin"
	"esagate/internal/telemetry"
)

// opsPath is where the operators' pages are. All paths under it are theirs: who asks is known by a session
// and not by a header, requests from other sites are refused, and errors are pages.
const opsPath = "/ops"

const (
	signInPath = opsPath + "/sign-in"
	sourcePage = opsPath + "/sources/{customerId}/{sourceId}"
)

// pages are the operators' pages. They are no part of the API, and stand behind the same limits, audit, log
// and metrics.
type pages struct{ *Gateway }

// isPage reports whether a path is the operators' pages'.
func isPage(path string) bool { return path == opsPath || strings.HasPrefix(path, opsPath+"/") }

// Header values of all pages.
var (
	htmlType   = []string{"text/html; charset=utf-8"}
	pagePolicy = []string{assets.Policy}
	denyFrames = []string{"DENY"}
	sameOrigin = []string{"same-origin"}
	noReferrer = []string{"no-referrer"}
)

// begin says what browsers may do with the answer, and refuses what other sites have them send.
func (g pages) begin(h http.Header, r *request) error {
	h["Content-Security-Policy"] = pagePolicy
	h["X-Frame-Options"] = denyFrames
	h["Referrer-Policy"] = sameOrigin
	h["Cross-Origin-Opener-Policy"] = sameOrigin
	h["Cross-Origin-Resource-Policy"] = sameOrigin
	if isRead(r.Method) || fromHere(r.Request, g.public) {
		return nil
	}
	g.ins.AuthRefusal(telemetry.RefusalCrossSite)
	where := "at the address in server.public_url"
	if !g.https {
		where = "on the gateway's own machine, at localhost, or set server.public_url to the https address at which browsers reach it,"
	}
	return fault.New(fault.Forbidden, "This did not come from a page of this gateway, so nothing was done. Open the page "+where+" and try again.")
}

// fromHere reports whether the browser says that one of our own pages sends a request. Of Sec-Fetch-Site and Origin,
// which no page can change, one must be there, and what is there must be right. A site of the same domain is
// another one, and so is our own over http: a proxy on this machine may have put localhost in the place of its Host.
// public is where browsers reach the pages.
func fromHere(r *http.Request, public *url.URL) bool {
	site, from := r.Header["Sec-Fetch-Site"], r.Header["Origin"]
	switch {
	case len(site) > 1 || len(from) > 1 || len(site)+len(from) == 0:
		return false
	case len(site) == 1 && site[0] != "same-origin":
		return false
	case len(from) == 0:
		return true
	}
	here := url.URL{Scheme: "http", Host: r.Host}
	if public.Scheme == "https" {
		here.Scheme = "https"
	}
	u, err := url.Parse(from[0])
	return err == nil && u.Host != "" && takesSessions(public, u.Host) && (origin.Same(u, &here) || origin.Same(u, public))
}

// actingFor gives the caller with the customer that a page is of, which its path or its query names. A customer
// has no pages but their own.
func (g pages) actingFor(r *request, caller *auth.Caller, need access) (*auth.Caller, error) {
	given, inPath := r.vars["customerId"]
	if !inPath {
		values := r.URL.Query()["customer"]
		switch {
		case need.ofCustomer(): // the table is wrong
			return nil, fault.New(fault.Internal, "This page has no customer.")
		case len(values) == 0 || len(values) == 1 && values[0] == "": // a form sends what nobody has chosen too
			return caller, nil
		case len(values) > 1:
			return nil, fault.Invalid(fault.Issue{Path: "query.customer", Message: "customer is given more than once."})
		}
		given = values[0]
	}
	return g.actFor(caller, given, errNoPage, errNoPage)
}

var errNoPage = fault.New(fault.NotFound, "There is nothing at this address, or nothing that this key may see.")

// pageView gives what a page has around its own part.
func (r *request) pageView(title string) ops.Page {
	p := ops.Page{Title: title, RequestID: r.id, Now: time.Now()}
	if r.session != nil && r.caller != nil {
		p.Viewer = &ops.Viewer{Name: r.key.Name, CustomerID: r.caller.CustomerID, Operator: r.key.Operator, Write: r.key.Write}
	}
	return p
}

// writePage answers with a page.
func writePage(w http.ResponseWriter, r *request, status int, page []byte) {
	h := w.Header()
	h["Vary"] = append(h["Vary"], "Accept-Encoding, Cookie")
	if acceptsGzip(r.Header) {
		page, _ = api.NewBody(page).Gzip()
		h["Content-Encoding"] = gzipCoding
	}
	writeUncached(w, r, status, htmlType, page)
}

// seeOther sends a browser to another page.
func seeOther(w http.ResponseWriter, r *request, to string) {
	w.Header().Set("Location", to)
	writeUncached(w, r, http.StatusSeeOther, htmlType, nil)
}

// titleOf gives the heading of a page that says what went wrong.
func titleOf(kind fault.Kind) string {
	if title, ok := failureTitles[kind]; ok {
		return title
	}
	return "The request can't be understood"
}

var failureTitles = map[fault.Kind]string{
	fault.Internal:           "Something went wrong",
	fault.Unauthorized:       "Sign in first",
	fault.Forbidden:          "This is not allowed",
	fault.NotFound:           "There is nothing here",
	fault.MethodNotAllowed:   "This page does not take that",
	fault.Conflict:           "This does not fit the state of the source",
	fault.PreconditionFailed: "The source has changed",
	fault.RateLimited:        "Too many requests",
	fault.Unavailable:        "This can't be done at the moment",
}

// elsewhere reports whether a browser says that another site, perhaps of the same domain or machine, has it ask.
func elsewhere(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}

// navigates reports whether a browser says that a person goes to a page, and not that another page loads it.
func navigates(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Mode") == "navigate" }

// fail answers with a page that says what went wrong. Without a session it leads to the page for signing in.
func (g pages) fail(w http.ResponseWriter, r *request, f *fault.Error) {
	status := answerOf[f.Kind].status
	if f.Kind == fault.Unauthorized {
		to := signInPath + "?next=" + url.QueryEscape(nextOf(r.Request))
		switch {
		case r.Header.Get("Hx-Request") != "" || strings.HasPrefix(r.Header.Get("Accept"), "text/event-stream"):
			// A script would read the page for signing in as what it has asked for.
			w.Header().Set("Hx-Redirect", to)
		case r.Method == http.MethodGet && elsewhere(r.Request) && navigates(r.Request):
			// By a link, or from where people sign in: the browser has kept the session's cookie to itself.
			writePage(w, r, http.StatusOK, ops.Onward(ops.OnwardView{Page: r.pageView("One moment"), Address: to}))
			return
		default:
			seeOther(w, r, to)
			return
		}
	}
	var retry int
	if w.Header().Get("Retry-After") != "" {
		retry = retryAfter(f.RetryAfter)
	}
	message := f.Message
	if len(f.Issues) > 1 {
		messages := make([]string, len(f.Issues))
		for i, issue := range f.Issues {
			messages[i] = issue.Message
		}
		message = strings.Join(messages, " ")
	}
	writePage(w, r, status, ops.Failure(ops.FailureView{Page: r.pageView(titleOf(f.Kind)), Message: message, Retry: retry}))
}
