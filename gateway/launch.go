package gateway

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/internal/jsonbody"
	"esagate/registry"
)

const (
	launchLife  = 60 * time.Second
	maxLaunch   = 16 << 10 // of a request for one, in bytes
	launchPath  = "/launch/"
	launchBytes = 32 // of a link's token
)

// launch makes a link into the admin UI of a source (contract 13.1). What it opens is what the caller's key may do.
func (g connections) launch(operation string) handlerFunc {
	handle := g.onSource(g.makeLaunch)
	return func(w http.ResponseWriter, r *request) error {
		r.ctx, r.endWrite = registry.WithWriteTime(r.ctx)
		if err := g.beginAudit(r, operation); err != nil {
			return err
		}
		return handle(w, r)
	}
}

func (g connections) makeLaunch(w http.ResponseWriter, r *request, src *registry.Source) error {
	body, err := readBody(r, maxLaunch)
	if err != nil {
		return err
	}
	path, err := arrival(body, consoles(g).site(src).Arrive)
	if err := joinIssues(parseQuery(r.URL.RawQuery).err(), err); err != nil {
		return err
	}
	if src, err = g.deps.Lifecycle.Identified(r.Context(), src); err != nil {
		return err
	}
	if err := provisioned(src.Connection); err != nil {
		return err
	}
	if _, err := g.identityOf(r.key, src.Connection); err != nil {
		return err
	}
	clear, _ := credential(r.Header)
	session, err := g.deps.Auth.Delegate(r.key, clear, r.session)
	if err != nil {
		return err
	}
	sealed, err := g.deps.Auth.SealFor(session, launchPurpose(src))
	if err != nil {
		return err
	}
	token := newLaunchToken()
	err = g.deps.Directory.KeepLaunch(detached(r), src.CustomerID, src.SourceID, sha256.Sum256([]byte(token)),
		registry.Launch{SourceRow: src.ID, Session: sealed, Path: path, ExpiresAt: time.Now().Add(launchLife)})
	if err != nil {
		return err
	}
	document := api.Encode(api.Launch{URL: g.consoleURL.Scheme + "://" + g.consoleURL.Host + launchPath + token})
	if r.page {
		r.document = document
		return nil
	}
	g.answer(w, r, http.StatusOK, document)
	return nil
}

// provisioned wants a source to have a tenant that is not deactivated.
func provisioned(c *registry.Connection) error {
	switch {
	case c.TenantID == "":
		return &fault.Error{Kind: fault.Conflict, Reason: fault.NotProvisioned,
			Message: "The source is not set up at the sales agent yet: save its ad server configuration first, with PUT …/ad-server."}
	case c.Provisioning == registry.StatusDeactivated:
		return &fault.Error{Kind: fault.Conflict, Reason: fault.SourceDeactivated,
			Message: "The source is deactivated: its sales agent is asked again once it is reactivated, with POST …/reactivate."}
	}
	return nil
}

// arrival reads where a launch is to arrive from its body, which may be none.
func arrival(body []byte, arrive func(string) (string, bool)) (relative string, err error) {
	if len(body) == 0 {
		return "", nil
	}
	object, err := jsonbody.Parse(body)
	if err != nil {
		return "", err
	}
	var issues jsonbody.Issues
	issues.Take(object.Text("path", jsonbody.Length(1, 2048), func(path, value string) (problem string) {
		var ok bool
		if relative, ok = arrive(value); !ok {
			problem = path + " must be a path of the source's own pages, such as /products, with a query if need be."
		}
		return problem
	}))
	return relative, issues.Err()
}

// A session is sealed for one use: what the registry keeps of a link is no cookie, and the cookie of one source is
// none of another.
func launchPurpose(src *registry.Source) string {
	return fmt.Sprint("launch ", src.CustomerID, " ", src.ID)
}
func consolePurpose(customer, row int64) string { return fmt.Sprint("console ", customer, " ", row) }

func newLaunchToken() string {
	token := make([]byte, launchBytes)
	_, _ = rand.Read(token) // never fails
	return base64.RawURLEncoding.EncodeToString(token)
}

// isLaunchToken reports whether a text could be a token; there is one text for each.
func isLaunchToken(text string) bool {
	token, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(token) == launchBytes && len(text) == base64.RawURLEncoding.EncodedLen(launchBytes)
}

// open opens a link: it gives the browser a cookie for one source and leads to its page there (contract 13.2).
func (g consoles) open(w http.ResponseWriter, r *request) error {
	w.Header()["Referrer-Policy"] = noReferrer
	switch {
	case !takesSessions(g.consoleURL, r.Host):
		return errConsoleInClear
	case r.Method == http.MethodHead:
		writeUncached(w, r, http.StatusOK, htmlType, nil) // a link is good once, so HEAD does not take it
		return nil
	case fetchedAhead(r.Header):
		// No browser shows an answer of this status that it has fetched ahead: it asks again when it is wanted.
		writeUncached(w, r, http.StatusServiceUnavailable, htmlType, nil)
		return nil
	}
	attempt, err := g.limits.attempt(r.Request)
	if err != nil {
		return err
	}
	wrong := true
	defer func() { attempt.End(wrong) }()
	token := r.vars["token"]
	if !isLaunchToken(token) {
		return errNoLaunch
	}
	taken, err := g.deps.Directory.TakeLaunch(r.Context(), sha256.Sum256([]byte(token)))
	if wrong = fault.Is(err, fault.NotFound); wrong {
		return errNoLaunch
	}
	if err != nil {
		return err
	}
	return g.enter(w, r, taken)
}

// enter begins the session of a link that was taken, if its key is still good.
func (g consoles) enter(w http.ResponseWriter, r *request, taken *registry.TakenLaunch) error {
	src, err := g.deps.Directory.ManagedSource(r.Context(), taken.CustomerID, taken.SourceID)
	if err != nil || src.ID != taken.Launch.SourceRow {
		return errNoLaunch
	}
	session, err := g.deps.Auth.OpenFor(taken.Launch.Session, launchPurpose(src))
	if err != nil {
		return errNoLaunch
	}
	caller, err := g.deps.Auth.AuthenticateSession(r.Context(), session)
	if err != nil {
		return callers(g).refusal(err)
	}
	if err := pages(g).known(w.Header(), r, caller); err != nil {
		return err
	}
	if err := provisioned(src.Connection); err != nil {
		return err
	}
	text, err := g.deps.Auth.SealFor(session, consolePurpose(src.CustomerID, src.ID))
	if err != nil {
		return err
	}
	g.setSession(w.Header(), src.SourceID, consoleCookie{src.CustomerID, src.ID, text})
	g.access.info(r.Context(), "a launch link was opened", slog.String("request_id", r.id), slog.String("key_name", r.key.Name),
		slog.String("source_id", src.SourceID))
	seeOther(w, r, g.site(src).Page(taken.Launch.Path))
	return nil
}

var (
	errNoLaunch = fault.New(fault.NotFound,
		"This link has been opened before, or is older than a minute. Open it anew from where you came.")
	errConsoleInClear = fault.New(fault.Forbidden, "This needs https, since anybody on the way could read the session. Set server.public_url, or "+
		"server.console_url, to the https address at which browsers reach this gateway, or open it on the gateway's own machine, at localhost.")
)

// fetchedAhead reports whether a browser fetches what nobody has asked for yet.
func fetchedAhead(h http.Header) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Moz", "X-Purpose"} {
		for _, value := range h[name] {
			if strings.Contains(value, "prefetch") || strings.Contains(value, "prerender") || value == "preview" {
				return true
			}
		}
	}
	return false
}
