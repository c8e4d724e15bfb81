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
	body    []byte            // the caller's, which its shape takes
	dryRun  bool

	call   Call
	query  url.Values // in the sales agent's names
	sent   []byte     // the body for the sales agent
	answer *shape.Shape
	status int
}

// ask makes a call beside the row's own, and gives the sales agent's document; nil where it has none.
func (x *exchange) ask(ctx context.Context, c Call, query url.Values, body []byte, accept ...int) ([]byte, error) {
	var document []byte
	r := upstream.Request{Operation: x.ID, Method: c.Method, Path: c.segments(x.vars), Query: query, Body: body, Accept: accept}
	if c.Method == http.MethodGet {
		r.Method = ""
	}
	if c.Method != http.MethodDelete {
		r.Decode = func(body io.Reader) (err error) {
			document, err = io.ReadAll(body)
			return err
		}
	}
	err := x.service.deps.Upstream.Operate(ctx, x.source.Connection.TenantID, r)
	return document, err
}

// run makes the call of the row and gives the answer's document; nil where it has none.
func (x *exchange) run(ctx context.Context) ([]byte, error) {
	if x.Prepare != nil {
		if document, err := x.Prepare(ctx, x); document != nil || err != nil {
			return document, err
		}
	}
	document, err := x.ask(ctx, x.call, x.query, x.sent, x.Accept...)
	if err != nil || x.answer == nil {
		return nil, err
	}
	var given []shape.Given
	if x.Compose != nil {
		if given, err = x.Compose(ctx, x, document); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	_, err = x.answer.Answer(&out, bytes.NewReader(document), given...)
	return out.Bytes(), err
}
