package agentauth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/origin"
	"esagate/internal/word"
)

const maxDocument = 256 << 10 // bytes of a metadata document, or of an answer

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

// named is address for an address out of a document or a header: it is a word, too.
func (a *Agents) named(raw string) (*url.URL, error) {
	if !word.Endpoint.Is(raw) {
		return nil, fail(ReasonAddress)
	}
	return a.address(raw)
}

// isAway reports whether a status says that a server can't answer at the moment.
func isAway(status int) bool { return status >= 500 || status == http.StatusTooManyRequests }

// root is an address without path and query.
func root(u *url.URL) string { return u.Scheme + "://" + u.Host }

// firstGood reads places in turn, each once, until one can be used. If none can, the error is
// the first one other than errAbsent, else errAbsent.
func firstGood[T any](places []string, read func(at string) (*T, error)) (*T, error) {
	first := errAbsent
	for i, at := range places {
		if slices.Contains(places[:i], at) {
			continue
		}
		found, err := read(at)
		if err == nil {
			return found, nil
		}
		first = earlier(first, err)
	}
	return nil, first
}

// earlier gives the first of two errors unless it is errAbsent or nil.
func earlier(first, second error) error {
	if first == nil || errors.Is(first, errAbsent) {
		return second
	}
	return first
}

// step bounds one request of a discovery. It takes at most a third of the time that is left,
// so that places that hang leave some for those after them.
func step(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := stepLimit
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)/3)
	}
	return context.WithTimeout(ctx, limit)
}

// document reads a metadata document. errAbsent: there is none. A page of HTML
// counts as none, as many sites answer one at any path.
func (a *Agents) document(ctx context.Context, at string, into any) error {
	ctx, cancel := step(ctx)
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
	case resp.StatusCode != http.StatusOK:
		return errAbsent
	}
	body, err := readAll(resp.Body)
	switch {
	case err != nil:
		return err
	case json.Unmarshal(body, into, jsontext.AllowInvalidUTF8(true)) == nil:
		return nil
	case isJSON(resp.Header.Get("Content-Type")):
		return fail(ReasonMetadata)
	}
	return errAbsent
}

// post sends a request that may carry credentials to an endpoint of an authorization server,
// and gives the status and the members of the answer. Its errors are ReasonAddress and
// ReasonAway.
func (a *Agents) post(ctx context.Context, at, contentType, body string, basic *url.Userinfo) (int, members, error) {
	if _, err := a.address(at); err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(body))
	if err != nil {
		return 0, nil, fail(ReasonAddress)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Accept", "application/json")
	if basic != nil {
		password, _ := basic.Password()
		req.SetBasicAuth(basic.Username(), password)
	}
	resp, err := a.deps.Direct.Do(req)
	if err != nil {
		return 0, nil, fail(ReasonAway) // its text has the address
	}
	defer resp.Body.Close()
	if isAway(resp.StatusCode) {
		return 0, nil, fail(ReasonAway)
	}
	answer, err := readAll(resp.Body)
	return resp.StatusCode, membersOf(answer), err
}

// readAll reads an answer without a byte order mark and blanks around it. Nothing is taken of
// one that is longer than maxDocument.
func readAll(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	switch {
	case err != nil:
		return nil, fail(ReasonAway)
	case len(body) > maxDocument:
		return nil, nil
	}
	return bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff"))), nil
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

// allows reports whether a list of supported values holds one, or was left out.
func allows(list []string, value string) bool {
	return list == nil || slices.Contains(list, value)
}
