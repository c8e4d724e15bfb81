package gateway

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"log/slog"
	"math/rand/v2"
	"mime"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"esagate/gateway/assets"
	"esagate/internal/auth"
	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/internal/word"
	"esagate/registry"
)

const (
	headerRequestID = "X-Request-Id"

	maxHeaderBytes = 32 << 10 // over this: 431 as JSON; net/http's own limit lies above
	maxBodyBytes   = 1 << 20

	sendingTimeout = 5 * time.Second  // for the body of a request without a key
	readingTimeout = 10 * time.Second // for reading its answer
)

// Header values that many answers share. They are never written to: net/http
// only reads them.
var (
	jsonType = []string{"application/json"}
	noStore  = []string{"no-store"}
	nosniff  = []string{"nosniff"}
	hsts     = []string{"max-age=31536000"}
)

// request is one request on its way through the gateway.
type request struct {
	*http.Request
	ctx context.Context // the request's own, with the server span in it

	id       string
	begun    time.Time
	counted  bool // in the metrics and the log
	page     bool // asked for by a browser: it is known by its session, and errors are pages
	console  bool // such a one of the sales agent's admin UI
	table    *table
	route    string // the template; noRoute when none matched
	vars     map[string]string
	key      *auth.Caller     // who has the credential; nil on a public route
	caller   *auth.Caller     // the same, but an operator with the customer they act for
	session  *auth.Session    // that key came with; nil: with a header
	source   *registry.Source // whose admin UI it is, by its cookie
	document []byte           // of an operation that a page has asked for, once it is done
	quota    int64            // whose limits it counts on: its key's customer, or registry.OperatorID, the operators'
	answer   recorder

	bodies    *bodyBudget
	bodyBytes int64 // of it, held for this request's body
	bodyRead  bool  // to its end

	failure  *fault.Error          // what was answered, where it was an error
	audit    *registry.AuditResult // as far as it is known; nil: not a write
	endWrite func()                // ends what bounds the store's time; nil: not a write
	span     trace.Span            // nil: not recorded

	rateLimit [1]string // room for the header's value
}

// Context gives the context to answer in. It is a field of its own because
// http.Request.WithContext would copy the request.
func (r *request) Context() context.Context { return r.ctx }

// boundSending cuts off a client without a key that does not send its body. A server that knows no
// deadlines has none that a client could be cut off by; others set a new one for the next request.
func boundSending(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(sendingTimeout))
	}
}

// boundReading cuts off a client without a key that does not take its answer.
func boundReading(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(readingTimeout))
}

// noRoute stands for a path that is not in the table.
const noRoute = "(none)"

// recorder remembers the status that was answered; 0: nothing yet.
type recorder struct {
	http.ResponseWriter
	status   int
	begins   func(status int) // called before an answer begins; nil: nothing to do
	stranger bool             // reads it: for boundReading
	request  *request         // that is answered
}

