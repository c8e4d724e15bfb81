package auth

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
)

const (
	maxDocument  = 1 << 20 // bytes of a document of the issuer
	maxRedirects = 3
)

// failure says in a fixed word why a document could not be fetched. The errors of
// net/http name addresses that the issuer gave and quote its answers; they are
// dropped.
type failure struct {
	reason string
	status int // of the answer, if that was it
}

func failed(reason string) *failure { return &failure{reason: reason} }

func failedWith(status int) *failure { return &failure{reason: "status", status: status} }

// errRedirect: a redirect that is not followed.
var errRedirect = errors.New("auth: redirect refused")

// guarded gives a client whose redirects are checked: few, and neither to another
// scheme nor to where nothing may be fetched from.
func guarded(c *http.Client) *http.Client {
	var g http.Client
	if c != nil {
		g = *c
	} else {
		g.Transport = newTransport()
	}
	g.Jar = nil
	g.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects || r.URL.Scheme != via[0].URL.Scheme || !fetchable(r.URL) {
			return errRedirect
		}
		return nil
	}
	return &g
}

// direct is the same client for what carries a secret: it follows no redirect.
func direct(c *http.Client) *http.Client {
	d := *c
	d.CheckRedirect = func(*http.Request, []*http.Request) error { return errRedirect }
	return &d
}

// newTransport keeps no connection: there are two requests an hour, and the context of
// a fetch bounds each step.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	t.DisableKeepAlives = true
	t.MaxResponseHeaderBytes = 64 << 10
	return t
}

// get reads one document.
func (i *issuer) get(ctx context.Context, address string) ([]byte, *failure) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, failed("unreachable")
	}
	status, body, failure := ask(i.client, req)
	if failure == nil && status != http.StatusOK {
		return nil, failedWith(status)
	}
	return body, failure
}

// ask sends a request and reads the answer, whatever its status.
func ask(c *http.Client, req *http.Request) (status int, body []byte, _ *failure) {
	req.Header.Set("Accept", "application/json")
	resp, err := c.Do(req)
	switch {
	case errors.Is(err, errRedirect):
		return 0, nil, failed("redirect_refused")
	case err != nil:
		return 0, nil, failed("unreachable")
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	switch {
	case resp.StatusCode != http.StatusOK: // that is what counts
	case err != nil:
		return 0, nil, failed("cut_short")
	case len(body) > maxDocument:
		return 0, nil, failed("too_large")
	}
	return resp.StatusCode, body, nil
}
