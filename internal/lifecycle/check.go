package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream"
	"esagate/upstream/wire"
)

// earlyPause is the least time between two checks of a tenant that CheckSoon begins.
const earlyPause = 5 * time.Minute

// How many checks that CheckSoon has begun may run at the same time, of one customer and in
// all. More are left to the regular ones.
const (
	maxCustomerChecks = 4
	maxChecks         = 16
)

const callerTimeout = 10 * time.Second // of a check that a caller waits for

// Check asks in the background whether a source's tenant is active, and for its external_org_id, and
// records what has changed (contract 2.2, 5.13), in the audit too if the tenant was switched
// off or on at the sales agent. A tenant that does not exist changes nothing; nor does an
// answer that one of our own switches may have overtaken.
func (l *Lifecycle) Check(ctx context.Context, m *registry.Source) error {
	return l.check(upstream.WithDemand(ctx, upstream.Demand{Customer: m.Connection.CustomerID, Background: true}), m)
}

func (l *Lifecycle) check(ctx context.Context, m *registry.Source) error {
	m, err := l.registry.ManagedSourceByID(ctx, m.Connection.CustomerID, m.Connection.ID) // what is listed is older
	switch {
	case fault.Is(err, fault.NotFound):
		return nil // it was deleted
	case err != nil:
		return err
	case !checkable(m.Connection):
		return nil
	}
	call, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	found, err := l.upstream.Tenant(call, m.Connection.TenantID)
	if !upstream.IsBusy(err) {
		asked := l.store.TenantAsked(ctx, m.Connection.CustomerID, m.Connection.ID, m.Connection.TenantID)
		if asked != nil {
			l.logAbout(ctx, slog.LevelDebug, "that a tenant was asked about can't be recorded", targetOf(m), slog.Any("error", asked))
		}
	}
	switch {
	case err == nil:
		return l.recordTenant(ctx, m, found)
	case fault.Is(err, fault.NotFound):
		return nil
	}
	level := slog.LevelInfo
	if fault.As(err).Reason == fault.CircuitOpen || upstream.IsBusy(err) {
		level = slog.LevelDebug // the breaker's own line, or a metric, has said it
	}
	l.logAbout(ctx, level, "a tenant can't be asked about", targetOf(m), slog.Any("error", err))
	return err
}

// checkable reports whether a connection has a tenant that no operation is under way for.
func checkable(c *registry.Connection) bool {
	return c.TenantID != "" && c.Operation == nil &&
		(c.Provisioning == registry.StatusActive || c.Provisioning == registry.StatusDeactivated)
}

// recordTenant records what upstream said of a tenant; m is its source as it was before
// upstream was asked.
func (c *core) recordTenant(ctx context.Context, m *registry.Source, found *wire.Tenant) error {
	was, became := m.Connection, checked(*m.Connection, found, now())
	next, err := became(*was)
	if changed, _ := was.Changed(&next); err != nil || !changed {
		return err
	}
	entry := registry.AuditEntry{Actor: registry.ActorSalesAgent, Operation: registry.AuditSwitchedOn}
	if next.Provisioning == registry.StatusDeactivated {
		entry.Operation = registry.AuditSwitchedOff
	}
	switched := false
	m, err = c.registry.ChangeAudited(ctx, was.CustomerID, was.ID, entry, func(current *registry.Source) (*registry.Connection, error) {
		next, err := became(*current.Connection)
		switched = next.Provisioning != current.Connection.Provisioning
		return &next, err
	})
	if err != nil || !switched {
		return err
	}
	c.logAbout(ctx, slog.LevelWarn, "a tenant was switched at the sales agent", targetOf(m),
		slog.String("tenant", was.TenantID), slog.String("state", string(m.Connection.Provisioning)))
	c.changed(m)
	return nil
}

// CheckSoon begins a Check in the background, because something did not fit what is known of
// the source's tenant; but not within earlyPause of the last one.
func (l *Lifecycle) CheckSoon(m *registry.Source) {
	c := m.Connection
	if !checkable(c) || !l.early.Take(c.CustomerID) {
		return
	}
	at := now()
	if !l.tries.begin(openKey{esaID: c.ID}, pauses{earlyPause, earlyPause}, at, at) ||
		!l.checks.Go(context.Background(), "check a tenant", func(ctx context.Context) {
			defer l.early.Give(c.CustomerID)
			_ = l.Check(ctx, m) // an error is logged; the regular checks go on
		}) {
		l.early.Give(c.CustomerID)
	}
}

// Identified gives a source with the external_org_id of its tenant, which the gateway has to know to tell the sales agent
// who asks (contract 13.4). Where it is not known yet, the tenant is checked at once, once for all that wait. A tenant of
// which the sales agent says none leaves it as it is.
func (l *Lifecycle) Identified(ctx context.Context, m *registry.Source) (*registry.Source, error) {
	c := m.Connection
	if c.ExternalOrgID != "" || !checkable(c) {
		return m, nil
	}
	found, _, err := l.asked.Do(ctx, strconv.FormatInt(c.ID, 10), func(ctx context.Context) (*registry.Source, error) {
		if err := l.check(upstream.WithDemand(ctx, upstream.Demand{Customer: c.CustomerID}), m); err != nil {
			return nil, asUpstreamFault(err)
		}
		return l.registry.ManagedSourceByID(ctx, c.CustomerID, c.ID)
	})
	switch {
	case errors.Is(err, background.ErrClosed):
		err = errStopping
	case errors.Is(err, background.ErrPanicked):
		err = errPanicked
	case err != nil && ctx.Err() != nil:
		err = fault.Upstream(fault.UpstreamTimeout, "The sales agent did not answer in time.", ctx.Err())
	}
	return found, err
}

// checkRefused is CheckSoon if err is upstream's refusal of a change for a reason of the
// tenant's, and not of an ad server's config.
func (l *Lifecycle) checkRefused(m *registry.Source, err error) {
	said := refusal(err)
	if said == nil || said.AdapterCode != "" {
		return
	}
	switch said.Status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusLocked:
		l.CheckSoon(m)
	}
}
