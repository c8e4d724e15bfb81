package agentauth

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"esagate/internal/origin"
)

const maxDocument = 256 << 10 // bytes of a metadata document

// errAbsent: nothing of the kind stands at an address.
var errAbsent = errors.New("agentauth: nothing there")

// address gives an address that a stranger named if it may be asked, or shown to a
// browser: one that the guard finds good, which says how long it may be, and that it
// has no fragment (RFC 6749 §3.1, RFC 8414 §2).
func (a *Agents) address(raw string) (*url.URL, error) {
	if a.deps.CheckURL(raw) != "" {
		return nil, fail(ReasonAddress)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fail(ReasonAddress)
	}
	return u, nil
}

// isAway reports whether a status says that a server can't answer at the moment.
func isAway(status int) bool { return status >= 500 || status == http.StatusTooManyRequests }

// awayIsError makes an error of the answer of a server that is away: oauthex tells the status
// in prose alone.
type awayIsError struct{ next http.RoundTripper }

var errAway = errors.New("agentauth: the server is away")

// RoundTrip implements http.RoundTripper.
func (a awayIsError) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := a.next.RoundTrip(req)
	if err == nil && isAway(resp.StatusCode) {
		resp.Body.Close()
		return nil, errAway
	}
	return resp, err
}

// root is an address without path and query.
func root(u *url.URL) string { return u.Scheme + "://" + u.Host }

// document reads a metadata document. errAbsent: there is none. A page of HTML
// counts as none, as many sites answer one at any path.
// Decision 18 says why package oauthex does not read it.
func (a *Agents) document(ctx context.Context, at string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return fail(ReasonAddress)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := a.deps.HTTP.Do(req)
	if err != nil {
		return fail(ReasonAway)
	}
	defer resp.Body.Close()
	switch {
	case resp.Request != nil && !origin.Same(resp.Request.URL, req.URL):
		return errAbsent // what a redirect finds elsewhere does not speak for the origin that was asked
	case isAway(resp.StatusCode):
		return fail(ReasonAway)
	case resp.StatusCode != http.StatusOK || !isJSON(resp.Header.Get("Content-Type")):
		return errAbsent
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument)) // cut short, it can't be read
	if err != nil {
		return fail(ReasonAway)
	}
	if json.Unmarshal(body, into) != nil {
		return fail(ReasonMetadata)
	}
	return nil
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

// allows reports whether a list of supported values holds one, or was left out.
func allows(list []string, value string) bool {
	return list == nil || slices.Contains(list, value)
}
