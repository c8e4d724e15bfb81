package operations

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/transform/shape"
	"esagate/upstream"
)

// The parts of a row that are code. Each is one small function between reading a request and writing its answer.
type (
	// checking gives the faults of a body that its shape takes: what depends on several members, or on the source. It
	// asks nobody.
	checking func(x *exchange) []fault.Issue
	// preparing comes before the call, for a write while no other write of the connection runs. It may ask the sales
	// agent, and change what is asked (call, query, sent, answer, status). A document from it, in the words of the
	// contract, is the answer: no call follows.
	preparing func(ctx context.Context, x *exchange) (document []byte, err error)
	// composing gives the members that the gateway composes, from the sales agent's document.
	composing func(ctx context.Context, x *exchange, document []byte) ([]shape.Given, error)
)

// exchange is a request of an operation on its way through its row.
type exchange struct {
	*Operation
	service *Service
	source  *registry.Source
	vars    map[string]string // parameters of the path, unescaped
	given   bool              // the caller asked for something by the query
	body    []byte            // the caller's, which its shape takes
	dryRun  bool
	reached bool // a call may have arrived that changes something

	call   Call
	query  url.Values // in the sales agent's names
	sent   []byte     // the body for the sales agent
	answer *shape.Shape
	status int
}

// ask makes a call beside the row's own, and gives the sales agent's document, which need not be JSON; nil where it has
// none.
func (x *exchange) ask(ctx context.Context, c Call, query url.Values, body []byte, accept ...int) (document []byte, err error) {
	decode := func(body io.Reader) (err error) {
		document, err = io.ReadAll(body)
		return err
	}
	if c.Method == http.MethodDelete {
		decode = nil
	}
	return document, x.operate(ctx, c, upstream.Request{Query: query, Body: body, Accept: accept, Decode: decode})
}

// operate makes a call.
func (x *exchange) operate(ctx context.Context, c Call, r upstream.Request) error {
	r.Operation, r.Method, r.Path, r.Slow = x.ID, c.Method, c.segments(x.vars), x.Slow
	r.Uncounted = x.given || len(x.vars) > 1 || len(x.body) > 0 // all these are a caller's words
	if x.request != nil {
		r.CallersPath = x.request.CallersPath
	}
	if c.Method == http.MethodGet {
		r.Method = ""
	}
	was := x.reached
	x.reached = x.reached || c.Method != http.MethodGet // while it is under way, too
	err := x.service.deps.Upstream.Operate(ctx, x.source.Connection.TenantID, r)
	x.reached = was || x.reached && !upstream.NotSent(err)
	return err
}

// run makes the call of the row and gives the answer's document; nil where it has none.
func (x *exchange) run(ctx context.Context) ([]byte, error) {
	if x.Prepare != nil {
		if document, err := x.Prepare(ctx, x); document != nil || err != nil {
			return document, err
		}
	}
	if x.Compose != nil {
		return x.composed(ctx)
	}
	r := upstream.Request{Query: x.query, Body: x.sent, Accept: x.Accept}
	var out bytes.Buffer
	if x.answer != nil {
		r.Decode = func(body io.Reader) error {
			out.Reset() // of an attempt before
			return x.write(&out, body)
		}
	}
	if err := x.operate(ctx, x.call, r); err != nil || x.answer == nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// composed is run for a row with a Compose, which needs the whole of the sales agent's document.
func (x *exchange) composed(ctx context.Context) ([]byte, error) {
	document, err := x.ask(ctx, x.call, x.query, x.sent, x.Accept...)
	if err != nil {
		return nil, err
	}
	given, err := x.Compose(ctx, x, document)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := x.write(&out, bytes.NewReader(document), given...); err != nil {
		return nil, fault.Upstream(fault.UpstreamInvalidResponse, "The sales agent sent an answer that can't be used.", err)
	}
	return out.Bytes(), nil
}

// write writes the answer, and counts what it lacks of the sales agent's document. Paths are counted by operation:
// members of different documents have the same.
func (x *exchange) write(w io.Writer, body io.Reader, given ...shape.Given) error {
	notes, err := x.answer.Answer(w, body, given...)
	if err != nil {
		return err
	}
	for _, path := range notes.Unknown {
		x.service.deps.Instruments.UnknownField(x.ID + "." + path)
	}
	for _, path := range notes.Malformed {
		x.service.deps.Instruments.MalformedField(x.ID + "." + path)
	}
	return nil
}
