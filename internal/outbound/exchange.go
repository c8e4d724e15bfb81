package outbound

import (
	"context"
	"net/http"
	"net/url"

	"esagate/internal/origin"
)

// guarded makes one exchange of each request, redirects included, so that net/http's
// errors, which name the URL at which they happened, end here.
type guarded struct {
	check     func(string) *urlFault
	send      func(*http.Request) (*http.Response, error) // closes the request's body
	slots     *slots
	userAgent string
}

// RoundTrip implements http.RoundTripper.
func (g *guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	if fault := g.fault(req.URL); fault != nil {
		closeBody(req)
		return nil, fault.err
	}
	// The context ends, and with it the exchange's slots, when the body is closed, and
	// after MaxTime at the latest.
	ctx, cancel := context.WithTimeout(req.Context(), MaxTime)
	if err := g.slots.acquire(ctx, req.URL); err != nil {
		closeBody(req)
		defer cancel()
		return nil, err
	}
	own := req.Clone(ctx)
	if own.Header.Get("User-Agent") == "" && g.userAgent != "" {
		own.Header.Set("User-Agent", g.userAgent)
	}
	resp, err := g.send(own)
	if err != nil {
		defer cancel()
		return nil, reasonWithin(ctx, err)
	}
	resp.Body = &body{ctx: ctx, end: cancel, from: http.MaxBytesReader(nil, resp.Body, MaxBody)}
	return resp, nil
}

func (g *guarded) fault(u *url.URL) *urlFault { return faultOf(u, g.check) }

func faultOf(u *url.URL, check func(string) *urlFault) *urlFault {
	if u == nil || u.Opaque != "" { // its text has another host than the one that is dialled
		return malformed
	}
	return check(u.String())
}

// passing sends a request as it is, to an address that may be asked.
type passing struct {
	check func(string) *urlFault
	send  func(*http.Request) (*http.Response, error)
}

// RoundTrip implements http.RoundTripper.
func (p *passing) RoundTrip(req *http.Request) (*http.Response, error) {
	if fault := faultOf(req.URL, p.check); fault != nil {
		closeBody(req)
		return nil, fault.err
	}
	resp, err := p.send(req)
	if err != nil {
		return nil, reasonWithin(req.Context(), err)
	}
	return resp, nil
}

// reasonWithin is Reason where the context is known: when it ends, net/http may
// give its cause, which can be anything.
func reasonWithin(ctx context.Context, err error) error {
	reason := Reason(err)
	if _, own := reason.(*failure); ctx.Err() != nil && (!own || reason == ErrExchange || reason == ErrUnreachable) {
		return ctx.Err()
	}
	return reason
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// harmlessHeaders are sent when a redirect leads to another origin. Credentials can
// stand in a field of any name (X-Api-Key), so this is an allow-list.
var harmlessHeaders = []string{"Accept", "Accept-Language", "User-Agent"}

// redirect is the CheckRedirect of the client that follows: via is what was asked
// before, the oldest first.
func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	if len(via) > MaxRedirects {
		return ErrRedirect
	}
	req.URL.Fragment, req.URL.RawFragment = "", "" // a Location may have one (RFC 9110 §10.2.2); it is never sent
	if fault := c.addresses.check(req.URL.String()); fault != nil {
		return refusedRedirect(fault.err)
	}
	req.Header.Del("Referer") // net/http puts the last URL there, query included
	for _, v := range via {
		// A redirect back from another origin is not trusted with the request either.
		if !origin.Same(req.URL, v.URL) {
			return leaveOrigin(req)
		}
	}
	return nil
}

// leaveOrigin prepares a request for another origin than the first one's.
func leaveOrigin(req *http.Request) error {
	if req.Method != http.MethodGet && req.Method != http.MethodHead || req.Body != nil && req.Body != http.NoBody {
		return ErrRedirect
	}
	kept := make(http.Header, len(harmlessHeaders))
	for _, name := range harmlessHeaders {
		if v, ok := req.Header[name]; ok {
			kept[name] = v
		}
	}
	req.Header = kept
	return nil
}

// sendDirect makes one request and follows nothing. A redirect's answer comes without
// its Location, because net/http quotes in an error what it can't read there.
func (c *Client) sendDirect(req *http.Request) (*http.Response, error) {
	resp, err := c.transport.RoundTrip(req)
	if err == nil {
		resp.Header.Del("Location")
	}
	return resp, err
}
