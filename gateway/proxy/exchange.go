package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Why a request has no answer, or an answer ended before its end. Nothing of what either side sent is in them; beside
// ErrUnreachable stands the transport's error.
var (
	ErrUnreachable     = errors.New("proxy: no answer came")
	ErrFirstByte       = errors.New("proxy: no answer came in time")
	ErrIdle            = errors.New("proxy: nothing came for too long")
	ErrTooLarge        = errors.New("proxy: the answer is too large")
	ErrLine            = errors.New("proxy: a line of the answer is too long")
	ErrCut             = errors.New("proxy: the answer is cut short")
	ErrRequestTooLarge = errors.New("proxy: the request is too large")
	ErrRequest         = errors.New("proxy: the request did not come in whole")
	ErrClient          = errors.New("proxy: the client does not take the answer")
)

// exchange is one request on its way.
type exchange struct {
	limits  Limits
	target  Target
	follow  Follow
	client  *clientWriter
	sending *sentBody       // nil: there is none, or it was not asked for
	ctx     context.Context // ends with the exchange; the request's own, without what ReverseProxy adds
	cancel  context.CancelCauseFunc
	begun   time.Time
	upgrade bool // was asked for

	sent, received atomic.Int64
	sentAll        atomic.Bool

	first            time.Duration
	status           int
	stream, upgraded bool

	mu  sync.Mutex
	err error // the first reason for which there is no answer, or no whole one
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// keep keeps the first reason of a failure.
func (x *exchange) keep(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err == nil {
		x.err = err
	}
}

// fail is keep for what may also follow from the end of the context: then that is the reason.
func (x *exchange) fail(err error) {
	if cause := context.Cause(x.ctx); cause != nil {
		err = cause
	}
	x.keep(err)
}

// abort ends the exchange for a reason.
func (x *exchange) abort(err error) {
	x.fail(err)
	x.cancel(err)
}

// slow ends the exchange for a client that has not done in time what it had to. The server takes such a client for one
// that has left, and has ended the context by now.
func (x *exchange) slow(err error) {
	x.keep(err)
	x.cancel(err)
}

// failed gives the reason for which it failed.
func (x *exchange) failed() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.err
}

func (x *exchange) now() Exchange {
	return Exchange{
		Sent: x.sent.Load(), SentAll: x.sentAll.Load(), Received: x.received.Load(), FirstByte: x.first, Took: time.Since(x.begun),
		Status: x.status, Stream: x.stream, Upgraded: x.upgraded, Err: x.failed(),
	}
}

// begin looks at an answer before any of it is passed on.
func (x *exchange) begin(resp *http.Response) error {
	if x.target.Answer != nil {
		if err := x.target.Answer(resp); err != nil {
			return err
		}
	}
	if x.upgraded { // whatever is left of the header: ReverseProxy compares these with the request's
		resp.Header["Connection"], resp.Header["Upgrade"] = []string{"Upgrade"}, []string{"websocket"}
	}
	if x.follow.Begins != nil {
		x.follow.Begins(x.now())
	}
	return nil
}

// end tells what has become of the exchange.
func (x *exchange) end() {
	outcome := x.now()
	x.client.leave(x.sending)
	x.cancel(nil)
	if x.follow.Ends != nil {
		x.follow.Ends(outcome)
	}
}

// exchangeTransport bounds and counts what passes.
type exchangeTransport struct{ *Proxy }

// RoundTrip implements http.RoundTripper.
func (t exchangeTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	x := exchangeOf(r.Context())
	r = r.WithContext(x.ctx) // without ReverseProxy's trace, which passes 1xx answers on
	r.Trailer = nil
	wait := newPatience(t.limits.FirstByte, func() { x.abort(ErrFirstByte) })
	defer wait.stop()
	if r.Body != nil && r.Body != http.NoBody {
		x.sending = &sentBody{ReadCloser: r.Body, x: x, wait: wait}
		defer x.sending.leave()
		r.Body = x.sending
	}
	came, err := t.transport.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	// Trailers come into the answer that the transport made: a copy of it gets none.
	resp := new(*came)
	resp.Trailer = nil
	x.first, x.status = time.Since(x.begun), resp.StatusCode
	x.upgraded = resp.StatusCode == http.StatusSwitchingProtocols
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	x.stream = media == "text/event-stream" || x.upgraded
	if err := x.unfit(resp); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	body := &receivedBody{ReadCloser: resp.Body, x: x, most: t.limits.Answer, idle: newPatience(t.limits.Idle, func() { x.abort(ErrIdle) })}
	if x.stream {
		body.most = t.limits.Stream
	}
	if x.stream && !x.upgraded {
		body.line = t.limits.Line
	}
	resp.Body = body
	if conn, ok := body.ReadCloser.(io.Writer); ok {
		resp.Body = &upgradedBody{body, conn}
	}
	return resp, nil
}

// unfit says why an answer is not passed on at all: it begins a protocol that was not asked for, or announces more than
// may be.
func (x *exchange) unfit(resp *http.Response) error {
	switch {
	case x.upgraded && !(x.upgrade && strings.EqualFold(resp.Header.Get("Upgrade"), "websocket")):
		return ErrUnreachable
	case !x.upgraded && resp.StatusCode < 200: // none that HTTP knows (RFC 9110, section 15)
		return ErrUnreachable
	case !x.stream && x.limits.Answer > 0 && resp.ContentLength > x.limits.Answer && resp.Body != http.NoBody: // HEAD announces too
		return ErrTooLarge
	}
	return nil
}
