package status

import (
	"context"
	"errors"
	"strconv"
	"time"

	"esagate/internal/fault"
	"esagate/internal/telemetry"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/transform"
	"esagate/upstream"
)

// Answer is the status of a source for one reader.
type Answer struct {
	*View
	snapshot.Read[*document] // of the document that it is a view of
	// Local: the source has no tenant, so the document was made here (contract 4.9).
	Local bool
}

// Get gives the newest status of a managed source that the limits allow, with the last
// runs of each sync stream if runs is above 0 (contract 4.4). Its errors are
// *fault.Error (NotFound: the sales agent has no such tenant; Unavailable, with the
// reason and when to come again) or ctx.Err().
func (s *Service) Get(ctx context.Context, src *registry.Source, runs int) (Answer, error) {
	came, c := time.Now(), src.Connection
	if c.TenantID == "" {
		return s.local(ctx, src)
	}
	got, err := s.documents.GetFor(ctx, c.CustomerID, c.TenantID, c.Epoch, s.fetcher(src, false))
	if err != nil {
		read := telemetry.ReadError
		if fault.Is(err, fault.NotFound) {
			read = telemetry.ReadNegative
		}
		s.ins.SnapshotRead(read)
		return Answer{}, unavailable(err)
	}
	if got.State != snapshot.Hit {
		s.board.asks(src) // another replica may answer
	}
	if got.State == snapshot.Miss { // the fetch may have changed the connection
		if src, err = s.deps.Directory.ManagedSourceByID(ctx, c.CustomerID, c.ID); err != nil {
			return Answer{}, err
		}
	}
	s.countRead(came, got)
	state := viewState{stale: got.Failed}
	if runs > 0 {
		state.histories, state.runs = s.recentHistories(ctx, came, src, got.Doc), runs
		if err := ctx.Err(); err != nil {
			return Answer{}, err
		}
	}
	return Answer{View: s.view(got.Doc, src, state), Read: got}, nil
}

// Known gives the last status of a source that this process has, however old, and asks nobody. It gives
// false where there is none.
func (s *Service) Known(src *registry.Source) (Answer, bool) {
	read, ok := s.documents.Peek(src.Connection.TenantID)
	if !ok {
		return Answer{}, false
	}
	return Answer{View: s.view(read.Doc, src, viewState{stale: read.Failed}), Read: read}, true
}

// local gives the status of a source without a tenant. It is kept like the others, so
// that it is encoded once for all readers of a moment.
func (s *Service) local(ctx context.Context, src *registry.Source) (Answer, error) {
	c := src.Connection
	got, err := s.pending.Get(ctx, strconv.FormatInt(c.ID, 10), c.Epoch, func(context.Context, snapshot.Demand) (*document, error) {
		var says said
		if s.cfg.Subscribes {
			says.Subscribed = new(bool)
		}
		return newDocument(time.Now(), says), nil
	})
	if err != nil {
		return Answer{}, unavailable(err)
	}
	s.ins.SnapshotRead(telemetry.ReadNone)
	return Answer{View: s.view(got.Doc, src, viewState{}), Read: got, Local: true}, nil
}

// Refresh makes sure that the status of a source is fresh, with the same one call that
// readers who come meanwhile share. A source without a tenant has nothing to refresh.
// Errors are those of Get.
func (s *Service) Refresh(ctx context.Context, src *registry.Source) error {
	c := src.Connection
	if c.TenantID == "" {
		return nil
	}
	s.board.asks(src)
	return unavailable(s.documents.Refresh(ctx, c.TenantID, c.Epoch, s.fetcher(src, true)))
}

// fetcher gives the fetch of a source's document: one call of the sales agent, whose
// answer is recorded. background: no reader has started it.
func (s *Service) fetcher(src *registry.Source, background bool) snapshot.Fetch[*document] {
	return guarded(s, "fetch_status", func(ctx context.Context, d snapshot.Demand) (*document, error) {
		tenantID := src.Connection.TenantID
		s.board.asks(src)
		counted := s.countDeliveries(ctx, src)
		answer, err := s.deps.Upstream.Status(demanded(ctx, src.Connection, d, background), tenantID)
		if err != nil {
			s.logRefresh(ctx, "status", tenantID, err)
			if refusesTenant(err) {
				s.deps.CheckTenant(src)
			}
			return nil, err
		}
		says := said{Streams: transform.StreamNamesOf(answer.Syncs)}
		var malformed []string
		says.Status, malformed = transform.Snapshot(answer)
		for _, path := range answer.Notes.Unknown {
			s.ins.UnknownField(path)
		}
		for _, path := range malformed {
			s.ins.MalformedField(path)
		}
		if contradicts(src.Connection, says.Status) {
			s.deps.CheckTenant(src)
		}
		signal := transform.InventorySync(says.Status)
		keep, heard := s.keeping(tenantID, answer.FetchedAt.Time, &signal)
		recorded := s.recorder.record(ctx, &lesson{src: src, signal: signal, heard: heard})
		grace, cancel := context.WithTimeout(ctx, recordGrace)
		defer cancel()
		says.Webhooks, says.Subscribed = counted(grace)
		doc := newDocument(answer.FetchedAt.Time, says)
		doc.keep = keep
		s.opened.keep(doc, &contents{said: says, signal: signal, length: doc.length}, time.Now())
		select {
		case <-recorded:
		case <-grace.Done():
		}
		return doc, nil
	})
}

var readWords = [...]telemetry.ReadResult{
	snapshot.Hit: telemetry.ReadHit, snapshot.Stale: telemetry.ReadStale, snapshot.Miss: telemetry.ReadMiss,
}

func (s *Service) countRead(came time.Time, got snapshot.Read[*document]) {
	s.ins.Recent.Read(came, got.Failed)
	s.ins.SnapshotRead(readWords[got.State])
	if got.Collapsed {
		s.ins.SnapshotCoalesced()
	}
	s.ins.SnapshotAge(got.Age)
}

// unavailable says in the contract's words why a cache has nothing to serve. Other
// errors stay as they are.
func unavailable(err error) error {
	var none *snapshot.UnavailableError
	if !errors.As(err, &none) {
		return err
	}
	cause := none.Cause
	switch {
	case errors.Is(cause, snapshot.ErrNoAnswer):
		cause = fault.Upstream(fault.UpstreamTimeout, "The sales agent has not answered in time.", cause)
	case errors.Is(cause, snapshot.ErrQueued):
		cause = &fault.Error{Kind: fault.Unavailable, Message: upstream.BusyMessage, Cause: cause}
	}
	var f *fault.Error
	if !errors.As(cause, &f) || f.Kind != fault.Unavailable && f.Kind != fault.RateLimited {
		f = fault.Upstream(fault.UpstreamError, "The sales agent can't be asked now.", cause)
	}
	answer := *f
	answer.RetryAfter = none.RetryAfter
	return &answer
}

// demanded says with a context for whom a call is made. Polling gives way to readers, but not for a
// source without a copy: readers may join its fetch, and would wait with it behind all others.
func demanded(ctx context.Context, c *registry.Connection, d snapshot.Demand, background bool) context.Context {
	return upstream.WithDemand(ctx, upstream.Demand{
		Customer: c.CustomerID, CopyFrom: d.CopyFrom, Unwanted: d.Unwanted, Queued: d.Queued,
		Background: background && !d.CopyFrom.IsZero(),
	})
}
