package upstream

import (
	"context"
	"io"
	"net/url"

	"esagate/internal/fault"
	"esagate/upstream/wire"
)

// Request is a call of one of a tenant's ad-server operations, which differ in nothing but this.
type Request struct {
	Operation string     // its name in metrics and spans: a constant of the table of operations
	Method    string     // "": GET, a read
	Path      []string   // segments below the tenant, not escaped
	Query     url.Values // may hold a caller's text
	Body      []byte     // JSON; nil: none
	Accept    []int      // statuses of success; nil: 200 alone
	Most      int64      // bytes of a success; 0: maxDocument
	// Decode reads the document of a success; nil: there is none.
	Decode func(body io.Reader) error
	// Slow: the sales agent waits for others before it answers. The call may take ProbeTimeout, and is made once.
	Slow bool
	// Uncounted: a cursor or a text of a caller's may be why the call fails.
	Uncounted bool
	// CallersPath turns a path in the sales agent's body into the caller's (contract 12.11); "" from it is none that
	// a caller knows. nil: the body has no fields of a caller's.
	CallersPath func(string) string
	// Refused judges an answer that refuses the request; nil from it, or a nil Refused, leaves it to the rules of
	// all calls (contract 7.3).
	Refused func(status int, problem *wire.Problem) *fault.Error
}

// Operate makes the call. Its errors are those of all calls, and Refused's.
func (c *Client) Operate(ctx context.Context, tenantID string, r Request) error {
	cl := tenantCall(operation(r.Operation), tenantID, r.Path...)
	cl.method, cl.query, cl.body, cl.accept, cl.most = r.Method, r.Query, r.Body, r.Accept, r.Most
	cl.decode, cl.done = r.Decode, r.Decode == nil
	if r.Slow {
		cl.limit, cl.once = c.cfg.ProbeTimeout, true
	}
	return c.do(ctx, cl)
}
