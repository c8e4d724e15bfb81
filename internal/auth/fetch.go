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
	req.Header.Set("Accept", "application/json")
	resp, err := i.client.Do(req)
	switch {
	case errors.Is(err, errRedirect):
		return nil, failed("redirect_refused")
	case err != nil:
		return nil, failed("unreachable")
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, &failure{reason: "status", status: resp.StatusCode}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	switch {
	case err != nil:
		return nil, failed("cut_short")
	case len(body) > maxDocument:
		return nil, failed("too_large")
	}
	return body, nil
}
