// Package proxy passes requests on to a server behind the gateway, and its answers back as they come. Who may ask,
// where a request goes and which header fields pass is its callers' business: what they do not name is not sent.
// Nothing is tried twice, and nothing of a body is kept.
package proxy

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"
)

// Limits bound one exchange. Those that are zero do not.
type Limits struct {
	FirstByte time.Duration // from when the last byte of a request was passed on until its answer begins
	Idle      time.Duration // without a byte of the answer, or of an upgraded connection in either direction
	Client    time.Duration // for a client to send more of a request, or to take what was written

	Request int64 // bytes of a request's body
	Answer  int64 // bytes of an answer that is no stream
	Stream  int64 // bytes of an event stream, or of an upgraded connection in one direction
	Line    int   // bytes of one line of an event stream
}

// Target is where one request goes, and as what.
type Target struct {
	URL     *url.URL    // with path and query as they are sent
	Header  http.Header // all of it, but for what HTTP itself needs
	Upgrade bool        // the connection may become a websocket
	// Answer sees the answer before any of it is passed on, and may change its header. Its error is Serve's.
	Answer func(*http.Response) error
}

// Exchange is what has become of a request that was passed on.
type Exchange struct {
	Sent, Received int64         // bytes of bodies, from the client and to it
	SentAll        bool          // the client's body was read to its end
	FirstByte      time.Duration // 0: there was no answer
	Took           time.Duration
	Status         int // 0: there was no answer
	Stream         bool
	Upgraded       bool
	Err            error // why it ended before its end; nil: it did not
}

// Follow is told how an exchange goes, by the goroutine of its request. Either may be nil.
type Follow struct {
	Begins func(Exchange) // before any of an answer is passed on
	Ends   func(Exchange) // once, whatever has come of it
}

// Proxy passes requests on over one transport. It is safe for concurrent use.
type Proxy struct {
	transport http.RoundTripper
	limits    Limits
	reverse   httputil.ReverseProxy
}

// New makes a proxy over a transport, which must follow no redirects, keep no cookies and leave the coding of content
// alone. Its errors must be fit for a log: they stand beside [ErrUnreachable].
func New(transport http.RoundTripper, limits Limits) *Proxy {
	p := &Proxy{transport: transport, limits: limits}
	p.reverse = httputil.ReverseProxy{
		Transport: exchangeTransport{p}, ErrorLog: log.New(io.Discard, "", 0), BufferPool: pool{},
		Rewrite: func(r *httputil.ProxyRequest) {
			x := exchangeOf(r.Out.Context())
			upgrade := r.Out.Header.Get("Upgrade")
			r.Out.URL, r.Out.Host, r.Out.Header = x.target.URL, "", x.target.Header.Clone()
			if r.Out.Header == nil {
				r.Out.Header = http.Header{}
			}
			// A websocket begins with a GET (RFC 6455, section 4.1). What were left of a body would be the new protocol's.
			if x.target.Upgrade && strings.EqualFold(upgrade, "websocket") && r.In.Method == http.MethodGet && r.In.ContentLength == 0 {
				x.upgrade = true
				r.Out.Header["Connection"], r.Out.Header["Upgrade"] = []string{"Upgrade"}, []string{"websocket"}
			}
		},
		ModifyResponse: func(resp *http.Response) error { return exchangeOf(resp.Request.Context()).begin(resp) },
		ErrorHandler:   func(_ http.ResponseWriter, r *http.Request, err error) { exchangeOf(r.Context()).fail(err) },
	}
	return p
}

// Serve passes a request on and its answer back. Its error says why nothing was answered: one of this package, of the
// target's Answer, or the cause for which the request's context ended. An answer that ends early panics with
// [http.ErrAbortHandler], as net/http wants it, which is how the client learns of it.
func (p *Proxy) Serve(w http.ResponseWriter, r *http.Request, to Target, follow Follow) error {
	ctx, cancel := context.WithCancelCause(r.Context())
	x := &exchange{limits: p.limits, target: to, follow: follow, begun: time.Now(), cancel: cancel}
	x.ctx = context.WithValue(ctx, exchangeKey{}, x)
	x.client = &clientWriter{ResponseWriter: w, control: http.NewResponseController(w), within: p.limits.Client, x: x}
	// Else the server closes the request's body once an answer begins, while the transport still reads it.
	_ = x.client.control.EnableFullDuplex()
	if r.ContentLength == 0 || r.Body == nil {
		x.sentAll.Store(true)
		x.client.expectNothing()
	}
	context.AfterFunc(ctx, func() { x.client.cut(x.sentAll.Load()) })
	defer x.end()
	if p.limits.Request > 0 && r.ContentLength > p.limits.Request {
		x.keep(ErrRequestTooLarge)
		return ErrRequestTooLarge
	}
	p.reverse.ServeHTTP(x.client, r.WithContext(x.ctx))
	switch err := x.failed(); {
	case x.client.hijacked:
		return nil
	case err != nil && x.client.begun:
		panic(http.ErrAbortHandler)
	default:
		return err
	}
}
