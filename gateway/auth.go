package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"esagate/internal/auth"
	"esagate/internal/fault"
	"esagate/internal/telemetry"
)

// Names of header fields as net/http keeps them.
const (
	headerAPIKey   = "X-Scope3-Api-Key"
	headerCustomer = "Esagate-Customer"
)

// callers are those who ask.
type callers struct{ *Gateway }

// admit lets in a caller that may ask, within their limits.
func (g callers) admit(h http.Header, r *request, route *Route, need access) error {
	authenticate, actingFor := g.authenticate, g.actingFor
	switch {
	case r.console:
		authenticate, actingFor = consoles(g).authenticate, consoles(g).actingFor
	case r.page:
		authenticate, actingFor = pages(g).authenticate, pages(g).actingFor
	}
	caller, err := authenticate(h, r)
	if err != nil {
		return err
	}
	r.key, r.caller, r.quota, r.answer.stranger = caller, caller, caller.CustomerID, false
	if err := g.limits.count(h, r, route); err != nil {
		return err
	}
	if need >= write && !caller.Write {
		g.ins.AuthRefusal(telemetry.RefusalReadOnly)
		return errReadOnly
	}
	if route == nil {
		return nil
	}
	acting, err := actingFor(r, caller, need)
	if err == nil {
		r.caller = acting
	}
	return err
}

var errReadOnly = fault.New(fault.Forbidden, "This API key may only read.")

// authenticate gives the caller of a request, or why it has none. A caller that is known in
// memory is not made to answer for the wrong keys of others at its address.
func (g callers) authenticate(_ http.Header, r *request) (*auth.Caller, error) {
	clear, given := credential(r.Header)
	return g.identify(r, clear, given)
}

func (g callers) identify(r *request, clear string, given bool) (*auth.Caller, error) {
	if caller := g.deps.Auth.Recognize(clear); caller != nil {
		return caller, nil
	}
	return g.try(r, given, func(ctx context.Context) (*auth.Caller, error) { return g.deps.Auth.Authenticate(ctx, clear) })
}

// try has a credential judged that is not known in memory. A wrong one counts for the client's address.
func (g callers) try(r *request, given bool, judge func(context.Context) (*auth.Caller, error)) (*auth.Caller, error) {
	attempt, err := g.limits.attempt(r.Request)
	if err != nil {
		return nil, err
	}
	wrong := true
	defer func() { attempt.End(wrong) }()
	if !given {
		g.ins.AuthRefusal(telemetry.RefusalMissing)
		return nil, fault.New(fault.Unauthorized, "An API key is needed: send it as a bearer token.")
	}
	caller, err := judge(r.Context())
	// What can't be judged now is not wrong, unless nobody waited for the judgment.
	wrong = errors.Is(err, auth.ErrUnknown) || err != nil && r.Context().Err() != nil
	if err != nil {
		return nil, g.refusal(err)
	}
	return caller, nil
}

// credential reads the key from the headers: the bearer token, or else
// X-Scope3-Api-Key, since a proxy may use Authorization itself. A header with more than
// one value is not a credential: two readers of it could take different ones.
func credential(h http.Header) (string, bool) {
	if values := h["Authorization"]; len(values) > 0 {
		scheme, token, _ := strings.Cut(values[0], " ")
		switch token = strings.Trim(token, " "); {
		case len(values) > 1:
			return "", false
		case strings.EqualFold(scheme, "Bearer"):
			return token, token != ""
		}
	}
	if values := h[headerAPIKey]; len(values) == 1 && values[0] != "" {
		return values[0], true
	}
	return "", false
}

// refusal gives the error for a credential that was not accepted.
func (g callers) refusal(err error) error {
	if !errors.Is(err, auth.ErrUnknown) {
		return err
	}
	reason := auth.ReasonOf(err)
	g.ins.AuthRefusal(telemetry.Refusal(reason))
	if reason == auth.Unknown {
		return fault.New(fault.Unauthorized, "The API key, or access token, is not valid.")
	}
	return fault.Wrap(fault.Unauthorized, "The access token is not valid.", err)
}

// actingFor gives the caller with the customer that a request is for: the caller's own, or the one that
// an operator names. Nobody else may name another, whether or not there is one of that id.
func (g callers) actingFor(r *request, caller *auth.Caller, need access) (*auth.Caller, error) {
	values, named := r.Header[headerCustomer]
	if !named {
		if caller.Operator && need.ofCustomer() {
			return nil, errNoCustomer
		}
		return caller, nil
	}
	given := ""
	if len(values) == 1 {
		given = values[0]
	}
	return g.actFor(caller, given, errBadCustomer, errOtherCustomer)
}

var (
	errNoCustomer    = badCustomer("An operator's request must say in Esagate-Customer which customer it is for.")
	errBadCustomer   = badCustomer("Esagate-Customer must be given once and be the id of one customer: a whole number from 1 to 9007199254740991.")
	errOtherCustomer = fault.New(fault.Forbidden, "This API key, or access token, can't act for another customer.")
)

// actFor gives the caller with the customer whose id is given: an operator with any, all others with their own
// alone. It gives bad for what is no id, and foreign for another's.
func (g *Gateway) actFor(caller *auth.Caller, given string, bad, foreign error) (*auth.Caller, error) {
	customer, ok := auth.ParseCustomer(given)
	switch {
	case !ok:
		return nil, bad
	case caller.Operator:
		acting := *caller
		acting.CustomerID = customer
		return &acting, nil
	case customer != caller.CustomerID:
		g.ins.AuthRefusal(telemetry.RefusalOtherCustomer)
		return nil, foreign
	}
	return caller, nil
}

func badCustomer(message string) error {
	return fault.Invalid(fault.Issue{Path: "header." + headerCustomer, Message: message})
}
