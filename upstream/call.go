package upstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"esagate/internal/fault"
	"esagate/upstream/wire"
)

// operation names a kind of call in metrics and spans.
type operation string

// All operations.
const (
	opStatus             operation = "status"
	opAdapterConfig      operation = "adapter_config"
	opTenant             operation = "tenant"
	opFindTenant         operation = "find_tenant"
	opSyncHistory        operation = "sync_history"
	opAdapterSettings    operation = "adapter_settings"
	opWebhooks           operation = "webhooks"
	opProvision          operation = "provision"
	opPutAdapterConfig   operation = "put_adapter_config"
	opPutAdapterSettings operation = "put_adapter_settings"
	opTestConnection     operation = "test_connection"
	opRefresh            operation = "refresh"
	opDeactivate         operation = "deactivate"
	opReactivate         operation = "reactivate"
	opCreateWebhook      operation = "create_webhook"
	opDeleteWebhook      operation = "delete_webhook"
	opProbe              operation = "probe" // a status read on a breaker's behalf
)

// call is one call on its way through its attempts, which come one after another.
// It travels in the request's context.
type call struct {
	op       operation
	method   string          // "": GET, a read
	tenantID string          // whom it is about; "": all tenants, or one yet to be
	path     []string        // segments below the collection of tenants
	query    url.Values      // may hold a caller's text: the transport adds it
	body     []byte          // JSON; nil: none
	secrets  []wire.Secret   // every credential in it
	limit    time.Duration   // of the whole call, without its waits for slots; 0: FetchTimeout
	accept   []int           // statuses of success; nil: 200 alone
	once     bool            // no attempt follows another, though it is a read
	done     bool            // no document is read: any 2xx is a success, or one of accept with a body that is no page
	probes   *breaker        // the breaker that this is the probe of; nil for a reader's call
	unwanted <-chan struct{} // of a probe: closed when it is not wanted any more
	quick    bool            // a probe in so little time that running out of it says nothing
	most     int64           // bytes of a success; 0: maxDocument

	paths  func(location string) string // a caller's name for a location in the body; nil: by callersFields
	decode func(body io.Reader) error   // keeps what it decoded; nil only with done
	// judge judges an answer that is no success, in place of answered; nil from it is
	// a success after all.
	judge func(a answer) *failure

	attempts int
	sent     *sending      // how far the latest attempt got
	last     *failure      // of the latest attempt; nil: it succeeded
	deadline time.Time     // of the call: limit after it first had a slot, and what it has waited for others since
	waited   time.Duration // for slots
}

// tenantCall is a read of something of a tenant's.
func tenantCall(op operation, tenantID string, path ...string) *call {
	return &call{op: op, tenantID: tenantID, path: append([]string{tenantID}, path...)}
}

// tenantWrite is a write to something of a tenant's.
func tenantWrite(op operation, method, tenantID string, path ...string) *call {
	cl := tenantCall(op, tenantID, path...)
	cl.method = method
	return cl
}

// repeats reports whether an attempt may be followed by another: a reader's read that waits for nobody else.
func (cl *call) repeats() bool { return cl.method == "" && cl.probes == nil && !cl.once }

// readsStatus reports whether the call is a status read, of readers' or a probe.
func (cl *call) readsStatus() bool { return cl.op == opStatus || cl.op == opProbe }

// accepts reports whether a status is one of success.
func (cl *call) accepts(status int) bool {
	switch {
	case cl.accept != nil:
		return slices.Contains(cl.accept, status)
	case cl.done:
		return status >= 200 && status < 300
	}
	return status == http.StatusOK
}

type callKey struct{}

func callFrom(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// ask makes a call and returns what its last attempt decoded.
func ask[T any](ctx context.Context, c *Client, cl *call, decode func([]byte) (T, error)) (doc T, err error) {
	cl.decode = func(body io.Reader) error {
		text, err := io.ReadAll(body)
		if err == nil {
			doc, err = decode(text)
		}
		return err
	}
	err = c.do(ctx, cl)
	return doc, err
}

// do makes a call and counts it.
func (c *Client) do(ctx context.Context, cl *call) error {
	start, o := time.Now(), outcomeOK
	f := c.call(ctx, cl)
	if f != nil {
		o = f.outcome
	}
	took := time.Since(start) - cl.waited
	c.metrics.call(ctx, cl.op, o, took)
	if o != outcomeCircuitOpen && o != outcomeBusy && o != outcomeCanceled {
		c.onCall(took)
	}
	if f != nil {
		return f.err
	}
	return nil
}

// call makes the attempts of one call: the only one of a write or a probe.
func (c *Client) call(ctx context.Context, cl *call) *failure {
	req, f := c.request(ctx, cl)
	if f != nil {
		return f
	}
	if !cl.repeats() {
		_, _ = attemptTransport{c}.RoundTrip(req)
		return cl.last
	}
	_, err := c.retrying(cl).Do(&retryablehttp.Request{Request: req}) // the response is attemptTransport's own, without a body
	switch {
	case err == nil:
		return nil
	case cl.last == nil, errors.Is(ctx.Err(), context.Canceled): // perhaps while waiting to try again
		return lost(ctx, err)
	case cl.op == opStatus && (cl.last.blame == blameTenant || cl.last.blame == blameUpstream):
		c.watch(c.tenants.get(cl.tenantID).breaker) // its recovery is noticed before the next reader asks
	}
	return cl.last
}

var errImpossibleID = errors.New("no path can hold such an id")

// request makes the request of a call. An id is escaped to one path segment; an id for which
// escaping does not help (".", "..", "") can't exist. The transport adds the query.
func (c *Client) request(ctx context.Context, cl *call) (*http.Request, *failure) {
	target := c.base
	for i, s := range cl.path {
		switch {
		case s != "" && s != "." && s != ".." && len(s) <= maxID:
			target += "/" + url.PathEscape(s)
		case i == 0:
			return nil, neverSent(noTenant(errImpossibleID))
		default:
			return nil, neverSent(&failure{outcome: outcomeNotFound,
				err: fault.Wrap(fault.NotFound, "The sales agent has no such thing of this tenant.", errImpossibleID)})
		}
	}
	var body io.Reader
	if cl.body != nil {
		body = bytes.NewReader(cl.body)
	}
	req, err := http.NewRequestWithContext(context.WithValue(ctx, callKey{}, cl), cl.method, target, body)
	if err != nil {
		return nil, neverSent(noTenant(errImpossibleID)) // err prints the URL
	}
	// Without GetBody no transport can send a body a second time. net/http would do so by
	// itself when it believes that the request was not read: over HTTP/2 also after a
	// PROTOCOL_ERROR, which proves nothing. Requests without a body may be sent again; they
	// are the ones that may as well be made twice.
	req.GetBody = nil
	req.Header.Set(keyHeader, c.cfg.APIKey)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	if cl.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}
