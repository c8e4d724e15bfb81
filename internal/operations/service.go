package operations

import (
	"context"
	"log/slog"
	"time"

	"esagate/api"
	"esagate/internal/lifecycle"
	"esagate/internal/telemetry"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/status"
	"esagate/upstream"
)

// Config is what is fixed when the gateway starts.
type Config struct {
	Envelope     bool            // documents of reads have the form {"data": …, "error": null} (contract 8.1)
	Limits       snapshot.Limits // of statuses: how long readers wait, and how old a last good copy may be
	ProbeTimeout time.Duration   // how long a slow row may take
	Sandbox      Sandbox
}

// Deps are what a Service works with. It closes none of them.
type Deps struct {
	Directory   *registry.Directory
	Upstream    *upstream.Client
	Status      *status.Service
	Lifecycle   *lifecycle.Lifecycle
	Logger      *slog.Logger
	Instruments *telemetry.Instruments
}

// Service runs the operations. It is safe for concurrent use; Close ends it. Its errors are [*fault.Error], or that of
// a caller's context.
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
	// If checks the preconditions of a write against what the GET that Operation.State names answers now, while no
	// other write of the connection runs. Nil: there are none.
	If func(current *api.Body) error
}

// Answer is the answer of a read.
type Answer = status.PageAnswer

// Read answers a GET.
func (s *Service) Read(ctx context.Context, o *Operation, r Request) (Answer, error) {
	x, err := s.exchange(ctx, o, r)
	if err != nil {
		return Answer{}, err
	}
	document, err := x.run(ctx)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Body: s.body(document), State: snapshot.Miss}, nil
}

// body gives a document as a read answers with it.
func (s *Service) body(document []byte) *api.Body {
	if s.cfg.Envelope {
		document = api.Enveloped(document)
	}
	return api.NewBody(document)
}

// Write answers anything else: with a status, and a document where the contract has one. What it does goes on when the
// caller has left.
func (s *Service) Write(ctx context.Context, o *Operation, r Request) (status int, document []byte, err error) {
	x, err := s.exchange(ctx, o, r)
	if err != nil {
		return 0, nil, err
	}
	document, err = x.run(ctx)
	return x.status, document, err
}

// Close lets no more writes begin, waits for those that are under way until ctx ends, and ends the reads.
func (s *Service) Close(ctx context.Context) {}
