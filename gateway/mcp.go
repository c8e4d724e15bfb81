package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"esagate/gateway/tools"
	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/internal/origin"
)

const toolsPath = "/mcp"

// assistants serves the gateway's own MCP server (contract 13.13). A request of it is a read; what its tools ask of the API
// are requests of their own, by the same key, with the same request id.
type assistants struct{ *Gateway }

func (g assistants) routes() []Route {
	return []Route{{Method: "POST", Path: toolsPath, access: readAll, handle: g.serveMCP}}
}

// newMCP makes the MCP server when it is first asked for.
func (g assistants) newMCP() func() http.Handler {
	return sync.OnceValue(func() http.Handler {
		return tools.New(tools.Deps{
			Caller: func(ctx context.Context) tools.Caller {
				key := requestOf(ctx).key
				return tools.Caller{Write: key.Write, Operator: key.Operator}
			},
			Ask: g.ask, Writes: needsWrite, Recovered: g.recovered, MaxBody: maxBodyBytes,
		})
	})
}

// needsWrite reports whether the route of an operation takes a key with write access.
func needsWrite(operation string) bool {
	i := slices.IndexFunc(Routes(), func(r Route) bool { return r.Operation == operation })
	return i < 0 || Routes()[i].access >= write
}

type requestKey struct{}

// requestOf gives the request that a context was made for.
func requestOf(ctx context.Context) *request { return ctx.Value(requestKey{}).(*request) }

var (
	errNoMessage = fault.New(fault.BadRequest, "The body must be one JSON-RPC message: an object, with each name once.")
	errOrigin    = fault.New(fault.Forbidden, "Pages of this origin may not ask: it is none of those in server.allowed_origins.")
)

func (g assistants) serveMCP(w http.ResponseWriter, r *request) error {
	if !g.mayAsk(r.Request) {
		return errOrigin
	}
	g.extendWriteDeadline(w) // a tool may have the sales agent try an ad server
	body, err := readBody(r, maxBodyBytes)
	if err != nil {
		return err
	}
	if !tools.IsMessage(body) {
		return errNoMessage
	}
	hr := r.Request.WithContext(context.WithValue(r.Context(), requestKey{}, r))
	hr.Body = io.NopCloser(bytes.NewReader(body))
	g.mcp().ServeHTTP(w, hr)
	return nil
}

// mayAsk reports whether a browser says that a page may ask which is of this gateway, or of an origin that is let in; what
// is no browser says nothing. Without this a page could have the browser ask a gateway on its own machine, by a name of
// the page's that leads there.
func (g assistants) mayAsk(r *http.Request) bool {
	from := r.Header["Origin"]
	if len(from) == 0 {
		return true
	}
	u, err := url.Parse(from[0])
	if err != nil || u.Host == "" || len(from) > 1 {
		return false
	}
	return slices.Contains(g.cfg.AllowedOrigins, from[0]) || origin.Same(u, g.public) || isLoopback(u.Host) && isLoopback(r.Host)
}

// handedOn are the headers of a request to the MCP server that count for what its tools ask: who asks, and for whom.
var handedOn = []string{"Authorization", headerAPIKey, headerCustomer, "X-Forwarded-For"}

// ask makes a request of the API for a tool, by the way of all requests.
func (g assistants) ask(ctx context.Context, q *tools.Request) (*tools.Answer, error) {
	r := requestOf(ctx)
	u, err := url.ParseRequestURI(q.Target)
	if err != nil {
		return nil, err
	}
	h := http.Header{headerRequestID: {r.id}, "Accept": jsonType}
	for _, name := range handedOn {
		if values, ok := r.Header[name]; ok {
			h[name] = values
		}
	}
	for name, values := range q.Header {
		h[name] = values
	}
	inner := &http.Request{
		Method: q.Method, URL: u, RequestURI: q.Target, Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
		Header: h, Body: http.NoBody, Host: r.Host, RemoteAddr: r.RemoteAddr, TLS: r.TLS,
	}
	if q.Body != nil {
		h["Content-Type"] = jsonType
		inner.Body, inner.ContentLength = io.NopCloser(bytes.NewReader(q.Body)), int64(len(q.Body))
	}
	answer := &keptAnswer{header: http.Header{}}
	// Without the connection: an answer that is announced there would hold back a shorter one of the tool.
	g.serve(g.main, answer, inner.WithContext(withConn(r.Context(), nil)))
	return g.answerOf(answer)
}

// maxToolAnswer bounds an answer that is kept for a tool, which no single document of the API reaches.
const maxToolAnswer = 8 << 20

// keptAnswer is an answer of the API that goes to a tool.
type keptAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *keptAnswer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *keptAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

var errAnswerTooLarge = errors.New("the answer is too large for a tool")

// Write implements http.ResponseWriter.
func (a *keptAnswer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.body.Len()+len(p) > maxToolAnswer {
		a.body.Reset()
		a.status = http.StatusInsufficientStorage
		return 0, errAnswerTooLarge
	}
	return a.body.Write(p)
}

// answerOf gives an answer as a tool reads it: without the envelope, where the operator wants one.
func (g assistants) answerOf(a *keptAnswer) (*tools.Answer, error) {
	switch {
	case a.status == statusClientGone:
		return nil, context.Canceled
	case a.status == http.StatusInsufficientStorage:
		return nil, errAnswerTooLarge
	}
	document := a.body.Bytes()
	if g.cfg.Envelope && a.status/100 == 2 && len(document) > 0 {
		var enveloped struct {
			Data jsontext.Value `json:"data"`
		}
		if err := json.Unmarshal(document, &enveloped); err != nil {
			return nil, err
		}
		document = enveloped.Data
	}
	return &tools.Answer{Status: a.status, Document: document, RetryAfter: strings.Join(a.header["Retry-After"], "")}, nil
}

// recovered tells of a panic of a tool's, as finish does of a handler's.
func (g assistants) recovered(ctx context.Context, value any) {
	r := requestOf(ctx)
	g.ins.Panic()
	g.log.LogAttrs(ctx, slog.LevelError, "a tool panicked", slog.String("request_id", r.id), slog.String("route", r.route),
		slog.String("kind", kindOf(value)), slog.Any("stack", background.Callers()))
}
