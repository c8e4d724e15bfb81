package operations

import (
	"context"
	"net/url"
	"strconv"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream"
)

// Config is what is fixed when the gateway starts.
type Config struct {
	Envelope bool
	Sandbox  Sandbox
}

// Deps are what a Service works with.
type Deps struct {
	Upstream *upstream.Client
}

// Service runs the operations. It is safe for concurrent use. Its errors are [*fault.Error].
type Service struct {
	cfg  Config
	deps Deps
}

// New makes a Service.
func New(cfg Config, deps Deps) *Service { return &Service{cfg, deps} }

// Request is a request of an operation, of a source of the caller's.
type Request struct {
	Source *registry.Source
	Vars   map[string]string // of the path, escaped
	Query  string            // raw
	Body   []byte
}

// Answer is the answer of a read.
type Answer struct {
	Body *api.Body
}

// Read answers a GET.
func (s *Service) Read(ctx context.Context, o *Operation, r Request) (Answer, error) {
	x, err := s.exchange(o, r)
	if err != nil {
		return Answer{}, err
	}
	document, err := x.run(ctx)
	if err != nil {
		return Answer{}, err
	}
	if s.cfg.Envelope {
		document = api.Enveloped(document)
	}
	return Answer{api.NewBody(document)}, nil
}

// Write answers anything else: with a status, and a document where the contract has one.
func (s *Service) Write(ctx context.Context, o *Operation, r Request) (status int, document []byte, err error) {
	x, err := s.exchange(o, r)
	if err != nil {
		return 0, nil, err
	}
	document, err = x.run(ctx)
	return x.status, document, err
}

// exchange reads a request.
func (s *Service) exchange(o *Operation, r Request) (*exchange, error) {
	if r.Source.Connection.TenantID == "" {
		return nil, fault.New(fault.Conflict, "The source is not set up at the sales agent yet.")
	}
	x := &exchange{Operation: o, service: s, source: r.Source, vars: map[string]string{}, body: r.Body, call: o.Call, answer: o.answer}
	for name, value := range r.Vars {
		x.vars[name], _ = url.PathUnescape(value)
	}
	x.status, _ = strconv.Atoi(o.Successes[len(o.Successes)-1].Status)
	return x, nil
}
