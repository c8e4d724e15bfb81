package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"esagate/gateway/proxy"
	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/internal/telemetry"
	"esagate/registry"
)

const (
	passesOfCustomer = 64 // where the config says nothing else
	passRetryAfter   = 2 * time.Second
	passDrain        = 15 * time.Second // for what is under way at a stop and ends by itself
	firstJudged      = time.Second      // an exchange that is over by then was let in a moment ago
	sourceEvery      = 30 * time.Second // how often the source is looked at that it is about
)

var errSourceGone = errors.New("the source can't be asked any more")

// Proxies pass requests on: each to servers of one kind.
type Proxies struct {
	Console *proxy.Proxy // to the sales agent's admin UI
	Managed *proxy.Proxy // to the sales agent's MCP and A2A
	Agents  *proxy.Proxy // to the agents of AGENT sources
}

// Bounds of what is passed on (contract 13.12), where the config has none.
const (
	consoleFirstByte = 75 * time.Second // the admin UI asks ad servers while it is waited for
	consoleIdle      = 5 * time.Minute
	clientTime       = 30 * time.Second // to send more, or to take what is written

	maxPassedRequest = 64 << 20
	maxPassedAnswer  = 64 << 20
	maxPassedStream  = 4 << 30
	maxPassedLine    = 8 << 20
)

// NewProxies makes the proxies: to the sales agent over one transport, and to the agents of AGENT sources, whose addresses
// callers supply, over a guarded one.
func NewProxies(salesAgent, outside http.RoundTripper, c AgentsConfig) Proxies {
	agents := proxy.Limits{
		FirstByte: c.FirstByte, Idle: c.Idle, Client: clientTime,
		Request: maxPassedRequest, Answer: maxPassedAnswer, Stream: maxPassedStream, Line: maxPassedLine,
	}
	console := agents
	console.FirstByte, console.Idle = consoleFirstByte, consoleIdle
	return Proxies{Console: proxy.New(salesAgent, console), Managed: proxy.New(salesAgent, agents), Agents: proxy.New(outside, agents)}
}

// passes bounds what is passed on at once, in all and of each customer.
type passes struct {
	all        *semaphore.Weighted
	ofCustomer *background.Shares[passKey]
}

// passKey is a customer with what is counted together. A page of the admin UI, whose files a browser gets all at once,
// does not wait for agents, nor they for it.
type passKey struct {
	customer int64
	console  bool
}

// newPasses leaves three quarters of the connections to others: streams of events may have two of them.
func newPasses(connections, ofCustomer int) passes {
	return passes{
		all:        semaphore.NewWeighted(int64(max(1, cmp.Or(connections, maxConnections)/4))),
		ofCustomer: background.NewShares[passKey](cmp.Or(ofCustomer, passesOfCustomer), math.MaxInt),
	}
}

// take takes a place for a request, and gives the function that gives it back.
func (e *passage) take() (give func(), err error) {
	p := e.gateway.passes
	share := passKey{e.request.caller.CustomerID, e.door == telemetry.DoorConsole}
	if !p.ofCustomer.Take(share) {
		return nil, e.gateway.limits.refuse(telemetry.LimitedCalls, passRetryAfter)
	}
	if !p.all.TryAcquire(1) {
		p.ofCustomer.Give(share)
		return nil, errPassesFull
	}
	return func() {
		p.all.Release(1)
		p.ofCustomer.Give(share)
	}, nil
}

var errPassesFull = &fault.Error{
	Kind: fault.Unavailable, Message: "Too many requests are being passed on at once.", RetryAfter: passRetryAfter,
}

// pass passes a request on to a target and its answer back, for as long as its key is good and the gateway runs (contract
// 13.12). The errors are faults of the API, without anything that the other side sent; of to.Answer's, those that are no
// faults become internal ones.
func (g *Gateway) pass(w http.ResponseWriter, r *request, p *proxy.Proxy, door telemetry.Door, to proxy.Target) error {
	ctx, end := context.WithCancelCause(r.Context())
	e := &passage{gateway: g, request: r, door: door, end: end, endless: make(chan struct{})}
	give, err := e.take()
	if err != nil {
		end(nil)
		return err
	}
	defer give()
	defer e.watch(ctx)()
	err = p.Serve(w, r.WithContext(ctx), to, proxy.Follow{Begins: e.begins, Ends: e.ends})
	return e.faultOf(err)
}

// passage is one request that is passed on.
type passage struct {
	gateway *Gateway
	request *request
	door    telemetry.Door
	end     context.CancelCauseFunc
	endless chan struct{} // closed when its answer is found to be one that does not end by itself
}

// watch ends the passage with its key or the gateway. Most are over before the watch begins, and cost no goroutine. It
// gives the function that ends the watch, and waits for it.
func (e *passage) watch(ctx context.Context) (stop func()) {
	ended := make(chan struct{})
	begins := time.AfterFunc(firstJudged, func() { // ends with the context
		defer close(ended)
		_ = background.Guard(ctx, e.gateway.log, "watch a passage", e.follow)
	})
	return func() {
		e.end(nil)
		if !begins.Stop() {
			<-ended
		}
	}
}

