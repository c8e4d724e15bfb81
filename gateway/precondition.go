package gateway

import (
	"net/http"
	"time"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/internal/lifecycle"
	"esagate/registry"
)

var errPrecondition = fault.New(fault.PreconditionFailed,
	"This is not, or no longer, in the state that the request is meant for: read it again. Nothing was changed.")

// checkMatch checks a document against If-Match, or without it If-Unmodified-Since (RFC 9110, 13.2.2).
// changed is when what it shows last changed; zero: not known.
func checkMatch(h http.Header, b *api.Body, changed time.Time) error {
	if tags, ok := h["If-Match"]; ok {
		if !namesStrongly(tags, b.ETag[0], b.GzipETag[0]) {
			return errPrecondition
		}
		return nil
	}
	since := h["If-Unmodified-Since"]
	if len(since) != 1 || changed.IsZero() {
		return nil
	}
	if at, err := http.ParseTime(since[0]); err == nil && changed.Truncate(time.Second).After(at) {
		return errPrecondition
	}
	return nil
}

// checkWrite checks the document of what is to be changed against a write's preconditions.
func checkWrite(h http.Header, b *api.Body, changed time.Time) error {
	if err := checkMatch(h, b, changed); err != nil {
		return err
	}
	if tags, ok := h["If-None-Match"]; ok && names(tags, b.ETag[0], b.GzipETag[0]) {
		return errPrecondition
	}
	return nil
}

func hasPrecondition(h http.Header) bool {
	for _, name := range []string{"If-Match", "If-None-Match", "If-Unmodified-Since"} {
		if _, ok := h[name]; ok {
			return true
		}
	}
	return false
}

// A view is the document of a source that a GET answers with.
type view struct {
	document func(*registry.Source) []byte
	changed  func(*registry.Source) time.Time // when what it shows last changed
}

var sourceView = view{sourceDocument, sourceChanged}

// view is what a GET shows of a connection.
func (g connections) view() view { return view{g.document, sourceChanged} }

// sourceChanged is when a source's document last changed, and its connection's, which has its name. It leaves
// out inventorySync, whose times are by the sales agent's clock.
func sourceChanged(s *registry.Source) time.Time {
	if s.Connection != nil && s.Connection.UpdatedAt.After(s.UpdatedAt) {
		return s.Connection.UpdatedAt
	}
	return s.UpdatedAt
}

// precondition gives the precondition of a write: the request's headers must hold for a document of the
// source in the form that a GET answers with. It is nil for a request without preconditions.
func (g *Gateway) precondition(r *request, v view) registry.Precondition {
	if !hasPrecondition(r.Header) {
		return nil
	}
	return func(s *registry.Source) error {
		return checkWrite(r.Header, api.NewBody(g.enveloped(v.document(s))), v.changed(s))
	}
}

// changes gives the Lifecycle that makes a request's changes of a connection on its preconditions.
func (g connections) changes(r *request) *lifecycle.Lifecycle {
	return g.deps.Lifecycle.If(g.precondition(r, g.view()))
}

// checkAddition checks the preconditions of a request that adds to a collection against the collection as
// a GET shows it. A repetition of an earlier request passes: that one has changed the collection itself.
func (c collection) checkAddition(g *Gateway, r *request, once *registry.IdempotencyRecord) error {
	if !hasPrecondition(r.Header) {
		return nil
	}
	body, _, err := c.page(g, r, 0, maxTake)
	if err != nil {
		return err
	}
	unmet := checkWrite(r.Header, body, time.Time{})
	if unmet == nil || once == nil {
		return unmet
	}
	ctx, customer := detached(r), r.caller.CustomerID
	claim, err := g.deps.Directory.ClaimIdempotencyKey(ctx, customer, *once)
	switch {
	case err != nil:
		return err
	case claim.Replayed:
		return nil
	}
	_ = g.deps.Directory.ReleaseIdempotencyKey(ctx, customer, once.Key) // if this fails, the key is soon free
	return unmet
}
