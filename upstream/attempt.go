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
	"time"

	"esagate/upstream/wire"
)

const (
	maxDocument = 8 << 20  // bytes of an answer, decompressed
	maxProblem  = 64 << 10 // bytes of an error answer that are looked at
)

// attemptTransport makes the attempts. It is the transport of the client that
// go-retryablehttp drives, and has no CloseIdleConnections on purpose: that one is
// called after every failure, and would close the connections of calls that are doing
// well.
type attemptTransport struct{ c *Client }

// RoundTrip makes one attempt and leaves its failure in the call. What upstream sent
// goes no further than this: the response returned says only that there is a document,
// and the call's decode has it.
func (t attemptTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	cl := callFrom(r.Context())
	cl.attempts++
	cl.last = t.c.attempt(r, cl)
	if cl.last != nil {
		return nil, cl.last
	}
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Request: r,
	}, nil
}

// attempt makes one attempt, if the breakers allow it. The whole upstream's keeps back
// every call, a tenant's the reads of its status. The probe of a breaker passes it.
func (c *Client) attempt(r *http.Request, cl *call) *failure {
	if err := r.Context().Err(); err != nil {
		return neverSent(lost(r.Context(), err)) // past the breakers: upstream was not asked
	}
	var t *tenant
	var changes int64
	if cl.readsStatus() {
		t = c.tenants.get(cl.tenantID)
		changes = t.breaker.changes.Load()
	}
	if cl.op == opStatus && t.breaker.open.Load() {
		return t.breaker.refusal()
	}
	if cl.probes != c.upstream && c.upstream.open.Load() {
		return c.upstream.refusal()
	}
	began := time.Now().UnixNano()
	f := c.exchange(r, cl)
	if cl.quick && f != nil && f.outcome == outcomeTimeout {
		f.blame = blameUnknown // it had no time to be good
	}
	c.noteKey(f)
	c.record(cl, t, began, changes, f)
	return f
}

// record has the breakers learn how an attempt ended that began at a time, when its
// tenant's breaker had changed so often. t is nil unless it was a status read or a probe.
func (c *Client) record(cl *call, t *tenant, began, changes int64, f *failure) {
	ofUpstream := cl.probes == c.upstream
	switch {
	case f == nil || f.blame == blameNobody:
		if t != nil {
			t.read(false)
		}
		if cl.op == opStatus {
			t.breaker.record(changes, false)
		}
		if cl.op == opProbe && !ofUpstream {
			c.recovered(cl.probes)
		}
		c.well(ofUpstream)
	case f.blame == blameUnknown || t == nil:
	case ofUpstream && f.reached() && !c.symptoms.spreading():
		t.read(true)
		c.well(true) // it can be reached and takes our key; the failure is the tenant's
	case ofUpstream || f.blame == blameUpstream:
		c.unwell(cl, t, began, f)
	case cl.op == opStatus:
		opened := t.breaker.record(changes, true)
		if opened {
			c.log.Warn("breaker opened", slog.String("breaker", "tenant"), slog.String("tenant", t.id),
				slog.String("after", string(f.outcome)))
		}
		if opened || f.outcome == outcomeTimeout { // so few of these come in a minute that they open nothing
			c.watch(t.breaker)
		}
		c.unwell(cl, t, began, f)
	}
}

// recovered closes a tenant's breaker after a good probe.
func (c *Client) recovered(b *breaker) {
	wanted, opened := b.close()
	if opened {
		c.log.Info("breaker closed", slog.String("breaker", "tenant"), slog.String("tenant", b.tenantID))
	}
	if wanted {
		c.onRecover(b.tenantID)
	}
}

// answer is an answer as it came; body is nil when it could not be read.
type answer struct {
	status int
	header http.Header
	body   []byte
	sent   []wire.Secret // the credentials in its request
	ours   bool          // it answers a status read, of which no customer decides how it ends
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
	resp, err := c.wire.RoundTrip(way.watch(r))
	if err != nil {
		f := lost(r.Context(), err)
		if f.unsent = way.impossible(err); f.unsent && f.blame == blameTenant {
			f.blame = blameUpstream
		}
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
		return c.judge(cl, answer{resp.StatusCode, resp.Header, body, cl.secrets, cl.readsStatus()}) // without a body the status says enough
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
	g := invalid(blameTenant, f.err.Cause)
	g.retry = f.retry
	return g
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	// An unreadable parameter leaves the media type readable.
	return (err == nil || errors.Is(err, mime.ErrInvalidMediaParameter)) &&
		(media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json"))
}
