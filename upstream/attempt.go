package upstream

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"strings"

	"esagate/upstream/wire"
)

const (
	maxDocument = 8 << 20  // bytes of an answer, decompressed
	maxProblem  = 64 << 10 // bytes of an error answer that are looked at
)

// door makes the attempts. It is the transport of the client that
// go-retryablehttp drives, and has no CloseIdleConnections on purpose: that one
// is called after every failure, and would close the connections of calls that
// are doing well.
type door struct{ c *Client }

// RoundTrip makes one attempt and leaves its failure in the call. What upstream
// sent goes no further than this: the response returned says only that there is
// a document, and the call's decode has it.
func (d door) RoundTrip(r *http.Request) (*http.Response, error) {
	cl := callFrom(r.Context())
	cl.attempts++
	cl.last = d.c.attempt(r, cl)
	if cl.last != nil {
		return nil, cl.last
	}
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Request: r,
	}, nil
}

// attempt asks once, if the breakers allow it.
func (c *Client) attempt(r *http.Request, cl *call) *failure {
	if err := r.Context().Err(); err != nil {
		return neverSent(lost(r.Context(), err)) // past the breakers: upstream was not asked
	}
	upstream := func() *failure {
		return c.upstream.do(cl, func() *failure {
			f := c.exchange(r, cl)
			c.noteKey(f)
			return uncounted(r.Context(), f)
		})
	}
	switch {
	case cl.probes == c.upstream:
		return upstream()
	case cl.probes != nil:
		return cl.probes.do(cl, upstream)
	case cl.op != opStatus:
		// The tenant's breaker guards its status. Other calls about the tenant
		// neither close the way to it nor are kept back by it.
		return upstream()
	}
	return c.tenants.get(cl.tenantID).do(cl, upstream)
}

// uncounted keeps a background call's failure from the breakers.
func uncounted(ctx context.Context, f *failure) *failure {
	if f == nil || !once(ctx) || f.blame == blameNobody {
		return f
	}
	silent := *f
	silent.blame = blameOpen
	return &silent
}

// answer is an answer as it came; body is nil when it could not be read.
type answer struct {
	status int
	header http.Header
	body   []byte
	sent   []wire.Secret // the credentials in its request
}

// problem reads the body as an error, without what repeats a credential; nil when it
// has no known shape.
func (a answer) problem() *wire.Problem {
	p, err := wire.DecodeError(a.body)
	if err != nil {
		return nil
	}
	echoOf(a.sent).clean(p)
	return p
}

// exchange sends the request, reads the whole answer and judges it.
func (c *Client) exchange(r *http.Request, cl *call) *failure {
	if cl.attempts == 1 && cl.probes == nil && !cl.writes() {
		c.budget.read()
	}
	var way sending
	if cl.writes() {
		r = way.watch(r)
	}
	resp, err := c.wire.RoundTrip(r)
	if err != nil {
		f := lost(r.Context(), err)
		f.unsent = way.impossible(err)
		return f
	}
	defer resp.Body.Close()
	accepted := cl.accepts(resp.StatusCode)
	if accepted && cl.stream != nil {
		return c.streamed(r.Context(), cl, resp)
	}
	limit := int64(maxDocument)
	if !accepted {
		limit = maxProblem
	}
	body, err := readBody(resp, limit)
	unusable := errors.Is(err, errTooLarge) || errors.Is(err, errEncoding)
	switch {
	case accepted && cl.done:
		if err == nil && cl.decode != nil {
			_ = c.guarded(cl, func() error { return cl.decode(body) })
		}
		return nil
	case err != nil && !unusable:
		return broken(r.Context(), err)
	case !accepted:
		return c.judge(cl, answer{resp.StatusCode, resp.Header, body, cl.secrets}) // without a body the status says enough
	case unusable:
		return invalid(blameTenant, err)
	case !isJSON(resp.Header.Get("Content-Type")):
		return invalid(blameTenant, errContentType)
	case cl.decode == nil:
		return nil
	}
	if err := c.guarded(cl, func() error { return cl.decode(body) }); err != nil {
		return invalid(blameTenant, err)
	}
	return nil
}

// judge judges an answer that is no success by its status.
func (c *Client) judge(cl *call, a answer) (f *failure) {
	judge := cl.judge
	if judge == nil {
		judge = answered
	}
	err := c.guarded(cl, func() error {
		f = judge(a)
		return nil
	})
	if err != nil {
		return invalid(blameTenant, err)
	}
	return f
}

// guarded hands what was sent to a decoder. A document that makes it panic is one
// that does not count: it must not end the process, on whose goroutine ever it is
// read.
func (c *Client) guarded(cl *call, read func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.log.Error("decoding an answer panicked", slog.String("operation", string(cl.op)),
				slog.String("stack", string(debug.Stack())))
			err = errPanicked
		}
	}()
	return read()
}

var (
	errTooLarge    = errors.New("the answer is too large")
	errEncoding    = errors.New("the answer's compression is broken or unknown")
	errPanicked    = errors.New("the answer can't be decoded")
	errContentType = errors.New("the answer is not JSON by its content type")
)

// encoded reports whether a body is in a coding that the transport has not undone; it
// undoes the one that it asks for.
func encoded(resp *http.Response) bool {
	e := resp.Header.Get("Content-Encoding")
	return e != "" && !strings.EqualFold(e, "identity")
}

// readBody reads a body to its end, if that is within limit; past it nothing
// more is read, and the connection is given up.
func readBody(resp *http.Response, limit int64) ([]byte, error) {
	if encoded(resp) {
		return nil, errEncoding
	}
	if resp.ContentLength > limit {
		return nil, errTooLarge
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(body)) > limit:
		return nil, errTooLarge
	case int64(len(body)) < resp.ContentLength: // net/http sees this itself; other transports may not
		return nil, io.ErrUnexpectedEOF
	}
	return body, nil
}

// broken is the failure of an answer that began and did not end. Unless its time
// was up, upstream was reached and what it sent can't be used; the connection is
// to blame, and another may do better.
func broken(ctx context.Context, err error) *failure {
	f := lost(ctx, err)
	if f.outcome != outcomeUnreachable {
		return f
	}
	g := invalid(blameUpstream, f.err.Cause)
	g.retry = f.retry
	return g
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	// An unreadable parameter leaves the media type readable.
	return (err == nil || errors.Is(err, mime.ErrInvalidMediaParameter)) &&
		(media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json"))
}
