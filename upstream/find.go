package upstream

import (
	"context"
	"errors"
	"io"
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
	cl := &call{op: opFindTenant, limit: findTimeout, most: maxList}
	if externalSource != "" {
		cl.query = url.Values{"external_source": {externalSource}}
	}
	cl.decode = func(body io.Reader) (err error) {
		if found, err = wire.FindTenant(body, externalSource, externalOrgID); err == nil && found == nil {
			return noTenant(errNotListed)
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
