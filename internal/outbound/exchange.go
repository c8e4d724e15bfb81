package outbound

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// exchanger makes one exchange of each request: what redirects are followed, it
// follows itself, so that net/http's errors, which name the URL at which they
// happened, end here.
type exchanger struct {
	check     func(string) *refusal
	send      func(*http.Request) (*http.Response, error) // closes the request's body
	turns     *turns
	userAgent string
}

// RoundTrip implements http.RoundTripper.
func (e *exchanger) RoundTrip(req *http.Request) (*http.Response, error) {
	if r := e.refuse(req.URL); r != nil {
		closeBody(req)
		return nil, r.reason
	}
	ctx, cancel := context.WithTimeout(req.Context(), MaxTime)
	done, err := e.turns.take(ctx, req.URL)
	if err != nil {
		closeBody(req)
		defer cancel()
		return nil, err
	}
	// The turn comes back with the end of the context: when the body is closed, and
	// at the latest after MaxTime if nobody does.
	context.AfterFunc(ctx, done)

	own := req.Clone(ctx)
	if own.Header.Get("User-Agent") == "" && e.userAgent != "" {
		own.Header.Set("User-Agent", e.userAgent)
	}
	resp, err := e.send(own)
	if err != nil {
		defer cancel()
		return nil, reasonWithin(ctx, err)
	}
	resp.Body = &body{ctx: ctx, end: cancel, from: resp.Body, left: MaxBody}
	return resp, nil
}

func (e *exchanger) refuse(u *url.URL) *refusal {
	if u == nil || u.Opaque != "" { // its text has another host than the one that is dialled
		return malformed
	}
	return e.check(u.String())
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

// crossing are the header fields that go along when a redirect leads to another
// origin. Credentials can stand in a field of any name (X-Api-Key), so this is a
// list of what is harmless.
var crossing = []string{"Accept", "Accept-Language", "User-Agent"}

// redirect is the CheckRedirect of the client that follows: via is what was asked
// before, the oldest first.
func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	if len(via) > MaxRedirects {
		return ErrRedirect
	}
	req.URL.Fragment, req.URL.RawFragment = "", "" // a Location may have one (RFC 9110 §10.2.2); it is never sent
	if r := c.addresses.check(req.URL.String()); r != nil {
		return refusedRedirect(r.reason)
	}
	req.Header.Del("Referer") // net/http puts the last URL there, query included
	for _, v := range via {
		// Having once been elsewhere is enough: who sent us back is not to be trusted
		// with what is sent.
		if !sameOrigin(req.URL, v.URL) {
			return cross(req)
		}
	}
	return nil
}

// cross prepares a request for another origin than the first one's.
func cross(req *http.Request) error {
	if req.Method != http.MethodGet && req.Method != http.MethodHead || req.Body != nil && req.Body != http.NoBody {
		return ErrRedirect
	}
	kept := make(http.Header, len(crossing))
	for _, name := range crossing {
		if v, ok := req.Header[name]; ok {
			kept[name] = v
		}
	}
	req.Header = kept
	return nil
}

// direct makes one request and follows nothing. A redirect's answer comes without
// its Location: nobody who uses this door goes there, and what net/http can't read in
// it, it would quote in an error.
func (c *Client) direct(req *http.Request) (*http.Response, error) {
	resp, err := c.transport.RoundTrip(req)
	if err == nil {
		resp.Header.Del("Location")
	}
	return resp, err
}

// sameOrigin compares two https URLs.
func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return "443"
}