func (w *recorder) begin(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	if w.stranger {
		boundReading(w.ResponseWriter)
	}
	w.request.abandonBody(w.ResponseWriter)
	if w.begins != nil {
		w.begins(status)
	}
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	w.begin(status)
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	w.begin(http.StatusOK)
	return w.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// serve handles every request: identify, match, authenticate, trace, answer, count.
// The router's middleware can't do it, because it does not run on a 404 or a 405.
func (g *Gateway) serve(t *table, w http.ResponseWriter, hr *http.Request) {
	r := &request{Request: hr, ctx: hr.Context(), id: requestID(hr.Header), begun: time.Now(), table: t, route: noRoute,
		answer: recorder{ResponseWriter: w, stranger: true}, bodies: &g.bodies}
	r.answer.request = r
	h := w.Header()
	h[headerRequestID] = []string{r.id}
	h["X-Content-Type-Options"] = nosniff
	if g.https {
		h["Strict-Transport-Security"] = hsts
	}

	var route *Route
	m, known := t.match(hr)
	if m != nil {
		route, r.route, r.vars = m.route, m.route.Path, m.vars
	}
	g.inFlight.Add(1)
	defer g.finish(r)
	if err := g.run(&r.answer, r, route, known); err != nil {
		g.writeError(&r.answer, r, err)
	}
}

// run lets the matched handler answer a caller that is allowed to ask. The key is
// checked first: a caller without one does not learn which paths there are; then the
// caller's limits. Only requests with a key are traced, and their paths remembered.
func (g *Gateway) run(w http.ResponseWriter, r *request, route *Route, known bool) error {
	need := read
	if route != nil {
		need = route.access
	} else if r.table == g.admin || publicPaths[r.URL.Path] || strings.HasPrefix(r.URL.Path, assets.Prefix) {
		need = public
	}
	if err := g.beginPage(w.Header(), r); err != nil {
		return err
	}
	if need != public {
		if err := (callers{g}).admit(w.Header(), r, route, need); err != nil {
			return err
		}
	}
	if route == nil {
		if allow := r.table.allowed(r.Request); len(allow) > 0 {
			w.Header().Set("Allow", strings.Join(allow, ", "))
			return fault.New(fault.MethodNotAllowed, "This path does not have that method.")
		}
		return errNothingThere
	}
	if need == public {
		boundSending(w, r.Request)
	}
	if err := checkSizes(r, route); err != nil {
		return err
	}
	if route.access != public {
		if !known {
			r.table.remember(r, route)
		}
		r.span = g.startSpan(r)
	}
	if route.writes() {
		r.ctx, r.endWrite = registry.WithWriteTime(r.ctx)
	}
	if route.writes() && route.access != tryOrWrite {
		if err := g.beginAudit(r, route.Operation); err != nil {
			return err
		}
	}
	return route.handle(w, r)
}

// beginPage finds out whether a request is a browser's for a page, and whether it may ask for it at all.
func (g *Gateway) beginPage(h http.Header, r *request) error {
	if r.table != g.main {
		return nil
	}
	r.console = isConsole(r.URL.Path)
	r.page = r.console || isPage(r.URL.Path)
	switch {
	case (consoles{g}).misplaced(r.Request):
		r.page = r.console
		return errNothingThere
	case r.console:
		return consoles{g}.begin(h, r)
	case r.page:
		return pages{g}.begin(h, r)
	}
	return nil
}

var errNothingThere = fault.New(fault.NotFound, "There is nothing at this path.")

var errTooLarge = fault.New(fault.TooLarge, "The request's body is larger than 1 MiB.")

// checkSizes refuses what no operation takes.
func checkSizes(r *request, route *Route) error {
	total := len(r.RequestURI)
	for name, values := range r.Header {
		for _, v := range values {
			total += len(name) + len(v) + len(": \r\n")
		}
	}
	if total > maxHeaderBytes {
		return fault.New(fault.HeadersTooLarge, "The request's headers are too large.")
	}
	if r.ContentLength == 0 || route.access == passOn {
		return nil
	}
	if r.ContentLength > maxBodyBytes {
		return errTooLarge
	}
	unfit := checkMedia(r)
	if unfit == nil || r.ContentLength > 0 {
		return unfit
	}
	// The length is not announced: there may be no content at all, which needs no type.
	switch _, err := io.ReadFull(r.Body, make([]byte, 1)); {
	case err == io.EOF:
		r.bodyRead = true
		return nil
	case err != nil:
		return bodyFault(r, err)
	}
	return unfit
}

// checkMedia refuses content of a type or coding that no operation takes.
func checkMedia(r *request) error {
	wanted := "application/json"
	if r.page {
		wanted = "application/x-www-form-urlencoded"
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != wanted || len(r.Header["Content-Type"]) > 1 {
		return fault.New(fault.UnsupportedMedia, "A body must be "+wanted+".")
	}
	for _, coding := range r.Header["Content-Encoding"] {
		if !strings.EqualFold(coding, "identity") {
			return fault.New(fault.UnsupportedMedia, "A body can't be compressed.")
		}
	}
	return nil
}

// finish counts and logs the request, and answers in a panicking handler's place.
func (g *Gateway) finish(r *request) {
	r.releaseBody()
	if r.endWrite != nil {
		defer r.endWrite()
	}
	switch p := recover(); p {
	case nil:
	case http.ErrAbortHandler: // an answer that was passed on ended early: the client learns it from the connection
		defer panic(p)
	default:
		g.ins.Panic()
		g.log.LogAttrs(r.Context(), slog.LevelError, "a handler panicked", slog.String("request_id", r.id),
			slog.String("route", r.route), slog.String("kind", kindOf(p)), slog.Any("stack", background.Callers()))
		if r.answer.status == 0 {
			g.writeError(&r.answer, r, fault.New(fault.Internal, "Something went wrong on our side."))
		} else {
			defer panic(http.ErrAbortHandler) // half an answer is out: cut the connection
		}
	}
	r.count(g)
}

// count counts and logs the request, which has been answered: a stream when it begins, all others in the
// end.
func (r *request) count(g *Gateway) {
	if r.counted {
		return
	}
	r.counted = true
	took := time.Since(r.begun)
	status := r.answer.status
	g.ins.Request(r.route, r.Method, status, took)
	g.inFlight.Add(-1)
	if r.span != nil {
		r.span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= 500 {
			r.span.SetStatus(codes.Error, "")
		}
		r.span.End()
	}
	g.access.write(r, took)
}

// kindOf says of a panic's value, which may hold a secret, what it is.
func kindOf(p any) string {
	if _, ok := p.(error); ok {
		return "error"
	}
	return "value"
}

var serverSpan = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}

// startSpan opens the server span, a child of the caller's where one came along.
// It gives nil, and leaves the context alone, where the span is not recorded.
func (g *Gateway) startSpan(r *request) trace.Span {
	ctx := r.Context()
	if _, ok := r.Header["Traceparent"]; ok {
		ctx = g.deps.Propagator.Extract(ctx, propagation.HeaderCarrier(r.Header))
	}
	ctx, span := g.tracer.Start(ctx, r.Method+" "+r.route, serverSpan...)
	if span.SpanContext().IsValid() {
		r.ctx = ctx
	}
	if !span.IsRecording() {
		return nil
	}
	span.SetAttributes(attribute.String("http.request.method", r.Method), attribute.String("http.route", r.route))
	return span
}

// requestID gives the caller's own id if it is a plain word, else a new one.
func requestID(h http.Header) string {
	if given := h[headerRequestID]; len(given) == 1 && word.RequestID.Is(given[0]) {
		return given[0]
	}
	id := binary.BigEndian.AppendUint64(nil, rand.Uint64())
	return hex.EncodeToString(binary.BigEndian.AppendUint64(id, rand.Uint64()))
}
