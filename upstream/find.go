package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"esagate/internal/fault"
	"esagate/upstream/wire"
)

const (
	findTimeout = 60 * time.Second
	maxList     = 64 << 20 // bytes of a list of tenants, decompressed
)

// FindTenant looks for the tenant of an external organisation in upstream's list of
// tenants, which is read as a stream. It is NotFound with Reason TENANT_NOT_FOUND only
// when the whole list was read and has none. See [wire.FindTenant].
func (c *Client) FindTenant(ctx context.Context, externalSource, externalOrgID string) (*wire.Tenant, error) {
	if externalOrgID == "" { // it would match any tenant without one
		return nil, fault.Wrap(fault.Internal, "Something went wrong on our side.", &unsentError{errNoOrg})
	}
	var found *wire.Tenant
	cl := &call{op: opFindTenant, limit: findTimeout, judge: aboutNoTenant}
	if externalSource != "" {
		cl.query = url.Values{"external_source": {externalSource}}
	}
	cl.stream = func(body io.Reader) (err error) {
		if found, err = wire.FindTenant(body, externalSource, externalOrgID); err == nil && found == nil {
			return errNotListed
		}
		return err
	}
	if err := c.do(ctx, cl); err != nil {
		return nil, err
	}
	return found, nil
}

var (
	errNoOrg     = errors.New("there is no external organisation to look for")
	errNotListed = errors.New("the list of tenants has none")
)

// streamed judges an answer while it is read.
func streamed(ctx context.Context, cl *call, resp *http.Response) *failure {
	switch {
	case encoded(resp):
		return invalid(blameTenant, errEncoding)
	case !isJSON(resp.Header.Get("Content-Type")):
		return invalid(blameTenant, errContentType)
	case resp.ContentLength > maxList:
		return invalid(blameTenant, errTooLarge)
	}
	body := &boundedReader{src: resp.Body, left: maxList}
	err := cl.stream(body)
	switch {
	case errors.Is(body.err, errTooLarge), errors.Is(body.err, errEncoding):
		return invalid(blameTenant, body.err)
	case body.err != nil:
		return cutShort(ctx, body.err)
	case body.ended && maxList-body.left < resp.ContentLength: // net/http sees this itself; other transports may not
		return cutShort(ctx, io.ErrUnexpectedEOF)
	case errors.Is(err, errNotListed):
		return noTenant(err)
	case err != nil:
		return invalid(blameTenant, err)
	}
	return nil
}

// boundedReader reads so many bytes, and remembers why it could not read on.
type boundedReader struct {
	src   io.Reader
	left  int64
	ended bool
	err   error // but for io.EOF
}

// Read implements io.Reader.
func (r *boundedReader) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	if r.left -= int64(n); r.left < 0 {
		err = errTooLarge
	}
	switch {
	case err == io.EOF:
		r.ended = true
	case err != nil:
		r.err = err
	}
	return n, err
}
