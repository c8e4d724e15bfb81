package lifecycle

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream/wire"
)

// suspectPause is the least time between two checks of a tenant that something was odd
// about. The regular ones come beside them.
const suspectPause = 5 * time.Minute

// Checks of what seemed odd, of one customer and in all, that run at the same time. More
// are left to the regular ones.
const (
	maxCustomerChecks = 4
	maxChecks         = 16
)

// Check asks upstream whether a source's tenant is active, and for its external_org_id, and
// records what has changed (contract 2.2, 5.13). A switch that was made at the sales agent
// is in the audit. A tenant that does not exist changes nothing; nor does an answer that one
// of our own switches may have overtaken.
func (l *Lifecycle) Check(ctx context.Context, m *registry.Source) error {
	was := m.Connection
	m, err := l.registry.ManagedSourceByID(ctx, was.CustomerID, was.ID) // what is listed is older
	switch {
	case fault.Is(err, fault.NotFound):
		return nil // it was deleted
	case err != nil:
		return err
	}
	if was = m.Connection; !checkable(was) {
		return nil
	}
	call, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	found, err := l.upstream.Tenant(call, was.TenantID)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		level := slog.LevelInfo
		if fault.As(err).Reason == fault.CircuitOpen {
			level = slog.LevelDebug // the breaker's own line has said it
		}
		l.logAbout(ctx, level, "a tenant can't be asked about", targetOf(m), slog.Any("error", err))
		return err
	}
	return l.recordShown(ctx, m, found)
}

// checkable reports whether a connection has a tenant whose state no operation is about to
// say.
func checkable(c *registry.Connection) bool {
	return c.TenantID != "" && c.Operation == nil &&
		(c.Provisioning == registry.StatusActive || c.Provisioning == registry.StatusDeactivated)
}

// recordShown records what upstream showed of a tenant; m is its source as it was before
// upstream was asked.
func (l *Lifecycle) recordShown(ctx context.Context, m *registry.Source, found *wire.Tenant) error {
	was, became := m.Connection, shown(*m.Connection, found, now())
	next, err := became(*was)
	if changed, _ := was.Changed(&next); err != nil || !changed {
		return err
	}
	entry := registry.AuditEntry{Actor: registry.ActorSalesAgent, Operation: registry.AuditSwitchedOn}
	if next.Provisioning == registry.StatusDeactivated {
		entry.Operation = registry.AuditSwitchedOff
	}
	switched := false
	m, err = l.registry.ChangeAudited(ctx, was.CustomerID, was.ID, entry, func(current *registry.Source) (*registry.Connection, error) {
		next, err := became(*current.Connection)
		switched = next.Provisioning != current.Connection.Provisioning
		return &next, err
	})
	if err != nil || !switched {
		return err
	}
	l.logAbout(ctx, slog.LevelWarn, "a tenant was switched at the sales agent", targetOf(m),
		slog.String("tenant", was.TenantID), slog.String("state", string(m.Connection.Provisioning)))
	l.changed(m)
	return nil
}

// Suspect has the tenant of a source checked soon, because something about it was odd: in
// the background, and not again within suspectPause.
func (l *Lifecycle) Suspect(m *registry.Source) {
	c := m.Connection
	if !checkable(c) || !l.suspects.Take(c.CustomerID) {
		return
	}
	at := now()
	if !l.tries.begin(openKey{esaID: c.ID}, pauses{suspectPause, suspectPause}, at, at) ||
		!l.checks.Go(context.Background(), "check a tenant", func(ctx context.Context) {
			defer l.suspects.Give(c.CustomerID)
			_ = l.Check(ctx, m) // an error is logged; the regular checks go on
		}) {
		l.suspects.Give(c.CustomerID)
	}
}

// suspectRefused is Suspect if upstream refused something about the tenant, and not about
// an ad server's config.
func (l *Lifecycle) suspectRefused(m *registry.Source, err error) {
	said := refusal(err)
	if said == nil || said.AdapterCode != "" {
		return
	}
	switch said.Status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusLocked:
		l.Suspect(m)
	}
}
