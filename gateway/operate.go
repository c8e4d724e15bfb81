package gateway

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/transform"
)

// saving and switching are what [lifecycle.Lifecycle] does with a connection.
type (
	saving    func(ctx context.Context, customer, esaID int64, config *adserver.Config) (*registry.Source, error)
	switching func(ctx context.Context, customer, esaID int64) (*registry.Source, error)
)

func (g connections) testConnection(w http.ResponseWriter, r *request, src *registry.Source) error {
	g.extendWriteDeadline(w)
	return g.repeatable(w, r, func() ([]byte, error) {
		result, _, err := g.changes(r).Test(detached(r), r.caller.CustomerID, src.Connection.ID)
		if err != nil {
			return nil, err
		}
		return api.Encode(transform.TestResult(result)), nil
	})
}

func (g connections) refresh(w http.ResponseWriter, r *request, src *registry.Source) error {
	return g.repeatable(w, r, func() ([]byte, error) {
		result, err := g.changes(r).Refresh(detached(r), r.caller.CustomerID, src.Connection.ID)
		if err != nil {
			return nil, err
		}
		return api.Encode(transform.Refresh(result)), nil
	})
}

func (g connections) deactivate(w http.ResponseWriter, r *request, src *registry.Source) error {
	return g.switchTo(w, r, src, g.changes(r).Deactivate)
}

func (g connections) reactivate(w http.ResponseWriter, r *request, src *registry.Source) error {
	return g.switchTo(w, r, src, g.changes(r).Reactivate)
}

func (g connections) switchTo(w http.ResponseWriter, r *request, src *registry.Source, to switching) error {
	return g.repeatable(w, r, func() ([]byte, error) {
		now, err := to(detached(r), r.caller.CustomerID, src.Connection.ID)
		if err != nil {
			return nil, err
		}
		return g.document(now), nil
	})
}

// capabilities are what an ad server may provide beside delivery.
var capabilities = map[string]bool{"reporting": true, "forecasting": true}

func (g connections) recheckCapability(w http.ResponseWriter, r *request, src *registry.Source) error {
	capability := r.vars["capability"]
	if !capabilities[capability] {
		return fault.Invalid(fault.Issue{Path: "capability", Message: "capability must be reporting or forecasting."})
	}
	return g.repeatable(w, r, func() ([]byte, error) {
		return api.Encode(transform.CapabilityRecheck(capability)), g.precondition(r, g.view()).Check(src)
	})
}

// repeatable answers a POST that makes no source: with an Idempotency-Key it is done
// once, and a repetition gets the first answer. One that fails may be repeated. Of a form the
// document is left to the page's handler.
func (g *Gateway) repeatable(w http.ResponseWriter, r *request, do func() ([]byte, error)) error {
	body, err := readBody(r, maxBodyBytes) // not used, but part of what the key stands for
	if err != nil {
		return err
	}
	once, onceErr := idempotency(r, body)
	if err := joinIssues(parseQuery(r.URL.RawQuery).err(), onceErr); err != nil {
		return err
	}
	if len(body) > 0 && !jsontext.Value(body).IsValid() {
		return fault.New(fault.BadRequest, "The request's body is not JSON.")
	}
	answered, err := g.once(r, once, false, func() (result, error) {
		document, err := do()
		return result{http.StatusOK, document}, err
	})
	if err != nil {
		return err
	}
	if r.page {
		r.document = answered.document
		return nil
	}
	g.answer(w, r, answered.status, answered.document)
	return nil
}
