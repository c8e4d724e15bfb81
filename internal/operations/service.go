package operations

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"time"

	"esagate/api"
	"esagate/internal/background"
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
	Status      *status.Service // its Close ends the reads of a Service
	Lifecycle   *lifecycle.Lifecycle
	Logger      *slog.Logger
	Instruments *telemetry.Instruments
}

// Service runs the operations. It is safe for concurrent use; Close ends it. Its errors are [*fault.Error], or that of
// a caller's context.
type Service struct {
	cfg  Config
	deps Deps

	kept   map[kind]*status.Pages
	joined *background.Flight[*api.Body] // reads of which nothing is kept
	wrote  sync.Map                      // of *atomic.Int64, by esaId: how many writes of this process may have arrived

	reads *background.Group
	work  *background.Group         // writes: Close waits for them
	slots *background.Shares[int64] // of writes, by customer
	turns turns
}

// Writes under way and waiting, in all and of one customer.
const (
	maxWrites         = 256
	maxCustomerWrites = 32
)

// New makes a Service, before its Status is used by others.
func New(cfg Config, deps Deps) *Service {
	s := &Service{cfg: cfg, deps: deps, reads: background.NewGroup(deps.Logger), work: background.NewGroup(deps.Logger),
		slots: background.NewShares[int64](maxCustomerWrites, maxWrites), turns: turns{taken: map[int64]*turn{}}}
	s.joined = background.NewFlight[*api.Body](s.reads, "read of an ad server", cfg.ProbeTimeout+upstream.LongestWait)
	s.kept = s.newPages()
	return s
}

// Request is a request of an operation, of a source of the caller's.
type Request struct {
	Source *registry.Source
	Vars   map[string]string // of the path, escaped
	Query  string            // raw
	Body   []byte
	// If checks the preconditions of a write against what the GET that Operation.State names answers now, or without one
	// against the connection, when the request is let in and while no other write of the connection runs. Nil: there are none.
	If func(current *api.Body) error
}

// body gives a document as a read answers with it.
func (s *Service) body(document []byte) *api.Body {
	if s.cfg.Envelope {
		return api.NewBody(api.Enveloped(document))
	}
	return api.NewBody(bytes.Clone(document)) // without the room that it grew into
}

// Close lets no more writes begin, waits for those that are under way until ctx ends, and then cancels them. Deps must
// be closed after it.
func (s *Service) Close(ctx context.Context) {
	s.reads.End()
	_ = s.work.Drain(ctx)
	ended := context.Background() // what was cancelled ends soon
	_ = s.work.Close(ended)
	_ = s.reads.Close(ended)
}
