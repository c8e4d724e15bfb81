package upstream

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"esagate/upstream/wire"
)

// Request is a call of one of a tenant's ad-server operations, which differ in nothing but this.
type Request struct {
	Operation string     // its name in metrics and spans: a constant of the table of operations
	Method    string     // "" or GET: a read, which may be repeated
	Path      []string   // segments below the tenant, not escaped
	Query     url.Values // may hold a caller's text
	Body      []byte     // a JSON object, of a write that is no DELETE
	Accept    []int      // statuses of success; nil: 200, and without Decode 204
	// Decode reads the document of a success. nil: there need be none, and none is read.
	Decode func(body io.Reader) error
	// Slow: the sales agent waits for others before it answers. The call may take ProbeTimeout, and is made once.
	Slow bool
	// Uncounted: a cursor or a text of a caller's may be why the sales agent fails. An answer of 500 or more then
	// says nothing, and the call is not made again: it would come to the same, and take a retry from others.
	Uncounted bool
	// CallersPath turns a path in the sales agent's body into the caller's (contract 12.11); "" from it is none that
	// a caller knows. nil: nothing of the body is a caller's.
	CallersPath func(string) string
}

// Operate makes the call. Its errors are those of all calls, and those of contract 12.11. No breaker counts
// how it fails, but an open one of the whole upstream's keeps it back. A write is made once. An error of one that is
// neither [NotSent] nor has a [Refusal] in its chain leaves open whether it was done, as after a success without the
// document asked for.
func (c *Client) Operate(ctx context.Context, tenantID string, r Request) error {
	cl := tenantCall(operation(r.Operation), tenantID, r.Path...)
	cl.query, cl.accept, cl.decode, cl.paths = r.Query, r.Accept, r.Decode, r.CallersPath
	if cl.paths == nil {
		cl.paths = func(string) string { return "" }
	}
	switch r.Method {
	case "", http.MethodGet:
	case http.MethodDelete:
		cl.method = r.Method
	default:
		cl.method, cl.body = r.Method, r.Body
		if !wire.ValidBody(r.Body) { // upstream would read it as an empty object
			return unencodable()
		}
	}
	if cl.done = r.Decode == nil; cl.done && cl.accept == nil {
		cl.accept = []int{http.StatusOK, http.StatusNoContent}
	}
	if r.Slow {
		cl.limit, cl.once = c.cfg.ProbeTimeout, true
	}
	cl.judge = r.judge
	return c.do(ctx, cl)
}

// judge judges an answer that is no success.
func (r *Request) judge(a answer) *failure {
	if f := worded(a, refusalOf(a.status, a.problem)); f != nil {
		return f
	}
	f := answered(a)
	if r.Uncounted && a.status >= 500 {
		f.blame, f.retry = blameUnknown, false
	}
	return f
}
