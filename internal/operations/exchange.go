package operations

import (
	"bytes"
	"context"
	"errors"
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
	// checking gives the faults that no shape finds: what depends on several members, or on the source. The body is a
	// JSON object, and may have other faults, which are told in the same answer. It asks nobody.
	checking func(x *exchange) []fault.Issue
	// preparing comes before the call, for a write while no other write of the connection runs. It may ask the sales
	// agent, and change what is asked (call, query, sent, answer, status). A document from it, in the words of the
	// contract, is the answer: no call follows.
	preparing func(ctx context.Context, x *exchange) (document []byte, err error)
	// composing gives the members that the gateway composes, from the sales agent's document; shape.ErrMalformed where
	// that lacks what they need.
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
	refused bool // the last such call was refused

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
	r.Operation, r.Method, r.Path = x.ID, c.Method, c.segments(x.vars)
	r.Slow = x.Slow && c.Method == x.call.Method                // what a write looks up first is at hand
	r.Uncounted = x.given || len(x.vars) > 1 || len(x.body) > 0 // all these are a caller's words
	if x.request != nil {
		r.CallersPath = x.request.CallersPath
	}
	if c.Method == http.MethodGet {
		r.Method = ""
		return x.service.deps.Upstream.Operate(ctx, x.source.Connection.TenantID, r)
	}
	was := x.reached
	x.reached = true // while it is under way, too
	err := x.service.deps.Upstream.Operate(ctx, x.source.Connection.TenantID, r)
	x.reached = was || !upstream.NotSent(err)
	x.refused = errors.As(err, new(*upstream.Refusal))
	return err
}

// run makes the call of the row and gives the answer's document; nil where it has none.
func (x *exchange) run(ctx context.Context) ([]byte, error) {
	if x.Prepare != nil {
		if document, err := x.Prepare(ctx, x); document != nil || err != nil {
			return document, err
		}
	}
	r := upstream.Request{Query: x.query, Body: x.sent, Accept: x.Accept}
	var out bytes.Buffer
	if x.answer != nil {
		r.Decode = func(body io.Reader) error {
			out.Reset() // of an attempt before
			return x.reply(ctx, &out, body)
		}
	}
	if err := x.operate(ctx, x.call, r); err != nil || x.answer == nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// composed gives the answer for a document of the sales agent's that Prepare has read.
func (x *exchange) composed(ctx context.Context, document []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := x.reply(ctx, &out, bytes.NewReader(document)); err != nil {
		return nil, unusable(err)
	}
	return out.Bytes(), nil
}

// reply writes the answer, with what the row composes for it: that takes the whole of the sales agent's document.
func (x *exchange) reply(ctx context.Context, w io.Writer, body io.Reader) error {
	if x.Compose == nil {
		return x.write(w, body)
	}
	document, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	given, err := x.Compose(ctx, x, document)
	if err != nil {
		return err
	}
	return x.write(w, bytes.NewReader(document), given...)
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
