// Package proxy passes requests on to a server behind the gateway, and its answers back as they come. Who may ask,
// where a request goes and which header fields pass is its callers' business: what they do not name is not sent.
// Nothing is tried twice, and nothing of a body is kept.
package proxy

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"
)

// Limits bound one exchange.
type Limits struct {
	FirstByte time.Duration // from when a request is passed on until its answer begins
	Idle      time.Duration // without a byte of the answer, or of an upgraded connection in either direction
	Answer    int64         // bytes of the answer; 0: any
}

// Target is where one request goes, and as what.
type Target struct {
	URL     *url.URL    // with path and query as they are sent
	Host    string      // empty: the URL's
	Header  http.Header // all of it, but for what HTTP itself needs
	Upgrade bool        // the connection may become a websocket
	// Answer sees the answer before any of it is passed on, and may change its header. Its error is Serve's.
	Answer func(*http.Response) error
}

// Exchange is what a request that was passed on came to.
type Exchange struct {
	Sent, Received int64 // bytes of bodies, from the client and to it
	FirstByte      time.Duration
	Took           time.Duration
	Status         int // 0: there was no answer
}

// Why a request has no answer, or an answer ended before its end. Nothing of what the other side sent is in them.
var (
	ErrUnreachable = errors.New("proxy: no answer came")
	ErrFirstByte   = errors.New("proxy: no answer came in time")
	ErrIdle        = errors.New("proxy: nothing came for too long")
	ErrTooLarge    = errors.New("proxy: the answer is too large")
)

// Proxy passes requests on over one transport. It is safe for concurrent use.
type Proxy struct {
	transport http.RoundTripper
	limits    Limits
	reverse   httputil.ReverseProxy
}

// New makes a proxy over a transport, which must follow no redirects and keep no cookies.
func New(transport http.RoundTripper, limits Limits) *Proxy {
	p := &Proxy{transport: transport, limits: limits}
	p.reverse = httputil.ReverseProxy{
		Transport: exchangeTransport{p}, FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0),
		Rewrite: func(r *httputil.ProxyRequest) {
			x := exchangeOf(r.Out.Context())
			upgrade := r.Out.Header.Get("Upgrade")
			r.Out.URL, r.Out.Host, r.Out.Header = x.target.URL, x.target.Host, x.target.Header.Clone()
			if x.target.Upgrade && upgrade != "" {
				r.Out.Header.Set("Connection", "Upgrade")
				r.Out.Header.Set("Upgrade", upgrade)
			}
		},
		ModifyResponse: func(resp *http.Response) error {
			if x := exchangeOf(resp.Request.Context()); x.target.Answer != nil {
				return x.target.Answer(resp)
			}
			return nil
		},
		ErrorHandler: func(_ http.ResponseWriter, r *http.Request, err error) { exchangeOf(r.Context()).err = err },
	}
	return p
}

// exchange is one request on its way.
type exchange struct {
	target   Target
	begun    time.Time
	sent     atomic.Int64
	received atomic.Int64
	first    time.Duration
	status   int
	err      error // why there is no answer
	cancel   context.CancelCauseFunc
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// Serve passes a request on and its answer back. Its error says why nothing was answered: one of this package, of the
// target's Answer, or of the request's context. An answer that ends early panics with [http.ErrAbortHandler], as
// net/http wants it, after done was called. done is always called, once; nil: nobody wants to know.
func (p *Proxy) Serve(w http.ResponseWriter, r *http.Request, to Target, done func(Exchange)) error {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	x := &exchange{target: to, begun: time.Now(), cancel: cancel}
	if done != nil {
		defer func() {
			done(Exchange{x.sent.Load(), x.received.Load(), x.first, time.Since(x.begun), x.status})
		}()
	}
	r = r.WithContext(context.WithValue(ctx, exchangeKey{}, x))
	p.reverse.ServeHTTP(w, r)
	if x.err != nil && context.Cause(ctx) != nil {
		return context.Cause(ctx)
	}
	return x.err
}

// exchangeTransport bounds and counts what passes.
type exchangeTransport struct{ *Proxy }

// RoundTrip implements http.RoundTripper.
func (t exchangeTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	x := exchangeOf(r.Context())
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &sentBody{r.Body, x}
	}
	late := time.AfterFunc(t.limits.FirstByte, func() { x.cancel(ErrFirstByte) })
	resp, err := t.transport.RoundTrip(r)
	late.Stop()
	if err != nil {
		return nil, ErrUnreachable
	}
	x.first, x.status = time.Since(x.begun), resp.StatusCode
	idle := time.AfterFunc(t.limits.Idle, func() { x.cancel(ErrIdle) })
	body := &receivedBody{ReadCloser: resp.Body, x: x, limits: t.limits, idle: idle}
	resp.Body = body
	if conn, ok := body.ReadCloser.(io.Writer); ok {
		resp.Body = &upgradedBody{body, conn}
	}
	return resp, nil
}

// sentBody counts what a client sends.
type sentBody struct {
	io.ReadCloser
	x *exchange
}

// Read implements io.Reader.
func (b *sentBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.x.sent.Add(int64(n))
	return n, err
}

// receivedBody counts and bounds an answer.
type receivedBody struct {
	io.ReadCloser
	x      *exchange
	limits Limits
	idle   *time.Timer
}

// Read implements io.Reader.
func (b *receivedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.idle.Reset(b.limits.Idle)
	if total := b.x.received.Add(int64(n)); b.limits.Answer > 0 && total > b.limits.Answer {
		return 0, ErrTooLarge
	}
	return n, err
}

// Close implements io.Closer.
func (b *receivedBody) Close() error {
	b.idle.Stop()
	return b.ReadCloser.Close()
}

// upgradedBody is a connection that became another protocol's.
type upgradedBody struct {
	*receivedBody
	to io.Writer
}

// Write implements io.Writer.
func (b *upgradedBody) Write(p []byte) (int, error) {
	n, err := b.to.Write(p)
	b.idle.Reset(b.limits.Idle)
	b.x.sent.Add(int64(n))
	return n, err
}