func (e *passage) follow(ctx context.Context) error {
	judge := newWatch(e.gateway, e.request)
	turn, look := time.NewTimer(0), time.NewTicker(sourceEvery)
	defer turn.Stop()
	defer look.Stop()
	stop, endless := e.gateway.stop, (chan struct{})(nil)
	var over <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-stop:
			stop, endless = nil, e.endless
			drain := time.NewTimer(passDrain)
			defer drain.Stop()
			over = drain.C
			continue
		case <-endless:
			e.end(errStopping)
			return nil
		case <-over:
			e.end(errStopping)
			return nil
		case <-look.C:
			if !e.stands(ctx) {
				e.end(errSourceGone)
				return nil
			}
			continue
		case <-judge.changed:
		case <-turn.C:
		}
		if err := judge.judge(); err != nil {
			e.end(err)
			return err
		}
		turn.Reset(judge.every(heartbeatEvery))
	}
}

// stands reports whether the source that a path names can still be asked. What can't be looked up could be.
func (e *passage) stands(ctx context.Context) bool {
	customer := e.request.caller.CustomerID
	id, err := parseSourceID(e.request.vars["sourceId"])
	if err != nil {
		return true // it is of no source
	}
	src, err := anySource(ctx, e.gateway.deps.Directory, customer, id)
	switch {
	case err != nil:
		return !fault.Is(err, fault.NotFound)
	case src.Connection != nil:
		return src.Connection.Provisioning != registry.StatusDeactivated
	}
	return src.Agent.Status == registry.SourceActive
}

// begins is called when the answer begins.
func (e *passage) begins(x proxy.Exchange) {
	r := e.request
	r.bodyRead = x.SentAll
	if !x.Stream {
		return
	}
	if x.Upgraded || r.Method == http.MethodGet { // an answer to a POST ends with its call
		close(e.endless)
	}
	if !x.Upgraded {
		r.answer.Header()["X-Accel-Buffering"] = unbuffered
	} else { // the server writes no answer
		r.answer.status = http.StatusSwitchingProtocols
		r.count(e.gateway)
		return
	}
	r.answer.begins = func(int) { r.count(e.gateway) }
}

// ends is called once it is known what has become of the request.
func (e *passage) ends(x proxy.Exchange) {
	e.gateway.ins.Passed(e.door, passOutcome(x), x.Sent, x.Received, x.Took)
	if !e.gateway.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	e.gateway.log.LogAttrs(e.request.Context(), slog.LevelDebug, "a request was passed on",
		slog.String("request_id", e.request.id), slog.String("key_name", e.request.key.Name), slog.String("door", string(e.door)),
		slog.Int("status", x.Status), slog.Int64("bytes_sent", x.Sent), slog.Int64("bytes_received", x.Received),
		slog.Duration("first_byte", x.FirstByte), slog.Duration("duration", x.Took), slog.Any("cause", x.Err))
}

// passOutcome says in one word what became of an exchange.
func passOutcome(x proxy.Exchange) telemetry.PassOutcome {
	switch {
	case x.Err == nil && x.Status != 0:
		return telemetry.PassDone
	case errors.Is(x.Err, context.Canceled), errors.Is(x.Err, proxy.ErrClient):
		return telemetry.PassLeft
	case errors.Is(x.Err, errRefused), errors.Is(x.Err, errStopping), errors.Is(x.Err, errSourceGone):
		return telemetry.PassEnded
	case errors.Is(x.Err, proxy.ErrFirstByte), errors.Is(x.Err, proxy.ErrIdle):
		return telemetry.PassTimeout
	case errors.Is(x.Err, proxy.ErrTooLarge), errors.Is(x.Err, proxy.ErrLine), errors.Is(x.Err, proxy.ErrRequestTooLarge):
		return telemetry.PassTooLarge
	case errors.Is(x.Err, proxy.ErrCut):
		return telemetry.PassCut
	case errors.Is(x.Err, proxy.ErrUnreachable):
		return telemetry.PassUnreachable
	case errors.Is(x.Err, proxy.ErrRequest):
		return telemetry.PassLeft
	}
	return telemetry.PassRefused
}

var errKeyEnded = fault.New(fault.Unauthorized, "The API key, or access token, is not valid any more.")

// other names the side that a request is passed on to, at the beginning of a sentence.
var other = map[telemetry.Door]string{
	telemetry.DoorConsole: "The sales agent's admin UI", telemetry.DoorMCP: "The agent", telemetry.DoorA2A: "The agent",
}

// faultOf gives the error that answers a request for which nothing came back.
func (e *passage) faultOf(err error) error {
	subject := other[e.door]
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, errRefused):
		return errKeyEnded
	case errors.Is(err, errSourceGone):
		return fault.Wrap(fault.Conflict, "The source was deactivated or deleted while it was asked.", err)
	case errors.Is(err, errStopping):
		return fault.Wrap(fault.Unavailable, "The gateway is stopping.", err)
	case errors.Is(err, proxy.ErrFirstByte):
		return fault.Upstream(fault.UpstreamTimeout, subject+" did not answer in time.", err)
	case errors.Is(err, proxy.ErrUnreachable):
		return fault.Upstream(fault.UpstreamUnreachable, subject+" can't be reached.", err)
	case errors.Is(err, proxy.ErrTooLarge):
		return fault.Upstream(fault.UpstreamInvalidResponse, subject+" answered with more than is passed on.", err)
	case errors.Is(err, proxy.ErrRequestTooLarge):
		return fault.Wrap(fault.TooLarge, "The request's body is larger than what is passed on.", err)
	case errors.Is(err, proxy.ErrRequest):
		return fault.Wrap(fault.BadRequest, "The request's body did not come in whole.", err)
	}
	return err
}
